"""Holds an export against the seals: which sealed traces of what was asked for are no longer at the source.

jobs calls it once the export is resolved, and puts the body into completeness.json under "seals":

    account = reconciler.reconcile(export.selection, resolved, at=export.requested_at, export_id=export.id)
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Protocol

from functions.access.scope import Scope
from functions.errors import SealDamaged
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.seals.account import SealAccount, Tally
from functions.evidence.seals.presence import Presence
from functions.evidence.seals.sealing import SETTLE, WHO
from functions.evidence.seals.seals import NO_AGENT, OTHERS, DaySeal, SealedRun
from functions.evidence.seals.store import Reach, Seals
from functions.evidence.selection.selection import CONVERSATION, TENANT, Selection
from functions.evidence.selection.selectors import (
    AlertTraces,
    Cases,
    Conversation,
    Sample,
    TimeWindow,
    TraceIds,
)
from functions.storage.append_log import AppendLog
from functions.traces.source import TraceSource

__all__ = ["Reconciler", "Resolution", "SealAccount"]

_ONE = timedelta(days=1)
_LATEST = timedelta(days=3)
"""A run is received at most so much later than it began (`TIME_MARGIN`, in whole days)."""

_EARLIEST = timedelta(days=1)
"""And earlier, by the clock of who sent it, at most so much."""

_OTHER_KEY = "sealed under another key of pseudonyms"

_Choose = Callable[[SealedRun], bool]


class Resolution(Protocol):
    """What reconciling needs to know of `Resolved`."""

    @property
    def missing(self) -> Sequence[str]:
        """Trace ids asked for that have no row."""
        ...


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Reconciles; asks the source only whether sealed traces still have rows.

    Attributes:
        source: Where to ask.
        seals: The seals.
        pseudonyms: Those of exports; seals made under the previous key are read too.
        retention: How long the source keeps rows.
        ledger: Hears of traces that have vanished.
        clock: The present instant, UTC; for the ledger alone.
    """

    source: TraceSource
    seals: Seals
    pseudonyms: Pseudonyms
    retention: timedelta
    ledger: AppendLog
    clock: Callable[[], datetime]

    def reconcile(
        self, selection: Selection, resolved: Resolution, *, at: datetime, export_id: str
    ) -> SealAccount:
        """Return the account; the ledger has heard of what vanished.

        Args:
            selection: What was asked for; its scope hides the traces of others.
            resolved: What was found for it.
            at: When it was asked for, UTC: seals made later don't count, so that a retry says the same.
            export_id: For the ledger.

        Raises:
            SourceError: The source did not answer completely.
            StorageError: A seal could not be read. (One that is damaged makes the account incomplete.)
        """
        tally = Tally(kept_since=(at - self.retention).astimezone(UTC).date())
        match selection.selector:
            case TimeWindow() as window:
                self._window(window, selection.scope, at, tally)
            case Sample(population):
                self._window(population, selection.scope, at, tally)
            case Conversation(conversation):
                self._conversation(conversation.value, selection.scope, at, tally)
            case TraceIds() | AlertTraces():
                self._trace_ids(resolved.missing, selection.scope, tally)
            case Cases():
                tally.basis = "Seals hold no case numbers: nothing was compared."
        account = tally.account()
        if tally.vanished or tally.damaged:
            self._enter(account, export_id)
        return account

    def _window(self, window: TimeWindow, scope: Scope, at: datetime, tally: Tally) -> None:
        tally.basis = (
            "Every sealed run that began in the time asked for, of the agent asked for, must still have a "
            "span at the source, whatever else was asked for."
        )
        tally.behind_retention = window.start.date() < tally.kept_since
        presence = Presence(self.source)
        first, last = window.start.date(), (window.end - timedelta(microseconds=1)).date()
        for seal in self._seals(first - _EARLIEST, last + _LATEST, at, tally, core=(first, last)):
            names = self._names(seal, window.agent)
            reader = self._reader(seal, scope, agent=window.agent)
            if reader is None:
                tally.not_sealed[seal.day] = _OTHER_KEY
                continue

            def chosen(run: SealedRun, names: frozenset[str] | None = names) -> bool:
                return window.start <= run.started < window.end and (names is None or run.agent in names)

            self._compare(
                seal, reader, chosen, tally, lambda wanted: presence.on_days(wanted, window.start, window.end)
            )

    def _conversation(self, conversation: str, scope: Scope, at: datetime, tally: Tally) -> None:
        tally.basis = (
            "Every sealed run of the conversation within the retention must still have a span at the source."
        )
        presence = Presence(self.source)
        for seal in self._seals(tally.kept_since, at.astimezone(UTC).date(), at, tally):
            reader = self._reader(seal, scope, conversation=conversation)
            if reader is None:
                tally.not_sealed[seal.day] = _OTHER_KEY
                continue
            self._compare(seal, reader, lambda _: True, tally, presence.of_ids)

    def _trace_ids(self, missing: Sequence[str], scope: Scope, tally: Tally) -> None:
        tally.basis = "Traces asked for by id that have no row were looked for in the seals."
        try:
            found = self.seals.find(missing)
        except SealDamaged as error:
            tally.damaged.append(error.message)
            return
        for trace_id in missing:
            day, runs = found.get(trace_id, (None, ()))
            seal = self.seals.day(day) if day and not scope.unlimited else None
            if day is None or (seal and not self._visible(seal, scope)(runs)):
                tally.never_sealed.append(trace_id)
            else:
                tally.add_gone(trace_id, day, min(run.started for run in runs))

    def _seals(
        self,
        first: date,
        last: date,
        at: datetime,
        tally: Tally,
        *,
        core: tuple[date, date] | None = None,
    ) -> Iterator[DaySeal]:
        """Yield the seals of these days, and note those that there are not; `core` days always have to be."""
        reach = self.seals.reach()
        for day in _days(first, min(last, at.astimezone(UTC).date())):
            due = datetime.combine(day + _ONE, time(), UTC) + SETTLE <= at
            try:
                seal = self.seals.day(day)
            except SealDamaged as error:
                tally.damaged.append(error.message)
                continue
            if seal is not None and seal.sealed_at <= at:
                yield seal
            elif core is None or core[0] <= day <= core[1] or (due and _within(reach, day)):
                tally.not_sealed[day] = _why(day, reach, due=due, sealed=seal is not None)

    def _compare(
        self,
        seal: DaySeal,
        reader: "_Reader",
        chosen: _Choose,
        tally: Tally,
        present: Callable[[Mapping[str, datetime]], Collection[str]],
    ) -> None:
        wanted: dict[str, datetime] = {}
        try:
            for trace_id, group in groupby(
                self.seals.runs(seal, holding=reader.holding), lambda run: run.trace_id
            ):
                runs = tuple(group)
                starts = [run.started for run in runs if chosen(run)]
                if starts and reader.visible(runs):
                    wanted[trace_id] = min(starts)
        except SealDamaged as error:
            tally.damaged.append(error.message)
            return
        there = present(wanted) if wanted else ()
        for trace_id in sorted(wanted.keys() - set(there)):
            tally.add_gone(trace_id, seal.day, wanted[trace_id])
        tally.add_day(seal, compared=len(wanted), ledger_hash=self.seals.entered(seal.day))

    def _reader(
        self, seal: DaySeal, scope: Scope, *, agent: str | None = None, conversation: str | None = None
    ) -> "_Reader | None":
        """Return how to read a seal's list; None where that takes a key that is not at hand."""
        pseudonyms = self._under(seal.key_id)
        named = {one.agent for one in seal.agents}
        if pseudonyms is None and (
            conversation is not None
            or scope.tenants is not None
            or (agent is not None and agent not in named)
        ):
            return None
        holding = f"\t{pseudonyms.of(CONVERSATION, conversation)}" if pseudonyms and conversation else ""
        return _Reader(holding, self._visible(seal, scope))

    def _visible(self, seal: DaySeal, scope: Scope) -> Callable[[Sequence[SealedRun]], bool]:
        """Return what says whether a trace's runs are within the scope."""
        if scope.unlimited:
            return lambda _: True
        pseudonyms = self._under(seal.key_id)
        agents = None if scope.agents is None else _both(scope.agents, pseudonyms)
        tenants = (
            None
            if scope.tenants is None
            else frozenset(pseudonyms.of(TENANT, tenant) for tenant in scope.tenants)
            if pseudonyms
            else frozenset[str]()
        )
        sealed = Scope(agents, tenants)

        def visible(runs: Sequence[SealedRun]) -> bool:
            # As for rows: what names no agent is not within a limit to agents.
            names = ["" if run.agent == NO_AGENT else run.agent for run in runs]
            return sealed.sees(names, [run.tenant for run in runs])

        return visible

    def _names(self, seal: DaySeal, agent: str | None) -> frozenset[str] | None:
        """Return what an agent may be called in a seal: it may have been declared before or after it."""
        if agent is None:
            return None
        return _both({agent}, self._under(seal.key_id)) | {OTHERS}

    def _under(self, key_id: str) -> Pseudonyms | None:
        candidates = (self.pseudonyms, self.pseudonyms.previous)
        return next((one for one in candidates if one is not None and one.key_id == key_id), None)

    def _enter(self, account: SealAccount, export_id: str) -> None:
        vanished = account.body["vanished"]
        self.ledger.append(
            {
                "at": self.clock(),
                "action": "seals.vanished",
                "who": {"object_id": WHO},
                "on": {
                    "export_id": export_id,
                    "traces": str(vanished["traces"]),
                    "sha256": vanished["sha256"],
                    "damaged": str(len(account.body["damaged"])),
                },
                "outcome": "failed",
                "reason": "Sealed traces are no longer at the source, or a seal is not what was written.",
                "correlation_id": export_id,
            }
        )


@dataclass(frozen=True, slots=True)
class _Reader:
    """How to read a list: what text its lines must hold, and which traces may be named."""

    holding: str
    visible: Callable[[Sequence[SealedRun]], bool]


def _both(agents: Collection[str], pseudonyms: Pseudonyms | None) -> frozenset[str]:
    standing = {pseudonyms.of("agent", agent) for agent in agents} if pseudonyms else set[str]()
    return frozenset(agents) | standing


def _within(reach: Reach | None, day: date) -> bool:
    return reach is not None and reach.first <= day


def _why(day: date, reach: Reach | None, *, due: bool, sealed: bool) -> str:
    if not due:
        return "not over when this was asked for"
    if sealed:
        return "sealed after this was asked for"
    return "no seal" if _within(reach, day) else "before the first seal"


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _ONE
