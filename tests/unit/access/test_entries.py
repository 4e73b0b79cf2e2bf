"""How far the role of somebody reaches, by the entries of agents.yaml."""

from typing import Any

import pytest

from functions.access.entries import UNLIMITED, access_rules, scope_of
from functions.access.principal import Principal
from functions.access.roles import Role
from functions.access.scope import EVERYTHING, Scope
from functions.errors import Forbidden

ADA = "6f0e0d5c-0000-4000-8000-00000000000a"
BOB = "6f0e0d5c-0000-4000-8000-00000000000b"
DESK = "6f0e0d5c-0000-4000-8000-0000000000d0"
OTHERS = "6f0e0d5c-0000-4000-8000-0000000000d1"
ROLE = Role.TRACES_READ


def somebody(*groups: str, known: bool = True, object_id: str = ADA) -> Principal:
    return Principal(object_id, "Ada", frozenset({ROLE}), frozenset(groups), known)


def entry(agents: str = "", tenants: str = "", **who: str) -> dict[str, Any]:
    limits = {"agents": list(agents), "tenants": list(tenants)}
    return {"role": "Traces.Read", **who, **{name: value for name, value in limits.items() if value}}


def scope(entries: list[dict[str, Any]], who: Principal, default: str = "unlimited") -> Scope:
    return scope_of(who, ROLE, access_rules({"default": default, "entries": entries}))


@pytest.mark.parametrize(
    ("entries", "who", "expected"),
    [
        ([], somebody(), EVERYTHING),
        ([entry("a", id=BOB)], somebody(), EVERYTHING),
        ([entry("a", id=ADA)], somebody(), Scope(frozenset("a"))),
        ([entry("a", id=ADA.upper())], somebody(), Scope(frozenset("a"))),
        ([entry("a", id=ADA)], somebody(object_id=ADA.upper()), Scope(frozenset("a"))),
        ([entry("a", group=DESK)], somebody(DESK), Scope(frozenset("a"))),
        ([entry("a", group=DESK)], somebody(OTHERS), EVERYTHING),
        ([entry("a", id=ADA), entry("b", group=DESK)], somebody(DESK), Scope(frozenset("ab"))),
        (
            [entry("a", "t", id=ADA), entry("a", "u", group=DESK)],
            somebody(DESK),
            Scope(frozenset("a"), frozenset("tu")),
        ),
        ([entry("a", id=ADA), entry(group=DESK)], somebody(DESK), EVERYTHING),
        ([entry("a", id=ADA), entry("b", group=DESK)], somebody(known=False), Scope(frozenset("a"))),
        ([{**entry("a", id=ADA), "role": "Costs.Read"}], somebody(), EVERYTHING),
        ([{**entry("a", group=DESK), "role": "Costs.Read"}], somebody(known=False), EVERYTHING),
    ],
)
def test_entries_that_name_somebody_add_up(
    entries: list[dict[str, Any]], who: Principal, expected: Scope
) -> None:
    assert scope(entries, who) == expected


@pytest.mark.parametrize(
    ("entries", "who", "default", "message"),
    [
        ([], somebody(), "none", "No entry"),
        ([entry("a", id=BOB)], somebody(), "none", "No entry"),
        ([{**entry("a", id=ADA), "role": "Costs.Read"}], somebody(), "none", "No entry"),
        ([entry("a", group=DESK)], somebody(OTHERS), "none", "No entry"),
        ([entry("a", group=DESK)], somebody(known=False), "none", "does not tell"),
        ([entry("a", group=DESK)], somebody(known=False), "unlimited", "does not tell"),
        ([entry("a", group=DESK)], somebody(OTHERS, known=False), "unlimited", "does not tell"),
        ([entry("a", group=DESK)], somebody(), "unlimited", "does not tell"),
        ([], somebody(known=False), "none", "No entry"),
        ([entry("a", "t", id=ADA), entry("b", "u", group=DESK)], somebody(DESK), "unlimited", "added up"),
    ],
)
def test_what_is_not_known_lets_nobody_in(
    entries: list[dict[str, Any]], who: Principal, default: str, message: str
) -> None:
    with pytest.raises(Forbidden, match=message):
        scope(entries, who, default)


def test_without_the_section_roles_reach_everything() -> None:
    assert scope_of(somebody(), ROLE, UNLIMITED) == EVERYTHING
    assert access_rules({}) == UNLIMITED
