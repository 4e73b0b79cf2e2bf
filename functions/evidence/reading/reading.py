"""Gives one sanitized trace at once to whoever may see all that it names, or says why it is not there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import orjson

from functions.access.scope import EVERYTHING, Scope
from functions.alerts.reading import readable_states
from functions.costs.prices import Prices
from functions.errors import NotFound, SealDamaged, TraceAbsent
from functions.evidence.controls.sentences import finding_sentences
from functions.evidence.controls.verdicts import RunVerdicts
from functions.evidence.reading.absence import AROUND, ARRIVING, Known, Naming, Nearby, explain
from functions.evidence.reading.gathering import describe_rows, gather_rows, rescan_for
from functions.evidence.reading.steps import describe_steps
from functions.evidence.redaction.protection import Protection
from functions.evidence.redaction.sanitizer import safe_trace_id
from functions.evidence.seals.store import Seals
from functions.evidence.selection.membership_kql import Bounds, inside_let, limit_of, views
from functions.evidence.selection.selection import parse_trace_id
from functions.storage.documents import Documents
from functions.traces.agents import Attributes
from functions.traces.kql import instant, text
from functions.traces.model import CANARY_ROLE
from functions.traces.rows import MARGIN, find_traces, read_slices
from functions.traces.sent_names import SENT_NAME, stands_for
from functions.traces.source import TraceSource

_MOST_NAMINGS = 5
_SPAN_TABLES = ("AppRequests", "AppDependencies")


class TraceJudge(Protocol):
    """Whatever judges the runs of a trace."""

    def judge_trace(
        self, trace_id: str, *, since: datetime, until: datetime, cutoff: datetime
    ) -> Sequence[RunVerdicts]:
        """Return what the controls say about its runs; see `Controls.judge_trace`."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody says of the trace that they ask for: when it was, and of which agent; None: nothing."""

    around: datetime | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads traces.

    Attributes:
        source: Where they come from.
        protection: Gives what stands between telemetry and a reader, as configured now.
        attributes: Which properties a deployment uses for what.
        prices: What model calls cost.
        controls: Judge a trace's runs.
        documents: Where alerts are: they may name a trace that is gone.
        seals: They may hold it, too.
        retention: How long the source keeps rows.
        clock: The time, UTC.
    """

    source: TraceSource
    protection: Callable[[], Protection]
    attributes: Attributes
    prices: Prices
    controls: TraceJudge
    documents: Documents
    seals: Seals
    retention: timedelta
    clock: Callable[[], datetime]

    def read(self, trace_id: str, *, scope: Scope = EVERYTHING, asked: Asked | None = None) -> dict[str, Any]:
        """Return one sanitized trace as a JSON object: what controls found, its steps, and its rows.

        Args:
            trace_id: 32 hex digits.
            scope: What the reader may see. Who may not see all learns only that a trace can't be shown.
            asked: What they know of it.

        Raises:
            InvalidRequest: That is no trace id.
            TraceAbsent: It has no rows within the retention; says why, as far as it can be known.
            NotFound: It has none, or it is beyond the scope.
            RedactionFailure: Something in the finished answer must not leave.
            SourceError: The source did not answer completely.
        """
        protection, now = self.protection(), self.clock()
        wanted = parse_trace_id(trace_id)
        found = find_traces(self.source, [wanted], now=now)
        if not found.trace_ids and scope.unlimited:
            raise self._absence(wanted, asked or Asked(), now)
        if not found.trace_ids or not self._visible(
            wanted, scope, Bounds(found.since, found.until, now + MARGIN)
        ):
            raise NotFound("There is no such trace that you may see.", next_step="Check its id.")
        gathered = gather_rows(found, read_slices(self.source, found), protection)
        runs = self.controls.judge_trace(wanted, since=found.since, until=found.until, cutoff=now)
        findings = list(finding_sentences(runs))
        shown = safe_trace_id(wanted, protection.pseudonyms, protection.detectors)
        answer = {
            "trace_id": shown,
            "findings": findings,
            "timeline": describe_steps(shown, gathered.rows, self.attributes, self.prices),
            **describe_rows(gathered),
        }
        rescan_for(protection)(orjson.dumps(answer))
        return answer

    def _visible(self, trace_id: str, scope: Scope, bounds: Bounds) -> bool:
        limit = limit_of(scope, lambda tenant: "")  # noqa: ARG005 - nobody is shown this query
        if limit is None:
            return True
        inside = inside_let(limit, self.attributes, bounds, lambda given: given.value)
        among = f"Inside\n| where OperationId == {text(trace_id)}"
        kql = f"{views(self.attributes, bounds, [trace_id])}{inside}{among}"
        return bool(self.source.query(kql, since=bounds.since, until=bounds.until).rows)

    def _absence(self, trace_id: str, asked: Asked, now: datetime) -> TraceAbsent:
        namings, agent = self._namings(trace_id)
        sealed, damaged = self._sealed(trace_id)
        known = Known(
            now=now,
            kept_since=now - self.retention,
            around=asked.around,
            sealed=sealed,
            named=namings,
            damaged=damaged,
        )
        when = known.when
        undecided = when is not None and known.kept_since <= when <= now - ARRIVING and not known.was_there
        return explain(known, self._nearby(when, asked.agent or agent) if when and undecided else None)

    def _sealed(self, trace_id: str) -> tuple[date | None, str]:
        """Return the day whose seal holds the trace, and what is wrong where the seals can't tell."""
        try:
            return self.seals.find_seal(trace_id), ""
        except SealDamaged as error:
            return None, error.message

    def _namings(self, trace_id: str) -> tuple[tuple[Naming, ...], str | None]:
        """Return the alerts that name the trace, the first ones alone, and the agent that one is about."""
        states, _ = readable_states(self.documents)
        found = [
            (Naming(alert.id, finding.window.start, finding.window.end), alert.key.get("Agent"))
            for state in states.values()
            for alert in state.alerts.values()
            for finding in alert.findings
            if any(trace_id == one.lower() for one in finding.trace_ids)
        ]
        found.sort(key=lambda one: (one[0].start, one[0].alert_id))
        agent = next((agent for _, agent in found if agent), None)
        return tuple(naming for naming, _ in found[:_MOST_NAMINGS]), agent

    def _nearby(self, when: datetime, agent: str | None) -> Nearby:
        since, until = when - AROUND, when + AROUND
        steps = [
            f"where TimeGenerated >= {instant(since)} and TimeGenerated < {instant(until)}",
            f"where AppRoleName != {text(CANARY_ROLE)}",
        ]
        if agent is not None:
            named = stands_for("Sent", agent, self.attributes.names)
            steps.append(f"extend Sent = {SENT_NAME} | where {named}")
        legs = ",\n".join(f"  ({' | '.join((table, *steps))} | project ItemCount)" for table in _SPAN_TABLES)
        sums = "Spans = count(), More = countif(ItemCount > 1), Before = sum(ItemCount)"
        kql = f"union\n{legs}\n| summarize {sums}"
        (record,) = self.source.query(kql, since=since, until=until).records() or [{}]
        return Nearby(_number(record, "Spans"), _number(record, "More"), _number(record, "Before"))


def _number(record: Mapping[str, Any], column: str) -> int:
    return int(record.get(column) or 0)
