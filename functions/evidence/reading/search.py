"""Finds the traces of a conversation, a user or an agent, and says of each what may be shown."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from functions.access.ledger import fingerprint
from functions.access.scope import Scope
from functions.errors import InvalidRequest, SourceError
from functions.evidence.reading.search_request import TICKET_HEADER, By, Search, parse_search, parse_ticket
from functions.evidence.redaction.protection import Protection
from functions.evidence.redaction.rescan import rescan
from functions.evidence.redaction.sanitizer import Sanitizer, safe_trace_id
from functions.evidence.selection.membership_kql import TRACE_ID, Bounds, inside_let, limit_of, views
from functions.traces.agents import Agents
from functions.traces.kql import instant, text
from functions.traces.model import Scalar
from functions.traces.source import TraceSource

MOST_TRACES = 100
"""In one answer, the latest first."""

_ROOM = timedelta(hours=1)
"""How far from the time asked for a trace's other rows may lie."""

_COLUMNS: Mapping[By, str] = {"conversation_id": "Conversation", "user_id": "User", "agent": "Agent"}
_DOMAINS: Mapping[By, str] = {"conversation_id": "conversation", "user_id": "user"}
_NAMES = 20
_TABLE = "AppDependencies"


@dataclass(frozen=True, slots=True)
class Searching:
    """Searches for traces over the views, so that every dialect counts.

    Attributes:
        source: Where they are.
        protection: Gives what stands between telemetry and a reader, as configured now.
        agents: Who the agents are, and which properties carry the facts.
        clock: The time, UTC.
    """

    source: TraceSource
    protection: Callable[[], Protection]
    agents: Agents
    clock: Callable[[], datetime]

    def parse(self, body: object) -> Search:
        """Read the JSON body of a request; see `parse_search`.

        Raises:
            InvalidRequest: A field breaks a rule, or holds what may not stand in the ledger.
        """
        search = parse_search(body, now=self.clock())
        self._refuse_personal("field reason", search.reason)
        self._refuse_personal("field ticket", search.ticket)
        return search

    def ticket(self, given: str) -> str:
        """Read the ticket under which one trace is read; see `parse_ticket`.

        Raises:
            InvalidRequest: It breaks a rule, or holds what may not stand in the ledger.
        """
        ticket = parse_ticket(given)
        self._refuse_personal(f"header {TICKET_HEADER}", ticket)
        return ticket

    def note(self, search: Search) -> dict[str, str]:
        """Return what the ledger says of a search: no id, and no word of the reason."""
        about = {
            "ticket": search.ticket,
            "reason_sha256": fingerprint(search.reason),
            "by": search.by,
            "start": search.start.isoformat(),
            "end": search.end.isoformat(),
        }
        if search.by in _DOMAINS:
            pseudonyms = self.protection().pseudonyms
            return about | {_DOMAINS[search.by]: pseudonyms.of(_DOMAINS[search.by], search.value)}
        known = search.value in self.agents.by_name
        return about | {"agent": search.value if known else f"sha256:{fingerprint(search.value)}"}

    def find(self, search: Search, scope: Scope) -> dict[str, Any]:
        """Return the traces as a JSON object: the latest `MOST_TRACES`, and whether there are more.

        Args:
            search: What is asked for.
            scope: What whoever asks may see; traces beyond it are as if they were not there.

        Raises:
            RedactionFailure: Something in the finished answer must not leave.
            SourceError: The source did not answer completely.
        """
        protection = self.protection()
        bounds = Bounds(search.start - _ROOM, search.end + _ROOM, self.clock() + timedelta(days=1))
        kql = views(self.agents.attributes, bounds) + _query(self._inside(scope, bounds), search)
        answer = self.source.query(kql, since=bounds.since, until=bounds.until)
        records = answer.records()
        shown = _Shown(protection)
        traces = [shown.trace(record) for record in records[:MOST_TRACES]]
        found = {
            "start": search.start,
            "end": search.end,
            "traces": traces,
            "cut": len(records) > MOST_TRACES,
        }
        rescan(orjson.dumps(found), protection.detectors)
        return found

    def _refuse_personal(self, where: str, words: str) -> None:
        if self.protection().detectors.find(words):
            raise InvalidRequest(
                f"The {where} holds what looks like a secret or personal data.",
                next_step="Say it without: the ledger keeps the ticket.",
            )

    def _inside(self, scope: Scope, bounds: Bounds) -> str:
        """Return the statement that defines `Inside`; "" where the scope has no limit."""
        limit = limit_of(scope, lambda tenant: "")  # noqa: ARG005 - nobody is shown this query
        if limit is None:
            return ""
        return inside_let(limit, self.agents.attributes, bounds, lambda given: given.value)


def _query(inside: str, search: Search) -> str:
    within = "\n| where TraceId in (Inside)" if inside else ""
    return f"""{inside}let Matching = spans
| where {_COLUMNS[search.by]} == {text(search.value)}
| where Time >= {instant(search.start)} and Time < {instant(search.end)}
| where TraceId matches regex {text(TRACE_ID)}{within}
| distinct TraceId;
spans
| where TraceId in (Matching)
| extend Ended = Time + coalesce(DurationMs, 0.0) * 1ms, OfRun = SpanId == RunId and isnotempty(RunId)
| summarize Start = min(Time), End = max(Ended), Agents = tostring(make_set(Agent, {_NAMES})),
    Releases = tostring(make_set(Release, {_NAMES})), Runs = countif(OfRun),
    FailedRuns = countif(OfRun and Success == false),
    FailedRequests = countif(Kind == "request" and Success == false),
    InputTokens = sumif(coalesce(InputTokens, 0), ModelCall),
    OutputTokens = sumif(coalesce(OutputTokens, 0), ModelCall), ItemCount = max(ItemCount) by TraceId
| top {MOST_TRACES + 1} by Start desc"""


class _Shown:
    """Puts what was found through the policy, as an export's rows are."""

    def __init__(self, protection: Protection) -> None:
        self._protection = protection
        self._sanitizer = Sanitizer(protection.policy, protection.pseudonyms, protection.detectors)

    def trace(self, record: Mapping[str, Any]) -> dict[str, Any]:
        start, end = record["Start"], record["End"]
        if not isinstance(start, datetime) or not isinstance(end, datetime):
            raise SourceError(
                "The source answered with another type than asked for.",
                next_step="Check the tables' schemas in the workspace.",
            )
        return {
            "trace_id": safe_trace_id(
                record["TraceId"], self._protection.pseudonyms, self._protection.detectors
            ),
            "start": start,
            "duration_ms": round((end - start) / timedelta(milliseconds=1), 3),
            "agents": self._names(record["Agents"], lambda name: self._property("gen_ai.agent.name", name)),
            "releases": self._names(record["Releases"], lambda name: self._column("AppVersion", name)),
            "runs": int(record["Runs"] or 0),
            "success": not (record["FailedRuns"] or (not record["Runs"] and record["FailedRequests"])),
            "input_tokens": int(record["InputTokens"] or 0),
            "output_tokens": int(record["OutputTokens"] or 0),
            "sampled": int(record["ItemCount"] or 1) > 1,
        }

    def _names(self, cell: Any, shown: Callable[[str], Scalar | None]) -> list[str]:
        names: Iterable[Any] = orjson.loads(cell) if cell else ()
        safe = {shown(str(name)) for name in names if name}
        return sorted(str(name) for name in safe if name is not None)

    def _property(self, name: str, value: str) -> Scalar | None:
        return self._sanitizer.judge("properties", _TABLE, name, value)[0]

    def _column(self, name: str, value: str) -> Scalar | None:
        return self._sanitizer.judge("columns", _TABLE, name, value)[0]
