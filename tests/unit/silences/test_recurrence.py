"""When a recurring time is in force, the nights on which clocks change among them.

Berlin's clocks go forward at 2026-03-29T01:00Z (02:00 is followed by 03:00) and back at 2026-10-25T01:00Z
(03:00 is followed by 02:00); Lord Howe Island's change by half an hour (IANA's tz database).
"""

from datetime import UTC, datetime, time, timedelta

import pytest

from functions.silences.recurrence import Occurrence, Recurrence

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


def on(day: str, start: str, end: str, zone: str = "Europe/Berlin") -> list[tuple[str, str]]:
    """Return the occurrences that begin on this local day, as UTC times of day with their dates."""
    noon = at(f"{day}T12:00")
    recurrence = Recurrence((noon.weekday(),), time.fromisoformat(start), time.fromisoformat(end), zone)
    found = recurrence.within(noon - timedelta(days=2), noon + timedelta(days=2))
    return [(f"{one.start:%dT%H:%M}", f"{one.end:%dT%H:%M}") for one in found]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("02:00", "04:00", ("15T01:00", "15T03:00")),
        ("22:00", "06:00", ("15T21:00", "16T05:00")),
        ("00:00", "00:00", ("14T23:00", "15T23:00")),
    ],
)
def test_on_an_ordinary_night_it_is_by_the_clocks_of_the_place(
    start: str, end: str, expected: tuple[str, str]
) -> None:
    assert on("2026-01-15", start, end) == [expected]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("01:00", "04:00", ("29T00:00", "29T02:00")),
        ("02:15", "04:00", ("29T01:00", "29T02:00")),
        ("02:15", "02:45", ("29T01:00", "29T01:45")),
        ("02:30", "03:15", ("29T01:00", "29T01:15")),
        ("01:30", "02:30", ("29T00:30", "29T01:30")),
        ("02:00", "03:00", ("29T01:00", "29T01:00")),
    ],
)
def test_where_clocks_go_forward_a_time_that_does_not_come_begins_as_they_do(
    start: str, end: str, expected: tuple[str, str]
) -> None:
    assert on("2026-03-29", start, end) == ([expected] if expected[0] < expected[1] else [])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("02:30", "03:30", ("25T00:30", "25T02:30")),
        ("01:30", "02:30", ("24T23:30", "25T01:30")),
        ("02:15", "02:45", ("25T00:15", "25T01:45")),
        ("22:00", "06:00", ("25T21:00", "26T05:00")),
    ],
)
def test_where_clocks_go_back_both_of_a_time_that_comes_twice_are_in_it(
    start: str, end: str, expected: tuple[str, str]
) -> None:
    assert on("2026-10-25", start, end) == [expected]


def test_half_an_hour_is_a_change_too() -> None:
    # 2026-10-04T02:00+10:30 is followed by 02:30+11:00, at 15:30Z the day before.
    assert on("2026-10-04", "02:10", "04:00", "Australia/Lord_Howe") == [("03T15:30", "03T17:00")]


def test_it_is_cut_at_both_ends() -> None:
    nightly = Recurrence(EVERY_DAY, time(22), time(6), "UTC")
    start, end = at("2026-05-01T23:00"), at("2026-05-03T05:00")
    assert list(nightly.within(start, end)) == [
        Occurrence(start, at("2026-05-02T06:00")),
        Occurrence(at("2026-05-02T22:00"), end),
    ]


def test_it_begins_on_its_weekdays_only() -> None:
    weekend = Recurrence((5, 6), time(22), time(6), "UTC")
    start = datetime(2026, 5, 4, 12, tzinfo=UTC)  # a Monday
    found = list(weekend.within(start, start + timedelta(days=7)))
    assert [f"{one.start:%a}" for one in found] == ["Sat", "Sun"]


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
def test_over_a_year_no_occurrence_is_lost_or_longer_than_a_day_and_an_hour(zone: str) -> None:
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for begins in range(0, 24 * 60, 45):
        nightly = Recurrence(EVERY_DAY, time(begins // 60, begins % 60), time(4, 30), zone)
        found = list(nightly.within(start, start + timedelta(days=365)))
        assert 364 <= len(found) <= 367
        assert all(timedelta(0) < one.end - one.start <= timedelta(hours=25) for one in found)
