"""Finds traces, and reads all rows of a few of them at once."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from functions.traces.cutting import LONG_AGO, cut
from functions.traces.kql import text
from functions.traces.membership import Membership
from functions.traces.model import TABLES
from functions.traces.slices import Slice, SliceRows, ask, between, moment, read_slice
from functions.traces.source import TraceSource

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
_LATEST = datetime.fromisoformat("2200-01-01T00:00:00Z")


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


def read_slices(source: TraceSource, scope: Scope) -> Iterator[SliceRows]:
    """Yield all rows of the traces in `scope`, a few, in a fixed order of slices; all that is visible now.

    Raises:
        ResultTooLarge: A millisecond of a table is still too large.
        SourceError: The source did not answer completely.
    """
    with ThreadPoolExecutor(max_workers=_PARALLEL) as readers:
        for batch in batched(scope.trace_ids, TRACES_PER_SLICE, strict=False):
            whole = Slice(TABLES[0], among(batch), scope.since, scope.until, LONG_AGO, _LATEST)
            counted = cut(source, whole)
            for parts in readers.map(lambda one: list(read_slice(source, one.slice, one.rows)), counted):
                yield from parts


def among(trace_ids: Sequence[str]) -> Membership:
    """Return these traces, at most `TRACES_PER_SLICE`, as KQL."""
    return Membership("", f"where OperationId in ({', '.join(map(text, trace_ids))})")


def _first_and_last(
    source: TraceSource, trace_ids: Sequence[str], since: datetime, until: datetime
) -> dict[str, tuple[datetime, datetime]]:
    union = _union(between(since, until), among(trace_ids).condition, "project OperationId, TimeGenerated")
    kql = f"{union}\n| summarize First = min(TimeGenerated), Last = max(TimeGenerated) by OperationId"
    return {
        str(record["OperationId"]): (
            moment(record["First"], "First"),
            moment(record["Last"], "Last"),
        )
        for record in ask(source, kql, since, until).records()
    }


def _union(*steps: str) -> str:
    legs = (f"  ({' | '.join((table, *steps))})" for table in TABLES)
    return "union\n" + ",\n".join(legs)
