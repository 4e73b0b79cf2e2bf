"""What a check found and could not judge is counted by the UTC day in which its windows began."""

from datetime import UTC, date, datetime, timedelta

import pytest

from functions.checks.coverage import KEPT
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.tally import CountedDay, Tally, tally_from_json

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
MINUTES = timedelta(minutes=5)


def window(at: datetime, *, rows: int, found: int = 0, unjudged: int = 0) -> JudgedWindow:
    stretch = Window(at, at + MINUTES)
    findings = [Finding("slow_run", {"Agent": str(n)}, stretch, 2.0, 1.0, 1, ()) for n in range(found)]
    return JudgedWindow(stretch, tuple(findings), unjudged=({"Agent": "new"},) * unjudged, rows=rows)


def test_each_day_has_its_own_findings_and_blind_windows() -> None:
    windows = [
        window(MIDNIGHT - MINUTES, rows=3, found=2, unjudged=1),
        window(MIDNIGHT, rows=1, unjudged=1),
        window(MIDNIGHT + MINUTES, rows=1, found=1),
        window(MIDNIGHT + 2 * MINUTES, rows=0),
    ]
    assert Tally().judged(windows).days == (
        CountedDay(date(2026, 11, 23), windows=1, unjudged=1, findings=2),
        CountedDay(date(2026, 11, 24), windows=2, blind_windows=1, unjudged=1, findings=1),
    )


def test_a_day_that_an_earlier_version_counted_has_no_findings() -> None:
    before = {
        "day": "2026-11-24",
        "windows": 9,
        "blind_windows": 0,
        "unjudged": 0,
        "late_rows": 4,
        "late_findings": 0,
        "withdrawn": 0,
    }
    assert tally_from_json([before]).days == (CountedDay(date(2026, 11, 24), windows=9, late_rows=4),)


def test_a_tally_is_read_back_as_it_was_written() -> None:
    tally = Tally().judged([window(MIDNIGHT, rows=2, found=1)]).came_late({MIDNIGHT: 7})
    assert tally_from_json(tally.to_json()) == tally


@pytest.mark.parametrize(("age", "kept"), [(KEPT - timedelta(days=1), True), (KEPT, False)])
def test_days_are_kept_for_five_weeks(age: timedelta, *, kept: bool) -> None:
    tally = Tally().judged([window(MIDNIGHT - age, rows=1), window(MIDNIGHT, rows=1)])
    assert len(tally.days) == 1 + kept
