"""Reads what is recorded of runs: one KQL question over the views of runs and spans.

What a name stands for, which tool was called and how old data was is decided by the views and the shared
relations that the checks use too, so that a control and a check see the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import orjson

from functions.checks.parameters import id_formats
from functions.errors import ResultTooLarge, SourceError
from functions.evidence.controls.facts import Documents, RunFacts, ToolCalls, TraceFacts
from functions.traces.agents import Agent, Agents
from functions.traces.kql import compose, datatable, instant
from functions.traces.slices import Slice
from functions.traces.source import Cell, Rows, TraceSource

LOOKBACK = timedelta(days=1)
"""How long before a run's own span its other rows may have been received."""

LATEST = timedelta(days=1)
"""How long after it."""

MOST_FACTS = 50_000
"""Of one answer: about ten a run."""


Record = Mapping[str, Cell]

Stretch = tuple[datetime | None, datetime | None]
"""From an instant (or ever) to another (exclusive; or for ever), UTC."""


def read_facts(
    source: TraceSource, part: Slice, agents: Agents, within: Sequence[Stretch], *, cutoff: datetime
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
    # Other rows of a run may lie outside the time in which it began.
    answer = source.query(kql, since=part.since - LOOKBACK, until=part.until + LATEST)
    if len(answer.rows) > MOST_FACTS:
        raise ResultTooLarge(
            f"There are more than {MOST_FACTS:,} facts of runs in one stretch of time.",
            next_step="Ask for a shorter stretch.",
        )
    return _runs(answer)


def facts_kql(part: Slice, agents: Agents, within: Sequence[Stretch], *, cutoff: datetime) -> str:
    """Return the text of the question; see `read_facts`."""
    # The rows of the slice's traces only, so that its cost does not grow with the export.
    among = "SliceTraces"
    query = _template().substitute(
        run_times=f"{_time(part.since, part.until)} and ({_times(within)})",
        among=f"where OperationId in ({among})",
        most=MOST_FACTS + 1,
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


@dataclass(slots=True)
class _Gathered:
    """The facts of one run, or of a trace beside its runs."""

    runs: list[Record] = field(default_factory=list)
    tools: list[ToolCalls] = field(default_factory=list)
    documents: Documents = field(default_factory=Documents)
    exposed: dict[str, int] = field(default_factory=dict)
    trace: TraceFacts = field(default_factory=TraceFacts)


def _runs(answer: Rows) -> list[RunFacts]:
    """Put the facts of each run together; what belongs to no run is the trace's."""
    of: defaultdict[tuple[str, str], _Gathered] = defaultdict(_Gathered)
    for row in answer.rows:
        record = dict(zip(answer.columns, row, strict=True))
        gathered = of[_text(record, "TraceId"), _text(record, "RunId")]
        match record["Fact"]:
            case "run":
                gathered.runs.append(record)
            case "tool":
                gathered.tools.append(_tool_calls(record))
            case "documents":
                gathered.documents = Documents(
                    _count(record, "Unnamed"), tuple(filter(None, _set(record, "Lists")))
                )
            case "exposed":
                gathered.exposed[_text(record, "Attribute")] = _count(record, "Found")
            case _:
                gathered.trace = _trace(record)
    return [_run(key, run, one, of[key[0], ""]) for key, one in list(of.items()) for run in one.runs]


def _run(key: tuple[str, str], run: Record, facts: _Gathered, of_trace: _Gathered) -> RunFacts:
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
        carried=frozenset(one for one, column in _CARRIED.items() if run[column]),
        well_formed=bool(run["WellFormed"]),
        model_calls=_count(run, "ModelCalls"),
        usage_missing=_count(run, "UsageMissing"),
        tool_requests=_count(run, "ToolRequests"),
        dialect=_text(run, "Dialect"),
        tools=tuple(facts.tools),
        documents=facts.documents,
        exposed=facts.exposed,
        trace=replace(of_trace.trace, exposed=of_trace.exposed),
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


def _trace(record: Record) -> TraceFacts:
    return TraceFacts(
        sampled=_count(record, "Sampled"),
        tops=_count(record, "Tops"),
        loose=_count(record, "Loose"),
        orphans=_count(record, "Orphans"),
    )


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
