import base64
import json
from typing import Any

import pytest

from functions.access.principal import Principal, SignIn, read_principal
from functions.access.roles import Role, require
from functions.errors import Forbidden, NotAuthenticated

TENANT = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
AUDIENCE = "11111111-2222-3333-4444-555555555555"
ON = SignIn(enabled=True, tenant_id=TENANT, audience=AUDIENCE)
LONG_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
LONG = "http://schemas.microsoft.com/identity/claims"
CLAIMS = [("aud", AUDIENCE), ("tid", TENANT), ("oid", "person-1"), ("name", "Ada"), ("roles", "Alerts.Read")]


def header(claims: list[tuple[Any, Any]], **more: object) -> str:
    listed = [{"typ": kind, "val": value} for kind, value in claims]
    return encoded({"auth_typ": "aad", "claims": listed, "name_typ": "name", "role_typ": "roles"} | more)


def encoded(body: object) -> str:
    return base64.b64encode(json.dumps(body).encode()).decode()


def without(*kinds: str) -> list[tuple[str, str]]:
    return [(kind, value) for kind, value in CLAIMS if kind not in kinds]


def test_a_signed_in_person_is_read() -> None:
    assert read_principal(header(CLAIMS), ON) == Principal("person-1", "Ada", frozenset({"Alerts.Read"}))


def test_long_claim_names_are_read_too() -> None:
    claims = [
        *without("tid", "oid", "roles"),
        (f"{LONG}/tenantid", TENANT.upper()),
        (f"{LONG}/objectidentifier", "person-1"),
        (LONG_ROLE, "Audit.Read"),
    ]
    assert read_principal(header(claims), ON) == Principal("person-1", "Ada", frozenset({"Audit.Read"}))


def test_roles_are_gathered_from_every_role_claim() -> None:
    claims = [*CLAIMS, (LONG_ROLE, "Audit.Read"), ("custom", "Evidence.Read")]
    assert read_principal(header(claims, role_typ="custom"), ON).roles == {
        "Alerts.Read",
        "Audit.Read",
        "Evidence.Read",
    }


@pytest.mark.parametrize("given", [None, "", header(CLAIMS)])
def test_nobody_is_believed_while_sign_in_is_off(given: str | None) -> None:
    with pytest.raises(NotAuthenticated, match="Sign-in is off"):
        read_principal(given, SignIn(enabled=False, tenant_id=TENANT, audience=AUDIENCE))


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "not base64 at all",
        "é",
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"not json").decode(),
        encoded([]),
        encoded({}),
        encoded({"claims": "roles"}),
        encoded({"claims": ["roles"]}),
        encoded({"claims": [{"typ": "tid"}]}),
        header([*CLAIMS, ("roles", 7)]),
        header([*CLAIMS, (None, "x")]),
        header([*CLAIMS, ("name", "x" * 70_000)]),
        header(without("tid")),
        header([*without("tid"), ("tid", AUDIENCE)]),
        header([*CLAIMS, ("tid", AUDIENCE)]),
        header([*CLAIMS, (f"{LONG}/tenantid", AUDIENCE)]),
        header(without("aud")),
        header([*without("aud"), ("aud", TENANT)]),
        header([*CLAIMS, ("aud", TENANT)]),
        header(without("oid")),
        header([*CLAIMS, ("oid", "person-2")]),
    ],
)
def test_a_header_that_is_not_this_tenants_for_this_app_is_refused(given: str | None) -> None:
    with pytest.raises(NotAuthenticated):
        read_principal(given, ON)


def test_a_role_lets_pass_what_it_is_for() -> None:
    require(Principal("person-1", "Ada", frozenset({"Alerts.Read"})), Role.ALERTS_READ)


@pytest.mark.parametrize("roles", [set(), {"Alerts.Read"}, {"evidence.read"}, {"Evidence.Read "}])
def test_no_other_role_lets_pass(roles: set[str]) -> None:
    with pytest.raises(Forbidden, match=r"Evidence\.Read"):
        require(Principal("person-1", "Ada", frozenset(roles)), Role.EVIDENCE_READ)


def test_groups_are_read_in_lower_case_by_either_name() -> None:
    long = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
    who = read_principal(header([*CLAIMS, ("groups", "AB-1"), (long, "cd-2")]), ON)
    assert (who.groups, who.groups_known) == ({"ab-1", "cd-2"}, True)


@pytest.mark.parametrize(
    "claim",
    [("hasgroups", "true"), ("_claim_names", '{"groups":"src1"}'), ("_claim_names", "{"), ("HasGroups", "")],
)
def test_groups_that_are_too_many_to_list_are_not_known(claim: tuple[str, str]) -> None:
    assert read_principal(header([*CLAIMS, ("groups", "ab-1"), claim]), ON).groups_known is False
