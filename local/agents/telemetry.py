"""Sends what the fleet does to Application Insights by Microsoft's exporter and notices what got lost."""

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from agent_framework.observability import enable_instrumentation
from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter, AzureMonitorTraceExporter
from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler, ReadableLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

ENVIRONMENT = "demo"

_RESOURCE = {
    "service.namespace": "harborline",
    "service.name": "assistants",
    "service.version": "3.1.0",
    "service.instance.id": "assistants-0",
    "deployment.environment": ENVIRONMENT,
}
# The exporter would otherwise report on itself to Microsoft and ask for its settings there.
_NO_SELF_REPORTS = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
)
_LOGGERS = ("harborline", "agent_framework")
_QUEUE = 200_000  # more than a fleet writes: a full queue drops without a word


_CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"


class NowhereToSendError(Exception):
    """The connection string is missing."""


class TelemetryLostError(Exception):
    """Application Insights did not accept everything."""


class _Losses:
    """Counts batches that were not accepted; with offline storage off nothing sends them again."""

    def __init__(self) -> None:
        self.batches = 0

    def note(self, *, accepted: bool) -> None:
        self.batches += not accepted


class _SpanExporter(AzureMonitorTraceExporter):
    def __init__(self, losses: _Losses) -> None:
        super().__init__(disable_offline_storage=True)
        self._losses = losses

    def export(self, spans: Sequence[ReadableSpan], **kwargs: Any) -> SpanExportResult:
        result = super().export(spans, **kwargs)
        self._losses.note(accepted=result is SpanExportResult.SUCCESS)
        return result


class _LogExporter(AzureMonitorLogExporter):
    def __init__(self, losses: _Losses) -> None:
        super().__init__(disable_offline_storage=True)
        self._losses = losses

    def export(self, batch: Sequence[ReadableLogRecord], **kwargs: Any) -> LogRecordExportResult:
        result = super().export(batch, **kwargs)
        self._losses.note(accepted=result is LogRecordExportResult.SUCCESS)
        return result


@contextmanager
def telemetry() -> Iterator[None]:
    """Trace and log the fleet inside this context; leaving it sends what is left.

    Once in a process. The exporter reads the connection string from the environment.
    Prompts, tool arguments and results are recorded on purpose: they are what must not get out later.

    Raises:
        NowhereToSendError: There is no connection string.
        TelemetryLostError: A batch was not accepted.
    """
    if not os.environ.get(_CONNECTION):
        raise NowhereToSendError(f"{_CONNECTION} is not set; it names the key and the endpoint to send to")
    os.environ.update(dict.fromkeys(_NO_SELF_REPORTS, "true"))
    losses, resource = _Losses(), Resource.create(_RESOURCE)
    spans = TracerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(_SpanExporter(losses), max_queue_size=_QUEUE))
    logs = LoggerProvider(resource=resource)
    logs.add_log_record_processor(BatchLogRecordProcessor(_LogExporter(losses), max_queue_size=_QUEUE))
    trace.set_tracer_provider(spans)
    set_logger_provider(logs)
    _route_logs(logs)
    enable_instrumentation(enable_sensitive_data=True)
    try:
        yield
    finally:
        spans.shutdown()
        logs.shutdown()
    if losses.batches:
        raise TelemetryLostError(
            f"{losses.batches} batches were not accepted; is the endpoint in {_CONNECTION} up?"
        )


def _route_logs(provider: LoggerProvider) -> None:
    with warnings.catch_warnings():
        # Deprecated for a package that is not needed for anything else; what it sends is the same.
        warnings.simplefilter("ignore", DeprecationWarning)
        handler = LoggingHandler(logging.INFO, provider)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
