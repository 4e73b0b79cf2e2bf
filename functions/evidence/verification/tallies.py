"""Counts what the lines of a bundle's files are about. Pure; what they hold may have been forged.

Nearly all lines of the tables hold a record each. RE2 tells so of many lines at once, and then only their
first cells are looked at. Any other record goes through a reader of CSV, which gives the same counts in more
time.
"""

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import orjson
import re2

from functions.evidence.controls.verdicts import HEADER, Control, Result
from functions.evidence.packing.bundle import CONTENT, CONTROLS, TABLE, TRACES
from functions.evidence.packing.otlp import PLACEHOLDER, SPAN_TABLES
from functions.evidence.packing.table import COLUMNS
from functions.evidence.verification.container import refusal

Blocks = Iterator[bytes]
"""A file in order: whole lines, each with its line feed."""

Tally = dict[str, tuple[int, int]]
"""How many rows are spans, and how many events, by trace id."""

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_PLACEHOLDER = PLACEHOLDER.encode()
_trace_id_of, _span_id_of = itemgetter("traceId"), itemgetter("spanId")
_BITS = {control.value.encode(): 1 << number for number, control in enumerate(Control)}
_RESULTS = {result.value.encode(): result for result in Result}
_PASS = Result.PASS.value.encode()
_NO_REASON = (b",", b'"",')


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


def tally_traces(blocks: Blocks) -> Tally:
    """Count the rows of traces.otlp.jsonl.

    Raises:
        BundleInvalid: A trace is there twice, or an id is none.
        KeyError: It has not the shape of its kind; or TypeError, ValueError, AttributeError.
    """
    tally: Tally = {}
    for line in _lines(blocks):
        spans = [
            span
            for resource in orjson.loads(line)["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]
        (trace_id,) = set(map(_trace_id_of, spans))
        if trace_id in tally or not _TRACE_ID.fullmatch(trace_id):
            raise refusal(f"{TRACES} holds a trace twice, or a trace id that is none.")
        ids = " ".join(map(_span_id_of, spans))
        if len(ids) != 17 * len(spans) - 1 or not _are_hexadecimal(ids):
            raise refusal(f"{TRACES} holds a span id that is none.")
        # Nearly no trace has one; JSON could write its name with escapes.
        unusual = _PLACEHOLDER in line or b"\\" in line
        placeholders = sum(map(_is_placeholder, spans)) if unusual else 0
        events = sum([len(span["events"]) for span in spans if "events" in span])
        tally[trace_id] = len(spans) - placeholders, events
    return tally


def _are_hexadecimal(ids: str) -> bool:
    """Tell whether all are 16 digits in lower case, one space between: the way back then gives the same."""
    try:
        return bytes.fromhex(ids).hex(" ", 8) == ids
    except ValueError:
        return False


def _is_placeholder(span: dict[str, Any]) -> bool:
    return any(attribute["key"] == PLACEHOLDER for attribute in span["attributes"])


def tally_table(blocks: Blocks) -> Tally:
    """Count the rows of spans.csv.

    Raises:
        BundleInvalid: It has other columns, or a line more or fewer cells.
        ValueError: It is no UTF-8; or csv.Error: no CSV.
    """
    counts: dict[bytes, int] = {}
    others: Counter[tuple[str, str]] = Counter()
    for part in _parts(TABLE, blocks, COLUMNS, plain_cells=2):
        if isinstance(part, bytes):
            _count_starts(part, counts)
        else:
            others[part[0], part[1]] += 1
    for start, count in counts.items():
        trace_id, _, table = start.decode().partition(",")
        others[trace_id, table] += count
    tally: Tally = {}
    for (trace_id, table), count in others.items():
        spans, events = tally.get(trace_id, (0, 0))
        is_span = table in SPAN_TABLES
        tally[trace_id] = (spans + count, events) if is_span else (spans, events + count)
    return tally


def _count_starts(lines: bytes, counts: dict[bytes, int]) -> None:
    """Count lines by their first two cells; without a copy of the rest, which is nearly all of them."""
    find, begin = lines.find, 0
    while begin < len(lines):
        end = find(b",", find(b",", begin) + 1)
        start = lines[begin:end]
        counts[start] = counts.get(start, 0) + 1
        begin = find(b"\n", end) + 1


def judged_by(blocks: Blocks) -> Judged:
    """Count the verdicts of controls.csv.

    Raises:
        BundleInvalid: A run is not held once to each control, or a verdict has no reason.
        KeyError: It has not the shape of its kind; or ValueError, csv.Error.
    """
    held: dict[tuple[bytes, bytes], int] = {}
    verdicts: Counter[bytes] = Counter()
    for trace_id, run_id, control, result, has_reason in _verdicts(blocks):
        if result != _PASS and not (_RESULTS[result] and has_reason):
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


def _verdicts(blocks: Blocks) -> Iterator[tuple[bytes, bytes, bytes, bytes, bool]]:
    """Yield of each verdict the trace, the run, the control, the result, and whether it has a reason."""
    for part in _parts(CONTROLS, blocks, HEADER, plain_cells=7):
        if isinstance(part, bytes):
            for line in io.BytesIO(part):
                trace_id, run_id, _, _, _, control, result, rest = line.split(b",", 7)
                yield trace_id, run_id, control, result, not rest.startswith(_NO_REASON)
        else:
            trace_id, run_id, _, _, _, control, result, reason = (cell.encode() for cell in part[:8])
            yield trace_id, run_id, control, result, bool(reason)


def content_of(blocks: Blocks) -> frozenset[str]:
    """Return the traces of content.jsonl.

    Raises:
        KeyError: It has not the shape of its kind; or TypeError, ValueError.
    """
    return frozenset(orjson.loads(line)["trace_id"] for line in _lines(blocks))


TALLIES: Mapping[str, Callable[[Blocks], Any]] = {
    TRACES: tally_traces,
    TABLE: tally_table,
    CONTROLS: judged_by,
    CONTENT: content_of,
}
"""What is counted of a file while it is read, by its name."""


def _lines(blocks: Blocks) -> Iterator[bytes]:
    return chain.from_iterable(map(io.BytesIO, blocks))


def _parts(
    name: str, blocks: Blocks, header: tuple[str, ...], *, plain_cells: int
) -> Iterator[bytes | list[str]]:
    """Yield plain lines, as many together as there are, and each other record as its cells.

    Args:
        name: Of the file.
        blocks: The file.
        header: What its first line must be.
        plain_cells: How many cells at the start of a plain line are not in quotes.
    """
    first, begin = next(blocks, b""), ",".join(header).encode() + b"\r\n"
    if not first.startswith(begin):
        raise refusal(f"{name} has other columns than this version of the verifier knows.")
    shape = _plain_lines(plain_cells, len(header))
    for block in chain((first[len(begin) :],), blocks):
        block.decode()  # refuses what is no UTF-8
        if shape.fullmatch(block):
            yield block
            continue
        lines = deque(io.BytesIO(block))
        while lines:
            if shape.fullmatch(lines[0]):
                yield lines.popleft()
            else:
                yield _record(name, _taken(lines, blocks), len(header))


def _plain_lines(plain_cells: int, width: int) -> Any:
    """Return what matches lines that hold a record each, of so many cells.

    It is stricter than a reader of CSV: a quote within a cell without quotes, for one, is left to that.
    """
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.never_capture = True
    cell = rb'(?:[^,"\r\n]*|"(?:[^"\r\n]|"")*")'
    plain, others = rb'(?:[^,"\r\n]*,){%d}' % plain_cells, rb"(?:,%b){%d}" % (cell, width - plain_cells - 1)
    return re2.compile(rb"(?:%b%b%b\r\n)*" % (plain, cell, others), options)


def _taken(lines: deque[bytes], blocks: Blocks) -> Iterator[bytes]:
    """Take lines from the front, and from the next blocks where a record goes on there."""
    while True:
        if not lines:
            lines.extend(io.BytesIO(next(blocks, b"")))
        if not lines:
            return
        yield lines.popleft()


def _record(name: str, lines: Iterator[bytes], width: int) -> list[str]:
    record = next(csv.reader((line.decode() for line in lines), strict=True))
    if len(record) != width:
        raise refusal(f"{name} has a line with more or fewer cells than columns.")
    return record
