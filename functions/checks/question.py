"""Writes the query that answers all windows of a batch and their history, and asks it.

Where AppGenAIContent is on the Basic plan, it is asked alone and beforehand, and the main query takes the
answer along. Microsoft's pages have differed on what such a table may be joined with; alone it always may be.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.checks.definition import CheckDefinition
from functions.checks.late_rows import with_late_rows
from functions.checks.memory import Memory, asked_from
from functions.checks.parameters import parameter_tables
from functions.checks.windows import Batch
from functions.costs.prices import Prices
from functions.errors import TooMuchContent
from functions.traces.agents import Agents
from functions.traces.content_hashes import (
    MOST_HASHES,
    content_hashes_kql,
    content_hashes_table,
    content_hashes_view,
    reads_content_hashes,
)
from functions.traces.kql import compose
from functions.traces.lateness import TIME_MARGIN
from functions.traces.source import Rows, TraceSource


@dataclass(frozen=True, slots=True)
class Question:
    """A query and the bounds of TimeGenerated, both UTC, within which the rows that it needs lie.

    Attributes:
        kql: The query.
        since: Where the rows begin.
        until: Where they end.
        content_kql: What AppGenAIContent is asked first; its answer goes in front of `kql`. None where
            nothing is asked beforehand.
    """

    kql: str
    since: datetime
    until: datetime
    content_kql: str | None = None

    def ask(self, source: TraceSource, content: TraceSource | None = None) -> Rows:
        """Return the whole answer.

        Args:
            source: Whom to ask.
            content: Whom to ask what goes beforehand.

        Raises:
            SourceError: As the sources do.
            TooMuchContent: What is asked beforehand has more than `MOST_HASHES` rows.
        """
        if self.content_kql is None or content is None:
            return source.query(self.kql, since=self.since, until=self.until)
        hashes = content.query(self.content_kql, since=self.since, until=self.until)
        if len(hashes.rows) > MOST_HASHES:
            raise TooMuchContent(
                f"AppGenAIContent has arguments of more than {MOST_HASHES:,} spans in the time asked about.",
                next_step=(
                    "Give the check a shorter `every` or `lookback`, or move AppGenAIContent to the "
                    "Analytics plan and set CONTENT_PLAN to analytics."
                ),
            )
        kql = f"{content_hashes_table(hashes)}\n{self.kql}"
        return source.query(kql, since=self.since, until=self.until)


def question(
    check: CheckDefinition,
    batch: Batch,
    agents: Agents,
    prices: Prices,
    *,
    memory: Memory | None = None,
    settle: timedelta | None = None,
    content_apart: bool = False,
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
        content_apart: Whether AppGenAIContent must be asked alone.
    """
    query = check.query if settle is None else with_late_rows(check.query, check.settle)
    wait = check.settle if settle is None else settle
    received_from = asked_from(check, batch, memory)
    received_to = batch.windows[-1].end
    apart = content_apart and reads_content_hashes(check.query)
    kql = compose(
        query,
        attributes=agents.attributes,
        tables=(
            *parameter_tables(check.query, agents, prices),
            *(() if apart else content_hashes_view(check.query)),
        ),
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
        content_kql=content_hashes_kql(received_from - check.lookback, received_to + wait) if apart else None,
    )
