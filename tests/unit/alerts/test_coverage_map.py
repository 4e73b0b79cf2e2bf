"""Quarter days of a check that began three days ago, at midnight; it is Tuesday, 14:10."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from functions.alerts.coverage_map import coverage_map
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.coverage import Coverage, Interval
from functions.checks.interruptions import Interruption, Interruptions
from functions.checks.tally import CountedDay, Tally
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK

NOW = datetime(2026, 11, 24, 14, 10, tzinfo=UTC)
TODAY = NOW.replace(hour=0, minute=0)
BEGAN = TODAY - timedelta(days=3)
UNTIL = NOW - timedelta(minutes=10)


def judged(*stretches: tuple[datetime, datetime], until: datetime = UNTIL) -> CheckState:
    """Return the state of a check that evaluated these stretches, or all since it began."""
    intervals = tuple(Interval(start, end, 1) for start, end in stretches or ((BEGAN, until),))
    return CheckState(watermark=until, coverage=Coverage(intervals))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a time of the day that began so many days ago."""
    return TODAY - timedelta(days=day) + timedelta(hours=hour, minutes=minute)


def interrupted(state: CheckState, start: datetime, end: datetime, cause: str) -> CheckState:
    return replace(state, interruptions=Interruptions((), (Interruption(start, end, cause),)))


def told(state: CheckState | None, days: int = 4, *, check: Any = CHECK) -> Mapping[str, Any]:
    documents = MemoryDocuments()
    if state is not None:
        documents.write(PREFIX + CHECK.id, state_to_json(state), version=None)
    (one,) = coverage_map(documents, [check], days, NOW)["checks"]
    return dict(one)


def states(state: CheckState | None, *, check: Any = CHECK) -> Sequence[str]:
    """Return the states of the 16 quarter days of four days."""
    return [cell["state"] for cell in told(state, check=check)["cells"]]


def test_cells_are_quarter_days_of_utc_and_the_present_one_is_the_last() -> None:
    whole = coverage_map(MemoryDocuments(), [CHECK], 7, NOW)
    assert (whole["since"], whole["until"]) == ("2026-11-17T18:00:00Z", "2026-11-24T18:00:00Z")
    assert len(whole["checks"][0]["cells"]) == 7 * 24 / whole["cell_hours"] == 28


def test_what_was_judged_in_time_is_evaluated_and_before_the_check_began_nothing_was_due() -> None:
    # From Friday 18:00 to Tuesday 18:00; the check began on Saturday.
    assert states(judged()) == ["none"] + 15 * ["evaluated"]
    assert told(judged())["cells"][-1] == {"state": "evaluated", "share": 1, "causes": []}


def test_of_a_check_that_never_ran_nothing_is_told() -> None:
    assert states(None) == 16 * ["none"]
    assert told(None)["cells"][0]["share"] is None


def test_time_that_was_never_evaluated_is_a_gap_with_its_share() -> None:
    state = judged((BEGAN, at(1, 7, 30)), (at(1, 9), UNTIL))
    cells = told(state)["cells"]
    assert [cell["state"] for cell in cells].index("gap") == 16 - 6
    assert cells[10] == {"state": "gap", "share": 0.75, "causes": []}
    assert [cell["state"] for cell in cells].count("gap") == 1


def test_what_was_made_up_for_is_late_and_says_why() -> None:
    state = interrupted(judged(), at(1, 6, 30), at(1, 11), "not running")
    cells = told(state)["cells"]
    assert [n for n, cell in enumerate(cells) if cell["state"] == "late"] == [10]
    assert cells[10] == {"state": "late", "share": 1, "causes": ["not running"]}


def test_an_interruption_counts_for_the_windows_that_were_due_in_it() -> None:
    """A window is due when it has ended and settled: the last of a quarter day in the next one."""
    state = interrupted(judged(), at(1, 6, 5), at(1, 6, 25), "SourceThrottled")
    assert [n for n, one in enumerate(states(state)) if one == "late"] == [9, 10]
    over_soon = interrupted(judged(), at(1, 5, 30), at(1, 6, 4), "SourceThrottled")
    assert [n for n, one in enumerate(states(over_soon)) if one == "late"] == [9]


def test_time_in_which_nothing_could_be_seen_is_blind_while_it_is_not_made_up_for() -> None:
    until = at(0, 5)
    blind = interrupted(judged(until=until), at(0, 5, 10), NOW, "SourceBlind")
    assert states(blind)[-3:] == ["blind", "blind", "blind"]
    assert told(blind)["cells"][-2] == {"state": "blind", "share": 0, "causes": ["SourceBlind"]}
    made_up = interrupted(judged(), at(0, 5, 10), NOW - timedelta(minutes=1), "SourceBlind")
    assert states(made_up)[-3:] == ["late", "late", "late"]


def test_a_check_that_is_behind_has_a_gap_till_now_and_says_so() -> None:
    state = judged(until=at(0, 11))
    assert states(state)[-2:] == ["gap", "gap"]
    assert told(state)["behind"] is True
    assert told(judged())["behind"] is False
    assert states(judged(until=NOW - timedelta(minutes=50)))[-1] == "evaluated"  # not yet far behind


@pytest.mark.parametrize(("blind", "shown"), [(6, "evaluated"), (7, "blind")])
def test_a_day_of_which_hardly_any_window_could_be_judged_is_blind(blind: int, shown: str) -> None:
    counted = CountedDay(date(2026, 11, 23), windows=12, blind_windows=blind)
    state = replace(judged(), tally=Tally((counted,)))
    assert states(state)[-7:-3] == 4 * [shown]
    assert states(state)[-3:] == 3 * ["evaluated"]
    # A check that compares has nothing to compare with for a while: that says nothing.
    comparing = replace(CHECK, condition=replace(CHECK.condition, kind="spike"))
    assert states(state, check=comparing)[-7:-3] == 4 * ["evaluated"]


def test_a_record_that_cannot_be_read_has_no_cells() -> None:
    documents = MemoryDocuments()
    documents.write(PREFIX + CHECK.id, {"format": 99}, version=None)
    (one,) = coverage_map(documents, [CHECK], 7, NOW)["checks"]
    assert one == {"id": CHECK.id, "readable": False, "behind": False, "cells": []}
