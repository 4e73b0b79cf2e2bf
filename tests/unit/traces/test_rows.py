from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from functions.errors import QueryRejected
from functions.traces.rows import Scope, find_traces, read_slices
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.source import ScriptedSource
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import ABSENT, NOON, OTHER, TRACE, envelopes

DAY = timedelta(days=1)
SCOPE = Scope((TRACE,), (), 0, NOON - DAY, NOON + DAY)


def a_source(*batches: Sequence[dict[str, Any]]) -> TelemetrySource:
    telemetry = Telemetry()
    for batch in batches:
        telemetry.ingest(batch, delay=timedelta(seconds=2))
    return TelemetrySource(telemetry)


def test_all_rows_of_a_trace_are_read_from_every_table_and_no_others() -> None:
    source = a_source(envelopes(TRACE), envelopes(OTHER))
    slices = list(read_slices(source, SCOPE))
    assert [(part.slice.table, part.rows_at_source, len(part.rows)) for part in slices] == [
        ("AppRequests", 1, 1),
        ("AppDependencies", 2, 2),
        ("AppTraces", 2, 2),
        ("AppExceptions", 1, 1),
        ("AppEvents", 1, 1),
    ]
    assert {row.trace_id for part in slices for row in part.rows} == {TRACE}


def test_traces_are_asked_for_in_batches() -> None:
    ids = tuple(f"{number:032x}" for number in range(501))
    source = a_source(envelopes(TRACE))
    assert list(read_slices(source, Scope(ids, (), 0, NOON - DAY, NOON + DAY))) == []
    assert [kql.count('"000') // 5 for kql in source.asked] == [500, 1]


def test_an_error_of_the_source_is_not_swallowed() -> None:
    broken = ScriptedSource(lambda _: QueryRejected("no", next_step="none"))
    with pytest.raises(QueryRejected):
        list(read_slices(broken, SCOPE))


def test_traces_without_rows_are_missing() -> None:
    scope = find_traces(a_source(envelopes()), [ABSENT, TRACE], now=NOON + DAY)
    assert (scope.trace_ids, scope.missing) == ((TRACE,), (ABSENT,))
    assert scope.since == NOON - DAY
    assert scope.until == NOON + timedelta(milliseconds=6) + DAY


def test_an_old_trace_is_found_and_the_past_is_asked_for_only_where_the_present_has_none() -> None:
    source = a_source(envelopes())
    assert find_traces(source, [TRACE], now=NOON + timedelta(days=100)).trace_ids == (TRACE,)
    assert len(source.asked) == 2
    assert find_traces(source, [TRACE], now=NOON + timedelta(days=1)).trace_ids == (TRACE,)
    assert len(source.asked) == 3
