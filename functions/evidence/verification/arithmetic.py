"""Checks that the files of a bundle agree: traces, table, controls and statements speak of the same rows.

It reads a bundle that may have been forged, so every shape it relies on is checked.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

import orjson

from functions.evidence.controls.verdicts import HEADER, Control, Result
from functions.evidence.packing.bundle import (
    COMPLETENESS,
    CONTENT,
    CONTROLS,
    COVERAGE,
    REDACTIONS,
    REQUEST,
    TABLE,
    TRACES,
)
from functions.evidence.packing.otlp import PLACEHOLDER, SPAN_TABLES
from functions.evidence.packing.table import COLUMNS
from functions.evidence.selection.drawing import POPULATION
from functions.evidence.selection.redrawing import SampleFacts, redraw
from functions.evidence.verification.bag import json_object
from functions.evidence.verification.container import Members, refusal
from functions.evidence.verification.stated import SealFacts, read_statement, statement_problems

_LONGEST_LINE = 256 << 20
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")

_Tally = Counter[tuple[str, bool]]
"""How many rows: by trace id, and whether they are spans."""


@dataclass(frozen=True, slots=True)
class PayloadFacts:
    """What the payload holds, in figures on which its files agree.

    Attributes:
        rows: Rows of telemetry: the spans and the events.
        traces: How many traces they make up.
        spans: Requests and dependencies.
        complete: Whether the source counted the same rows, and nothing that should be there is missing.
        runs: Runs that were judged.
        verdicts: How many verdicts of each kind.
        seals: How the export stands beside the seals; None where it was held against none.
        sample: The sample, drawn again; None where the export is none.
        queries_hmac_sha256: Of the exact queries; the ledger's entry about the export has it too.
    """

    rows: int
    traces: int
    spans: int
    complete: bool
    runs: int
    verdicts: Mapping[str, int]
    seals: SealFacts | None
    sample: SampleFacts | None
    queries_hmac_sha256: str


def add_up(members: Members) -> PayloadFacts:
    """Compare the files of a bundle that holds all of them.

    Raises:
        BundleInvalid: A file has not the shape of its kind, or two disagree.
    """
    request, completeness, redactions, _ = (
        json_object(members, name) for name in (REQUEST, COMPLETENESS, REDACTIONS, COVERAGE)
    )
    try:
        for problem in statement_problems(completeness):
            raise refusal(problem)
        stated = read_statement(completeness)
        rows = _agreed_rows(members)
        traces = {trace_id for trace_id, _ in rows}
        with members[CONTROLS].open() as file:
            runs, verdicts = _tally_controls(file, traces)
        if CONTENT in members:
            with members[CONTENT].open() as file:
                _require_known_traces(file, traces)
        _require_same_redactions(redactions, rows.total(), request["profile"])
        sample = _redrawn(members, request, traces)
        if sample and sample.absent and stated.complete:
            raise refusal(f"{COMPLETENESS} calls it complete, but {sample.absent} traces drawn are missing.")
        if rows.total() != stated.rows:
            raise refusal(f"{COMPLETENESS} states {stated.rows} rows, {TABLE} holds {rows.total()}.")
        return PayloadFacts(
            rows=rows.total(),
            traces=len(traces),
            spans=sum(count for (_, is_span), count in rows.items() if is_span),
            complete=stated.complete,
            runs=runs,
            verdicts=verdicts,
            seals=stated.seals,
            sample=sample,
            queries_hmac_sha256=str(request["queries_hmac_sha256"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
        raise refusal("A payload file has not the shape of its kind.") from error


def _agreed_rows(members: Members) -> _Tally:
    with members[TRACES].open() as file:
        encoded = _tally_traces(file)
    with members[TABLE].open() as file:
        listed = _tally_table(file)
    if encoded != listed:
        raise refusal(f"{TRACES} and {TABLE} hold different rows.")
    return listed


def _tally_traces(file: IO[bytes]) -> _Tally:
    tally: _Tally = Counter()
    seen: set[str] = set()
    for line in _lines(file, TRACES):
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


def _tally_table(file: IO[bytes]) -> _Tally:
    return Counter(
        (record["trace_id"], record["table"] in SPAN_TABLES) for record in _records(file, TABLE, COLUMNS)
    )


def _tally_controls(file: IO[bytes], traces: Collection[str]) -> tuple[int, dict[str, int]]:
    """Return how many runs were judged, and the verdicts; each run is judged once by each control."""
    judged: dict[tuple[str, str], set[str]] = {}
    verdicts: Counter[str] = Counter()
    for record in _records(file, CONTROLS, HEADER):
        control, result = Control(record["control"]), Result(record["result"])
        if record["trace_id"] not in traces:
            raise refusal(f"{CONTROLS} judges a trace that is not in the bundle.")
        if result is not Result.PASS and not record["reason"]:
            raise refusal(f"{CONTROLS} has a verdict without a reason.")
        controls = judged.setdefault((record["trace_id"], record["run_id"]), set())
        if control in controls:
            raise refusal(f"{CONTROLS} has two verdicts of one control on one run.")
        controls.add(control)
        verdicts[result] += 1
    if any(len(controls) != len(Control) for controls in judged.values()):
        raise refusal(f"{CONTROLS} does not hold each run to each control.")
    return len(judged), {result.value: verdicts[result] for result in Result}


def _redrawn(members: Members, request: Mapping[str, Any], traces: Collection[str]) -> SampleFacts | None:
    if POPULATION not in members:
        return None
    with members[POPULATION].open() as file:
        redrawn = redraw(request["resolved"]["sample"], file, traces)
    if isinstance(redrawn, str):
        raise refusal(redrawn)
    return redrawn


def _require_known_traces(file: IO[bytes], traces: Collection[str]) -> None:
    for line in _lines(file, CONTENT):
        if orjson.loads(line)["trace_id"] not in traces:
            raise refusal(f"{CONTENT} holds content of a trace that is not in the bundle.")


def _require_same_redactions(redactions: Mapping[str, Any], rows: int, profile: str) -> None:
    if redactions["rows"] != rows:
        raise refusal(f"{REDACTIONS} counts {redactions['rows']} rows, {TABLE} holds {rows}.")
    if redactions["profile"] != profile or redactions["rescan"]["found"] != 0:
        raise refusal(f"{REDACTIONS} is of another profile, or names hits that must not be there.")


def _records(file: IO[bytes], name: str, header: tuple[str, ...]) -> Iterator[dict[str, str]]:
    with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        records = csv.DictReader(text, strict=True)
        if tuple(records.fieldnames or ()) != header:
            raise refusal(f"{name} has other columns than this version of the verifier knows.")
        for record in records:
            if None in record or None in record.values():
                raise refusal(f"{name} has a line with more or fewer cells than columns.")
            yield record


def _lines(file: IO[bytes], name: str) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        if not line.endswith(b"\n"):
            raise refusal(f"{name} holds a line that is cut or longer than {_LONGEST_LINE >> 20} MiB.")
        yield line
