"""Seals on fakes, over real queries: runs of two days, a clock, and traces that vanish from the source."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from functions.access.scope import EVERYTHING, Scope
from functions.configuration import SHIPPED, load_configuration
from functions.errors import ResultTooLarge, SourceUnavailable
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.seals.questions import ROOM
from functions.evidence.seals.reconciling import Reconciler, SealAccount
from functions.evidence.seals.sealing import Sealing
from functions.evidence.seals.store import Seals
from functions.evidence.selection.selection import Selection
from functions.evidence.selection.selectors import Selector
from functions.traces.agents import Agents
from functions.traces.lateness import TIME_MARGIN
from functions.traces.model import TABLES
from functions.traces.source import Cell, Rows, TraceSource
from local.azure_monitor.ingestion import Telemetry
from tests.checks.telemetry import Trace
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects
from tests.fakes.telemetry import TelemetrySource

MONDAY = date(2026, 11, 23)
TUESDAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TUESDAY_MORNING = datetime(2026, 11, 24, 1, 10, tzinfo=UTC)
KEPT = timedelta(days=90)
AGENTS: Agents = load_configuration(SHIPPED).agents
DECLARED = next(iter(AGENTS.by_name))
PSEUDONYMS = Pseudonyms(bytes(range(32)), "keyA")


@dataclass
class RunsSource:
    """Answers the questions of sealing from a list of runs, for tests that are not about the queries.

    Attributes:
        runs: When each was received, and its row.
        away: Raised for a page that begins then.
        most: Larger answers are refused.
        pages: What was asked about so far.
    """

    runs: list[tuple[datetime, tuple[Cell, ...]]] = field(default_factory=list)
    away: datetime | None = None
    most: int = 500_000
    pages: list[tuple[datetime, datetime]] = field(default_factory=list)

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        if "summarize Spans" in kql:
            hours = Counter(at.replace(minute=0, second=0, microsecond=0) for at, _ in self.runs)
            return Rows(("Hour", "Spans"), tuple((hour, count * 2) for hour, count in hours.items()))
        since, until = since + ROOM + TIME_MARGIN, until - ROOM - TIME_MARGIN
        self.pages.append((since, until))
        if since == self.away:
            raise SourceUnavailable("The source is away.", next_step="Try again.")
        rows = tuple(row for at, row in self.runs if since <= at < until)
        if len(rows) > self.most:
            raise ResultTooLarge("Too large.", next_step="Ask for less.")
        return Rows(("TraceId", "Time", "Agent", "Tenant", "Conversation"), rows)


@dataclass(frozen=True)
class Found:
    """What resolving gave."""

    missing: tuple[str, ...] = ()


@dataclass
class Rig:
    """Sealing and reconciling on fakes, each of which a test may replace."""

    telemetry: Telemetry = field(default_factory=Telemetry)
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    log: MemoryAppendLog = field(default_factory=MemoryAppendLog)
    now: datetime = TUESDAY_MORNING
    hindrance: str | None = None
    pseudonyms: Pseudonyms = PSEUDONYMS
    source: TraceSource | None = None

    @property
    def asking(self) -> TraceSource:
        return self.source or TelemetrySource(self.telemetry)

    @property
    def seals(self) -> Seals:
        return Seals(self.objects, self.documents)

    @property
    def sealing(self) -> Sealing:
        return Sealing(
            source=self.asking,
            seals=self.seals,
            ledger=self.log,
            agents=AGENTS,
            pseudonyms=self.pseudonyms,
            hindrance=lambda: self.hindrance,
            retention=KEPT,
            clock=lambda: self.now,
        )

    def run(
        self,
        number: int,
        start: datetime = NOON,
        agent: str = DECLARED,
        *,
        delay: timedelta = timedelta(seconds=1),
        **properties: str,
    ) -> str:
        """Ingest a run of two spans; return its trace id."""
        trace = Trace(number, start=start)
        trace.tool("get_shipment_status", trace.agent(agent, **properties))
        self.telemetry.ingest(trace.envelopes, delay=delay)
        return trace.trace_id

    def vanish(self, trace_ids: Iterable[str], tables: Iterable[str] = TABLES) -> None:
        """Remove all rows of traces from tables of the source."""
        for table in tables:
            for trace_id in trace_ids:
                self.telemetry._database.execute(  # noqa: SLF001 - nothing of ours can do it
                    f'DELETE FROM "{table}" WHERE "OperationId" = $trace_id',
                    {"trace_id": trace_id},
                )

    def entries(self, action: str) -> list[dict[str, str]]:
        """Return what entries of the ledger are about."""
        return [dict(entry["on"]) for entry in self.log.entries() if entry["action"] == action]

    def reconcile(
        self, selector: Selector, *, missing: tuple[str, ...] = (), scope: Scope = EVERYTHING
    ) -> SealAccount:
        reconciler = Reconciler(
            source=self.asking,
            seals=self.seals,
            pseudonyms=self.pseudonyms,
            retention=KEPT,
            ledger=self.log,
            clock=lambda: self.now,
        )
        selection = Selection(selector, "metadata", "weekly review", "T-1", scope)
        return reconciler.reconcile(selection, Found(missing), at=self.now, export_id="e" * 32)
