"""What a check has not seen of a week is told, and what was not its to see is not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.alerts.state import CheckState
from functions.checks.coverage import Coverage, Interval
from functions.checks.tally import CountedDay, Tally
from functions.summary.seen import MOST_CHECKS, coverage_of
from functions.weeks import WeekBefore
from tests.unit.alerts.building import CHECK

WEEK = WeekBefore(date(2026, 11, 30), "UTC")
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def seen(*stretches: tuple[datetime, datetime]) -> CheckState:
    return CheckState(coverage=Coverage(tuple(Interval(start, end, 1) for start, end in stretches)))


def of_one(state: CheckState | None, now: datetime = NOW) -> tuple[int, float | None, int, int]:
    """Return how many checks are complete, and share, gaps and minutes of the only one."""
    coverage = coverage_of([CHECK], {CHECK.id: state} if state else {}, WEEK, now)
    assert coverage["total"] == 1
    if not coverage["checks"]:
        return coverage["complete"], 1.0, 0, 0
    (one,) = coverage["checks"]
    return coverage["complete"], one["share"], one["gaps"], one["gap_minutes"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (seen((WEEK.start - HOUR, NOW)), (1, 1.0, 0, 0)),
        (None, (0, None, 0, 0)),
        (CheckState(), (0, None, 0, 0)),
        # 84 of 168 hours in two gaps.
        (
            seen((WEEK.start, WEEK.start + 42 * HOUR), (WEEK.start + 84 * HOUR, WEEK.start + 126 * HOUR)),
            (0, 0.5, 2, 84 * 60),
        ),
        # What lies before a check's first window was not its to see.
        (seen((WEEK.end - 10 * HOUR, NOW)), (1, 1.0, 0, 0)),
        (seen((WEEK.end, NOW)), (0, None, 0, 0)),
        # It stopped in the middle of the week, and nothing has been judged since.
        (seen((WEEK.start, WEEK.start + 84 * HOUR)), (0, 0.5, 1, 84 * 60)),
    ],
)
def test_the_share_of_the_week_is_that_since_the_first_window(
    state: CheckState | None, expected: tuple[int, float | None, int, int]
) -> None:
    assert of_one(state) == expected


def test_a_window_that_is_not_due_yet_is_no_gap() -> None:
    at_once = WEEK.end + timedelta(seconds=1)
    assert of_one(seen((WEEK.start, WEEK.end - CHECK.settle)), at_once) == (1, 1.0, 0, 0)
    assert of_one(seen((WEEK.start, WEEK.end - CHECK.settle - CHECK.every)), at_once)[2:] == (1, 5)


def test_blind_windows_and_late_rows_of_the_week_name_a_check_that_saw_all() -> None:
    days = (
        CountedDay(date(2026, 11, 22), windows=9, blind_windows=9, late_rows=900),
        CountedDay(date(2026, 11, 23), windows=5, blind_windows=2, late_rows=30),
        CountedDay(date(2026, 11, 29), windows=1, late_rows=4),
        CountedDay(date(2026, 11, 30), windows=9, blind_windows=9, late_rows=900),
    )
    state = replace(seen((WEEK.start, NOW)), tally=Tally(days))
    coverage = coverage_of([CHECK], {CHECK.id: state}, WEEK, NOW)
    (one,) = coverage["checks"]
    assert (one["windows"], one["blind_windows"], one["late_rows"]) == (6, 2, 34)
    assert coverage["complete"] == 1


def test_of_many_checks_the_worst_are_named_first() -> None:
    checks = [replace(CHECK, id=f"check_{n:02}") for n in range(30)]
    whole, half = seen((WEEK.start, NOW)), seen((WEEK.start, WEEK.start + 84 * HOUR))
    states = {check.id: half if n % 2 else whole for n, check in enumerate(checks) if n != 7}
    coverage = coverage_of(checks, states, WEEK, NOW)
    assert (coverage["total"], coverage["complete"], len(coverage["checks"])) == (30, 15, MOST_CHECKS)
    assert [one["check"] for one in coverage["checks"][:3]] == ["check_07", "check_01", "check_03"]
