"""Reads one slice of an export into a part: sanitized, sorted, with its account."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from functions.errors import ResultTooLarge
from functions.evidence.controls.verdicts import RunVerdicts
from functions.evidence.exports import plan
from functions.evidence.exports.parts import Account, Read, encode_part, row_line, run_line, weigh
from functions.evidence.exports.plan import Planned
from functions.evidence.redaction.content import ContentPart, ContentReader, content_line, points_to_content
from functions.evidence.redaction.protection import Protection
from functions.evidence.redaction.redactions import Redactions
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.traces import slices
from functions.traces.slices import Answered, Slice, SliceRows, read_answers, read_slice
from functions.traces.source import TraceSource


class Judge(Protocol):
    """Judges runs; see `Controls`."""

    def judge(self, part: Slice, *, cutoff: datetime) -> list[RunVerdicts]:
        """Return what the controls say about the runs of a slice."""
        ...


class PartWriter:
    """Gathers what goes into one part.

    Args:
        protection: As the export's profile sees it.
    """

    def __init__(self, protection: Protection) -> None:
        by = (protection.policy, protection.pseudonyms, protection.detectors)
        self._sanitizer = Sanitizer(*by)
        self._reader = None
        if protection.policy.profile == "content":
            self._reader = ContentReader(*by, structure_only=protection.structure_only)
        self._redactions = Redactions(protection.policy, protection.pseudonyms)
        self._lines: list[bytes] = []
        self._reads: list[Read] = []
        self._sampled = self._before = self._pointing = self._moved = 0

    def add_rows(self, found: SliceRows) -> None:
        """Add rows of a trace's table."""
        for raw in found.rows:
            sanitized = self._sanitizer.sanitize(raw)
            self._redactions.add(sanitized)
            self._lines.append(row_line(sanitized.row))
            if self._reader is not None:
                self._pointing += points_to_content(raw)
                self._add_content(self._reader.inline(raw))
        sampled, before = weigh(found.rows)
        self._sampled, self._before = self._sampled + sampled, self._before + before
        self._reads.append(_read(found.slice, found.rows_at_source, len(found.rows)))

    def add_moved(self, found: Answered) -> None:
        """Add content that was moved to a table of its own."""
        if self._reader is not None:
            for record in found.answer.records():
                self._add_content(self._reader.moved(record))
        self._moved += len(found.answer.rows)
        self._reads.append(_read(found.slice, found.rows_at_source, len(found.answer.rows)))

    def add_runs(self, runs: Iterable[RunVerdicts]) -> None:
        """Add what controls say of runs."""
        self._lines += map(run_line, runs)

    def part(self) -> BinaryIO:
        """Return the part: the same for the same rows."""
        account = Account(
            tuple(self._reads),
            self._redactions.account(),
            self._sampled,
            self._before,
            self._pointing,
            self._moved,
        )
        return encode_part(account, sorted(self._lines))

    def _add_content(self, parts: Iterable[ContentPart]) -> None:
        for one in parts:
            self._redactions.add_content(one)
            self._lines.append(content_line(one))


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads slices into parts.

    Attributes:
        source: Where rows come from.
        content: Where moved content comes from.
        judge: Judges runs.
    """

    source: TraceSource
    content: TraceSource
    judge: Judge

    def read(self, planned: Planned, cutoff: datetime, protection: Protection) -> BinaryIO:
        """Return the part of a slice.

        Args:
            planned: The slice, and how many rows were counted in it.
            cutoff: Until when its rows were received (exclusive), UTC.
            protection: As the export's profile sees it.

        Raises:
            ResultTooLarge: A millisecond of it is still too large.
            SourceError: The source did not answer completely.
            StorageError: It could not be read which configurations were in force.
        """
        writer = PartWriter(protection)
        match planned.slice.table:
            case plan.RUNS:
                writer.add_runs(_judged(self.judge, planned.slice, cutoff))
            case slices.CONTENT_TABLE:
                for moved in read_answers(self.content, planned.slice, planned.rows):
                    writer.add_moved(moved)
            case _:
                for rows in read_slice(self.source, planned.slice, planned.rows):
                    writer.add_rows(rows)
        return writer.part()


def _read(part: Slice, rows_at_source: int, rows_here: int) -> Read:
    return Read(
        kql=part.kql,
        shown_kql=part.shown_kql,
        table=part.table,
        since=part.since,
        until=part.until,
        received_from=part.received_from,
        received_until=part.received_until,
        rows_at_source=rows_at_source,
        rows_here=rows_here,
    )


def _judged(judge: Judge, part: Slice, cutoff: datetime) -> Iterator[RunVerdicts]:
    try:
        yield from judge.judge(part, cutoff=cutoff)
    except ResultTooLarge:
        halves = part.halves()
        if halves is None:
            raise
        for half in halves:
            yield from _judged(judge, half, cutoff)
