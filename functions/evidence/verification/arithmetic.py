"""Checks that the files of a bundle agree: traces, table, controls and statements speak of the same rows.

It reads a bundle that may have been forged, so every shape it relies on is checked.
"""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

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
from functions.evidence.selection.redrawing import SampleFacts, redraw
from functions.evidence.selection.sampling import POPULATION
from functions.evidence.verification.bag import json_object
from functions.evidence.verification.container import Members, refusal
from functions.evidence.verification.readings import Readings
from functions.evidence.verification.stated import SealFacts, read_statement, statement_problems
from functions.evidence.verification.tallies import Judged, Tally


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


def add_up(members: Members, readings: Readings) -> PayloadFacts:
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
        rows = _agreed_rows(readings)
        traces = rows.keys()
        spans = sum(spans for spans, _ in rows.values())
        count = spans + sum(events for _, events in rows.values())
        judged = _verdicts(readings, traces)
        if CONTENT in members and not readings.tally(CONTENT) <= traces:
            raise refusal(f"{CONTENT} holds content of a trace that is not in the bundle.")
        _require_same_redactions(redactions, count, request["profile"])
        sample = _redrawn(members, request, traces)
        if sample and sample.absent and stated.complete:
            raise refusal(f"{COMPLETENESS} calls it complete, but {sample.absent} traces drawn are missing.")
        if count != stated.rows:
            raise refusal(f"{COMPLETENESS} states {stated.rows} rows, {TABLE} holds {count}.")
        return PayloadFacts(
            rows=count,
            traces=len(rows),
            spans=spans,
            complete=stated.complete,
            runs=judged.runs,
            verdicts=judged.verdicts,
            seals=stated.seals,
            sample=sample,
            queries_hmac_sha256=str(request["queries_hmac_sha256"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise refusal("A payload file has not the shape of its kind.") from error


def _agreed_rows(readings: Readings) -> Tally:
    encoded: Tally = readings.tally(TRACES)
    listed: Tally = readings.tally(TABLE)
    if encoded != listed:
        raise refusal(f"{TRACES} and {TABLE} hold different rows.")
    return listed


def _verdicts(readings: Readings, traces: AbstractSet[str]) -> Judged:
    judged: Judged = readings.tally(CONTROLS)
    if not judged.traces <= traces:
        raise refusal(f"{CONTROLS} judges a trace that is not in the bundle.")
    return judged


def _redrawn(members: Members, request: Mapping[str, Any], traces: Collection[str]) -> SampleFacts | None:
    if POPULATION not in members:
        return None
    with members[POPULATION].open() as file:
        redrawn = redraw(request["resolved"]["sample"], file, traces)
    if isinstance(redrawn, str):
        raise refusal(redrawn)
    return redrawn


def _require_same_redactions(redactions: Mapping[str, Any], rows: int, profile: str) -> None:
    if redactions["rows"] != rows:
        raise refusal(f"{REDACTIONS} counts {redactions['rows']} rows, {TABLE} holds {rows}.")
    if redactions["profile"] != profile or redactions["rescan"]["found"] != 0:
        raise refusal(f"{REDACTIONS} is of another profile, or names hits that must not be there.")
