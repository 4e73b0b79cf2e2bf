"""Writes the small queries that ask for marker runs, or for agents' own content, and reads their answers.

AppGenAIContent is asked alone: on the Basic plan it is read by an API of its own.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from functions.canary.marker import ARGUMENTS_BEGIN, ARGUMENTS_END
from functions.canary.sight import MarkerRow, PointerRow
from functions.traces.kql import instant, text
from functions.traces.lateness import TIME_MARGIN
from functions.traces.source import Cell, TraceSource

MOST_POINTERS = 60
"""Spans asked about where there are no canaries: one a minute, the latest."""

_POINTER = 'isnotempty(tostring(Properties["_MS.GenAIContentId"]))'


def markers_kql(trace_ids: Collection[str]) -> str:
    """Return the query for marker runs in the ordinary table."""
    return f"""AppDependencies
| extend Received = ingestion_time()
| where OperationId in ({_list(trace_ids)})
| where tostring(Properties["gen_ai.operation.name"]) == "execute_tool"
| project TraceId = OperationId, Received, Pointer = {_POINTER},
    Inline = tostring(Properties["gen_ai.tool.call.arguments"]) == {_arguments("OperationId")}"""


def markers_content_kql(trace_ids: Collection[str]) -> str:
    """Return the query for those whose content is in AppGenAIContent."""
    return f"""AppGenAIContent
| where TraceId in ({_list(trace_ids)})
| where ToolCallArguments == {_arguments("TraceId")}
| project TraceId"""


def pointers_kql(received_from: datetime, received_to: datetime) -> str:
    """Return the query for spans that point to content: one of each minute, the latest minutes."""
    return f"""AppDependencies
| extend Received = ingestion_time()
| where Received >= {instant(received_from)} and Received < {instant(received_to)}
| where {_POINTER}
| project TraceId = OperationId, SpanId = Id, Received, Minute = bin(Received, 1m)
| summarize arg_max(Received, TraceId, SpanId) by Minute
| top {MOST_POINTERS} by Minute desc
| project TraceId, SpanId, Received"""


def content_kql(trace_ids: Collection[str]) -> str:
    """Return the query for the spans of these traces that have content in AppGenAIContent."""
    return f"""AppGenAIContent
| where TraceId in ({_list(trace_ids)})
| distinct TraceId, SpanId"""


def ask_markers(source: TraceSource, trace_ids: Collection[str], *, now: datetime) -> list[MarkerRow]:
    """Ask for marker runs in the ordinary table. Raises SourceError."""
    if not trace_ids:
        return []
    records = source.query(markers_kql(trace_ids), since=now - TIME_MARGIN, until=now + TIME_MARGIN).records()
    return [
        MarkerRow(str(row["TraceId"]), _moment(row["Received"]), bool(row["Pointer"]), bool(row["Inline"]))
        for row in records
    ]


def ask_markers_content(source: TraceSource, trace_ids: Collection[str], *, now: datetime) -> frozenset[str]:
    """Ask for their content in AppGenAIContent. Raises SourceError."""
    if not trace_ids:
        return frozenset()
    records = source.query(
        markers_content_kql(trace_ids), since=now - TIME_MARGIN, until=now + TIME_MARGIN
    ).records()
    return frozenset(str(row["TraceId"]) for row in records)


def ask_pointers(source: TraceSource, *, received_from: datetime, received_to: datetime) -> list[PointerRow]:
    """Ask for agents' spans that point to content. Raises SourceError."""
    records = source.query(
        pointers_kql(received_from, received_to),
        since=received_from - TIME_MARGIN,
        until=received_to + TIME_MARGIN,
    ).records()
    return [PointerRow(str(row["TraceId"]), str(row["SpanId"]), _moment(row["Received"])) for row in records]


def ask_content(source: TraceSource, pointers: Sequence[PointerRow]) -> frozenset[tuple[str, str]]:
    """Ask which of these spans have content in AppGenAIContent. Raises SourceError."""
    if not pointers:
        return frozenset()
    received = [row.received for row in pointers]
    records = source.query(
        content_kql({row.trace_id for row in pointers}),
        since=min(received) - TIME_MARGIN,
        until=max(received) + TIME_MARGIN,
    ).records()
    return frozenset((str(row["TraceId"]), str(row["SpanId"])) for row in records)


def _list(trace_ids: Collection[str]) -> str:
    return ", ".join(map(text, sorted(trace_ids)))


def _arguments(trace_id: str) -> str:
    return f"strcat({text(ARGUMENTS_BEGIN)}, {trace_id}, {text(ARGUMENTS_END)})"


def _moment(cell: Cell) -> datetime:
    if not isinstance(cell, datetime):
        raise TypeError("ingestion_time() is a datetime")
    return cell.astimezone(UTC)
