"""What was evaluated is remembered, and what was not is named."""

from datetime import datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.checks.coverage import KEPT, Coverage, coverage_from_json
from functions.checks.finding import Window
from tests.unit.checks.building import FIVE, NOON, window

HOUR = timedelta(hours=1)


def covering(*numbers: int) -> Coverage:
    coverage = Coverage()
    for number in numbers:
        coverage = coverage.after([window(number)], rows=1)
    return coverage


def spans(coverage: Coverage) -> list[tuple[str, str, int]]:
    return [(f"{i.start:%d %H:%M}", f"{i.end:%d %H:%M}", i.rows) for i in coverage.intervals]


def test_adjoining_windows_become_one_interval() -> None:
    assert spans(covering(0, 1, 2)) == [("03 12:00", "03 12:15", 3)]


def test_a_failed_window_leaves_a_gap() -> None:
    coverage = covering(0, 1, 4)
    assert spans(coverage) == [("03 12:00", "03 12:10", 2), ("03 12:20", "03 12:25", 1)]
    assert coverage.gaps(Window(NOON, NOON + 6 * FIVE)) == (
        Window(NOON + 2 * FIVE, NOON + 4 * FIVE),
        Window(NOON + 5 * FIVE, NOON + 6 * FIVE),
    )


@pytest.mark.parametrize(
    ("start", "end", "gaps"),
    [
        (0, 3, []),
        (1, 2, []),
        (-2, 1, [(-2, 0)]),
        (2, 5, [(3, 5)]),
        (-3, -1, [(-3, -1)]),
        (4, 6, [(4, 6)]),
    ],
)
def test_gaps_are_what_is_not_covered(start: int, end: int, gaps: list[tuple[int, int]]) -> None:
    between = Window(NOON + start * FIVE, NOON + end * FIVE)
    expected = tuple(Window(NOON + a * FIVE, NOON + b * FIVE) for a, b in gaps)
    assert covering(0, 1, 2).gaps(between) == expected


def test_a_new_day_begins_a_new_interval() -> None:
    coverage = covering(*range(-1, 144 + 2))
    assert spans(coverage) == [("03 11:55", "04 00:00", 145), ("04 00:00", "04 00:10", 2)]
    assert coverage.gaps(Window(NOON, NOON + timedelta(hours=12, minutes=5))) == ()


def test_what_is_older_than_five_weeks_is_forgotten() -> None:
    coverage = Coverage()
    for day in range(60):
        start = NOON + timedelta(days=day)
        coverage = coverage.after([Window(start, start + timedelta(days=1))], rows=1)
    assert sum(interval.rows for interval in coverage.intervals) == KEPT.days
    assert len(orjson.dumps(coverage.to_json())) < 4000


def test_a_window_is_never_evaluated_twice() -> None:
    with pytest.raises(ValueError, match="once"):
        covering(0, 1).after([window(1)], rows=1)


@given(st.lists(st.integers(1, 40), max_size=40))
def test_it_survives_the_document_it_is_kept_in(skips: list[int]) -> None:
    coverage, at = Coverage(), 0
    for skip in skips:
        at += skip
        coverage = coverage.after([window(at)], rows=skip)
    assert coverage_from_json(orjson.loads(orjson.dumps(coverage.to_json()))) == coverage


@given(st.sets(st.integers(0, 300)))
def test_covered_and_gaps_together_are_all_of_the_time(numbers: set[int]) -> None:
    coverage = covering(*sorted(numbers))
    between = Window(NOON, NOON + 301 * FIVE)
    covered = sum(((i.end - i.start) for i in coverage.intervals), start=timedelta())
    missing = sum(((gap.end - gap.start) for gap in coverage.gaps(between)), start=timedelta())
    assert covered == len(numbers) * FIVE
    assert covered + missing == between.end - between.start


def test_instants_are_written_in_utc_with_a_z() -> None:
    written = covering(0).to_json()
    assert written == [{"start": "2026-11-03T12:00:00Z", "end": "2026-11-03T12:05:00Z", "rows": 1}]
    assert datetime.fromisoformat(written[0]["start"]) == NOON
