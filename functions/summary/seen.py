"""Says how much of a week each check has seen, from the checks' documents. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from functions.alerts.state import CheckState
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Window
from functions.checks.windows import window_start
from functions.summary.body import CheckCoverage, Coverage
from functions.weeks import WeekBefore

MOST_CHECKS = 10


def coverage_of(
    checks: Sequence[CheckDefinition],
    states: Mapping[str, CheckState | None],
    week: WeekBefore,
    now: datetime,
) -> Coverage:
    """Return how much the checks have seen.

    Args:
        checks: All of them.
        states: Check id to what is remembered of it; without those that can't be read.
        week: Which week.
        now: The present instant: a window that is not due yet is no gap.
    """
    each = [_seen(check, states.get(check.id), week, now) for check in checks]
    lacking = [
        one for one in each if one["share"] is None or one["gaps"] or one["blind_windows"] or one["late_rows"]
    ]
    lacking.sort(
        key=lambda one: (
            -1.0 if one["share"] is None else one["share"],
            -one["blind_windows"],
            -one["late_rows"],
            one["check"],
        )
    )
    return Coverage(
        total=len(each),
        complete=sum(one["share"] is not None and not one["gaps"] for one in each),
        checks=lacking[:MOST_CHECKS],
    )


def _seen(check: CheckDefinition, state: CheckState | None, week: WeekBefore, now: datetime) -> CheckCoverage:
    between = _between(check, state, week, now) if state else None
    if state is None or between is None:
        return CheckCoverage(
            check=check.id, share=None, gaps=0, gap_minutes=0, windows=0, blind_windows=0, late_rows=0
        )
    gaps = state.coverage.gaps(between)
    missing = sum((gap.end - gap.start for gap in gaps), timedelta())
    days = [day for day in state.tally.days if week.holds_day(day.day)]
    return CheckCoverage(
        check=check.id,
        share=1 - missing / (between.end - between.start),
        gaps=len(gaps),
        gap_minutes=round(missing / timedelta(minutes=1)),
        windows=sum(day.windows for day in days),
        blind_windows=sum(day.blind_windows for day in days),
        late_rows=sum(day.late_rows for day in days),
    )


def _between(check: CheckDefinition, state: CheckState, week: WeekBefore, now: datetime) -> Window | None:
    """Return what of the week a check should have seen: from its first window on, whole windows only."""
    intervals = state.coverage.intervals
    if not intervals:
        return None
    start = max(window_start(week.start, check.every), intervals[0].start)
    end = window_start(min(week.end, now - check.settle), check.every)
    return Window(start, end) if start < end else None
