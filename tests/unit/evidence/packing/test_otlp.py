import base64
from datetime import timedelta
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from functions.evidence.packing.otlp import PLACEHOLDER, OtlpFile, encode_traces, row_name
from functions.traces.model import TraceRow
from tests.unit.evidence.material import AGENT, NOON, OTHER, REQUEST, TOOL, TRACE, row

ROOT = row("AppRequests", span_id=REQUEST)
NANO = 10**9


def decoded(file: OtlpFile) -> list[TracesData]:
    """Parse with OpenTelemetry's own messages; ParseDict would read hex ids as base64 without a word."""
    return [ParseDict(_with_base64_ids(orjson.loads(line)), TracesData()) for line in file.data.splitlines()]


def _with_base64_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    ids = {"traceId", "spanId", "parentSpanId"}
    return {
        name: base64.b64encode(bytes.fromhex(item)).decode() if name in ids else _with_base64_ids(item)
        for name, item in value.items()
    }


def spans_of(*rows: TraceRow) -> list[Span]:
    return [
        span
        for data in decoded(encode_traces(rows))
        for resource in data.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def attributes(span: Span) -> dict[str, object]:
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value")
        for pair in span.attributes
    }


def test_a_span_is_opentelemetrys_own() -> None:
    (span,) = spans_of(row(parent_id=AGENT, columns={"DurationMs": 1.5, "DependencyType": "InProc"}))
    assert (len(span.trace_id), len(span.span_id), len(span.parent_span_id)) == (16, 8, 8)
    assert (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()) == (TRACE, TOOL, AGENT)
    assert span.start_time_unix_nano == int(NOON.timestamp()) * NANO
    assert span.end_time_unix_nano - span.start_time_unix_nano == 1_500_000
    assert span.kind == Span.SPAN_KIND_INTERNAL


def test_a_line_is_a_trace_and_every_row_is_a_span_or_an_event() -> None:
    rows = [
        row(trace_id=OTHER),
        ROOT,
        row(parent_id=REQUEST),
        row("AppTraces", parent_id=TOOL),
        row("AppExceptions", parent_id="dddddddddddddddd"),
        row("AppEvents"),
    ]
    file = encode_traces(rows)
    assert (file.traces, file.spans, file.events) == (2, 3, 3)
    assert len(decoded(file)) == 2
    assert [len(span.events) for span in spans_of(*rows)] == [0, 2, 1], "orphans go to the root"


def test_events_of_a_trace_without_spans_are_held_by_a_placeholder() -> None:
    (span,) = spans_of(row("AppTraces"), row("AppEvents", time=NOON + timedelta(seconds=1)))
    assert attributes(span) == {PLACEHOLDER: True}
    assert len(span.events) == 2
    assert span.end_time_unix_nano - span.start_time_unix_nano == NANO
    assert encode_traces([row("AppTraces")]).spans == 0


def test_the_root_is_the_earliest_span_whose_parent_is_absent() -> None:
    late = row("AppRequests", span_id=REQUEST, time=NOON + timedelta(seconds=1))
    early = row(span_id=AGENT, parent_id="dddddddddddddddd")
    child = row(parent_id=AGENT, time=NOON - timedelta(seconds=1))
    assert [len(span.events) for span in spans_of(late, early, child, row("AppEvents"))] == [0, 1, 0]


def test_spans_that_are_each_others_parent_still_have_a_root() -> None:
    circle = [row(span_id=AGENT, parent_id=TOOL), row(span_id=TOOL, parent_id=AGENT)]
    assert sum(len(span.events) for span in spans_of(*circle, row("AppEvents"))) == 1


def test_a_span_ingested_twice_stays_two_rows_and_its_events_are_told_once() -> None:
    twice = [row(), row(), row("AppTraces", parent_id=TOOL)]
    assert [len(span.events) for span in spans_of(*twice)] == [1, 0]


def test_a_span_without_an_id_gets_one_that_is_always_the_same() -> None:
    nameless = row(span_id="")
    (one,), (again,) = spans_of(nameless), spans_of(nameless)
    assert len(one.span_id) == 8
    assert one.span_id == again.span_id


@pytest.mark.parametrize(
    ("table", "properties", "name"),
    [
        ("AppRequests", {}, "request"),
        ("AppDependencies", {}, "dependency"),
        ("AppTraces", {}, "log"),
        ("AppTraces", {"gen_ai.evaluation.name": "tone"}, "gen_ai.evaluation.result"),
        ("AppExceptions", {}, "exception"),
        ("AppEvents", {}, "event"),
        (
            "AppDependencies",
            {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"},
            "execute_tool t",
        ),
        ("AppDependencies", {"gen_ai.operation.name": "execute_tool"}, "execute_tool"),
        (
            "AppDependencies",
            {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"},
            "invoke_agent a",
        ),
        (
            "AppDependencies",
            {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"},
            "chat gpt-4o",
        ),
        ("AppDependencies", {"gen_ai.operation.name": "chat", "gen_ai.response.model": "m"}, "chat m"),
    ],
)
def test_a_name_is_made_of_safe_attributes_only(table: str, properties: dict[str, str], name: str) -> None:
    secret = {"Name": "GET /users/ada", "OperationName": "GET /users/ada", "Message": "ada"}
    assert row_name(row(table, columns=secret, properties=properties)) == name


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        ("gen_ai.usage.input_tokens", "330", 330),
        ("gen_ai.usage.cache_read.input_tokens", "0", 0),
        ("retrieval.document_count", "3", 3),
        ("gen_ai.request.choice.count", "1", 1),
        ("gen_ai.usage.input_tokens", "many", "many"),
        ("gen_ai.usage.input_tokens", "9" * 40, "9" * 40),
        ("gen_ai.evaluation.score.value", "0.25", 0.25),
        ("prompt.version", "7", "7"),
    ],
)
def test_attributes_are_typed_by_name(name: str, value: str, typed: object) -> None:
    (span,) = spans_of(row(columns={}, properties={name: value}))
    assert attributes(span) == {name: typed}


def test_columns_without_a_field_become_attributes() -> None:
    (span,) = spans_of(row(columns={"ResultCode": "0", "ItemCount": 5, "AppVersion": "2", "Success": True}))
    assert attributes(span) == {"azure_monitor.ResultCode": "0", "azure_monitor.ItemCount": 5}


@pytest.mark.parametrize(("success", "code"), [(True, 0), (False, 2), (None, 0)])
def test_only_a_failed_span_has_the_status_error(success: bool | None, code: int) -> None:
    (span,) = spans_of(row(columns={} if success is None else {"Success": success}))
    assert span.status.code == code


@pytest.mark.parametrize("duration", [-5.0, float("nan"), float("inf"), "soon"])
def test_an_impossible_duration_is_none(duration: float | str) -> None:
    (span,) = spans_of(row(columns={"DurationMs": duration}))
    assert span.end_time_unix_nano == span.start_time_unix_nano


@pytest.mark.parametrize(
    ("table", "columns", "kind"),
    [
        ("AppRequests", {}, Span.SPAN_KIND_SERVER),
        ("AppDependencies", {"DependencyType": "InProc"}, Span.SPAN_KIND_INTERNAL),
        ("AppDependencies", {"DependencyType": "HTTP"}, Span.SPAN_KIND_CLIENT),
        ("AppDependencies", {}, Span.SPAN_KIND_UNSPECIFIED),
    ],
)
def test_the_kind_follows_the_table(table: str, columns: dict[str, str], kind: int) -> None:
    (span,) = spans_of(row(table, columns=columns))
    assert span.kind == kind


def test_each_service_is_a_resource() -> None:
    rows = [
        ROOT,
        row(columns={"AppRoleName": "billing"}),
        row("AppTraces", columns={"AppRoleName": "billing"}),
    ]
    (data,) = decoded(encode_traces(rows))
    resources = [
        {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        for resource in data.resource_spans
    ]
    assert resources == [
        {"service.name": "shop.assistant", "service.version": "2.0"},
        {"service.name": "billing"},
    ]
