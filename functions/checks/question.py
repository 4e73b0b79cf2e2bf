"""Writes the one query that answers all windows of a batch and their history."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.checks.definition import CheckDefinition
from functions.checks.late_rows import with_late_rows
from functions.checks.memory import Memory, asked_from
from functions.checks.parameters import parameter_tables
from functions.checks.windows import Batch
from functions.costs.prices import Prices
from functions.traces.agents import Agents
from functions.traces.kql import compose
from functions.traces.lateness import TIME_MARGIN
from functions.traces.source import Rows, TraceSource


@dataclass(frozen=True, slots=True)
class Question:
    """A query and the bounds of TimeGenerated, both UTC, within which the rows that it needs lie."""

    kql: str
    since: datetime
    until: datetime

    def ask(self, source: TraceSource) -> Rows:
        """Return the whole answer. Raises SourceError as the source does."""
        return source.query(self.kql, since=self.since, until=self.until)


def question(
    check: CheckDefinition,
    batch: Batch,
    agents: Agents,
    prices: Prices,
    *,
    memory: Memory | None = None,
    settle: timedelta | None = None,
) -> Question:
    """Return what to ask about the windows of `batch`, given what agents owe and models cost.

    Args:
        check: The check.
        batch: The windows.
        agents: What agents owe.
        prices: What models cost.
        memory: What is known of the time before the windows; without it the history is asked for too.
        settle: Longer than the check's own: rows that long after the batch are read too, and those that came
            late are counted (late_rows.py).
    """
    query = check.query if settle is None else with_late_rows(check.query, check.settle)
    wait = check.settle if settle is None else settle
    received_from = asked_from(check, batch, memory)
    received_to = batch.windows[-1].end
    kql = compose(
        query,
        attributes=agents.attributes,
        tables=parameter_tables(check.query, agents, prices),
        received_from=received_from,
        received_to=received_to,
        every=batch.width,
        lookback=check.lookback,
        settle=wait,
        judged_from=batch.windows[0].start,
    )
    return Question(
        kql,
        since=received_from - check.lookback - TIME_MARGIN,
        until=received_to + wait + TIME_MARGIN,
    )
