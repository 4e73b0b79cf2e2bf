import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import pytest

from functions.errors import QueryRejected, ResultTooLarge, SourceError
from functions.traces import rows as limits
from functions.traces.model import TABLES
from functions.traces.rows import Scope, SliceRows, find_traces, read_slices, traces_in_window
from functions.traces.source import Rows
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.source import Asked, ScriptedSource
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import ABSENT, NOON, OTHER, SECRET, TRACE, envelopes

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SCOPE = Scope((TRACE,), (), 0, NOON - DAY, NOON + DAY)


def a_source(*batches: Sequence[dict[str, Any]]) -> TelemetrySource:
    telemetry = Telemetry()
    for batch in batches:
        telemetry.ingest(batch, delay=timedelta(seconds=2))
    return TelemetrySource(telemetry)


def in_window(
    source: Any,
    start: datetime = NOON,
    *,
    names: Mapping[str, str] = MappingProxyType({}),
    **filters: str | None,
) -> Scope:
    agent, release = filters.get("agent"), filters.get("release")
    return traces_in_window(
        source, start=start, end=start + MINUTE, agent=agent, release=release, names=names
    )


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


def test_a_row_keeps_what_the_table_holds() -> None:
    (request,) = next(read_slices(a_source(envelopes()), SCOPE)).rows
    assert (request.table, request.parent_id, request.time) == ("AppRequests", "", NOON)
    assert request.received == NOON + timedelta(seconds=2)
    assert request.columns["Url"] == f"https://x/?q={SECRET}"
    assert request.columns["Success"] is True
    assert request.columns["DurationMs"] == 50.0
    assert "Id" not in request.columns
    assert "SyntheticSource" not in request.columns, "empty columns are left out"


@pytest.mark.parametrize(
    ("cell", "properties"),
    [
        (None, {}),
        ("", {}),
        ('{"a": "text", "b": 1, "c": [true]}', {"a": "text", "b": "1", "c": "[true]"}),
        ('{"a": "cut', {"Properties": '{"a": "cut'}),
        ("[1]", {"Properties": "[1]"}),
    ],
)
def test_properties_become_text_and_none_is_lost(cell: str | None, properties: dict[str, str]) -> None:
    source = answering(lambda asked: one_row(asked, Properties=cell))
    assert next(read_slices(source, SCOPE)).rows[0].properties == properties


def test_a_row_that_comes_between_count_and_rows_shows_in_the_two_numbers() -> None:
    source = answering(lambda asked: one_row(asked, count=0))
    assert [(part.rows_at_source, len(part.rows)) for part in read_slices(source, SCOPE)] == [(0, 1)] * len(
        TABLES
    )


def test_traces_are_asked_for_in_batches() -> None:
    ids = tuple(f"{number:032x}" for number in range(limits.TRACES_PER_SLICE + 1))
    source = answering(lambda asked: one_row(asked, count=1))
    slices = list(read_slices(source, Scope(ids, (), 0, NOON - DAY, NOON + DAY)))
    assert [len(part.slice.trace_ids) for part in slices] == [500] * 5 + [1] * 5


def test_a_slice_over_the_row_limit_is_halved_until_it_fits() -> None:
    crowd = {NOON + timedelta(seconds=second): limits.ROW_LIMIT // 2 for second in range(3)}
    parts = of_requests(read_slices(answering(crowded(crowd, fail_above=10**9)), SCOPE))
    assert sum(part.rows_at_source for part in parts) == 3 * limits.ROW_LIMIT // 2
    assert all(part.rows_at_source <= limits.ROW_LIMIT for part in parts)
    assert (parts[0].slice.since, parts[-1].slice.until) == (SCOPE.since, SCOPE.until)
    assert all(one.slice.until == next_one.slice.since for one, next_one in pairwise(parts))


def test_a_slice_too_large_for_the_source_is_halved() -> None:
    crowd = {NOON: 10, NOON + timedelta(seconds=1): 10}
    parts = of_requests(read_slices(answering(crowded(crowd, fail_above=15)), SCOPE))
    assert sorted(part.rows_at_source for part in parts if part.rows_at_source) == [10, 10]


def test_a_millisecond_that_is_too_large_is_an_error() -> None:
    with pytest.raises(ResultTooLarge):
        list(read_slices(answering(crowded({NOON: limits.ROW_LIMIT + 1}, fail_above=10**9)), SCOPE))


@pytest.mark.parametrize("column", ["TimeGenerated", "Received"])
def test_a_time_of_another_type_is_an_error(column: str) -> None:
    with pytest.raises(SourceError, match=column):
        list(read_slices(answering(lambda asked: one_row(asked, **{column: "today"})), SCOPE))


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
    assert in_window(source, NOON).trace_ids == (TRACE,)
    assert in_window(source, NOON + MINUTE).trace_ids == (OTHER,)
    assert in_window(source, NOON - MINUTE).trace_ids == ()


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
    assert len(in_window(a_source(envelopes()), **filters).trace_ids) == found


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
    assert len(in_window(a_source(envelopes()), agent=agent, names=names).trace_ids) == found


def test_ids_that_are_no_trace_ids_are_counted_and_left_out() -> None:
    scope = in_window(a_source(envelopes(TRACE), envelopes("|legacy.1")))
    assert (scope.trace_ids, scope.unusable) == ((TRACE,), 1)


def test_a_window_with_too_many_traces_is_refused() -> None:
    ids = tuple((f"{number:032x}",) for number in range(limits.TRACE_LIMIT + 1))
    source = ScriptedSource([Rows(("OperationId",), ids)])
    with pytest.raises(ResultTooLarge):
        in_window(source)
    assert f"take {limits.TRACE_LIMIT + 1}" in source.asked[0].kql


def answering(answer: Callable[[Asked], Rows | Exception]) -> ScriptedSource:
    return ScriptedSource(answer)


def one_row(asked: Asked, *, count: int = 1, **changes: object) -> Rows:
    if asked.kql.endswith("count()"):
        return Rows(("Rows",), ((count,),))
    names = re.search(r"\| project (.*)$", asked.kql)
    assert names is not None
    columns = [name.split(" = ")[0] for name in names[1].split(", ")]
    known = {"TimeGenerated": NOON, "Received": NOON, "OperationId": TRACE, "Properties": "{}"} | changes
    return Rows(tuple(columns), (tuple(known.get(name, "") for name in columns),))  # type: ignore[arg-type]  # made-up cells


def crowded(crowd: dict[datetime, int], *, fail_above: int) -> Callable[[Asked], Rows | Exception]:
    """Requests of so many rows at these times: counts them, and gives none when asked for them."""

    def answer(asked: Asked) -> Rows | Exception:
        since, until = map(datetime.fromisoformat, re.findall(r"datetime\((.*?)\)", asked.kql))
        held = sum(rows for time, rows in crowd.items() if since <= time < until)
        held = held if asked.kql.startswith("AppRequests") else 0
        if asked.kql.endswith("count()"):
            return Rows(("Rows",), ((held,),))
        return ResultTooLarge("too large", next_step="less") if held > fail_above else Rows((), ())

    return answer


def of_requests(slices: Any) -> list[SliceRows]:
    return [part for part in slices if part.slice.table == "AppRequests"]
