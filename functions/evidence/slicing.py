"""Reads one slice of an export into a part: sanitized, sorted, with its account."""

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, Protocol

from functions.errors import ResultTooLarge
from functions.evidence.parts import Account, Read, encode_part, row_line, run_line, weigh
from functions.evidence.plan import Planned
from functions.evidence.protection import Protection
from functions.evidence.redactions import Redactions
from functions.evidence.sanitizer import Sanitizer
from functions.evidence.verdicts import RunVerdicts
from functions.traces.slices import Slice, read_slice
from functions.traces.source import TraceSource

__all__ = ["Judge", "read_part", "read_runs_part"]


class Judge(Protocol):
    """Judges runs; see `Controls`."""

    def judge(self, part: Slice, *, cutoff: datetime) -> list[RunVerdicts]:
        """Return what the controls say about the runs of a slice."""
        ...


def read_part(source: TraceSource, planned: Planned, protection: Protection) -> BinaryIO:
    """Return the part of a slice of rows.

    Raises:
        ResultTooLarge: A millisecond of it is still too large.
        SourceError: The source did not answer completely.
    """
    sanitizer = Sanitizer(protection.policy, protection.pseudonyms, protection.detectors)
    redactions = Redactions(protection.policy, protection.pseudonyms)
    lines: list[bytes] = []
    reads: list[Read] = []
    sampled = before = 0
    for found in read_slice(source, planned.slice, planned.rows):
        for raw in found.rows:
            sanitized = sanitizer.sanitize(raw)
            redactions.add(sanitized)
            lines.append(row_line(sanitized.row))
        more = weigh(found.rows)
        sampled, before = sampled + more[0], before + more[1]
        part = found.slice
        reads.append(
            Read(
                kql=part.kql,
                shown_kql=part.shown_kql,
                table=part.table,
                since=part.since,
                until=part.until,
                received_from=part.received_from,
                received_until=part.received_until,
                rows_at_source=found.rows_at_source,
                rows_here=len(found.rows),
            )
        )
    return encode_part(Account(tuple(reads), redactions.account(), sampled, before), sorted(lines))


def _judged(judge: Judge, part: Slice, cutoff: datetime) -> Iterator[RunVerdicts]:
    try:
        yield from judge.judge(part, cutoff=cutoff)
    except ResultTooLarge:
        halves = part.halves()
        if halves is None:
            raise
        for half in halves:
            yield from _judged(judge, half, cutoff)


def read_runs_part(judge: Judge, planned: Planned, cutoff: datetime, protection: Protection) -> BinaryIO:
    """Return the part of a slice of runs.

    Raises:
        ResultTooLarge: There are too many of them.
        SourceError: The source did not answer completely.
        StorageError: It could not be read which configurations were in force.
    """
    lines = sorted(map(run_line, _judged(judge, planned.slice, cutoff)))
    nothing = Redactions(protection.policy, protection.pseudonyms).account()
    return encode_part(Account((), nothing, 0, 0), lines)
