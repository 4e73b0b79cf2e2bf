"""Exports on fakes, over the telemetry of two traces."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from functions.errors import NotFound
from functions.evidence.assembly import Protection
from functions.evidence.jobs import Exports
from functions.storage.append_log import AppendLog
from functions.storage.documents import Documents
from functions.storage.objects import Objects
from functions.traces.source import Rows, TraceSource
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import (
    NOON,
    OTHER,
    TRACE,
    envelopes,
    protection,
    selection,
)

NOW = NOON + timedelta(hours=1)
ASKER = "6f0e0d5c-0000-0000-0000-000000000001"


class RememberingSource:
    """Gives the same answer to the same query: the telemetry of these tests does not change."""

    def __init__(self, source: TraceSource) -> None:
        self._source = source
        self._answers: dict[str, Rows] = {}

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        if kql not in self._answers:
            self._answers[kql] = self._source.query(kql, since=since, until=until)
        return self._answers[kql]


@cache
def telemetry_source() -> TraceSource:
    telemetry = Telemetry()
    telemetry.ingest(envelopes(TRACE) + envelopes(OTHER, sampled=4), delay=timedelta(seconds=2))
    return RememberingSource(TelemetrySource(telemetry))


def no_alert(_: str) -> Iterable[str]:
    raise NotFound("There is no such alert.", next_step="Look at the list.")


class Rig:
    """Exports on fakes, each of which a test may replace."""

    def __init__(self) -> None:
        self.documents: Documents = MemoryDocuments()
        self.objects: Objects = MemoryObjects()
        self.log: AppendLog = MemoryAppendLog()
        self.source = telemetry_source()
        self.protection: Callable[[], Protection] = protection
        self.names: Mapping[str, str] = {}

    @property
    def exports(self) -> Exports:
        return Exports(
            documents=self.documents,
            objects=self.objects,
            source=self.source,
            protection=self.protection,
            ledger=self.log,
            resolve_alert=lambda alert_id: [TRACE] if alert_id == "a" * 16 else list(no_alert(alert_id)),
            clock=lambda: NOW,
            names=self.names,
        )

    def requested(self, selector: Mapping[str, Any] | None = None) -> str:
        return self.exports.request(selection(selector), requester=ASKER).id

    def actions(self) -> list[str]:
        return [entry["action"] for entry in self.log.entries()]
