"""Counts what the lines of a bundle's files are about. Pure; what they hold may have been forged.

Nearly all lines of the tables are as our own writer leaves them: no cell but the last in quotes. These are
counted as they are. Any other line goes through a reader of CSV, which gives the same counts in more time.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import orjson

from functions.evidence.controls.verdicts import HEADER, Control, Result
from functions.evidence.packing.bundle import CONTENT, CONTROLS, TABLE, TRACES
from functions.evidence.packing.otlp import PLACEHOLDER, SPAN_TABLES
from functions.evidence.packing.table import COLUMNS
from functions.evidence.verification.container import refusal


class Lines(Protocol):
    """The lines of a file in order, each without its line feed; an iterator.

    Attributes:
        ascii: Whether the last line given is sure to be ASCII.
    """

    ascii: bool

    def __iter__(self) -> Iterator[bytes]: ...

    def __next__(self) -> bytes: ...


Tally = Counter[tuple[str, bool]]
"""How many rows: by trace id, and whether they are spans."""

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_IDS = re.compile(r"[0-9a-f]{16}(?: [0-9a-f]{16})*")
_PLACEHOLDER = PLACEHOLDER.encode()
_BITS = {control.value.encode(): 1 << number for number, control in enumerate(Control)}
_RESULTS = {result.value.encode(): result for result in Result}
_PASS = Result.PASS.value.encode()


@dataclass(frozen=True, slots=True)
class Judged:
    """What controls.csv says; each run is judged once by each control.

    Attributes:
        traces: Of the runs.
        runs: How many.
        verdicts: How many of each kind.
    """

    traces: frozenset[str]
    runs: int
    verdicts: Mapping[str, int]


def tally_traces(lines: Lines) -> Tally:
    """Count the rows of traces.otlp.jsonl.

    Raises:
        BundleInvalid: A trace is there twice, or an id is none.
        KeyError: It has not the shape of its kind; or TypeError, ValueError, AttributeError.
    """
    tally: Tally = Counter()
    seen: set[str] = set()
    for line in lines:
        spans = [
            span
            for resource in orjson.loads(line)["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]
        (trace_id,) = {span["traceId"] for span in spans}
        if trace_id in seen or not _TRACE_ID.fullmatch(trace_id):
            raise refusal(f"{TRACES} holds a trace twice, or a trace id that is none.")
        ids = " ".join([span["spanId"] for span in spans])
        if len(ids) != 17 * len(spans) - 1 or not _SPAN_IDS.fullmatch(ids):
            raise refusal(f"{TRACES} holds a span id that is none.")
        seen.add(trace_id)
        # Nearly no trace has one; JSON could write its name with escapes.
        unusual = _PLACEHOLDER in line or b"\\" in line
        placeholders = sum(map(_is_placeholder, spans)) if unusual else 0
        tally[trace_id, True] = len(spans) - placeholders
        tally[trace_id, False] = sum([len(span["events"]) for span in spans if "events" in span])
    return +tally


def _is_placeholder(span: dict[str, Any]) -> bool:
    return any(attribute["key"] == PLACEHOLDER for attribute in span["attributes"])


def tally_table(lines: Lines) -> Tally:
    """Count the rows of spans.csv.

    Raises:
        BundleInvalid: It has other columns, or a line more or fewer cells.
        ValueError: It is no UTF-8; or csv.Error: no CSV.
    """
    _require_header(TABLE, lines, COLUMNS)
    counts: dict[bytes, int] = {}
    tally: Tally = Counter()
    width = len(COLUMNS)
    for line in lines:
        head, quote, last = line.partition(b'"')
        if (
            lines.ascii
            and head.count(b",") == width - 1
            and head.find(b"\r") == (-1 if quote else len(head) - 1)
            and (not quote or (head[-1:] == b"," and _is_last_cell(last)))
        ):
            key = head[: head.index(b",", head.index(b",") + 1)]
            counts[key] = counts.get(key, 0) + 1
        else:
            trace_id, table, *_ = _record(TABLE, line, lines, width)
            tally[trace_id, table in SPAN_TABLES] += 1
    for key, count in counts.items():
        trace_id, _, table = key.decode().partition(",")
        tally[trace_id, table in SPAN_TABLES] += count
    return tally


def judged_by(lines: Lines) -> Judged:
    """Count the verdicts of controls.csv.

    Raises:
        BundleInvalid: A run is not held once to each control, or a verdict has no reason.
        KeyError: It has not the shape of its kind; or ValueError, csv.Error.
    """
    _require_header(CONTROLS, lines, HEADER)
    held: dict[tuple[bytes, bytes], int] = {}
    verdicts: Counter[bytes] = Counter()
    width = len(HEADER)
    for line in lines:
        cells = line.split(b",")
        plain = lines.ascii and b'"' not in line and line.find(b"\r") == len(line) - 1
        if not plain or len(cells) != width:
            cells = [cell.encode() for cell in _record(CONTROLS, line, lines, width)]
        trace_id, run_id, _, _, _, control, result, reason, _, _, _ = cells
        if result != _PASS and not (_RESULTS[result] and reason):
            raise refusal(f"{CONTROLS} has a verdict without a reason.")
        run, bit = (trace_id, run_id), _BITS[control]
        before = held.get(run, 0)
        if before & bit:
            raise refusal(f"{CONTROLS} has two verdicts of one control on one run.")
        held[run] = before | bit
        verdicts[result] += 1
    if not set(held.values()) <= {sum(_BITS.values())}:
        raise refusal(f"{CONTROLS} does not hold each run to each control.")
    traces = frozenset(trace_id.decode() for trace_id, _ in held)
    return Judged(traces, len(held), {result.value: verdicts[text] for text, result in _RESULTS.items()})


def content_of(lines: Lines) -> frozenset[str]:
    """Return the traces of content.jsonl.

    Raises:
        KeyError: It has not the shape of its kind; or TypeError, ValueError.
    """
    return frozenset(orjson.loads(line)["trace_id"] for line in lines)


TALLIES: Mapping[str, Callable[[Lines], Any]] = {
    TRACES: tally_traces,
    TABLE: tally_table,
    CONTROLS: judged_by,
    CONTENT: content_of,
}
"""What is counted of a file while it is read, by its name."""


def _require_header(name: str, lines: Lines, header: tuple[str, ...]) -> None:
    if next(lines, b"") != ",".join(header).encode() + b"\r":
        raise refusal(f"{name} has other columns than this version of the verifier knows.")


def _is_last_cell(behind_quote: bytes) -> bool:
    """Tell whether a cell in quotes ends with the line: all quotes in it are doubled."""
    return behind_quote[-2:] == b'"\r' and b'"' not in behind_quote[:-2].replace(b'""', b"")


def _record(name: str, line: bytes, lines: Lines, width: int) -> list[str]:
    """Read the record that begins with `line`; it may go on over the next ones."""
    text = (f"{one.decode()}\n" for one in chain((line,), lines))
    record = next(csv.reader(text, strict=True))
    if len(record) != width:
        raise refusal(f"{name} has a line with more or fewer cells than columns.")
    return record
