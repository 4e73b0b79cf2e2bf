"""A week's summary is due once, at a time of the day where its readers are, whatever clocks do."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alerts.rules import WeeklySummary
from functions.weeks import WeekBefore, is_ahead, latest_day, week_due

MONDAY_EIGHT = WeeklySummary(0, time(8), "Europe/Berlin", ("teams",))
LAST = date(2026, 11, 16)
DUE = datetime(2026, 11, 23, 7, tzinfo=UTC)  # 8:00 in Berlin
SECOND = timedelta(seconds=1)


def test_a_summary_is_due_from_its_time_on_and_tells_of_the_seven_days_before() -> None:
    assert week_due(MONDAY_EIGHT, LAST, DUE - SECOND) is None
    week = week_due(MONDAY_EIGHT, LAST, DUE)
    assert week == WeekBefore(date(2026, 11, 23), "Europe/Berlin")
    assert (week.start, week.end) == (
        datetime(2026, 11, 15, 23, tzinfo=UTC),
        datetime(2026, 11, 22, 23, tzinfo=UTC),
    )


def test_a_summary_that_was_made_is_not_made_again_before_the_next_week() -> None:
    made = date(2026, 11, 23)
    assert week_due(MONDAY_EIGHT, made, DUE) is None
    assert week_due(MONDAY_EIGHT, made, DUE + timedelta(days=7) - SECOND) is None
    assert week_due(MONDAY_EIGHT, made, DUE + timedelta(days=7)) is not None


def test_a_watch_that_begins_tells_of_no_week_before_it() -> None:
    assert week_due(MONDAY_EIGHT, None, DUE + timedelta(days=3)) is None


def test_after_an_outage_there_is_one_late_summary_that_names_the_missed_weeks() -> None:
    back = DUE + timedelta(days=16)
    week = week_due(MONDAY_EIGHT, LAST, back)
    assert week == WeekBefore(date(2026, 12, 7), "Europe/Berlin", missed=2)
    assert week_due(MONDAY_EIGHT, week.day, back) is None


@pytest.mark.parametrize(
    "changed",
    [
        replace(MONDAY_EIGHT, at=time(9)),
        replace(MONDAY_EIGHT, at=time(6)),
        replace(MONDAY_EIGHT, zone="America/New_York"),
    ],
)
def test_another_time_in_the_config_file_makes_no_second_summary_of_a_day(changed: WeeklySummary) -> None:
    instants = [DUE + timedelta(minutes=n) for n in range(0, 24 * 60, 5)]
    assert all(week_due(changed, date(2026, 11, 23), at) is None for at in instants)


@pytest.mark.parametrize(
    ("rule", "due", "hours"),
    [
        # 2:30 on 29 March does not exist in Berlin: it is due when the clocks show 3:30.
        (WeeklySummary(6, time(2, 30), "Europe/Berlin", ()), datetime(2026, 3, 29, 1, 30, tzinfo=UTC), 168),
        # 2:30 on 25 October comes twice: it is due at the first.
        (WeeklySummary(6, time(2, 30), "Europe/Berlin", ()), datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 168),
        (WeeklySummary(0, time(8), "Europe/Berlin", ()), datetime(2026, 3, 30, 6, tzinfo=UTC), 167),
        (WeeklySummary(0, time(8), "Europe/Berlin", ()), datetime(2026, 10, 26, 7, tzinfo=UTC), 169),
        (
            WeeklySummary(0, time(0, 5), "Pacific/Kiritimati", ()),
            datetime(2026, 11, 22, 10, 5, tzinfo=UTC),
            168,
        ),
        (WeeklySummary(0, time(23, 55), "Pacific/Niue", ()), datetime(2026, 11, 24, 10, 55, tzinfo=UTC), 168),
    ],
)
def test_a_change_of_clocks_moves_a_summary_but_makes_none_more_and_none_less(
    rule: WeeklySummary, due: datetime, hours: int
) -> None:
    last = latest_day(rule, due - timedelta(days=2))
    minutes = [due + timedelta(minutes=n) for n in range(-180, 181)]
    made = [(at, week) for at in minutes if (week := week_due(rule, last, at))]
    assert made[0][0] == due
    days = {week.day for _, week in made}
    assert len(days) == 1
    week = made[0][1]
    assert week.end - week.start == timedelta(hours=hours)
    assert week.before().end == week.start, "weeks adjoin"


def test_a_clock_that_goes_back_makes_nothing_due() -> None:
    assert week_due(MONDAY_EIGHT, date(2026, 11, 23), DUE - timedelta(days=5)) is None
    assert not is_ahead(MONDAY_EIGHT, date(2026, 11, 23), DUE - timedelta(days=5))


def test_a_summary_made_by_a_clock_far_ahead_does_not_end_all_others() -> None:
    assert is_ahead(MONDAY_EIGHT, date(2030, 1, 7), DUE)


@given(
    st.integers(0, 6),
    st.times(),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
    st.lists(st.integers(1, 60 * 24 * 20), min_size=1, max_size=30),
)
def test_whenever_hosts_look_each_week_is_told_at_most_once_and_the_latest_always(
    weekday: int, at: time, zone: str, pauses: list[int]
) -> None:
    rule = WeeklySummary(weekday, at.replace(tzinfo=None), zone, ())
    now = datetime(2026, 1, 1, tzinfo=UTC)
    last = latest_day(rule, now)
    told = [last]
    for minutes in pauses:
        now += timedelta(minutes=minutes)
        week = week_due(rule, last, now)
        if week is not None:
            assert week.end <= now
            assert (week.day - last).days == 7 * (week.missed + 1)
            last = week.day
            told.append(last)
        assert now - datetime.combine(last, at, UTC) < timedelta(days=9), "a week passed without a summary"
    assert told == sorted(set(told))
