from typing import Any

import pytest
from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode

KEY = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def exporter(monitor: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    # Else the exporter reports on itself: to the internet, and at exit to the server that is gone.
    monkeypatch.setenv("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    monkeypatch.setenv("APPLICATIONINSIGHTS_SDKSTATS_DISABLED", "true")
    made = AzureMonitorTraceExporter(
        connection_string=f"InstrumentationKey={KEY};IngestionEndpoint={monitor.server.url}",
        connection_verify=str(monitor.server.authority),
        disable_offline_storage=True,
    )
    yield made
    made.shutdown()


class Watched(SpanExporter):
    """Passes spans on and keeps what became of them."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter = exporter
        self.results: list[SpanExportResult] = []

    def export(self, spans: Any) -> SpanExportResult:
        self.results.append(self.exporter.export(spans))
        return self.results[-1]


def test_spans_of_the_real_exporter_become_rows(monitor: Any, exporter: Any) -> None:
    watched = Watched(exporter)
    resource = Resource.create(
        {"service.name": "clerk", "service.namespace": "shop", "service.version": "3.1"}
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(watched))
    tracer = provider.get_tracer("test")
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.call.result": "42",
        "enduser.id": "u7",
    }
    with (
        tracer.start_as_current_span("ask", kind=SpanKind.SERVER) as request,
        tracer.start_as_current_span("execute_tool price", attributes=attributes) as tool,
    ):
        tool.add_event("looked up")
        tool.record_exception(KeyError("price"))
        tool.set_status(Status(StatusCode.ERROR))
    provider.shutdown()
    assert watched.results == [SpanExportResult.SUCCESS] * 2

    trace_id = f"{request.get_span_context().trace_id:032x}"
    tool_id = f"{tool.get_span_context().span_id:016x}"
    request_id = f"{request.get_span_context().span_id:016x}"

    def rows(kql: str) -> list[list[object]]:
        table, rest = kql.split(" ", 1)
        found: list[list[object]] = monitor.telemetry.query(
            f'{table} | where OperationId == "{trace_id}" {rest}'
        ).rows
        return found

    assert rows("AppRequests | project Id, ParentId, Success, AppRoleName, AppVersion") == [
        [request_id, "", True, "shop.clerk", "3.1"]
    ]
    assert rows("AppDependencies | project Id, ParentId, Success, ResultCode, UserAuthenticatedId") == [
        [tool_id, request_id, False, "0", "u7"]
    ]
    assert rows("AppTraces | project ParentId, Message") == [[tool_id, "looked up"]]
    assert rows("AppExceptions | project ParentId, ExceptionType, OuterMessage") == [
        [tool_id, "KeyError", "'price'"]
    ]
    content = monitor.telemetry.query(
        f'AppGenAIContent | where SpanId == "{tool_id}" | project ToolCallResult'
    )
    assert content.rows == [["42"]]
