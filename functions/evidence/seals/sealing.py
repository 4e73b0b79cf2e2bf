"""The daily job: seals each UTC day of ingestion time once it has ended and settled, each day once.

By ingestion time, because then no run can join a day that is over. A seal comes about in steps, each of which
can be the last of this process: the list, the statement (who writes it first decides what the day was), the
ledger's entries, and the note that the ledger has them.
"""

import hashlib
import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from functions.errors import EvidenceError, ResultTooLarge, SourceError
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.seals.questions import ROOM, runs_kql, spans_kql
from functions.evidence.seals.seals import (
    MOST_AGENTS,
    NO_AGENT,
    OTHERS,
    DaySeal,
    SealedRun,
    make_seal,
    may_stand_by_name,
    usable,
)
from functions.evidence.seals.store import Reach, Seals
from functions.storage.append_log import AppendLog
from functions.storage.documents import encode
from functions.traces.agents import Agents
from functions.traces.lateness import TIME_MARGIN
from functions.traces.source import TraceSource

_log = logging.getLogger(__name__)

SETTLE = timedelta(minutes=70)
"""How long after its end a day is sealed: `ROOM`, and some minutes for the pipeline behind it."""

MOST_DAYS_A_TICK = 3
"""A day of 200,000 runs may take minutes, and a function has thirty."""

SPANS_A_PAGE = 250_000
"""The views join all spans of a page: so many take seconds, and their runs are far below a query's limits."""

WHO = "tracekeeper:seals"
"""Stands in the ledger for who seals."""

_HOUR = timedelta(hours=1)
_SHORTEST = timedelta(milliseconds=1)
_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SealReport:
    """What one tick did: the days sealed, those lost, and what stands in the way of others, day by day."""

    sealed: tuple[date, ...] = ()
    lost: tuple[date, ...] = ()
    held_up: tuple[tuple[date, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sealing:
    """Seals what is due; two hosts may tick at the same time.

    Attributes:
        source: Where to ask for the runs of a day.
        seals: Where seals lie.
        ledger: What each seal is entered in.
        agents: Which agents are declared, and how telemetry is read.
        pseudonyms: Stand for tenants, conversations and agents that are not declared.
        hindrance: Says why nothing can be sealed now (the clock is off, spans can't be seen), or None.
        retention: How long the source keeps rows: what is older can't be sealed any more.
        clock: The present instant, UTC.
    """

    source: TraceSource
    seals: Seals
    ledger: AppendLog
    agents: Agents
    pseudonyms: Pseudonyms
    hindrance: Callable[[], str | None]
    retention: timedelta
    clock: Callable[[], datetime]

    def tick(self) -> SealReport:
        """Seal the days that are due, oldest first, at most `MOST_DAYS_A_TICK`.

        Whatever happens to one day, the others have their turn; the day is tried again with the next tick.

        Raises:
            StorageError: Storage failed; nothing half done counts.
        """
        now = self.clock()
        reach, over = self.seals.reach(), self.seals.reach_document()
        newest = (now - SETTLE).astimezone(UTC).date() - _ONE
        begin = reach.next if reach else newest
        report = SealReport()
        hindrance = self.hindrance() if begin <= newest else None
        for day in _days(begin, newest):
            if len(report.sealed) + len(report.held_up) >= MOST_DAYS_A_TICK:
                break
            report = self._take(day, now, report, hindrance)
        held_up = report.held_up[0][0] if report.held_up else None
        done = max((*report.sealed, *report.lost), default=None)
        following = held_up or (done + _ONE if done else begin)
        if reach is None or following != reach.next:
            self.seals.extend(Reach(reach.first if reach else begin, following), over)
        _tell(report)
        return report

    def _take(self, day: date, now: datetime, report: SealReport, hindrance: str | None) -> SealReport:
        if hindrance is not None:
            return replace(report, held_up=(*report.held_up, (day, hindrance)))
        try:
            if _begin(day) < now - self.retention and self.seals.day(day) is None:
                self._enter_lost(day)
                return replace(report, lost=(*report.lost, day))
            if not self._seal(day):
                return replace(report, held_up=(*report.held_up, (day, "Another host is sealing it.")))
        except (EvidenceError, SourceError) as error:
            return replace(report, held_up=(*report.held_up, (day, str(error))))
        return replace(report, sealed=(*report.sealed, day))

    def _seal(self, day: date) -> bool:
        """Seal a day, or go on where an attempt ended; False: another host was faster, and may yet die."""
        seal = self.seals.day(day)
        if seal is None:
            made, listed = self._make(day)
            if not self.seals.put(made, listed):
                return False
            seal = made
        if self.seals.entered(day) is None:
            self.seals.put_entered(day, self._enter(seal))
        return True

    def _make(self, day: date) -> tuple[DaySeal, bytes]:
        begin = _begin(day)
        runs: set[SealedRun] = set()
        unusable = 0
        names: dict[str, str] = {}
        for since, until in self._pages(begin, begin + _ONE):
            for record in self._records(since, until):
                if run := self._run(record, names):
                    runs.add(run)
                else:
                    unusable += 1
        if len({run.agent for run in runs}) > MOST_AGENTS:
            runs = {_bounded(run, self.agents.by_name) for run in runs}
        return make_seal(
            runs, day=day, unusable=unusable, sealed_at=self.clock(), key_id=self.pseudonyms.key_id
        )

    def _pages(self, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """Return the stretches to ask about, of whole hours: few, and of not too many spans if possible."""
        counted = self.source.query(
            spans_kql(begin, end), since=begin - TIME_MARGIN, until=end + TIME_MARGIN
        ).rows
        spans = {hour: count for hour, count in counted if isinstance(count, int)}
        pages: list[tuple[datetime, datetime]] = []
        since, within = begin, 0
        for hour in (begin + n * _HOUR for n in range((end - begin) // _HOUR)):
            if within and within + spans.get(hour, 0) > SPANS_A_PAGE:
                pages.append((since, hour))
                since, within = hour, 0
            within += spans.get(hour, 0)
        return [*pages, (since, end)]

    def _records(self, since: datetime, until: datetime) -> Iterator[tuple[object, ...]]:
        """Yield the runs whose own span was received in [since, until); what is too large is halved."""
        try:
            answer = self.source.query(
                runs_kql(self.agents, since, until),
                since=since - ROOM - TIME_MARGIN,
                until=until + ROOM + TIME_MARGIN,
            )
        except ResultTooLarge:
            if until - since <= _SHORTEST:
                raise
            middle = since + (until - since) / 2
            yield from self._records(since, middle)
            yield from self._records(middle, until)
        else:
            yield from answer.rows

    def _run(self, record: tuple[object, ...], names: dict[str, str]) -> SealedRun | None:
        trace_id, started, agent, tenant, conversation = record
        if not usable(str(trace_id)) or not isinstance(started, datetime):
            return None
        return SealedRun(
            str(trace_id),
            started.replace(microsecond=started.microsecond // 1000 * 1000),
            self._agent(str(agent or ""), names),
            self._pseudonym("tenant", tenant),
            self._pseudonym("conversation", conversation),
        )

    def _agent(self, name: str, names: dict[str, str]) -> str:
        if name not in names:
            names[name] = sealed_name(name, self.agents.by_name, self.pseudonyms)
        return names[name]

    def _pseudonym(self, domain: str, value: object) -> str:
        return self.pseudonyms.of(domain, str(value)) if value else ""

    def _enter(self, seal: DaySeal) -> str:
        """Put the day into the ledger, each agent by itself and then all; return the last entry's hash."""
        day = seal.day.isoformat()
        for one in seal.agents:
            on = {"day": day, "agent": one.agent, "traces": str(one.traces), "sha256": one.sha256}
            self._append("seals.agent", seal.day, on)
        return self._append(
            "seals.day",
            seal.day,
            {
                "day": day,
                "traces": str(seal.traces),
                "agents": str(len(seal.agents)),
                "unusable": str(seal.unusable),
                "list_sha256": seal.list_sha256,
                "seal_sha256": hashlib.sha256(encode(seal.body())).hexdigest(),
            },
        )

    def _enter_lost(self, day: date) -> None:
        reason = "The day could not be sealed before the source's retention ended."
        self._append("seals.day", day, {"day": day.isoformat()}, reason)

    def _append(self, action: str, day: date, on: dict[str, str], reason: str = "") -> str:
        return self.ledger.append(
            {
                "at": self.clock(),
                "action": action,
                "who": {"object_id": WHO},
                "on": on,
                "outcome": "failed" if reason else "served",
                "reason": reason,
                "correlation_id": f"seal-{day}",
            }
        )


def sealed_name(agent: str, declared: Collection[str], pseudonyms: Pseudonyms) -> str:
    """Return what stands for an agent in seals."""
    if not agent:
        return NO_AGENT
    return agent if may_stand_by_name(agent, declared) else pseudonyms.of("agent", agent)


def _bounded(run: SealedRun, declared: Collection[str]) -> SealedRun:
    return run if run.agent in declared or run.agent == NO_AGENT else replace(run, agent=OTHERS)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _ONE


def _tell(report: SealReport) -> None:
    for day, why in report.held_up:
        _log.error("The traces of %s are not sealed yet: %s", day, why)
    for day in report.lost:
        _log.error("The traces of %s can't be sealed any more: the source's retention has ended.", day)
    if report.sealed:
        days = [day.isoformat() for day in report.sealed]
        _log.info("%s", encode({"event": "seals.tick", "sealed": days}).decode())
