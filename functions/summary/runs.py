"""Counts how often agents ran in a week and the one before it, by one question."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from functions.summary.body import AgentRuns, Runs
from functions.traces.agents import Attributes
from functions.traces.kql import compose, instant
from functions.traces.lateness import TIME_MARGIN
from functions.traces.source import TraceSource
from functions.weeks import WeekBefore

ROOM = timedelta(hours=1)
"""How far from its run the other spans of a trace may lie and still say whose it was; as in costs."""

MOST_AGENTS = 5


def count_runs(source: TraceSource, attributes: Attributes, week: WeekBefore) -> Runs:
    """Return how often agents ran.

    Args:
        source: Where to ask.
        attributes: Which properties a deployment uses for what.
        week: Which week.

    Raises:
        SourceError: The telemetry could not be read, or not all of it.
    """
    since, until = week.before().start, week.end
    kql = compose(
        _template().substitute(start=instant(since), middle=instant(week.start), end=instant(until)),
        attributes=attributes,
        tables=(),
        received_from=since,
        received_to=until,
        every=timedelta(days=1),
        lookback=ROOM,
        settle=TIME_MARGIN,
    )
    records: list[dict[str, Any]] = source.query(kql, since=since - ROOM, until=until + ROOM).records()
    now = [record for record in records if not record["Before"]]
    agents = [
        AgentRuns(agent=record["Agent"] or "", runs=record["Runs"], failed=record["Failed"]) for record in now
    ]
    agents.sort(key=lambda one: (-one["runs"], one["agent"]))
    return Runs(
        runs=sum(one["runs"] for one in agents),
        failed=sum(one["failed"] for one in agents),
        runs_before=sum(record["Runs"] for record in records if record["Before"]),
        agents=agents[:MOST_AGENTS],
    )


@cache
def _template() -> Template:
    return Template((Path(__file__).parent / "runs.kql").read_text(encoding="utf-8"))
