"""Every route, every role, every scope: who is let in, what the others are told, and that the ledger has it.

A route without a row in the table fails here, and so does a row without a route.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import azure.functions as func
import orjson
import pytest

from functions.access.entries import access_rules
from functions.access.limits import Limits, RateLimits
from functions.access.roles import Role
from functions.triggers.http import serve
from functions.wiring import Services
from tests.unit.triggers.matrix import EXPORT, EXPORT_ID, MINE, OTHERS, ROWS, asked, endpoints, world
from tests.unit.triggers.rig import AUDIENCE, Rig, body_of, principal
from tests.unit.triggers.test_openapi import bindings

ADA, GROUP = "person-1", "6f0e0d5c-0000-4000-8000-0000000000d0"
CLOSED = {row for row, one in ROWS.items() if one.role is not None}
SIGNED_IN = {row for row, one in ROWS.items() if one.signed_in}
LIMITED = {row for row, one in ROWS.items() if one.beyond != "none"}

World = tuple[Rig, Services, Mapping[str, str]]


@pytest.fixture
def there() -> World:
    return world()


def ask(there: World, name: str, header: str, *, absent: bool = False) -> func.HttpResponse:
    _, services, ids = there
    return serve(endpoints()[name], asked(ROWS[name], ids, header, absent=absent), lambda: services)[0]


def with_access(there: World, section: Mapping[str, Any]) -> World:
    rig, services, ids = there
    configuration = replace(services.configuration, access=access_rules(section))
    return rig, replace(services, configuration=configuration), ids


def limited(there: World, role: Role, **limits: Sequence[str]) -> World:
    return with_access(there, {"entries": [{"role": role.value, "id": ADA, **limits}]})


def needed(name: str) -> Role:
    role = ROWS[name].role
    assert role is not None
    return role


def told(response: func.HttpResponse) -> Any:
    body = body_of(response)
    return body | {"instance": ""} if isinstance(body, dict) else body


def assert_denied(there: World, name: str, response: func.HttpResponse, status: int) -> None:
    """It is a problem document that holds nothing of the world, and the ledger has the denial."""
    rig, _, _ = there
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert MINE.encode() not in response.get_body()
    entry = rig.recorded()[-1]
    assert (entry["action"], entry["outcome"]) == (endpoints()[name].action, "denied")
    assert entry["correlation_id"] == response.headers["X-Correlation-Id"]


def test_every_route_of_the_app_has_a_row_and_every_row_a_route() -> None:
    served = set(bindings("httpTrigger"))
    assert served == ROWS.keys() == endpoints().keys()
    assert {name: (one.role, one.signed_in) for name, one in endpoints().items()} == {
        name: (row.role, row.signed_in) for name, row in ROWS.items()
    }


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", sorted(CLOSED))
def test_one_role_lets_in_and_no_other_does(there: World, name: str, role: Role) -> None:
    response = ask(there, name, principal(role))
    if role is needed(name):
        assert response.status_code < 500
        assert response.status_code not in {401, 403, 404, 429}
    else:
        assert_denied(there, name, response, 403)


@pytest.mark.parametrize(
    ("header", "status"),
    [(principal(), 403), (principal(*Role, tenant=AUDIENCE), 401), ("", 401), ("forged", 401)],
    ids=["no role", "another tenant", "nobody", "unreadable"],
)
@pytest.mark.parametrize("name", sorted(CLOSED))
def test_without_a_role_of_this_tenant_nobody_is_let_in(
    there: World, name: str, header: str, status: int
) -> None:
    assert_denied(there, name, ask(there, name, header), status)


@pytest.mark.parametrize("name", sorted(SIGNED_IN))
def test_what_needs_no_role_needs_a_sign_in_of_this_tenant(there: World, name: str) -> None:
    for header in (principal(*Role, tenant=AUDIENCE), "", "forged"):
        assert_denied(there, name, ask(there, name, header), 401)
    for roles in ((), tuple(Role)):
        response = ask(there, name, principal(*roles))
        assert response.status_code == 200
        assert MINE.encode() not in response.get_body()


@pytest.mark.parametrize("name", sorted(CLOSED))
def test_where_entries_are_needed_a_role_without_one_lets_nobody_in(there: World, name: str) -> None:
    other = {"role": needed(name).value, "id": "person-2"}
    closed = with_access(there, {"default": "none", "entries": [other]})
    assert_denied(there, name, ask(closed, name, principal(*Role)), 403)
    own = with_access(there, {"default": "none", "entries": [{**other, "id": ADA}]})
    assert ask(own, name, principal(*Role)).status_code not in {401, 403, 404, 429}


@pytest.mark.parametrize("name", sorted(CLOSED))
def test_groups_that_a_sign_in_does_not_tell_let_nobody_in(there: World, name: str) -> None:
    entries = [{"role": needed(name).value, "group": GROUP}]
    assert_denied(there, name, ask(with_access(there, {"entries": entries}), name, principal(*Role)), 403)


@pytest.mark.parametrize("name", sorted(CLOSED | SIGNED_IN))
def test_who_asks_too_often_is_denied_and_written_down_once(there: World, name: str) -> None:
    rig, services, ids = there
    clock = services.reading.clock
    few = replace(services, limits=RateLimits(rig.documents, Limits(1, 1), clock=clock))
    ask((rig, few, ids), name, principal())
    before = len(rig.recorded())
    assert_denied(there, name, ask((rig, few, ids), name, principal()), 429)
    assert [ask((rig, few, ids), name, principal()).status_code for _ in range(3)] == [429] * 3
    assert len(rig.recorded()) == before + 1


@pytest.mark.parametrize("name", sorted(LIMITED))
def test_what_a_scope_reaches_is_answered_as_to_anybody(there: World, name: str) -> None:
    role = needed(name)
    whole = ask(world(), name, principal(role))
    part = ask(limited(there, role, agents=[MINE, OTHERS]), name, principal(role))
    assert part.status_code == whole.status_code
    if ROWS[name].listed:
        assert len(body_of(part)[ROWS[name].listed]) == len(body_of(whole)[ROWS[name].listed]) >= 1


@pytest.mark.parametrize(
    "limits",
    [{"agents": [OTHERS]}, {"tenants": ["globex"]}, {"agents": [MINE], "tenants": ["globex"]}],
    ids=["another agent", "another tenant", "the agent for another tenant"],
)
@pytest.mark.parametrize("name", sorted(LIMITED))
def test_what_a_scope_does_not_reach_is_as_if_it_were_not_there(
    there: World, name: str, limits: dict[str, list[str]]
) -> None:
    row, role = ROWS[name], needed(name)
    beyond = limited(there, role, **limits)
    response = ask(beyond, name, principal(role))
    match row.beyond:
        case "hidden":
            assert response.status_code == 404
            assert MINE.encode() not in response.get_body()
            if row.absent:
                assert told(response) == told(ask(beyond, name, principal(role), absent=True))
        case "empty":
            assert response.status_code == 200
            assert body_of(response)[row.listed] == []
        case "forbidden":
            assert_denied(beyond, name, response, 403)
        case "all":
            assert response.status_code == 200
            assert MINE.encode() not in response.get_body()


def content(there: World) -> World:
    """Return a world whose export is of the profile content."""
    rig, services, ids = there
    held = rig.documents.read(f"exports/{EXPORT_ID}")
    assert held is not None
    body = orjson.loads(orjson.dumps(held.body).replace(b'"metadata"', b'"content"'))
    rig.documents.write(held.name, body, version=held.version)
    return rig, services, ids


def test_content_needs_a_role_of_its_own_that_reaches_as_far(there: World) -> None:
    made = content(there)
    read, both = principal(Role.EVIDENCE_READ), principal(Role.EVIDENCE_READ, Role.EVIDENCE_READ_CONTENT)
    assert_denied(made, "download_bundle", ask(made, "download_bundle", read), 403)
    assert ask(made, "download_bundle", both).status_code == 409  # it is not done
    beyond = limited(made, Role.EVIDENCE_READ_CONTENT, agents=[OTHERS])
    assert ask(beyond, "download_bundle", both).status_code == 404


def test_who_may_not_read_content_may_not_ask_for_it(there: World) -> None:
    _, services, _ = there
    endpoint = endpoints()["request_export"]
    row = replace(ROWS["request_export"], body=EXPORT | {"profile": "content"})
    for roles in ((Role.EVIDENCE_READ,), (Role.EVIDENCE_READ_CONTENT,)):
        response, message = serve(endpoint, asked(row, {}, principal(*roles)), lambda: services)
        assert_denied(there, "request_export", response, 403)
        assert message is None


def test_an_alert_that_may_not_be_known_and_one_that_there_is_not_have_one_answer(there: World) -> None:
    _, services, ids = limited(there, Role.EVIDENCE_READ, agents=[OTHERS])
    answers = []
    for alert in (EXPORT["selector"]["alert_id"], "f" * 16):
        row = replace(ROWS["request_export"], body=EXPORT | {"selector": {"alert_id": alert}})
        request = asked(row, ids, principal(Role.EVIDENCE_READ))
        answers.append(told(serve(endpoints()["request_export"], request, lambda: services)[0]))
    assert answers[0] == answers[1]
    assert answers[0]["status"] == 404


@pytest.mark.parametrize("name", sorted(ROWS.keys() - CLOSED - SIGNED_IN))
def test_what_is_open_asks_nobody_and_holds_nothing(there: World, name: str) -> None:
    for header in ("", "forged", principal(*Role)):
        response = ask(there, name, header)
        assert response.status_code in {200, 404}
        assert MINE.encode() not in response.get_body()
