"""No window is skipped, none judged twice, whatever the clock and the configuration do."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.checks.finding import Window
from functions.checks.windows import FIRST_LOOKBACK, MOST_WINDOWS, Batch, due_windows, window_start

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def at(text: str) -> datetime:
    hour, minute = map(int, text.split(":"))
    return NOON.replace(hour=hour, minute=minute)


def due(
    watermark: datetime | None, now: datetime, every: timedelta = FIVE, settle: timedelta = FIVE
) -> list[str]:
    batch = due_windows(every=every, settle=settle, watermark=watermark, now=now)
    return [f"{w.start:%H:%M}-{w.end:%H:%M}" for w in batch.windows] if batch else []


@pytest.mark.parametrize(
    ("watermark", "now", "expected"),
    [
        ("12:00", "12:00", []),
        ("12:00", "12:09", []),  # ended, but not settled
        ("12:00", "12:10", ["12:00-12:05"]),
        ("12:00", "12:14", ["12:00-12:05"]),
        ("12:00", "12:15", ["12:00-12:05", "12:05-12:10"]),
        ("12:00", "12:31", ["12:00-12:05", "12:05-12:10", "12:10-12:15", "12:15-12:20", "12:20-12:25"]),
        ("12:00", "09:00", []),  # the clock went backwards
    ],
)
def test_windows_are_due_once_they_have_ended_and_settled(
    watermark: str, now: str, expected: list[str]
) -> None:
    assert due(at(watermark), at(now)) == expected


def test_a_new_check_begins_a_day_back() -> None:
    batch = due_windows(every=FIVE, settle=FIVE, watermark=None, now=NOON + timedelta(minutes=7))
    assert batch is not None
    assert batch.windows[0].start == NOON - FIRST_LOOKBACK
    assert batch.windows[-1].end == NOON


def test_a_long_outage_is_caught_up_a_day_at_a_time_oldest_first() -> None:
    watermark, now = NOON - timedelta(days=3), NOON
    batches = []
    while batch := due_windows(every=FIVE, settle=FIVE, watermark=watermark, now=now):
        batches.append(batch)
        watermark = batch.windows[-1].end
    assert [len(batch.windows) for batch in batches] == [288, 288, 287]
    assert watermark == NOON - FIVE


def test_narrow_windows_are_caught_up_a_thousand_at_a_time() -> None:
    minute = timedelta(minutes=1)
    batch = due_windows(every=minute, settle=minute, watermark=NOON - timedelta(days=1), now=NOON)
    assert batch is not None
    assert len(batch.windows) == MOST_WINDOWS


def test_a_changed_width_is_brought_into_step_in_narrower_windows() -> None:
    assert due(at("12:05"), at("13:00"), every=timedelta(minutes=15)) == ["12:05-12:10", "12:10-12:15"]
    assert due(at("12:15"), at("13:00"), every=timedelta(minutes=15)) == [
        "12:15-12:30",
        "12:30-12:45",
    ]
    assert due(at("12:05"), at("12:16"), every=timedelta(minutes=15)) == ["12:05-12:10"]


widths = st.sampled_from([1, 2, 5, 6, 15, 60, 90, 24 * 60]).map(lambda minutes: timedelta(minutes=minutes))
ticks = st.lists(
    st.tuples(st.timedeltas(timedelta(hours=-3), timedelta(days=2)), widths), min_size=1, max_size=25
)


def evaluate(steps: list[tuple[timedelta, timedelta]], settle: timedelta) -> list[tuple[datetime, Batch]]:
    """Tick after each step of the clock (which may go backwards), with whatever width holds then."""
    now, watermark, batches = NOON, None, []
    for step, every in steps:
        now += step
        batch = due_windows(every=every, settle=settle, watermark=watermark, now=now)
        if batch is not None:
            batches.append((now, batch))
            watermark = batch.windows[-1].end
    return batches


@given(ticks, st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_judged_windows_partition_time(steps: list[tuple[timedelta, timedelta]], settle: timedelta) -> None:
    windows: list[Window] = [w for _, batch in evaluate(steps, settle) for w in batch.windows]
    assert all(earlier.end == later.start for earlier, later in pairwise(windows))
    assert all(window.start < window.end for window in windows)


@given(ticks, st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_every_window_is_one_bin_of_its_width_and_has_settled(
    steps: list[tuple[timedelta, timedelta]], settle: timedelta
) -> None:
    for now, batch in evaluate(steps, settle):
        assert all(w.end - w.start == batch.width for w in batch.windows)
        assert all(window_start(w.start, batch.width) == w.start for w in batch.windows)
        assert batch.windows[-1].end + settle <= now


@given(widths, st.timedeltas(timedelta(0), timedelta(days=5)))
def test_repeated_ticks_reach_the_last_settled_window(every: timedelta, outage: timedelta) -> None:
    watermark: datetime = window_start(NOON - outage, every)
    while batch := due_windows(every=every, settle=FIVE, watermark=watermark, now=NOON):
        watermark = batch.windows[-1].end
    assert watermark == max(window_start(NOON - FIVE, every), window_start(NOON - outage, every))
