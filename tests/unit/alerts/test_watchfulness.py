"""A check that works but is far behind, or judges hardly anything, is an alert of its own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.alerts.circumstances import Circumstances
from functions.alerts.progress import carry_on
from functions.alerts.state import CheckState
from functions.alerts.watchfulness import CHECK_BEHIND, CHECK_BLIND
from functions.checks.finding import JudgedWindow, Window
from functions.checks.runner import Evaluated
from tests.unit.alerts.building import CHECK, RULES

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


def evaluated(start: datetime, end: datetime, blind: bool = False) -> Evaluated:
    key = ({"Agent": "dispatcher", "Tool": "search"},)
    judged = JudgedWindow(Window(start, end), (), unjudged=key if blind else (), rows=1)
    return Evaluated((judged,), end, rows=1, unjudged=int(blind))


def states(state: CheckState, check_id: str) -> list[str]:
    return [alert.state for alert in state.alerts.values() if alert.check_id == check_id]


def test_a_check_behind_batch_after_batch_is_told_until_it_has_caught_up() -> None:
    state, now = CheckState(watermark=MIDNIGHT), MIDNIGHT + 30 * DAY
    told = []
    for batch in range(4):
        start = MIDNIGHT + batch * DAY
        state, notices = carry_on(state, evaluated(start, start + DAY), CHECK, Circumstances(RULES, now))
        told += [notice.kind for notice in notices]
    assert (states(state, CHECK_BEHIND), told) == (["open"], ["opened"])
    there = now - CHECK.settle
    state, notices = carry_on(state, evaluated(MIDNIGHT + 4 * DAY, there), CHECK, Circumstances(RULES, now))
    assert (states(state, CHECK_BEHIND), [one.kind for one in notices]) == (["resolved"], ["resolved"])


@pytest.mark.parametrize(
    ("blind_hours", "told"),
    [(13, ["opened"]), (12, []), (24, ["opened"]), (0, [])],
)
def test_a_day_on_which_most_windows_could_not_be_judged_is_told_once(
    blind_hours: int, told: list[str]
) -> None:
    check = replace(CHECK, every=timedelta(hours=1))
    state, heard = CheckState(watermark=MIDNIGHT), []
    for hour in range(49):
        start = MIDNIGHT + timedelta(hours=hour)
        end = start + timedelta(hours=1)
        blind = 24 <= hour < 24 + blind_hours
        state, notices = carry_on(
            state, evaluated(start, end, blind), check, Circumstances(RULES, end + check.settle)
        )
        heard += [notice.kind for notice in notices]
    assert heard == told
    assert states(state, CHECK_BLIND) == ["open"] * len(told)


def test_a_blind_day_that_was_kept_quiet_is_told_at_the_next_evaluation_without() -> None:
    check = replace(CHECK, every=timedelta(hours=1))
    state = CheckState(watermark=MIDNIGHT)
    heard = []
    for hour in range(50):
        start = MIDNIGHT + timedelta(hours=hour)
        end = start + timedelta(hours=1)
        quiet = ("a silence",) if hour < 49 else ()
        state, notices = carry_on(
            state,
            evaluated(start, end, blind=True),
            check,
            Circumstances(RULES, end + check.settle, quieted=lambda _, quiet=quiet: quiet),
        )
        heard.append([notice.kind for notice in notices])
    assert heard == [[]] * 49 + [["opened"]]


def test_the_first_day_of_a_check_is_not_held_against_it() -> None:
    check = replace(CHECK, every=timedelta(hours=1))
    state = CheckState(watermark=MIDNIGHT)
    for hour in range(25):
        start = MIDNIGHT + timedelta(hours=hour)
        end = start + timedelta(hours=1)
        state, _ = carry_on(
            state, evaluated(start, end, blind=True), check, Circumstances(RULES, end + check.settle)
        )
    assert states(state, CHECK_BLIND) == []
    assert state.tally.total()["blind_windows"] == 25
