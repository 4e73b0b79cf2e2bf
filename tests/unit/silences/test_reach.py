"""Which silences and alerts are within the reach of a limited role."""

import pytest

from functions.access.scope import Scope
from functions.alerts import reach as alerts
from functions.config_subjects import OF_A_CHECK, OF_THE_WATCH
from functions.errors import Forbidden, NotFound
from functions.silences.body import Author
from functions.silences.reach import within_reach
from functions.silences.store import SilenceStore
from tests.fakes.storage import MemoryDocuments
from tests.unit.triggers.rig import NOON

A = Scope(frozenset({"a", "b"}))
T = Scope(None, frozenset({"t"}))
BOTH = Scope(frozenset({"a"}), frozenset({"t"}))


@pytest.mark.parametrize(
    ("scope", "matchers", "inside"),
    [
        (Scope(), {"severity": ("high",)}, True),
        (A, {"agent": ("a",)}, True),
        (A, {"Agent": ("a", "b")}, True),
        (A, {"agent": ("a",), "check": ("*",)}, True),
        (A, {"agent": ("a", "c")}, False),
        (A, {"agent": ("a*",)}, False),
        (A, {"agent": ("?",)}, False),
        (A, {"agent": ("[ab]",)}, False),
        (A, {"check": ("slow_run",)}, False),
        (A, {"alert": ("f" * 16,)}, False),
        (A, {"Tenant": ("a",)}, False),
        (T, {"Tenant": ("t",)}, True),
        (T, {"agent": ("t",)}, False),
        (BOTH, {"agent": ("a",)}, False),
        (BOTH, {"agent": ("a",), "Tenant": ("t",)}, True),
        # A name with a pattern's letters in it is one only to whoever has no limit.
        (Scope(frozenset({"a*"})), {"agent": ("a*",)}, False),
    ],
)
def test_a_silence_is_within_reach_if_it_can_hide_nothing_else(
    scope: Scope, matchers: dict[str, tuple[str, ...]], inside: bool
) -> None:
    assert within_reach(matchers, scope) is inside


def test_what_is_not_within_reach_is_neither_made_nor_ended() -> None:
    store = SilenceStore(MemoryDocuments(), clock=lambda: NOON)
    author = Author("person-1", "Ada")
    body = {"reason": "x", "matchers": {"agent": ["c"]}, "ends_at": "2026-11-24T16:00:00Z"}
    with pytest.raises(Forbidden):
        store.add(body, author, A)
    assert store.read() == ()
    made = store.add(body, author)
    with pytest.raises(NotFound) as hidden:
        store.end(made.id, "person-1", A)
    with pytest.raises(NotFound) as absent:
        store.end("f" * 12, "person-1", A)
    assert str(hidden.value) == str(absent.value)
    assert store.read()[0].ended_at is None


@pytest.mark.parametrize(
    ("scope", "key", "inside"),
    [
        (Scope(), {"Tool": "x"}, True),
        (A, {"Agent": "a", "Tool": "x"}, True),
        (A, {"Agent": "c"}, False),
        (A, {"Tool": "a"}, False),
        (A, {"Agent": ""}, False),
        (T, {"Agent": "a"}, False),
        (T, {"Tenant": "t"}, True),
        (BOTH, {"Agent": "a", "Tenant": "t"}, True),
        (BOTH, {"Agent": "a", "Tenant": "u"}, False),
    ],
)
def test_an_alert_is_within_reach_by_its_key(scope: Scope, key: dict[str, str], inside: bool) -> None:
    assert alerts.within_reach("slow_run", key, scope) is inside


@pytest.mark.parametrize("check_id", [*OF_A_CHECK, *OF_THE_WATCH])
def test_what_is_wrong_with_the_watch_concerns_everybody(check_id: str) -> None:
    assert alerts.within_reach(check_id, {"Check": "slow_run"}, BOTH)
