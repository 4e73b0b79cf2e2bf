"""Reads slices of telemetry: one table, some traces, a stretch of their time and one of ingestion time.

The count and the rows of a slice are two separate answers, so that a caller can tell a complete slice from a
short one. Cutting by ingestion time keeps a slice as it is while telemetry goes on arriving.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson

from functions.errors import ResultTooLarge, SourceError
from functions.traces.kql import instant
from functions.traces.membership import Membership
from functions.traces.model import Scalar, TraceRow
from functions.traces.source import Cell, Rows, TraceSource

CONTENT_TABLE = "AppGenAIContent"
CONTENT_COLUMNS = (
    "InputMessages",
    "OutputMessages",
    "SystemInstructions",
    "ToolDefinitions",
    "ToolCallArguments",
    "ToolCallResult",
    "EvaluationExplanation",
)
"""Where Azure Monitor moves what people and models said, and the columns that hold it."""

SHORTEST = timedelta(milliseconds=1)
_SLACK = timedelta(seconds=1)  # the service's own bounds need not be inclusive: the KQL's decide

_EVERYWHERE = (
    "OperationName ItemCount AppRoleName AppRoleInstance AppVersion SessionId UserId UserAuthenticatedId "
    "UserAccountId ClientIP SyntheticSource SDKVersion"
)
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    table: tuple(f"{own} {_EVERYWHERE}".split())
    for table, own in {
        "AppRequests": "Id Name ResultCode Success DurationMs Url Source",
        "AppDependencies": "Id Name ResultCode Success DurationMs DependencyType Target Data",
        "AppTraces": "Message SeverityLevel",
        "AppExceptions": (
            "ExceptionType OuterType OuterMessage InnermostType InnermostMessage Message Method Assembly "
            "ProblemId HandledAt SeverityLevel"
        ),
        "AppEvents": "Name",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Slice:
    """One table, some traces, and two half-open stretches: of TimeGenerated and of ingestion time, UTC."""

    table: str
    membership: Membership
    since: datetime
    until: datetime
    received_from: datetime
    received_until: datetime

    @property
    def kql(self) -> str:
        """The query for its rows."""
        if self.table == CONTENT_TABLE:
            return f"{self._filtered}\n| project TimeGenerated, TraceId, SpanId, {', '.join(CONTENT_COLUMNS)}"
        columns = ", ".join(_COLUMNS[self.table])
        return (
            f"{self._filtered}\n| project TimeGenerated, Received = ingestion_time(), OperationId, ParentId, "
            f"{columns}, Properties"
        )

    @property
    def shown_kql(self) -> str:
        """The same as anybody may read it."""
        lets = self.membership.shown_lets or self.membership.lets
        return lets + self.kql.removeprefix(self.membership.lets)

    @property
    def count_kql(self) -> str:
        """The query for how many rows it has."""
        return f"{self._filtered}\n| summarize Rows = count()"

    @property
    def _filtered(self) -> str:
        steps = (
            between(self.since, self.until),
            received(self.received_from, self.received_until),
            self.membership.condition,
        )
        return self.membership.lets + "\n| ".join((named(self.table), *steps))

    def halves(self) -> tuple["Slice", "Slice"] | None:
        """Split it in the middle of its ingestion time, or of its time; None where both are too short."""
        if self.received_until - self.received_from > SHORTEST:
            middle = self.received_from + (self.received_until - self.received_from) / 2
            return replace(self, received_until=middle), replace(self, received_from=middle)
        if self.until - self.since > SHORTEST:
            middle = self.since + (self.until - self.since) / 2
            return replace(self, until=middle), replace(self, since=middle)
        return None


@dataclass(frozen=True, slots=True)
class SliceRows:
    """What one slice gave: the number of rows the source counts, and the rows it returned."""

    slice: Slice
    rows_at_source: int
    rows: tuple[TraceRow, ...]


def named(table: str) -> str:
    """Return the table as a query begins, with the trace under the name that it has in all others."""
    return f"{table} | extend OperationId = TraceId" if table == CONTENT_TABLE else table


@dataclass(frozen=True, slots=True)
class Answered:
    """What one slice gave: the number of rows the source counts, and its answer."""

    slice: Slice
    rows_at_source: int
    answer: Rows


def read_slice(source: TraceSource, part: Slice, counted: int | None = None) -> Iterator[SliceRows]:
    """Yield the rows of a slice of a trace's tables; see `read_answers`."""
    for found in read_answers(source, part, counted):
        rows = tuple(_trace_rows(found.slice.table, found.answer))
        yield SliceRows(found.slice, found.rows_at_source, rows)


def read_answers(source: TraceSource, part: Slice, counted: int | None = None) -> Iterator[Answered]:
    """Yield what a slice gives: at once, or in halves where it is too large for one answer.

    Args:
        source: Where to ask.
        part: The slice.
        counted: How many rows the source has counted in it already; asked for again where another number
            comes, for rows may have become visible since.

    Raises:
        ResultTooLarge: A millisecond of it is still too large.
        SourceError: The source did not answer completely.
    """
    try:
        answer = ask(source, part.kql, part.since, part.until)
    except ResultTooLarge:
        halves = part.halves()
        if halves is None:
            raise ResultTooLarge(
                f"One millisecond of {part.table} holds too much to read.", next_step="Ask for fewer traces."
            ) from None
        for half in halves:
            yield from read_answers(source, half)
        return
    rows = len(answer.rows)
    yield Answered(part, rows if counted == rows else count_rows(source, part), answer)


def count_rows(source: TraceSource, part: Slice) -> int:
    """Return how many rows the source counts in a slice. Raises SourceError."""
    counted = ask(source, part.count_kql, part.since, part.until).rows[0][0]
    if not isinstance(counted, int):
        raise unexpected("Rows")
    return counted


def ask(source: TraceSource, kql: str, since: datetime, until: datetime) -> Rows:
    """Ask about rows whose TimeGenerated lies in [since, until), which the KQL must say too."""
    return source.query(kql, since=since - _SLACK, until=until + _SLACK)


def between(since: datetime, until: datetime) -> str:
    """Return the step that keeps rows of a stretch of time."""
    return f"where TimeGenerated >= {instant(since)} and TimeGenerated < {instant(until)}"


def received(since: datetime, until: datetime) -> str:
    """Return the step that keeps rows of a stretch of ingestion time."""
    return f"where ingestion_time() >= {instant(since)} and ingestion_time() < {instant(until)}"


def moment(value: Cell, column: str) -> datetime:
    """Return a cell that must be a time, in UTC. Raises SourceError."""
    if not isinstance(value, datetime):
        raise unexpected(column)
    return value.astimezone(UTC)


def unexpected(column: str) -> SourceError:
    """Return the error for an answer whose column is of another type than the table's schema says."""
    return SourceError(
        f"The source answered with another type than asked for in the column {column}.",
        next_step="Check the table's schema in the workspace.",
    )


def _trace_rows(table: str, answer: Rows) -> Iterator[TraceRow]:
    at = {name: place for place, name in enumerate(answer.columns)}
    columns = [(name, at[name]) for name in _COLUMNS[table] if name != "Id"]
    own_id = at.get("Id")
    time, came, trace, parent, bag = (
        at[name] for name in ("TimeGenerated", "Received", "OperationId", "ParentId", "Properties")
    )
    for cells in answer.rows:
        yield TraceRow(
            table=table,
            trace_id=str(cells[trace]),
            span_id=str(cells[own_id] or "") if own_id is not None else "",
            parent_id=str(cells[parent] or ""),
            time=moment(cells[time], "TimeGenerated"),
            received=moment(cells[came], "Received"),
            columns={
                name: cell
                for name, place in columns
                if isinstance(cell := cells[place], Scalar) and cell != ""
            },
            properties=_properties(cells[bag]),
        )


def _properties(cell: Cell) -> Mapping[str, str]:
    """Read the bag; a bag that is no JSON object is kept under its column's name, so that none is lost."""
    if cell is None or cell == "":
        return {}
    try:
        bag = orjson.loads(str(cell))
    except orjson.JSONDecodeError:
        bag = None
    if not isinstance(bag, dict):
        return {"Properties": str(cell)}
    return {
        name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in bag.items()
    }
