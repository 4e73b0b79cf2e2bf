"""The application around each dialect's agent: request spans, the tool, Microsoft's exporter.

Runs inside a dialect's own environment, and so imports nothing but OpenTelemetry, the exporter and the
scenario.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime

from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter, AzureMonitorTraceExporter
from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.dialects.scenario import (
    DATA_AGE,
    INTENT,
    RUN_ATTRIBUTE,
    RUNS,
    TENANT,
    USER,
    Run,
    ShipmentsUnavailableError,
    look_up,
)

_RESOURCE = Resource({"service.name": "dialects", "service.version": "1.0.0", "service.instance.id": "one"})


def play(instrument: Callable[[], None], ask: Callable[[Run], object], *, signed_in: bool = True) -> None:
    """Play all runs of the scenario and send their telemetry.

    Args:
        instrument: Switches the instrumentation on; called once the providers are in place.
        ask: Puts a run's question to the agent.
        signed_in: Whether the request says who the user is; else the framework is told.
    """
    spans = TracerProvider(resource=_RESOURCE)
    spans.add_span_processor(BatchSpanProcessor(AzureMonitorTraceExporter(disable_offline_storage=True)))
    logs = LoggerProvider(resource=_RESOURCE)
    logs.add_log_record_processor(
        BatchLogRecordProcessor(AzureMonitorLogExporter(disable_offline_storage=True))
    )
    trace.set_tracer_provider(spans)
    set_logger_provider(logs)
    instrument()
    for run in RUNS.values():
        # Where a framework lets the tool's exception through, the request fails and the application goes on.
        with suppress(ShipmentsUnavailableError), _request(run, signed_in=signed_in):
            ask(run)
    spans.shutdown()
    logs.shutdown()


def get_shipment_status(shipment: str) -> str:
    """Say where a shipment is."""
    as_of = datetime.now(UTC) - DATA_AGE
    trace.get_current_span().set_attribute("tool.data_as_of", as_of.isoformat())
    return look_up(shipment)


def _request(run: Run, *, signed_in: bool) -> AbstractContextManager[trace.Span]:
    return trace.get_tracer("dialects.app").start_as_current_span(
        "POST /ask",
        kind=trace.SpanKind.SERVER,
        attributes={
            RUN_ATTRIBUTE: run.name,
            "app.intent": INTENT,
            "tenant.id": TENANT,
            **({"enduser.id": USER} if signed_in else {}),
        },
    )
