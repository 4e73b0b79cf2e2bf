import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from functions.errors import ResultTooLarge, SourceError
from functions.traces.membership import Membership
from functions.traces.model import TABLES
from functions.traces.slices import Slice, read_slice
from functions.traces.source import Rows
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.source import Asked, ScriptedSource
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import NOON, OTHER, SECRET, TRACE, envelopes

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
AMONG = Membership("", f'where OperationId in ("{TRACE}")')
REQUESTS = Slice("AppRequests", AMONG, NOON - DAY, NOON + DAY, NOON, NOON + DAY)


def a_source() -> TelemetrySource:
    telemetry = Telemetry()
    telemetry.ingest(envelopes(TRACE) + envelopes(OTHER), delay=2 * SECOND)
    return TelemetrySource(telemetry)


def test_a_row_keeps_what_the_table_holds() -> None:
    (found,) = read_slice(a_source(), REQUESTS)
    (request,) = found.rows
    assert (request.table, request.parent_id, request.time) == ("AppRequests", "", NOON)
    assert request.received == NOON + 2 * SECOND
    assert request.columns["Url"] == f"https://x/?q={SECRET}"
    assert request.columns["Success"] is True
    assert request.columns["DurationMs"] == 50.0
    assert "Id" not in request.columns
    assert "SyntheticSource" not in request.columns, "empty columns are left out"


@pytest.mark.parametrize(
    ("received_from", "received_until", "rows"),
    [(2, 3, 1), (0, 2, 0), (3, 9, 0)],
)
def test_a_slice_is_cut_by_ingestion_time_half_open(
    received_from: int, received_until: int, rows: int
) -> None:
    bounds = (NOON + received_from * SECOND, NOON + received_until * SECOND)
    part = Slice("AppRequests", AMONG, NOON - DAY, NOON + DAY, *bounds)
    assert [len(found.rows) for found in read_slice(a_source(), part)] == [rows]


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
    (found,) = read_slice(answering(lambda asked: one_row(asked, Properties=cell)), REQUESTS)
    assert found.rows[0].properties == properties


def test_the_count_of_the_plan_stands_where_as_many_rows_come_and_else_is_asked_for_again() -> None:
    source = answering(lambda asked: one_row(asked, count=7))
    assert [one.rows_at_source for one in read_slice(source, REQUESTS, 1)] == [1]
    assert len(source.asked) == 1
    assert [one.rows_at_source for one in read_slice(source, REQUESTS, 2)] == [7]


@pytest.mark.parametrize("column", ["TimeGenerated", "Received"])
def test_a_time_of_another_type_is_an_error(column: str) -> None:
    with pytest.raises(SourceError, match=column):
        list(read_slice(answering(lambda asked: one_row(asked, **{column: "today"})), REQUESTS))


def test_a_slice_too_large_for_the_source_is_halved_by_ingestion_time_until_it_fits() -> None:
    crowd = {NOON + number * SECOND: 10 for number in range(4)}
    found = list(read_slice(answering(crowded(crowd, most=15)), REQUESTS))
    assert sorted(one.rows_at_source for one in found if one.rows_at_source) == [10] * 4
    assert (found[0].slice.received_from, found[-1].slice.received_until) == (NOON, NOON + DAY)
    ends = [one.slice.received_until for one in found[:-1]]
    assert ends == [one.slice.received_from for one in found[1:]]
    assert {(one.slice.since, one.slice.until) for one in found} == {(NOON - DAY, NOON + DAY)}


def test_a_millisecond_that_is_too_large_is_an_error() -> None:
    with pytest.raises(ResultTooLarge):
        list(read_slice(answering(crowded({NOON: 20}, most=15)), REQUESTS))


@pytest.mark.parametrize("table", TABLES)
def test_lets_of_a_membership_stand_before_the_query(table: str) -> None:
    chosen = Membership(
        f'let Chosen = AppEvents | where OperationId == "{TRACE}" | distinct OperationId;\n',
        "where OperationId in (Chosen)",
    )
    part = Slice(table, chosen, NOON - DAY, NOON + DAY, NOON, NOON + DAY)
    assert {row.trace_id for found in read_slice(a_source(), part) for row in found.rows} == {TRACE}


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


def crowded(crowd: dict[datetime, int], *, most: int) -> Callable[[Asked], Rows | Exception]:
    """Return a source with so many rows received at these times: it counts them, and gives none."""

    def answer(asked: Asked) -> Rows | Exception:
        bounds = re.findall(r"ingestion_time\(\) [<>=]+ datetime\((.*?)\)", asked.kql)
        since, until = map(datetime.fromisoformat, bounds)
        held = sum(rows for time, rows in crowd.items() if since <= time < until)
        if asked.kql.endswith("count()"):
            return Rows(("Rows",), ((held,),))
        if held > most:
            return ResultTooLarge("too large", next_step="less")
        listed = asked.kql.rpartition("| project ")[2].split(", ")
        return Rows(tuple(name.split(" = ")[0] for name in listed), ())

    return answer
