"""Writes sanitized rows as spans.csv: one line a row, fixed columns, safe to open in a spreadsheet."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import orjson

from functions.evidence.otlp import row_attributes, row_name
from functions.spreadsheet import encode_csv, encode_rows
from functions.traces.model import Scalar, TraceRow

_INTEGER = re.compile(r"[0-9]{1,15}")


def _property(*names: str) -> Callable[[TraceRow], Scalar]:
    return lambda row: next((row.properties[name] for name in names if name in row.properties), "")


def _count(*names: str) -> Callable[[TraceRow], Scalar]:
    text = _property(*names)
    return lambda row: int(value) if _INTEGER.fullmatch(value := str(text(row))) else value


def _column(name: str) -> Callable[[TraceRow], Scalar]:
    return lambda row: row.columns.get(name, "")


_CELLS: Mapping[str, Callable[[TraceRow], Scalar]] = {
    "trace_id": lambda row: row.trace_id,
    "table": lambda row: row.table,
    "span_id": lambda row: row.span_id,
    "parent_id": lambda row: row.parent_id,
    "time": lambda row: _iso(row.time),
    "received": lambda row: _iso(row.received),
    "name": row_name,
    "operation": _property("gen_ai.operation.name"),
    "agent": _property("gen_ai.agent.name"),
    "tool": _property("gen_ai.tool.name"),
    "model": _property("gen_ai.response.model", "gen_ai.request.model"),
    "input_tokens": _count("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output_tokens": _count("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "duration_ms": _column("DurationMs"),
    "success": _column("Success"),
    "result_code": _column("ResultCode"),
    "item_count": _column("ItemCount"),
    "service": _column("AppRoleName"),
    "release": _column("AppVersion"),
    "attributes": lambda row: orjson.dumps(row_attributes(row)).decode(),
}

_READERS = tuple(_CELLS.values())
COLUMNS = tuple(_CELLS)
"""The columns of spans.csv, in order; `attributes` is a JSON object of all attributes of the row."""


def encode_table(rows: Iterable[TraceRow]) -> bytes:
    """Encode rows that hold nothing but safe values, in their order, as RFC 4180 in UTF-8."""
    return table_header() + table_lines(rows)


def table_header() -> bytes:
    """Return the first line."""
    return encode_csv(COLUMNS, ())


def table_lines(rows: Iterable[TraceRow]) -> bytes:
    """Encode rows without the first line: for a table that is written in pieces."""
    return encode_rows([read(row) for read in _READERS] for row in rows)


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")
