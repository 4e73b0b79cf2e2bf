from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from functions.errors import QueryRejected
from functions.traces.rows import Scope, find_traces, read_slices, window_membership
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.source import ScriptedSource
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import ABSENT, NOON, OTHER, TRACE, envelopes

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SCOPE = Scope((TRACE,), (), 0, NOON - DAY, NOON + DAY)


def a_source(*batches: Sequence[dict[str, Any]]) -> TelemetrySource:
    telemetry = Telemetry()
    for batch in batches:
        telemetry.ingest(batch, delay=timedelta(seconds=2))
    return TelemetrySource(telemetry)


def in_window(
    source: TelemetrySource,
    start: datetime = NOON,
    *,
    received_until: datetime = NOON + DAY,
    names: Mapping[str, str] = MappingProxyType({}),
    **filters: str | None,
) -> set[str]:
    chosen = window_membership(
        start=start,
        end=start + MINUTE,
        received_until=received_until,
        agent=filters.get("agent"),
        release=filters.get("release"),
        names=names,
    )
    rows = source.query(f"{chosen.lets}Chosen", since=start - DAY, until=start + DAY).rows
    return {str(cell) for (cell,) in rows}


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


def test_a_window_holds_the_traces_with_a_row_in_it_half_open() -> None:
    source = a_source(envelopes(TRACE, NOON), envelopes(OTHER, NOON + MINUTE))
    assert in_window(source, NOON) == {TRACE}
    assert in_window(source, NOON + MINUTE) == {OTHER}
    assert in_window(source, NOON - MINUTE) == set()


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"agent": "dispatcher"}, 1),
        ({"agent": "dispatcher", "release": "2.0"}, 1),
        ({"agent": "another"}, 0),
        ({"release": "1.9"}, 0),
        ({"agent": '" or true or "'}, 0),
        ({"release": '2.0" | union AppTraces | where "" == "'}, 0),
    ],
)
def test_a_window_is_narrowed_by_agent_and_release_and_by_nothing_they_might_say(
    filters: dict[str, str | None], found: int
) -> None:
    assert len(in_window(a_source(envelopes()), **filters)) == found


@pytest.mark.parametrize(
    ("agent", "names", "found"),
    [
        ("broker", {"dispatcher": "broker"}, 1),
        ("broker", {"dis*": "broker"}, 1),
        ("broker", {"other": "broker", "dis*": "clerk"}, 0),
        ('" or true or "', {"x": '" or true or "', '" or true or "*': '" or true or "'}, 0),
    ],
)
def test_a_window_of_an_agent_holds_what_was_sent_under_each_of_its_names(
    agent: str, names: dict[str, str], found: int
) -> None:
    assert len(in_window(a_source(envelopes()), agent=agent, names=names)) == found


def test_ids_that_are_no_trace_ids_are_left_out() -> None:
    assert in_window(a_source(envelopes(TRACE), envelopes("|legacy.1"))) == {TRACE}


def test_a_row_that_came_after_the_request_chooses_no_trace() -> None:
    source = a_source(envelopes(TRACE))
    assert in_window(source, received_until=NOON + timedelta(seconds=2)) == set()
