"""Checks that the files of a bundle agree: traces, table and completeness statement count the same rows.

It reads a bundle that may have been forged, so every shape it relies on is checked.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson

from functions.evidence.bundle import COMPLETENESS, REDACTIONS, REQUEST, TABLE, TRACES
from functions.evidence.container import Members, refusal
from functions.evidence.otlp import PLACEHOLDER, SPAN_TABLES
from functions.evidence.table import COLUMNS

_LONGEST_LINE = 256 << 20
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")

_Tally = Counter[tuple[str, bool]]
"""How many rows: by trace id, and whether they are spans."""


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What the payload holds.

    Attributes:
        rows: Rows of telemetry: the spans and the events.
        traces: How many traces they make up.
        spans: Requests and dependencies.
        complete: Whether the source counted the same rows, and every trace asked for has some.
    """

    rows: int
    traces: int
    spans: int
    complete: bool


def count_rows(members: Members) -> RowCounts:
    """Count the rows of a bundle that holds all payload files.

    Raises:
        BundleInvalid: A file has not the shape it should have, or two disagree.
    """
    for name in (REQUEST, REDACTIONS):
        _object(members, name)
    completeness = _object(members, COMPLETENESS)
    try:
        here, complete = _stated(completeness)
        with members[TRACES].open() as file:
            encoded = _tally_traces(file)
        with members[TABLE].open() as file:
            listed = _tally_table(file)
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
        raise refusal("A payload file has not the shape of its kind.") from error
    if encoded != listed:
        raise refusal(f"{TRACES} and {TABLE} hold different rows.")
    rows = listed.total()
    if rows != here:
        raise refusal(f"{COMPLETENESS} states {here} rows, {TABLE} holds {rows}.")
    traces = {trace_id for trace_id, _ in listed}
    spans = sum(count for (_, is_span), count in listed.items() if is_span)
    return RowCounts(rows, len(traces), spans, complete)


def _stated(completeness: dict[str, Any]) -> tuple[int, bool]:
    """Return how many rows are said to be here, and whether that is all; the statement must be consistent."""
    slices = completeness["slices"]
    for part in slices:
        if part["complete"] is not (part["rows_at_source"] == part["rows_here"]):
            raise refusal(f"{COMPLETENESS} calls a slice complete whose counts differ, or the reverse.")
    for name in ("rows_at_source", "rows_here"):
        if completeness[name] != sum(part[name] for part in slices):
            raise refusal(f"{COMPLETENESS} does not add up: {name}.")
    complete = all(part["complete"] for part in slices) and not completeness["missing_trace_ids"]
    if completeness["complete"] is not complete:
        raise refusal(f"{COMPLETENESS} draws the wrong conclusion from its counts.")
    return completeness["rows_here"], complete


def _tally_traces(file: IO[bytes]) -> _Tally:
    tally: _Tally = Counter()
    seen: set[str] = set()
    for line in _lines(file):
        spans = [
            span
            for resource in orjson.loads(line)["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]
        (trace_id,) = {span["traceId"] for span in spans}
        if trace_id in seen or not _TRACE_ID.fullmatch(trace_id):
            raise refusal(f"{TRACES} holds a trace twice, or a trace id that is none.")
        if not all(_SPAN_ID.fullmatch(span["spanId"]) for span in spans):
            raise refusal(f"{TRACES} holds a span id that is none.")
        seen.add(trace_id)
        tally[trace_id, True] += sum(not _is_placeholder(span) for span in spans)
        tally[trace_id, False] += sum(len(span.get("events", ())) for span in spans)
    return +tally


def _is_placeholder(span: dict[str, Any]) -> bool:
    return any(attribute["key"] == PLACEHOLDER for attribute in span["attributes"])


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        if not line.endswith(b"\n"):
            raise refusal(f"{TRACES} holds a line that is cut or longer than {_LONGEST_LINE >> 20} MiB.")
        yield line


def _tally_table(file: IO[bytes]) -> _Tally:
    with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        records = csv.DictReader(text, strict=True)
        if tuple(records.fieldnames or ()) != COLUMNS:
            raise refusal(f"{TABLE} has other columns than this version of the verifier knows.")
        return Counter((record["trace_id"], record["table"] in SPAN_TABLES) for record in records)


def _object(members: Members, name: str) -> dict[str, Any]:
    with members[name].open() as file:
        data = file.read(_LONGEST_LINE)
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise refusal(f"{name} is no JSON object.")
    return value
