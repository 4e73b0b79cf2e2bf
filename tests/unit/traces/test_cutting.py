"""Cuts over the stand-in's engine: every row is in one slice, and none is over the limits."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.errors import AskedTooMuch, ResultTooLarge
from functions.traces.cutting import LONG_AGO, Counted, Limits, count_late, cut
from functions.traces.membership import Membership
from functions.traces.slices import Slice, read_slice
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import NOON

DAY = timedelta(days=1)
FEW = Limits(rows=10)
ALL = Membership("", "where isnotempty(OperationId)")
WHOLE = Slice("", ALL, NOON - DAY, NOON + DAY, LONG_AGO, NOON + DAY)


def event(number: int, at: datetime) -> dict[str, Any]:
    return {
        "name": "Microsoft.ApplicationInsights.Event",
        "iKey": "00000000-0000-0000-0000-000000000001",
        "time": at.isoformat().replace("+00:00", "Z"),
        "tags": {"ai.operation.id": f"{number:032x}"},
        "data": {"baseType": "EventData", "baseData": {"ver": 2, "name": "e", "properties": {}}},
    }


def a_source(*times: datetime, delay: timedelta = timedelta(0)) -> TelemetrySource:
    telemetry = Telemetry()
    telemetry.ingest([event(number, at) for number, at in enumerate(times)], delay=delay)
    return TelemetrySource(telemetry)


def numbers(source: TelemetrySource, parts: list[Counted]) -> Counter[int]:
    read = (row for part in parts for found in read_slice(source, part.slice) for row in found.rows)
    return Counter(int(row.trace_id, 16) for row in read)


@pytest.mark.parametrize(
    "apart",
    [timedelta(hours=1), timedelta(minutes=7), timedelta(seconds=5), timedelta(milliseconds=3)],
    ids=str,
)
def test_every_row_is_in_one_slice_and_none_is_over_the_limit(apart: timedelta) -> None:
    times = [NOON - timedelta(hours=20) + number * apart for number in range(3 * FEW.rows // 2)]
    source = a_source(*times)
    parts = list(cut(source, WHOLE, FEW))
    assert all(part.rows <= FEW.rows for part in parts)
    assert sum(part.rows for part in parts) == len(times)
    assert numbers(source, parts) == Counter(range(len(times)))


def test_neighbours_are_joined_up_to_the_limit() -> None:
    source = a_source(*(NOON - timedelta(hours=number) for number in range(20)))
    assert [part.rows for part in cut(source, WHOLE, FEW)] == [FEW.rows] * 2


def test_an_instant_of_ingestion_that_holds_too_much_is_cut_by_time() -> None:
    telemetry, now = Telemetry(), datetime.now(UTC)
    telemetry.ingest([event(number, now - number * timedelta(minutes=1)) for number in range(2 * FEW.rows)])
    source = TelemetrySource(telemetry)
    parts = list(cut(source, Slice("", ALL, now - DAY, now + DAY, LONG_AGO, now + DAY), FEW))
    assert [part.rows for part in parts] == [FEW.rows] * 2
    assert numbers(source, parts) == Counter(range(2 * FEW.rows))


def test_a_millisecond_that_holds_too_much_is_an_error() -> None:
    with pytest.raises(ResultTooLarge):
        list(cut(a_source(*[NOON] * (FEW.rows + 1)), WHOLE, FEW))


def test_large_rows_are_cut_by_their_size() -> None:
    source = a_source(*(NOON - timedelta(minutes=number) for number in range(10)))
    (whole,) = cut(source, WHOLE)
    parts = list(cut(source, WHOLE, Limits(size=whole.size // 2)))
    assert len(parts) >= 2
    assert all(part.size <= whole.size // 2 for part in parts)


def test_the_cut_is_the_same_whenever_it_is_asked_for() -> None:
    source = a_source(*(NOON - timedelta(minutes=number) for number in range(10)))
    sooner = Slice("", ALL, NOON - DAY, NOON + DAY, LONG_AGO, NOON + timedelta(minutes=1))
    later = Slice("", ALL, NOON - DAY, NOON + DAY, LONG_AGO, NOON + timedelta(days=300))
    assert list(cut(source, sooner)) == list(cut(source, later))


def test_rows_that_come_after_the_request_are_counted_apart() -> None:
    source = a_source(*(NOON + timedelta(minutes=number) for number in range(10)))
    before = Slice("", ALL, NOON - DAY, NOON + DAY, LONG_AGO, NOON + timedelta(minutes=4))
    assert sum(part.rows for part in cut(source, before)) == 4
    assert count_late(source, ALL, NOON - DAY, NOON + DAY, NOON + timedelta(minutes=4)) == 6


def test_more_than_an_export_may_have_is_refused_by_the_first_count() -> None:
    source = a_source(*(NOON - timedelta(minutes=number) for number in range(10)))
    with pytest.raises(AskedTooMuch, match="at most 3 slices of 2 rows"):
        list(cut(source, WHOLE, Limits(rows=2, slices=3)))
    assert len(source.asked) == 1
