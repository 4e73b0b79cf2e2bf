"""Reads all rows of chosen traces, slice by slice, and asks the source how many there are in each slice.

A slice is one table, some traces and a stretch of time. The count and the rows are two separate answers, so
that a caller can tell a complete slice from a short one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import batched

import orjson

from functions.errors import ResultTooLarge, SourceError
from functions.traces.kql import instant, text
from functions.traces.model import CANARY_ROLE, TABLES, Scalar, TraceRow
from functions.traces.sent_names import SENT_NAME, stands_for
from functions.traces.source import Cell, Rows, TraceSource

ROW_LIMIT = 50_000
"""Most rows of a slice. The service stops at 500,000 rows or about 100 MB, and a row may hold 64 KB."""

TRACE_LIMIT = 10_000
"""Most traces that a window may hold."""

TRACES_PER_SLICE = 500
"""Most trace ids in one query: 18 KB of text."""

MARGIN = timedelta(days=1)
"""How far from the rows that named a trace its other rows are looked for."""

RECENT = timedelta(days=30)
RETENTION = timedelta(days=730)
"""Traces are looked for in `RECENT` first, then as far back as a table's analytics retention can reach.

https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure
"""

_PARALLEL = 3  # of the five queries that the service runs at once for one identity: checks need the others
_SHORTEST = timedelta(milliseconds=1)
_SLACK = timedelta(seconds=1)  # the service's own bounds need not be inclusive: the KQL's decide
_TRACE_ID = re.compile(r"[0-9a-f]{32}")

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
class Scope:
    """Which traces to read, and where in time their rows may lie.

    Attributes:
        trace_ids: Traces that have rows, sorted.
        missing: Traces asked for that have no row within the retention, sorted.
        unusable: How many OperationIds of the window are no OpenTelemetry trace id; they can't be exported.
        since: First TimeGenerated, UTC.
        until: End of TimeGenerated (exclusive), UTC.
    """

    trace_ids: tuple[str, ...]
    missing: tuple[str, ...]
    unusable: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Slice:
    """One table, some traces, and a half-open stretch [since, until) of TimeGenerated, UTC."""

    table: str
    trace_ids: tuple[str, ...]
    since: datetime
    until: datetime

    @property
    def kql(self) -> str:
        """The query for its rows."""
        columns = ", ".join(_COLUMNS[self.table])
        return (
            f"{self._filtered}\n| project TimeGenerated, Received = ingestion_time(), OperationId, ParentId, "
            f"{columns}, Properties"
        )

    @property
    def count_kql(self) -> str:
        """The query for how many rows it has."""
        return f"{self._filtered}\n| summarize Rows = count()"

    @property
    def _filtered(self) -> str:
        return "\n| ".join((self.table, _between(self.since, self.until), _among(self.trace_ids)))

    def halves(self) -> tuple["Slice", "Slice"]:
        """Split it in the middle of its time."""
        middle = self.since + (self.until - self.since) / 2
        return replace(self, until=middle), replace(self, since=middle)


@dataclass(frozen=True, slots=True)
class SliceRows:
    """What one slice gave: the number of rows the source counts, and the rows it returned."""

    slice: Slice
    rows_at_source: int
    rows: tuple[TraceRow, ...]


def find_traces(source: TraceSource, trace_ids: Sequence[str], *, now: datetime) -> Scope:
    """Find out which of these traces have rows, and when.

    Raises:
        SourceError: The source did not answer completely.
    """
    found: dict[str, tuple[datetime, datetime]] = {}
    for since, until in ((now - RECENT, now + MARGIN), (now - RETENTION, now - RECENT)):
        wanted = sorted(set(trace_ids) - found.keys())
        for batch in batched(wanted, TRACES_PER_SLICE, strict=False):
            found |= _first_and_last(source, batch, since, until)
    return Scope(
        trace_ids=tuple(sorted(found)),
        missing=tuple(sorted(set(trace_ids) - found.keys())),
        unusable=0,
        since=min((first for first, _ in found.values()), default=now) - MARGIN,
        until=max((last for _, last in found.values()), default=now) + MARGIN,
    )


def traces_in_window(
    source: TraceSource,
    *,
    start: datetime,
    end: datetime,
    agent: str | None,
    release: str | None,
    names: Mapping[str, str],
) -> Scope:
    """Find the traces with a row whose TimeGenerated lies in [start, end); marker runs are none.

    Args:
        source: Where to ask.
        start: UTC.
        end: UTC, exclusive.
        agent: Only traces with a span of this agent (`gen_ai.agent.name`, or what stands for it).
        release: Only traces with such a row of this AppVersion.
        names: What stands for which agent; see `Attributes.names`.

    Raises:
        ResultTooLarge: There are more than `TRACE_LIMIT`.
        SourceError: The source did not answer completely.
    """
    conditions = [
        _between(start, end),
        f"where isnotempty(OperationId) and AppRoleName != {text(CANARY_ROLE)}",
    ]
    if agent is not None:
        conditions.append(f"extend Sent = {SENT_NAME} | where {stands_for('Sent', agent, names)}")
    if release is not None:
        conditions.append(f"where AppVersion == {text(release)}")
    kql = f"{_union(*conditions, 'project OperationId')}\n| distinct OperationId\n| take {TRACE_LIMIT + 1}"
    ids = [str(cell) for (cell,) in _ask(source, kql, start, end).rows]
    if len(ids) > TRACE_LIMIT:
        raise ResultTooLarge(
            f"More than {TRACE_LIMIT} traces lie in the window.",
            next_step="Ask for a shorter window, or one agent or release.",
        )
    usable = sorted(trace_id for trace_id in ids if _TRACE_ID.fullmatch(trace_id))
    return Scope(tuple(usable), (), len(ids) - len(usable), start - MARGIN, end + MARGIN)


def read_slices(source: TraceSource, scope: Scope) -> Iterator[SliceRows]:
    """Yield all rows of the traces in `scope`, in a fixed order of slices.

    A slice with more rows than `ROW_LIMIT`, or too large for the source, is halved in time.

    Raises:
        ResultTooLarge: A millisecond of a table is still too large.
        SourceError: The source did not answer completely.
    """
    with ThreadPoolExecutor(max_workers=_PARALLEL) as readers:
        for batch in batched(scope.trace_ids, TRACES_PER_SLICE, strict=False):
            whole = [Slice(table, batch, scope.since, scope.until) for table in TABLES]
            for parts in readers.map(lambda part: list(_read(source, part)), whole):
                yield from parts


def _read(source: TraceSource, part: Slice) -> Iterator[SliceRows]:
    counted = _ask(source, part.count_kql, part.since, part.until).rows[0][0]
    if not isinstance(counted, int):
        raise _unexpected("Rows")
    rows = _rows(source, part) if counted <= ROW_LIMIT else None
    if rows is not None:
        yield SliceRows(part, counted, rows)
        return
    if part.until - part.since <= _SHORTEST:
        raise ResultTooLarge(
            f"One millisecond of {part.table} holds too many rows to read.", next_step="Ask for fewer traces."
        )
    for half in part.halves():
        yield from _read(source, half)


def _rows(source: TraceSource, part: Slice) -> tuple[TraceRow, ...] | None:
    """Return the slice's rows, or None where they are too large for one answer."""
    try:
        answer = _ask(source, part.kql, part.since, part.until)
    except ResultTooLarge:
        return None
    return tuple(_trace_row(part.table, record) for record in answer.records())


def _trace_row(table: str, record: Mapping[str, Cell]) -> TraceRow:
    return TraceRow(
        table=table,
        trace_id=str(record["OperationId"]),
        span_id=str(record.get("Id") or ""),
        parent_id=str(record["ParentId"] or ""),
        time=_moment(record, "TimeGenerated"),
        received=_moment(record, "Received"),
        columns={
            name: cell
            for name in _COLUMNS[table]
            if name != "Id" and isinstance(cell := record[name], Scalar) and cell != ""
        },
        properties=_properties(record["Properties"]),
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


def _moment(record: Mapping[str, Cell], column: str) -> datetime:
    value = record[column]
    if not isinstance(value, datetime):
        raise _unexpected(column)
    return value.astimezone(UTC)


def _unexpected(column: str) -> SourceError:
    return SourceError(
        f"The source answered with another type than asked for in the column {column}.",
        next_step="Check the table's schema in the workspace.",
    )


def _first_and_last(
    source: TraceSource, trace_ids: Sequence[str], since: datetime, until: datetime
) -> dict[str, tuple[datetime, datetime]]:
    union = _union(_between(since, until), _among(trace_ids), "project OperationId, TimeGenerated")
    kql = f"{union}\n| summarize First = min(TimeGenerated), Last = max(TimeGenerated) by OperationId"
    return {
        str(record["OperationId"]): (_moment(record, "First"), _moment(record, "Last"))
        for record in _ask(source, kql, since, until).records()
    }


def _ask(source: TraceSource, kql: str, since: datetime, until: datetime) -> Rows:
    return source.query(kql, since=since - _SLACK, until=until + _SLACK)


def _union(*steps: str) -> str:
    legs = (f"  ({' | '.join((table, *steps))})" for table in TABLES)
    return "union\n" + ",\n".join(legs)


def _between(since: datetime, until: datetime) -> str:
    return f"where TimeGenerated >= {instant(since)} and TimeGenerated < {instant(until)}"


def _among(trace_ids: Sequence[str]) -> str:
    return f"where OperationId in ({', '.join(map(text, trace_ids))})"
