"""Exports on fakes, over the telemetry of two traces."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.errors import NotFound
from functions.evidence.exports.assembly import Report
from functions.evidence.exports.export import Export
from functions.evidence.exports.jobs import Exports
from functions.evidence.exports.slicing import Judge, Reader
from functions.evidence.exports.steps import Step
from functions.evidence.exports.sweeping import Sweep
from functions.evidence.exports.work import Work
from functions.evidence.exports.worker import Worker
from functions.evidence.redaction.protection import Protection
from functions.evidence.report.report import ReportBuilder
from functions.evidence.seals.account import SealAccount
from functions.evidence.selection.drawing import Drawing
from functions.evidence.selection.membership import Resolved, Resolver
from functions.evidence.selection.resolving import SourceResolver
from functions.evidence.selection.selection import Asking, Selection
from functions.signing.signatures import Signer
from functions.storage.append_log import AppendLog
from functions.storage.documents import Documents
from functions.storage.objects import Objects, WorkObjects
from functions.traces.cutting import LIMITS
from functions.traces.source import Rows, TraceSource
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.signer import MemorySigner
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects, MemoryWorkObjects
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import (
    NOON,
    OTHER,
    TRACE,
    NoRuns,
    envelopes,
    protection,
    selection,
)
from tests.unit.evidence.sound import seals

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


@cache
def shipped() -> Configuration:
    return load_configuration(SHIPPED)


def report_builder() -> ReportBuilder:
    return ReportBuilder(shipped().agents.attributes, shipped().prices)


class Rig:
    """Exports on fakes, each of which a test may replace."""

    def __init__(self) -> None:
        self.documents: Documents = MemoryDocuments()
        self.objects: Objects = MemoryObjects()
        self.work: WorkObjects = MemoryWorkObjects()
        self.log: AppendLog = MemoryAppendLog()
        self.source = telemetry_source()
        self.protection: Callable[[], Protection] = protection
        self.names: Mapping[str, str] = {}
        self.resolver: Resolver | None = None
        self.content: TraceSource | None = None
        self.judge: Judge = NoRuns()
        self.signer: Signer | None = MemorySigner()
        self.seals = SealAccount(complete=True, body=seals())
        self.report: Callable[[], Report] = report_builder
        self.limits = LIMITS
        self.asking: Asking | None = None
        self.needs_approval: Callable[[Selection], bool] = lambda _: False
        self.now = NOW

    @property
    def exports(self) -> Exports:
        return Exports(
            documents=self.documents,
            objects=self.objects,
            work=self.work,
            protection=self.protection,
            ledger=self.log,
            resolve_alert=lambda alert_id, _: [TRACE] if alert_id == "a" * 16 else list(no_alert(alert_id)),
            clock=lambda: self.now,
            needs_approval=self.needs_approval,
            asking=self.asking,
        )

    @property
    def worker(self) -> Worker:
        return Worker(
            records=self.exports.records,
            objects=self.objects,
            work=Work(self.work),
            reader=Reader(self.source, self.content or self.source, self.judge),
            resolver=self.resolver or self.finding,
            protection=self.protection,
            reconcile=self.reconcile,
            coverage=lambda since, until: {"complete": True, "since": since, "until": until, "checks": []},
            report=self.report,
            signer=self.signer,
            limits=self.limits,
        )

    @property
    def finding(self) -> Resolver:
        attributes = replace(shipped().agents.attributes, names=self.names)
        drawing = Drawing(self.documents, self.work, self.log, lambda: self.now)
        return SourceResolver(self.source, attributes, None, protection(), drawing)

    def reconcile(self, _export: Export, _resolved: Resolved) -> SealAccount:
        return self.seals

    @property
    def sweep(self) -> Sweep:
        return Sweep(self.exports.records, Work(self.work), timedelta(days=7))

    def requested(self, selector: Mapping[str, Any] | None = None) -> str:
        return self.exports.request(selection(selector), requester=ASKER).id

    def run(self, export_id: str) -> None:
        """Do an export's job as the queue does: every message, and those that follow."""
        queue = [Step(export_id).message()]
        while queue:
            queue += self.worker.run(queue.pop(0))

    def bundle(self, export_id: str) -> bytes:
        return b"".join(self.exports.open_bundle(export_id))

    def actions(self) -> list[str]:
        return [entry["action"] for entry in self.log.entries()]
