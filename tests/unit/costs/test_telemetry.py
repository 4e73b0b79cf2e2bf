"""How much of the billed telemetry is whose: the sizes are read from the tables, row by row."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from functions.costs.question import Period
from functions.costs.telemetry import TelemetryVolume
from functions.traces.source import Rows
from local.azure_monitor.ingestion import Telemetry
from tests.checks.bench import EngineSource
from tests.checks.telemetry import Trace
from tests.fakes.source import ScriptedSource
from tests.unit.costs.test_waste import costs_of

START, END = datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def sizes(telemetry: Telemetry, trace: Trace) -> Mapping[str, float]:
    """Return the bytes of a trace's rows by table."""
    found = {}
    for table, column in (("AppDependencies", "OperationId"), ("AppGenAIContent", "TraceId")):
        kql = f'{table} | where {column} == "{trace.trace_id}" | project _BilledSize'
        found[table] = sum(row[0] for row in telemetry.query(kql).rows)
    return {table: size for table, size in found.items() if size}


def test_the_bytes_of_a_trace_are_those_of_the_agent_that_began_it() -> None:
    telemetry = Telemetry()
    first, second, nobody = (Trace(number, start=NOON) for number in (1, 2, 3))
    run = first.agent("triage")
    first.tool("search", run, **{"gen_ai.tool.call.arguments": "x" * 500})  # it moves to AppGenAIContent
    first.span("invoke_agent", run, after=0.3, **{"gen_ai.agent.name": "billing"})
    second.agent("billing")
    nobody.span("", "")
    for trace in (first, second, nobody):
        telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    volume = costs_of(EngineSource(telemetry)).telemetry(Period(START, END))
    assert {agent: dict(its.bytes_of_table) for agent, its in volume.agents} == {
        "triage": sizes(telemetry, first),
        "billing": sizes(telemetry, second),
        None: sizes(telemetry, nobody),
    }
    assert {agent: its.rows for agent, its in volume.agents} == {"triage": 4, "billing": 1, None: 1}
    assert min(sizes(telemetry, first).values()) > 500


def test_a_row_counts_when_it_was_received() -> None:
    telemetry = Telemetry()
    for number, start in enumerate((START - timedelta(minutes=1), END - timedelta(minutes=1)), start=1):
        trace = Trace(number, start=start)
        trace.agent(f"agent {number}")
        telemetry.ingest(trace.envelopes, delay=timedelta(minutes=2))
    volume = costs_of(EngineSource(telemetry)).telemetry(Period(START, END))
    assert [agent for agent, _ in volume.agents] == ["agent 1"]


def told(*rows: tuple[str, str, int, float]) -> TelemetryVolume:
    source = ScriptedSource([Rows(("Agent", "Table", "Rows", "Bytes"), rows)])
    return costs_of(source).telemetry(Period(START, END))


def test_a_gigabyte_has_ten_to_the_ninth_bytes_and_the_largest_comes_first() -> None:
    body = told(("", "AppTraces", 1, 5e8), ("a", "AppTraces", 2, 1e9), ("a", "AppRequests", 3, 1e9)).body()
    assert body["gigabytes"] == 2.5
    assert body["agents"] == [
        {"agent": "a", "rows": 5, "gigabytes": 2.0, "tables": {"AppRequests": 1.0, "AppTraces": 1.0}},
        {"agent": None, "rows": 1, "gigabytes": 0.5, "tables": {"AppTraces": 0.5}},
    ]


def test_csv_has_no_formula() -> None:
    table = told(("=1+1", "AppTraces", 1, 5e8)).csv().decode()
    (line,) = csv.DictReader(io.StringIO(table, newline=""), strict=True)
    assert line == {"agent": "'=1+1", "table": "AppTraces", "gigabytes": "0.5"}
