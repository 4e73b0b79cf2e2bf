"""Finds out which traces an export is about, by asking the source.

Traces that are asked for by what they name come as lists of ids; a window comes as a subquery, since it may
hold more traces than anybody should have in memory. A requester whose role is limited gets no trace beyond
it, and can't tell it from one that there is not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from functions.errors import AskedTooMuch, SourceError
from functions.evidence.exports.export import Export
from functions.evidence.redaction.protection import Protection
from functions.evidence.redaction.shapes import SHAPES
from functions.evidence.selection import membership_kql as kql
from functions.evidence.selection.asking import asking_for
from functions.evidence.selection.drawing import Drawing
from functions.evidence.selection.membership import Membership, Resolved
from functions.evidence.selection.membership_kql import Bounds, Limit, Write
from functions.evidence.selection.sampling import POPULATION
from functions.evidence.selection.selection import TENANT
from functions.evidence.selection.selectors import (
    AlertTraces,
    Cases,
    Conversation,
    Given,
    Sample,
    TimeWindow,
    TraceIds,
)
from functions.traces.agents import Attributes
from functions.traces.kql import text
from functions.traces.source import TraceSource

IDS_AT_ONCE = 500
"""Most trace ids in one query: 18 KB of text."""

CASES_AT_ONCE = 100
"""Most case numbers in one query: 26 KB of text."""

MOST_LISTED = 5_000
"""Traces that a filtered window is listed by; beyond that each slice asks for them again by a subquery."""

MOST_TRACES = 10_000
"""Most traces of a conversation or of a list of cases."""

MARGIN = timedelta(days=1)
"""How far from the rows that named a trace its other rows are looked for."""

RECENT = timedelta(days=30)
RETENTION = timedelta(days=730)
"""Traces are looked for in `RECENT` first, then as far back as a table's analytics retention can reach.

https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure
"""

_SLACK = timedelta(seconds=1)  # the service's own bounds need not be inclusive: the KQL's decide
_USABLE = f"OperationId matches regex {text(kql.TRACE_ID)}"

Found = dict[str, tuple[datetime, datetime]]
"""Trace id to the first and last TimeGenerated of what was found of it."""


@dataclass(frozen=True, slots=True)
class SourceResolver:
    """Resolves selections by asking the source; see `Resolver`.

    Attributes:
        source: Where traces come from.
        attributes: Which properties a deployment uses for what.
        case_attribute: The property that holds case numbers; None: none does.
        protection: Decides how what is personal is shown.
        drawing: Draws samples.
        most_listed: Most traces that a filtered window is listed by.
    """

    source: TraceSource
    attributes: Attributes
    case_attribute: str | None
    protection: Protection
    drawing: Drawing
    most_listed: int = MOST_LISTED

    def resolve(self, export: Export) -> Resolved:
        """Return the traces of an export; see `Resolver.resolve`."""
        limit = kql.limit_of(export.selection.scope, self._tenant)
        at = export.requested_at
        match export.selection.selector:
            case TraceIds(trace_ids) | AlertTraces(_, trace_ids):
                return self._listed(trace_ids, limit, at)
            case Conversation(conversation):
                return self._of_conversation(conversation, limit, at)
            case Cases(cases):
                return self._of_cases(cases, limit, at)
            case TimeWindow() as window:
                return self._in_window(window, limit, at)
            case Sample() as sample:
                return self._drawn(export, sample, limit)

    def _listed(self, trace_ids: Sequence[str], limit: Limit | None, at: datetime) -> Resolved:
        """Resolve a list; what the limit hides is missing, like what is not there."""
        found = self._find(trace_ids, at)
        bounds = _around(found, at)
        visible = self._visible(sorted(found), bounds, limit)
        missing = tuple(sorted(set(trace_ids) - set(visible)))
        return Resolved(_lists(visible), bounds.since, bounds.until, missing)

    def _visible(self, trace_ids: Sequence[str], bounds: Bounds, limit: Limit | None) -> list[str]:
        if limit is None:
            return list(trace_ids)
        visible: list[str] = []
        for batch in batched(trace_ids, IDS_AT_ONCE, strict=False):
            lets = kql.views(self.attributes, bounds, among=batch)
            lets += kql.inside_let(limit, self.attributes, bounds, _as_it_is)
            answer = self._ask(f"{lets}Inside\n| {kql.among(batch)}", bounds)
            visible += [str(record["OperationId"]) for record in answer]
        return sorted(visible)

    def _find(self, trace_ids: Iterable[str], at: datetime) -> Found:
        """Find out which of these traces have rows, and when."""
        wanted, found = set(trace_ids), Found()
        for bounds in _reach(at):
            for batch in batched(sorted(wanted - found.keys()), IDS_AT_ONCE, strict=False):
                found |= _times(self._ask(kql.first_and_last(batch, bounds), bounds))
        return found

    def _of_conversation(self, conversation: Given, limit: Limit | None, at: datetime) -> Resolved:
        """Find the traces that name the conversation, and of these the ones that belong to it."""
        named = Found()
        for bounds in _reach(at):
            answer = self._ask(_bounded(kql.named_conversation(conversation, bounds)), bounds)
            named = _joined(named, _times(answer))
            _hold_to_limit(named)
        bounds = _around(named, at)
        belonging: set[str] = set()
        for batch in batched(sorted(named), IDS_AT_ONCE, strict=False):
            query = kql.views(self.attributes, bounds, among=batch) + kql.of_conversation(conversation)
            belonging |= {str(record["OperationId"]) for record in self._ask(query, bounds)} & named.keys()
        bounds = _around({one: named[one] for one in belonging}, at)
        visible = self._visible(sorted(belonging), bounds, limit)
        account = {"conversation": {"traces": len(visible)}}
        return Resolved(_lists(visible), bounds.since, bounds.until, account=account)

    def _of_cases(self, cases: Sequence[Given], limit: Limit | None, at: datetime) -> Resolved:
        found, of_case = Found(), dict[str, set[str]]()
        for bounds in _reach(at):
            for batch in batched(cases, CASES_AT_ONCE, strict=False):
                query = kql.named_cases(self.case_attribute or "", batch, bounds)
                records = list(self._ask(_bounded(query), bounds))
                for record in records:
                    of_case.setdefault(str(record["Case"]), set()).add(str(record["OperationId"]))
                found = _joined(found, _times(records))
                _hold_to_limit(found)
        bounds = _around(found, at)
        visible = self._visible(sorted(found), bounds, limit)
        matched, missing = [], []
        for place, case in enumerate(cases, start=1):
            entry = {"place": place, "case": case.shown}
            if traces := sorted(of_case.get(case.value, set()).intersection(visible)):
                matched.append(entry | {"trace_ids": traces})
            else:
                missing.append(entry)
        account = {"cases": {"asked": len(cases), "matched": matched, "missing": missing}}
        return Resolved(_lists(visible), bounds.since, bounds.until, account=account)

    def _in_window(self, window: TimeWindow, limit: Limit | None, at: datetime) -> Resolved:
        bounds = Bounds(window.start - MARGIN, window.end + MARGIN, at)
        needs_views = window.filtered or limit is not None
        lets = self._candidates(window, limit, bounds, _as_it_is)
        query = (
            f"{lets}Candidates\n| summarize Traces = countif({_USABLE}), Unusable = countif(not({_USABLE}))"
        )
        counted = next(iter(self._ask(query, bounds)))
        traces, unusable = int(counted["Traces"]), int(counted["Unusable"])
        chosen = f"let Chosen = Candidates | where {_USABLE};\n"
        if needs_views and traces <= self.most_listed:
            answer = self._ask(f"{lets}{chosen}Chosen", bounds)
            memberships = _lists(sorted(str(record["OperationId"]) for record in answer))
        elif traces:
            shown = self._candidates(window, limit, bounds, _as_shown)
            memberships = (
                Membership(f"{lets}{chosen}", "where OperationId in (Chosen)", f"{shown}{chosen}"),
            )
        else:
            memberships = ()
        account = {"window": {"traces": traces}}
        return Resolved(memberships, bounds.since, bounds.until, unusable=unusable, account=account)

    def _candidates(self, window: TimeWindow, limit: Limit | None, bounds: Bounds, write: Write) -> str:
        inside = kql.inside_let(limit, self.attributes, bounds, write) if limit else ""
        views = kql.views(self.attributes, bounds) if window.filtered or limit else ""
        query = kql.fitting_in_window(window, write) if window.filtered else kql.all_in_window(window, bounds)
        restricted = "\n| where OperationId in (Inside)" if limit else ""
        return f"{views}{inside}let Candidates = {query}{restricted};\n"

    def _drawn(self, export: Export, sample: Sample, limit: Limit | None) -> Resolved:
        window = sample.population
        bounds = Bounds(window.start - MARGIN, window.end + MARGIN, export.requested_at)
        inside = kql.inside_let(limit, self.attributes, bounds, _as_it_is) if limit else ""
        population = kql.population(window, sample.stratum, _as_it_is, limited=limit is not None)
        lets = f"{kql.views(self.attributes, bounds)}{inside}let Population = {population};\n"
        drawn = self.drawing.draw(
            export,
            sample,
            lambda query: self._ask(f"{lets}{query}", bounds),
            lambda name: self._stratum_shown(sample.stratum, name),
        )
        return Resolved(
            memberships=_lists(drawn.trace_ids),
            since=bounds.since,
            until=bounds.until,
            account={"sample": drawn.account},
            files={POPULATION: drawn.population},
        )

    def _stratum_shown(self, stratum: str | None, name: str) -> str:
        """Return the name of a stratum as the policy would: kept where it has its shape, else a pseudonym."""
        asking = asking_for(self.attributes, self.protection.policy, self.protection.pseudonyms)
        domain = asking.dimensions.get(stratum or "")
        kept = SHAPES["name"](name) is not None and not self.protection.detectors.find(name)
        if domain is None and (kept or not name):
            return name
        return self.protection.pseudonyms.of(domain or "stratum", name)

    def _tenant(self, tenant: str) -> str:
        return self.protection.pseudonyms.of(TENANT, tenant)

    def _ask(self, query: str, bounds: Bounds) -> list[dict[str, Any]]:
        answer = self.source.query(query, since=bounds.since - _SLACK, until=bounds.until + _SLACK)
        records: list[dict[str, Any]] = answer.records()
        return records


def _reach(at: datetime) -> tuple[Bounds, Bounds]:
    return Bounds(at - RECENT, at + MARGIN, at), Bounds(at - RETENTION, at - RECENT, at)


def _around(found: Found, at: datetime) -> Bounds:
    first = min((first for first, _ in found.values()), default=at)
    last = max((last for _, last in found.values()), default=at)
    return Bounds(first - MARGIN, last + MARGIN, at)


def _lists(trace_ids: Sequence[str]) -> tuple[Membership, ...]:
    batches = batched(trace_ids, IDS_AT_ONCE, strict=False)
    return tuple(Membership("", kql.among(batch)) for batch in batches)


def _bounded(query: str) -> str:
    return f"{query}\n| take {MOST_TRACES + 1}"


def _hold_to_limit(found: Found) -> None:
    if len(found) > MOST_TRACES:
        raise AskedTooMuch(
            f"More than {MOST_TRACES} traces are of this.", next_step="Ask for a window or for fewer cases."
        )


def _times(records: Iterable[Mapping[str, Any]]) -> Found:
    found = Found()
    for record in records:
        first, last = record["First"], record["Last"]
        if not isinstance(first, datetime) or not isinstance(last, datetime):
            raise SourceError(
                "The source answered with another type than asked for in the columns First and Last.",
                next_step="Check the table's schema in the workspace.",
            )
        times = {str(record["OperationId"]): (first.astimezone(UTC), last.astimezone(UTC))}
        found = _joined(found, times)
    return found


def _joined(one: Found, other: Found) -> Found:
    for trace_id, (first, last) in other.items():
        before = one.get(trace_id, (first, last))
        one[trace_id] = min(before[0], first), max(before[1], last)
    return one


def _as_it_is(given: Given) -> str:
    return given.value


def _as_shown(given: Given) -> str:
    return given.shown
