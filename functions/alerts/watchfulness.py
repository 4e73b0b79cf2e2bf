"""Tells of a check that works and yet does not see: it is far behind, or can judge hardly anything. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from functions.alerts.alert import Alert
from functions.alerts.circumstances import Circumstances
from functions.alerts.failures import failure_check, own_check
from functions.alerts.lifecycle import Advance, advance, end, told_of
from functions.checks.coverage import Coverage
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.sweep import is_swept
from functions.checks.tally import CountedDay, Tally
from functions.checks.windows import window_start

CHECK_BEHIND, CHECK_BLIND = "check_behind", "check_blind"
"""Stand for a check's id in these alerts."""

BEHIND_AFTER = timedelta(hours=1)
"""A check whose judged windows end longer ago than this, beyond what is not due yet, is behind."""

BLIND_SHARE = 0.5
"""More than this share of a day's windows without one row that could be judged makes the day a blind one."""

_NEVER_AGAIN = timedelta(days=36_500)
_DAY = timedelta(days=1)


def behind_check(check: CheckDefinition) -> CheckDefinition:
    """Return the definition that tells that `check` is behind; it is never evaluated itself."""
    return own_check(
        check,
        check_id=CHECK_BEHIND,
        title="A check is behind",
        severity="high",
        unit="minutes",
        false_positives="After an outage of days it catches up a day at each tick; that ends by itself.",
        triage=(
            "See in its coverage when it was evaluated and what its questions took. A tick judges at most 24 "
            "hours or 1,000 windows: a check that stays behind is asked too seldom or takes too long. Raise "
            "its `every`, or ask for less."
        ),
    )


def blind_check(check: CheckDefinition) -> CheckDefinition:
    """Return the definition that tells that `check` can judge hardly anything; likewise."""
    return own_check(
        check,
        check_id=CHECK_BLIND,
        title="A check could judge hardly any of a day's windows",
        severity="low",
        unit="per cent of windows",
        false_positives="A day with few runs, a holiday for example.",
        triage=(
            "Its windows held fewer runs than its `minimum_runs`, or what it needs was not recorded. Raise "
            "its `every` so that a window holds more runs, or lower `minimum_runs`. Till then its silence "
            "says nothing."
        ),
    )


def is_behind(check: CheckDefinition, judged_until: datetime, now: datetime) -> bool:
    """Return whether windows that are still due ended long ago."""
    return now - check.settle - judged_until > max(BEHIND_AFTER, 2 * check.every)


def answerable(
    check: CheckDefinition, coverage: Coverage, judged_until: datetime | None, first: datetime, now: datetime
) -> Window | None:
    """Return what a check has to answer for: what it judged since `first`, and what it ought to have.

    Args:
        check: The check.
        coverage: What it has judged.
        judged_until: How far it has come.
        first: The earliest time that is of interest.
        now: The present instant.

    Returns:
        A stretch of at least one window, from `first` or when the check began; None where nothing is known.
    """
    intervals = coverage.intervals
    if not intervals or judged_until is None:
        return None
    late = is_behind(check, judged_until, now)
    end = window_start(now - check.settle, check.every) if late else judged_until
    return Window(min(max(first, intervals[0].start), end - check.every), end)


def is_blind_day(check: CheckDefinition, counted: CountedDay) -> bool:
    """Return whether a check that judges each window by itself could judge hardly any of a day's."""
    return is_swept(check) and counted.blind_windows > BLIND_SHARE * counted.windows


def report_behind(
    alerts: Mapping[str, Alert],
    *,
    check: CheckDefinition,
    judged_until: datetime,
    in_a_row: int,
    circumstances: Circumstances,
) -> Advance:
    """Open, or keep open, the alert once a check was behind after enough good evaluations; else end it."""
    about = behind_check(check)
    if not in_a_row:
        return end(alerts, about, circumstances)
    if in_a_row < circumstances.rules.report_failure_after:
        return Advance(alerts)
    now = circumstances.now
    minutes = (now - check.settle - judged_until) / timedelta(minutes=1)
    judged = (_about(about, check, Window(judged_until, now), minutes, BEHIND_AFTER / timedelta(minutes=1)),)
    return advance(alerts, judged, check=about, circumstances=circumstances)


def report_blind_day(
    alerts: Mapping[str, Alert],
    *,
    check: CheckDefinition,
    coverage: Coverage,
    tally: Tally,
    before: datetime | None,
    circumstances: Circumstances,
) -> Advance:
    """Say once of a UTC day that has been judged to its end whether the check was blind on it.

    Only a check that judges each window by itself is asked about: one that compares has nothing to compare
    with for a while, and says so by what it leaves unjudged. Neither does a check's first day count.

    Args:
        alerts: The alerts of the check's document.
        check: The check.
        coverage: What was judged, the newest evaluation included.
        tally: What could not be, likewise.
        before: How far the check had come before that evaluation.
        circumstances: The rules, the present instant, what waits in the outbox.
    """
    about, once = blind_check(check), _once(circumstances)
    day = _whole_day(coverage, before)
    if day is None or not is_swept(check):
        return told_of(alerts, about, once)
    counted = tally.on(day)
    if not is_blind_day(check, counted):
        return end(alerts, about, once)
    start = datetime.combine(day, time(), UTC)
    share = 100 * counted.blind_windows / counted.windows
    judged = (_about(about, check, Window(start, start + _DAY), share, 100 * BLIND_SHARE),)
    return advance(alerts, judged, check=about, circumstances=once)


def report_nothing_new(
    alerts: Mapping[str, Alert], check: CheckDefinition, circumstances: Circumstances
) -> Advance:
    """Tell what has become due of the alerts about `check` itself, such as what was kept quiet till now."""
    failed = told_of(alerts, failure_check(check), circumstances)
    behind = told_of(failed.alerts, behind_check(check), circumstances)
    return failed.then(behind).then(told_of(behind.alerts, blind_check(check), _once(circumstances)))


def _once(circumstances: Circumstances) -> Circumstances:
    return replace(circumstances, rules=replace(circumstances.rules, repeat_after=_NEVER_AGAIN))


def _whole_day(coverage: Coverage, before: datetime | None) -> date | None:
    """Return the UTC day that the newest evaluation completed, if the day before was judged too."""
    midnight = datetime.combine(coverage.intervals[-1].end.astimezone(UTC).date(), time(), UTC)
    if before is None or before >= midnight:
        return None
    return None if coverage.gaps(Window(midnight - 2 * _DAY, midnight)) else (midnight - _DAY).date()


def _about(
    about: CheckDefinition, check: CheckDefinition, window: Window, value: float, threshold: float
) -> JudgedWindow:
    finding = Finding(
        check_id=about.id,
        key={"Check": check.id},
        window=window,
        value=value,
        threshold=threshold,
        violations=1,
        trace_ids=(),
    )
    return JudgedWindow(window, (finding,))
