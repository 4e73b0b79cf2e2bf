"""Writes sanitized rows as OTLP/JSON: one TracesData a line, one line a trace.

Requests and dependencies become spans; logs, exceptions and custom events become events of the span they
hang on. Ids are hex, enums integers, 64-bit integers decimal text.
(https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding)
"""

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any

import orjson

from functions.traces.model import Scalar, TraceRow

SPAN_TABLES = frozenset({"AppRequests", "AppDependencies"})
PLACEHOLDER = "tracekeeper.placeholder"
"""Attribute (true) of a span that no row stands behind: it holds the events of a trace that has no span."""

_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNSPECIFIED, _INTERNAL, _SERVER, _CLIENT = range(4)  # Span.SpanKind
_ERROR = 2  # Status.StatusCode
_INTEGER_NAME = re.compile(r"gen_ai\.usage\..*tokens|.*[._]count")
_INTEGER = re.compile(r"-?[0-9]{1,15}")
_NUMBER_NAME = re.compile(r"gen_ai\.evaluation\.score\.value|gen_ai\.request\.(?:temperature|top_p)")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "execute_tool": ("gen_ai.tool.name",),
    "invoke_agent": ("gen_ai.agent.name",),
    "create_agent": ("gen_ai.agent.name",),
    "retrieval": ("gen_ai.data_source.id",),
}
_MODELS = ("gen_ai.request.model", "gen_ai.response.model")
_REMEMBERED = 4_000  # most attributes repeat from span to span
_OWN_FIELDS = frozenset({"AppRoleName", "AppVersion", "DurationMs", "Success"})
_EVENT_NAMES = {"AppExceptions": "exception", "AppTraces": "log", "AppEvents": "event"}


@dataclass(frozen=True, slots=True)
class OtlpFile:
    """The lines, and what is in them; every row is a span or an event.

    Attributes:
        data: JSON Lines.
        traces: How many lines.
        spans: How many spans that a row stands behind.
        events: How many span events.
    """

    data: bytes
    traces: int
    spans: int
    events: int


def encode_traces(rows: Sequence[TraceRow]) -> OtlpFile:
    """Encode rows that hold nothing but safe values.

    Args:
        rows: Sorted by trace id; the order of spans and events follows theirs.
    """
    lines = [_line(trace_id, list(trace)) for trace_id, trace in groupby(rows, key=lambda row: row.trace_id)]
    spans = sum(is_span(row) for row in rows)
    return OtlpFile(b"".join(lines), len(lines), spans, len(rows) - spans)


def encode_trace(trace_id: str, pieces: Iterable[Sequence[TraceRow]]) -> Iterator[bytes]:
    """Yield one trace's line piece by piece: each piece's spans, and the events that hang on them.

    Args:
        trace_id: The trace's.
        pieces: The rows in order, cut anywhere; a trace that fits into one piece is encoded whole. An event
            whose span is in another piece hangs on its piece's first span.
    """
    yield b'{"resourceSpans":['
    for number, rows in enumerate(pieces):
        if number:
            yield b","
        yield orjson.dumps(_resource_spans(trace_id, rows, number))[1:-1]
    yield b"]}\n"


def is_span(row: TraceRow) -> bool:
    """Tell a span from what happens within one."""
    return row.table in SPAN_TABLES


def row_name(row: TraceRow) -> str:
    """Name a row by its safe attributes alone, for example "execute_tool get_shipment_status".

    A span's own name may hold a URL's path, and an event's a whole log line.
    """
    properties = row.properties
    if row.table not in SPAN_TABLES:
        named = "gen_ai.evaluation.name" in properties
        return "gen_ai.evaluation.result" if named else _EVENT_NAMES[row.table]
    operation = properties.get("gen_ai.operation.name", "")
    if not operation:
        return "request" if row.table == "AppRequests" else "dependency"
    for name in _SUBJECTS.get(operation, _MODELS):
        if subject := properties.get(name, ""):
            return f"{operation} {subject}"
    return operation


def row_attributes(row: TraceRow) -> dict[str, Scalar]:
    """Return the row's attributes by name, sorted: its properties, and columns that OTLP has no field for."""
    properties, columns = row.properties, row.columns
    return {
        name: columns[key] if is_column else properties[key]
        for name, key, is_column in attribute_names(tuple(properties), tuple(columns))
    }


@lru_cache(maxsize=_REMEMBERED)
def attribute_names(properties: tuple[str, ...], columns: tuple[str, ...]) -> Sequence[tuple[str, str, bool]]:
    """Return what rows with these properties and columns show: name, key there, whether it is a column."""
    named = {name: (name, False) for name in properties}
    named |= {f"azure_monitor.{name}": (name, True) for name in columns if name not in _OWN_FIELDS}
    return [(name, key, is_column) for name, (key, is_column) in sorted(named.items())]


def _line(trace_id: str, rows: Sequence[TraceRow]) -> bytes:
    return b"".join(encode_trace(trace_id, [rows]))


def _resource_spans(trace_id: str, rows: Sequence[TraceRow], piece: int) -> list[Mapping[str, Any]]:
    spans = [row for row in rows if is_span(row)]
    ids = [_span_id(row, piece, number) for number, row in enumerate(spans)]
    encoded = [_span(row, span_id) for row, span_id in zip(spans, ids, strict=True)]
    events = [row for row in rows if not is_span(row)]
    if events and not spans:
        ids = [_derived_id(trace_id, piece, 0)]
        encoded = [_placeholder(trace_id, ids[0], events)]
    homes = dict(zip(reversed(ids), reversed(encoded), strict=True))
    root = encoded[_root(spans, ids)]
    for row in events:
        homes.get(row.parent_id, root).setdefault("events", []).append(_event(row))
    return list(_resources(spans or events[:1], encoded))


def _resources(rows: Sequence[TraceRow], spans: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    services: defaultdict[tuple[Scalar, Scalar], list[Mapping[str, Any]]] = defaultdict(list)
    for row, span in zip(rows, spans, strict=True):
        services[row.columns.get("AppRoleName", ""), row.columns.get("AppVersion", "")].append(span)
    for (name, version), members in services.items():
        facts = {"service.name": name, "service.version": version}
        attributes = [_attribute(key, value) for key, value in facts.items() if value != ""]
        yield {
            "resource": {"attributes": attributes},
            "scopeSpans": [{"scope": {"name": "tracekeeper"}, "spans": members}],
        }


def _root(spans: Sequence[TraceRow], ids: Sequence[str]) -> int:
    """Return the index of the earliest span whose parent is not in the trace; 0 where every parent is."""
    known = set(ids)
    tops = [index for index, row in enumerate(spans) if row.parent_id not in known]
    return min(tops, key=lambda index: spans[index].time, default=0)


def _span(row: TraceRow, span_id: str) -> dict[str, Any]:
    start = _nanoseconds(row.time)
    span: dict[str, Any] = {"traceId": row.trace_id, "spanId": span_id}
    if _SPAN_ID.fullmatch(row.parent_id):
        span["parentSpanId"] = row.parent_id
    span |= {
        "name": row_name(row),
        "kind": _kind(row),
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + _duration(row.columns.get("DurationMs", 0))),
        "attributes": _attributes(row),
    }
    if row.columns.get("Success") is False:
        span["status"] = {"code": _ERROR}
    return span


def _placeholder(trace_id: str, span_id: str, events: Sequence[TraceRow]) -> dict[str, Any]:
    times = [row.time for row in events]
    return {
        "traceId": trace_id,
        "spanId": span_id,
        "name": "no span",
        "kind": _INTERNAL,
        "startTimeUnixNano": str(_nanoseconds(min(times))),
        "endTimeUnixNano": str(_nanoseconds(max(times))),
        "attributes": [_attribute(PLACEHOLDER, value=True)],
    }


def _event(row: TraceRow) -> dict[str, Any]:
    return {
        "timeUnixNano": str(_nanoseconds(row.time)),
        "name": row_name(row),
        "attributes": _attributes(row),
    }


def _kind(row: TraceRow) -> int:
    if row.table == "AppRequests":
        return _SERVER
    match row.columns.get("DependencyType"):
        case None:
            return _UNSPECIFIED
        case "InProc":
            return _INTERNAL
        case _:
            return _CLIENT


def _attributes(row: TraceRow) -> list[orjson.Fragment]:
    own, columns = row.properties, row.columns
    names = attribute_names(tuple(own), tuple(columns))
    return [_attribute(name, columns[key] if is_column else own[key]) for name, key, is_column in names]


@lru_cache(maxsize=_REMEMBERED, typed=True)  # `typed`, because True, 1 and 1.0 are equal
def _attribute(name: str, value: Scalar) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps({"key": name, "value": _typed(name, value)}))


def _typed(name: str, value: Scalar) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value} if math.isfinite(value) else {"stringValue": str(value)}
        case _ if _INTEGER_NAME.fullmatch(name) and _INTEGER.fullmatch(value):
            return {"intValue": str(int(value))}
        case _ if _NUMBER_NAME.fullmatch(name) and _NUMBER.fullmatch(value):
            return {"doubleValue": float(value)}
        case _:
            return {"stringValue": value}


def _span_id(row: TraceRow, piece: int, number: int) -> str:
    return row.span_id if _SPAN_ID.fullmatch(row.span_id) else _derived_id(row.trace_id, piece, number)


def _derived_id(trace_id: str, piece: int, number: int) -> str:
    # The letter in front keeps it from looking like a card number.
    place = f"{trace_id}/{piece}/{number}" if piece else f"{trace_id}/{number}"
    return "f" + hashlib.sha256(place.encode()).hexdigest()[:15]


def _nanoseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND * 1_000


def _duration(milliseconds: Scalar) -> int:
    usable = isinstance(milliseconds, int | float) and math.isfinite(milliseconds) and milliseconds > 0
    return round(float(milliseconds) * 1_000_000) if usable else 0
