"""Writes sanitized rows as spans.csv: one line a row, fixed columns, safe to open in a spreadsheet.

What a general writer would decide for each cell is decided once for each text: nearly all of them repeat.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

import orjson

from functions.evidence.packing.otlp import attribute_names, row_attributes, row_name
from functions.spreadsheet import encode_csv, encode_text
from functions.traces.model import Scalar, TraceRow

_INTEGER = re.compile(r"[0-9]{1,15}")
_UTC = "+00:00"
_REMEMBERED = 4_000
_LONGEST_REMEMBERED = 128

COLUMNS = (
    "trace_id",
    "table",
    "span_id",
    "parent_id",
    "time",
    "received",
    "name",
    "operation",
    "agent",
    "tool",
    "model",
    "input_tokens",
    "output_tokens",
    "duration_ms",
    "success",
    "result_code",
    "item_count",
    "service",
    "release",
    "attributes",
)
"""The columns of spans.csv, in order; `attributes` is a JSON object of all attributes of the row."""


def encode_table(rows: Iterable[TraceRow]) -> bytes:
    """Encode rows that hold nothing but safe values, in their order, as RFC 4180 in UTF-8."""
    return table_header() + table_lines(rows)


def table_header() -> bytes:
    """Return the first line."""
    return encode_csv(COLUMNS, ())


def table_lines(rows: Iterable[TraceRow]) -> bytes:
    """Encode rows without the first line: for a table that is written in pieces."""
    return "".join(map(_line, rows)).encode()


def _line(row: TraceRow) -> str:
    own, columns = row.properties, row.columns
    property_of, column_of = own.get, columns.get
    cells = (
        _id(row.trace_id),
        row.table,
        _id(row.span_id),
        _id(row.parent_id),
        _iso(row.time),
        _iso(row.received),
        _cell(row_name(row)),
        _cell(property_of("gen_ai.operation.name", "")),
        _cell(property_of("gen_ai.agent.name", "")),
        _cell(property_of("gen_ai.tool.name", "")),
        _cell(_either(own, "gen_ai.response.model", "gen_ai.request.model")),
        _count(_either(own, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")),
        _count(_either(own, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")),
        _cell(column_of("DurationMs", "")),
        _cell(column_of("Success", "")),
        _cell(column_of("ResultCode", "")),
        _cell(column_of("ItemCount", "")),
        _cell(column_of("AppRoleName", "")),
        _cell(column_of("AppVersion", "")),
        _object(row),
    )
    return f"{','.join(cells)}\r\n"


def _either(properties: Mapping[str, str], name: str, other: str) -> str:
    return properties[name] if name in properties else properties.get(other, "")


def _cell(value: Scalar) -> str:
    if value.__class__ is str:
        return _text(value) if len(value) <= _LONGEST_REMEMBERED else encode_text(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


_text = lru_cache(maxsize=_REMEMBERED)(encode_text)


def _id(value: str) -> str:
    """Ids don't repeat: one that is hex needs no care."""
    return value if value.isalnum() and value.isascii() else encode_text(value)


def _count(value: Scalar) -> str:
    text = str(value)
    return str(int(text)) if _INTEGER.fullmatch(text) else _cell(text)


def _object(row: TraceRow) -> str:
    """Return the attributes as a cell: a JSON object, in which each quote is doubled."""
    own, columns = row.properties, row.columns
    names = attribute_names(tuple(own), tuple(columns))
    whole = ",".join([_member(name, columns[key] if column else own[key]) for name, key, column in names])
    if ";" in whole:  # something that might begin a formula behind it
        return encode_text(orjson.dumps(row_attributes(row)).decode())
    return f'"{{{whole}}}"' if whole else "{}"


@lru_cache(maxsize=_REMEMBERED, typed=True)  # `typed`, because True, 1 and 1.0 are equal
def _member(name: str, value: Scalar) -> str:
    return orjson.dumps({name: value})[1:-1].decode().replace('"', '""')


def _iso(instant: datetime) -> str:
    if instant.microsecond:  # then both write six digits, and this one in a fraction of the time
        return orjson.dumps(instant, option=orjson.OPT_UTC_Z)[1:-1].decode()
    text = instant.isoformat(timespec="microseconds")
    return f"{text[:-6]}Z" if text.endswith(_UTC) else text
