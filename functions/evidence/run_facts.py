"""Reads what is recorded of runs: one KQL question over the views of runs and spans.

What a name stands for, which tool was called and how old data was is decided by the views and the shared
relations that the checks use too, so that a control and a check see the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Protocol

import orjson

from functions.checks.parameters import id_formats
from functions.errors import ResultTooLarge, SourceError
from functions.evidence.facts import Documents, RunFacts, ToolCalls, TraceFacts
from functions.traces.agents import Agent, Agents
from functions.traces.kql import compose, datatable, instant
from functions.traces.membership import Membership
from functions.traces.source import Cell, TraceSource

LOOKBACK = timedelta(days=1)
"""How long before a run's own span its other rows may have been received."""

LATEST = timedelta(days=1)
"""How long after it."""

MOST_FACTS = 50_000
"""Of one answer: about ten a run."""


class RunsPart(Protocol):
    """Some runs: of these traces, with their own spans received in a stretch of time."""

    @property
    def membership(self) -> Membership:
        """Which traces."""
        ...

    @property
    def since(self) -> datetime:
        """First TimeGenerated of the traces' rows, UTC."""
        ...

    @property
    def until(self) -> datetime:
        """End of it (exclusive), UTC."""
        ...

    @property
    def received_from(self) -> datetime:
        """First ingestion time of the runs' own spans, UTC."""
        ...

    @property
    def received_until(self) -> datetime:
        """End of it (exclusive), UTC."""
        ...


@dataclass(frozen=True, slots=True)
class RunsSlice:
    """A `RunsPart` by itself, for those who have no plan of an export."""

    membership: Membership
    since: datetime
    until: datetime
    received_from: datetime
    received_until: datetime


Record = Mapping[str, Cell]

Stretch = tuple[datetime | None, datetime | None]
"""From an instant (or ever) to another (exclusive; or for ever), UTC."""


def read_facts(
    source: TraceSource, part: RunsPart, agents: Agents, within: Sequence[Stretch], *, cutoff: datetime
) -> list[RunFacts]:
    """Return what is recorded of the runs of `part` that began within some stretches of time.

    Args:
        source: Whom to ask.
        part: Which runs.
        agents: How the telemetry is read, and what may be called.
        within: When the runs began; at least one stretch.
        cutoff: Rows received from then on are left out, UTC.

    Raises:
        ResultTooLarge: There are more than `MOST_FACTS`; ask for half.
        SourceError: The source did not answer completely.
    """
    kql = facts_kql(part, agents, within, cutoff=cutoff)
    records = source.query(kql, since=part.since, until=part.until).records()
    if len(records) > MOST_FACTS:
        raise ResultTooLarge(
            f"There are more than {MOST_FACTS:,} facts of runs in one stretch of time.",
            next_step="Ask for a shorter stretch.",
        )
    return _runs(records)


def facts_kql(part: RunsPart, agents: Agents, within: Sequence[Stretch], *, cutoff: datetime) -> str:
    """Return the text of the question; see `read_facts`."""
    # The rows of the slice's traces only, so that its cost does not grow with the export.
    among = "SliceTraces"
    query = _template().substitute(
        run_times=_times(within), among=f"where OperationId in ({among})", most=MOST_FACTS + 1
    )
    lets = (
        f"let SliceFrom = {instant(part.received_from)};",
        f"let SliceTo = {instant(min(part.received_until, cutoff))};",
        f"{part.membership.lets}let SliceTraces = materialize(union",
        ",\n".join(
            f"  ({table} | extend Received = ingestion_time()"
            " | where Received >= SliceFrom and Received < SliceTo"
            f" | {part.membership.condition} | project OperationId)"
            for table in ("AppRequests", "AppDependencies")
        ),
        "  | distinct OperationId);",
        datatable("known_tools", {"Tool": "string"}, [(name,) for name in _known_tools(agents)]),
    )
    return compose(
        query,
        attributes=agents.attributes,
        tables=("\n".join(lets), *id_formats(agents)),
        received_from=part.received_from,
        received_to=part.received_until,
        every=timedelta(days=1),
        lookback=LOOKBACK,
        settle=min(LATEST, cutoff - part.received_until),
        among=among,
    )


def _times(within: Iterable[Stretch]) -> str:
    return " or ".join(f"({_time(*stretch)})" for stretch in within)


def _time(begins: datetime | None, ends: datetime | None) -> str:
    bounds = [f"Time >= {instant(begins)}"] if begins else []
    bounds += [f"Time < {instant(ends)}"] if ends else []
    return " and ".join(bounds) or "true"


def _known_tools(agents: Agents) -> list[str]:
    return sorted({tool for agent in agents.by_name.values() for tool in _tools(agent)})


def _tools(agent: Agent) -> Iterable[str]:
    yield from agent.approved_tools or ()
    yield from (limit.tool for limit in agent.freshness)
    for lookup in agent.required_lookups:
        yield from filter(None, (lookup.tool, lookup.after_tool))


def _runs(records: Sequence[Record]) -> list[RunFacts]:
    """Put the facts of each run together; what belongs to no run is the trace's."""
    of: dict[tuple[str, str], defaultdict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        of[str(record["TraceId"]), str(record["RunId"] or "")][str(record["Fact"])].append(record)
    return [_run(key, run, facts, of[key[0], ""]) for key, facts in list(of.items()) for run in facts["run"]]


def _run(
    key: tuple[str, str],
    run: Record,
    facts: Mapping[str, list[Record]],
    of_trace: Mapping[str, list[Record]],
) -> RunFacts:
    success, took = run["Success"], run["DurationMs"]
    return RunFacts(
        *key,
        time=_moment(run, "Time"),
        received=_moment(run, "Received"),
        agent=_text(run, "Agent"),
        release=_text(run, "Release"),
        intent=_text(run, "Intent"),
        route=_text(run, "Route"),
        dimensions={name: str(value) for name, value in _parsed(run, "Dimensions", {}).items()},
        success=None if success is None else bool(success),
        duration_ms=None if took is None else float(str(took)),
        carried=frozenset(field for field, column in _CARRIED.items() if run[column]),
        well_formed=bool(run["WellFormed"]),
        model_calls=_count(run, "ModelCalls"),
        usage_missing=_count(run, "UsageMissing"),
        tool_requests=_count(run, "ToolRequests"),
        dialect=_text(run, "Dialect"),
        tools=tuple(_tool_calls(one) for one in facts["tool"]),
        documents=_documents(facts["documents"]),
        exposed=_exposed(facts),
        trace=_trace(of_trace),
    )


_CARRIED = {
    "conversation": "HasConversation",
    "tenant": "HasTenant",
    "environment": "HasEnvironment",
    "release": "HasRelease",
}


def _tool_calls(record: Record) -> ToolCalls:
    oldest, newest = record["Oldest"], record["Newest"]
    return ToolCalls(
        names=_set(record, "Names"),
        known=bool(record["Known"]),
        calls=_count(record, "Calls"),
        succeeded=_count(record, "Succeeded"),
        unsaid=_count(record, "Unsaid"),
        undated=_count(record, "Undated"),
        oldest_minutes=None if oldest is None else float(str(oldest)),
        newest_minutes=None if newest is None else float(str(newest)),
    )


def _documents(records: Sequence[Record]) -> Documents:
    for record in records:
        return Documents(_count(record, "Unnamed"), tuple(filter(None, _set(record, "Lists"))))
    return Documents()


def _trace(facts: Mapping[str, list[Record]]) -> TraceFacts:
    (record,) = facts["trace"]
    return TraceFacts(
        sampled=_count(record, "Sampled"),
        tops=_count(record, "Tops"),
        loose=_count(record, "Loose"),
        orphans=_count(record, "Orphans"),
        exposed=_exposed(facts),
    )


def _exposed(facts: Mapping[str, list[Record]]) -> dict[str, int]:
    return {_text(one, "Attribute"): _count(one, "Found") for one in facts["exposed"]}


def _text(record: Record, column: str) -> str:
    return str(record[column] or "")


def _count(record: Record, column: str) -> int:
    return int(str(record[column] or 0))


def _set(record: Record, column: str) -> tuple[str, ...]:
    return tuple(sorted(one.removeprefix("=") for one in _parsed(record, column, [])))


def _parsed[Json: (dict[str, Any], list[Any])](record: Record, column: str, otherwise: Json) -> Json:
    """Read a dynamic cell, which arrives as JSON text."""
    cell = record[column]
    return orjson.loads(str(cell)) if cell else otherwise


def _moment(record: Record, column: str) -> datetime:
    value = record[column]
    if not isinstance(value, datetime):
        raise SourceError(
            f"The source answered with another type than asked for in the column {column}.",
            next_step="Check the tables' schema in the workspace.",
        )
    return value


@cache
def _template() -> Template:
    return Template((Path(__file__).parent / "run_facts.kql").read_text(encoding="utf-8"))
