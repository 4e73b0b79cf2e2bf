"""What a limited role reaches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.access.scope import EVERYTHING, Scope, stored_scope, united

NAMES = st.frozensets(st.sampled_from("abc"), max_size=3)
SCOPES = st.builds(Scope, st.none() | NAMES, st.none() | NAMES)


@pytest.mark.parametrize(
    ("scope", "agents", "tenants", "seen"),
    [
        (Scope(), [], [], True),
        (Scope(), ["a"], ["t"], True),
        (Scope(frozenset("a")), ["a"], [], True),
        (Scope(frozenset("a")), ["a", ""], ["t"], True),
        (Scope(frozenset("a")), ["a", "b"], [], False),
        (Scope(frozenset("a")), ["b"], [], False),
        (Scope(frozenset("a")), [], [], False),
        (Scope(frozenset("a")), [""], ["t"], False),
        (Scope(None, frozenset("t")), ["a"], ["t"], True),
        (Scope(None, frozenset("t")), ["a"], [], False),
        (Scope(None, frozenset("t")), ["a"], ["t", "u"], False),
        (Scope(frozenset("a"), frozenset("t")), ["a"], ["t"], True),
        (Scope(frozenset("a"), frozenset("t")), ["a"], ["u"], False),
        (Scope(frozenset("a"), frozenset("t")), ["b"], ["t"], False),
        (Scope(frozenset(), None), [], [], False),
    ],
)
def test_all_that_is_named_must_be_inside_and_something_must_be_named(
    scope: Scope, agents: list[str], tenants: list[str], seen: bool
) -> None:
    assert scope.sees(agents, tenants) is seen


@given(SCOPES, SCOPES, NAMES, NAMES)
def test_who_has_the_wider_scope_sees_what_the_narrower_sees(
    one: Scope, other: Scope, agents: frozenset[str], tenants: frozenset[str]
) -> None:
    if one.within(other) and one.sees(agents, tenants):
        assert other.sees(agents, tenants)


@given(SCOPES, SCOPES, NAMES, NAMES)
def test_what_two_roles_reach_is_what_each_of_them_does(
    one: Scope, other: Scope, agents: frozenset[str], tenants: frozenset[str]
) -> None:
    seen = one.sees(agents, tenants) and other.sees(agents, tenants)
    assert one.both(other).sees(agents, tenants) == seen


@given(st.lists(SCOPES, min_size=1, max_size=4), st.sampled_from("abc"), st.sampled_from("abc"))
def test_entries_together_reach_what_one_of_them_does_and_nothing_else(
    scopes: list[Scope], agent: str, tenant: str
) -> None:
    together = united(scopes)
    if together is not None:
        assert together.sees([agent], [tenant]) == any(one.sees([agent], [tenant]) for one in scopes)


def test_what_no_single_scope_says_is_not_said() -> None:
    assert united([Scope(frozenset("a"), frozenset("t")), Scope(frozenset("b"), frozenset("u"))]) is None
    assert united([]) is None


@given(SCOPES)
def test_it_is_stored_and_read_back(scope: Scope) -> None:
    assert stored_scope(scope.body()) == scope
    assert scope.within(EVERYTHING)
    assert EVERYTHING.within(scope) == scope.unlimited


def test_what_was_stored_before_there_were_limits_is_everything() -> None:
    assert stored_scope(None) == EVERYTHING
