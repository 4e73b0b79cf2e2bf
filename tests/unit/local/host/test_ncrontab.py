from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.ncrontab import parse_schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "moment", "due"),
    [
        ("* * * * * *", "2026-11-24T12:00:00", "2026-11-24T12:00:01"),
        ("0 * * * * *", "2026-11-24T12:00:00", "2026-11-24T12:01:00"),
        ("0 * * * * *", "2026-11-24T12:00:59.999", "2026-11-24T12:01:00"),
        ("0 */5 * * * *", "2026-11-24T12:03:10", "2026-11-24T12:05:00"),
        ("0 1-59/20 * * * *", "2026-11-24T12:03:10", "2026-11-24T12:21:00"),
        ("0 7/20 * * * *", "2026-11-24T12:50:00", "2026-11-24T13:07:00"),
        ("30 0,15 8-9 * * *", "2026-11-24T09:15:30", "2026-11-25T08:00:30"),
        ("0 30 9 * * Mon-Fri", "2026-11-27T09:30:00", "2026-11-30T09:30:00"),
        ("0 0 0 * * 0", "2026-11-24T00:00:00", "2026-11-29T00:00:00"),
        ("0 0 0 * * SUN", "2026-11-24T00:00:00", "2026-11-29T00:00:00"),
        ("0 0 0 1 Jan *", "2026-11-24T00:00:00", "2027-01-01T00:00:00"),
        ("0 0 0 31 * *", "2026-11-24T00:00:00", "2026-12-31T00:00:00"),
        ("0 0 0 29 2 *", "2026-11-24T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 13 * Fri", "2026-11-24T00:00:00", "2027-08-13T00:00:00"),
        ("59 59 23 31 12 *", "2026-12-31T23:59:59", "2027-12-31T23:59:59"),
    ],
)
def test_a_schedule_is_due_next_at(expression: str, moment: str, due: str) -> None:
    assert parse_schedule(expression).next_after(at(moment)) == at(due)


def test_a_moment_of_another_zone_is_read_as_the_instant_it_is() -> None:
    evening = datetime(2026, 11, 24, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert parse_schedule("0 0 5 * * *").next_after(evening) == at("2026-11-25T05:00:00")


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * * *",
        "* * * * * * *",
        "60 * * * * *",
        "* * 24 * * *",
        "* * * 0 * *",
        "* * * * 13 *",
        "* * * * * 7",
        "* * * * * Funday",
        "5-1 * * * * *",
        "*-5 * * * * *",
        "*/0 * * * * *",
        "1,,2 * * * * *",
        "-1 * * * * *",
        "1.5 * * * * *",
        "00:05:00",
        "L * * * * *",
        "* * * * ² *",
    ],
)
def test_what_is_no_ncrontab_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"NCRONTAB|fields|is no"):
        parse_schedule(expression)


def test_a_day_that_no_month_has_is_refused_instead_of_sought_for_ever() -> None:
    with pytest.raises(ValueError, match="never due"):
        parse_schedule("0 0 0 30 2 *").next_after(at("2026-11-24T00:00:00"))


@given(
    moment=st.integers(0, 10 * 366 * 86_400_000).map(
        lambda ms: at("2020-01-01") + timedelta(milliseconds=ms)
    ),
    minute=st.integers(0, 59),
    step=st.integers(1, 23),
)
def test_the_next_due_time_is_later_fits_and_leaves_none_out(
    moment: datetime, minute: int, step: int
) -> None:
    due = parse_schedule(f"0 {minute} */{step} * * *").next_after(moment)
    fitting = [
        candidate
        for hours in range(49)
        if (candidate := moment.replace(minute=minute, second=0, microsecond=0) + timedelta(hours=hours))
        > moment
        and candidate.hour % step == 0
    ]
    assert due == fitting[0]
