from datetime import UTC, datetime, timedelta, timezone

import pytest

from local.azure_monitor.timespans import read_timespan

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
START = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-20T10:00:00.000Z/2026-11-20T12:00:00.000Z", START, NOW),
        ("2026-11-20T10:00:00Z/PT7200.0S", START, NOW),
        ("PT2H/2026-11-20T12:00:00Z", START, NOW),
        ("PT7200S", START, NOW),
        ("P1DT30M", NOW - timedelta(days=1, minutes=30), NOW),
        (
            "2026-11-20T10:00:00/2026-11-20T13:00:00+01:00",
            START,
            NOW.astimezone(timezone(timedelta(hours=1))),
        ),
    ],
)
def test_an_interval_is_read(text: str, start: datetime, end: datetime) -> None:
    assert read_timespan(text, NOW) == (start, end)


@pytest.mark.parametrize("text", ["yesterday", "2026-11-20T10:00:00Z", "PT1X", "2026-11-20/soon"])
def test_anything_else_is_no_interval(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|isoformat"):
        read_timespan(text, NOW)
