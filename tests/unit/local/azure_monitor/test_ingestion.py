import copy
import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from local.azure_monitor.content import COLUMN_OF_CONTENT
from local.azure_monitor.envelopes import TABLE_OF
from local.azure_monitor.faults import Lasting
from local.azure_monitor.ingestion import Telemetry

CAPTURES = sorted((Path(__file__).parents[4] / "../shared/captures").glob("*/envelopes.jsonl.gz"))

CONTENT_INLINE = """
    AppDependencies
    | project Input = tostring(Properties["gen_ai.input.messages"]),
        Output = tostring(Properties["gen_ai.output.messages"]),
        Pointer = tostring(Properties["_MS.GenAIContentId"]),
        Model = tostring(Properties["gen_ai.request.model"])
"""
INPUT = '[{"role": "user", "parts": [{"type": "text", "content": "where is it?"}]}]'
OUTPUT = '[{"role": "assistant"}]'


def at(envelope: dict[str, Any], time: datetime) -> dict[str, Any]:
    return {**copy.deepcopy(envelope), "time": time.isoformat()}


def test_inline_routing_leaves_content_in_properties(envelopes: list[dict[str, Any]]) -> None:
    telemetry = Telemetry(content_routing="inline")
    telemetry.ingest(envelopes)
    assert telemetry.query(CONTENT_INLINE).rows == [[INPUT, OUTPUT, "", "gpt-4o"]]
    assert telemetry.query("AppGenAIContent | count").rows == [[0]]


def test_table_routing_moves_content_and_leaves_keys_with_a_pointer(telemetry: Telemetry) -> None:
    [[kept_input, kept_output, pointer, model]] = telemetry.query(CONTENT_INLINE).rows
    assert "where is it" not in str(kept_input)
    assert kept_input == kept_output != ""
    assert model == "gpt-4o"
    joined = telemetry.query("""
        AppDependencies
        | join kind=leftouter (AppGenAIContent | where InputMessages != "")
            on $left.OperationId == $right.TraceId, $left.Id == $right.SpanId
        | project InputMessages, OutputMessages, AgentId, AgentName, ModelName, RoleName, ContentId = Id1
    """)
    assert joined.rows == [
        [INPUT, OUTPUT, "agent-7", "clerk", "gpt-4o-2024-11-20", "shop.assistant", pointer]
    ]


def test_content_of_an_event_hangs_on_the_span_it_belongs_to(telemetry: Telemetry) -> None:
    found = telemetry.query(
        'AppGenAIContent | where EvaluationExplanation != "" | project SpanId, EvaluationExplanation'
    )
    assert found.rows == [["00000000000000a2", "It names no source."]]


def test_requests_and_exceptions_keep_their_content(envelopes: list[dict[str, Any]]) -> None:
    request = copy.deepcopy(envelopes[0])
    request["data"]["baseData"]["properties"]["gen_ai.input.messages"] = "asked"
    telemetry = Telemetry()
    telemetry.ingest([request])
    rows = telemetry.query('AppRequests | project tostring(Properties["gen_ai.input.messages"])').rows
    assert rows == [["asked"]]


def test_ingestion_follows_reception_by_the_delay_asked_for(telemetry: Telemetry) -> None:
    [[own, received, ingested]] = telemetry.query(
        "AppRequests | project TimeGenerated, _TimeReceived, Ingested = ingestion_time()"
    ).rows
    assert (own, received, ingested) == (
        "2026-11-20T10:00:00Z",
        "2026-11-20T10:00:02Z",
        "2026-11-20T10:00:04Z",
    )


@pytest.mark.parametrize(("age", "kept"), [(timedelta(days=1, hours=23), True), (timedelta(days=3), False)])
def test_a_row_received_over_two_days_late_gets_the_received_time(
    envelopes: list[dict[str, Any]], age: timedelta, *, kept: bool
) -> None:
    telemetry = Telemetry()
    telemetry.ingest([at(envelopes[0], datetime.now(UTC) - age)])
    [[generated_late]] = telemetry.query("AppRequests | project (_TimeReceived - TimeGenerated) > 1h").rows
    assert generated_late is kept


def test_rows_ingested_now_are_received_before_and_ingested_between(envelopes: list[dict[str, Any]]) -> None:
    before = datetime.now(UTC)
    telemetry = Telemetry()
    telemetry.ingest(envelopes)
    [[received, ingested]] = telemetry.query("AppRequests | project _TimeReceived, ingestion_time()").rows
    assert before <= datetime.fromisoformat(str(received)) <= datetime.fromisoformat(str(ingested))


def test_rejected_envelopes_are_not_counted_and_do_not_stop_the_others(
    envelopes: list[dict[str, Any]],
) -> None:
    telemetry = Telemetry()
    assert telemetry.ingest([{}, *envelopes, {"data": None}]) == len(envelopes)


def test_odd_text_survives_as_it_is(envelopes: list[dict[str, Any]]) -> None:
    odd = {"quote'\"": 'it\'s \\ "q"', "nul": "a\0b", "line": "1\n2", "emoji": "\U0001f600", "number": 5}
    envelope = copy.deepcopy(envelopes[2])
    envelope["data"]["baseData"]["properties"] = odd
    telemetry = Telemetry()
    telemetry.ingest([envelope])
    [[properties]] = telemetry.query("AppTraces | project Properties").rows
    assert json.loads(str(properties)) == {key: str(value) for key, value in odd.items()}


def test_five_thousand_envelopes_take_a_few_seconds(envelopes: list[dict[str, Any]]) -> None:
    telemetry = Telemetry()
    start = datetime.now(UTC)
    assert telemetry.ingest(envelopes * 840) == 5040
    assert datetime.now(UTC) - start < timedelta(seconds=15)


@pytest.mark.parametrize("routing", ["table", "inline"])
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.parent.name)
def test_every_captured_envelope_is_accepted_into_its_table(
    path: Path, routing: Literal["table", "inline"]
) -> None:
    captured = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    telemetry = Telemetry(content_routing=routing)
    assert telemetry.ingest(captured, delay=timedelta(seconds=5)) == len(captured)
    expected = Counter(TABLE_OF.get(one["data"]["baseType"]) for one in captured)
    for table in TABLE_OF.values():
        assert telemetry.query(f"{table} | count").rows == [[expected[table]]], table
    moved = sum(
        1
        for one in captured
        if TABLE_OF.get(one["data"]["baseType"]) in {"AppDependencies", "AppTraces", "AppEvents"}
        and COLUMN_OF_CONTENT.keys() & one["data"]["baseData"]["properties"].keys()
    )
    assert moved > 0
    assert telemetry.query("AppGenAIContent | count").rows == [[moved if routing == "table" else 0]]


def test_every_second_row_is_late_and_can_not_be_queried_before(envelopes: list[dict[str, Any]]) -> None:
    telemetry = Telemetry()
    moments = [datetime.now(UTC), datetime.now(UTC) - timedelta(hours=2)]
    for moment in moments:
        telemetry.ingest(
            [at(envelopes[0], moment)] * 2,
            delay=timedelta(seconds=-1),
            lasting=Lasting(late_minutes=40, late_every=2),
        )
    lags = telemetry.query(
        "AppRequests | extend Lag = ingestion_time() - TimeGenerated | summarize count() by Lag"
    )
    assert sorted(map(tuple, lags.rows)) == [("-00:00:01", 2), ("00:39:59", 1)]


def test_content_can_be_left_inline_for_a_while(envelopes: list[dict[str, Any]]) -> None:
    telemetry = Telemetry()
    telemetry.ingest(envelopes, lasting=Lasting(content_inline=True))
    assert telemetry.query("AppGenAIContent | count").rows == [[0]]
    telemetry.ingest(envelopes)
    assert telemetry.query("AppGenAIContent | count").rows == [[2]]


@pytest.mark.parametrize(
    "timespan", [None, (datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))]
)
def test_a_hidden_table_has_no_rows_and_no_error(telemetry: Telemetry, timespan: Any) -> None:
    kql = "AppGenAIContent | count"
    assert telemetry.query(kql, timespan).rows != [[0]]
    assert telemetry.query(kql, timespan, hidden={"AppGenAIContent"}).rows == [[0]]
    assert telemetry.query("AppRequests | count", timespan, hidden={"AppGenAIContent"}).rows == [[1]]
