"""Turns the parts of an export into the files of its bundle; nothing here depends on the time of day.

Rows pass through one by one, in the order of a bundle, so that memory stays the same whatever there is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import batched
from typing import Any, Protocol

import orjson

from functions.errors import ResultTooLarge
from functions.evidence.controls.verdicts import RunVerdicts, encode_controls
from functions.evidence.exports.export import Counts, Export
from functions.evidence.exports.merging import Part, by_trace, merged
from functions.evidence.exports.parts import account_of, is_content, row_of, run_of
from functions.evidence.exports.plan import RUNS, Plan
from functions.evidence.exports.statements import Merged, completeness_body, request_body
from functions.evidence.exports.work import part_name
from functions.evidence.packing.bundle import (
    COMPLETENESS,
    CONTENT,
    CONTROLS,
    COVERAGE,
    REDACTIONS,
    REPORT,
    REQUEST,
    TABLE,
    TRACES,
    BundleWriter,
    FinishedBundle,
    PayloadFile,
    payload_names,
)
from functions.evidence.packing.otlp import encode_trace, is_span
from functions.evidence.packing.table import table_header, table_lines
from functions.evidence.redaction.content import content_of, encode_content
from functions.evidence.redaction.protection import Protection
from functions.evidence.redaction.redactions import Redactions
from functions.evidence.redaction.rescan import rescan
from functions.evidence.report.account import what_is_missing
from functions.evidence.report.html import words
from functions.evidence.report.report import Account as ReportAccount
from functions.signing.signatures import Signer, thumbprint
from functions.storage.objects import Objects
from functions.traces.model import TraceRow

__all__ = ["Assembled", "Assembly", "Counts", "Protection", "Report"]

MOST_ROWS_OF_A_TRACE = 200_000
"""A longer trace makes a line that nobody can read."""

_PIECE = 5_000
_ALIVE_EVERY = 1_000


class Report(Protocol):
    """Makes report.html; see `ReportBuilder`."""

    def add(
        self,
        trace_id: str,
        rows: Sequence[TraceRow],
        verdicts: Sequence[RunVerdicts],
        *,
        rows_in_all: int | None = None,
    ) -> None:
        """Take one trace: its first rows, and how many it has."""
        ...

    def render(self, account: ReportAccount) -> bytes:
        """Return the file."""
        ...


@dataclass(frozen=True, slots=True)
class Assembled:
    """A finished bundle, what it holds, and what is missing from it as sentences."""

    bundle: FinishedBundle
    counts: Counts
    missing: tuple[str, ...]
    queries_hmac_sha256: str


@dataclass(frozen=True, slots=True)
class Assembly:
    """Merges the parts of an export into a bundle: the same for the same request, telemetry, policy and key.

    Attributes:
        export: What was asked for.
        plan: What was read for it.
        work: Where the parts lie, all of them.
        protection: As the export's profile sees it; the parts were made under it.
        report: Makes report.html.
        signer: Signs it; None: nobody does.
        published: Where the public part of its key is published.
        alive: Is called now and then while it goes on.
    """

    export: Export
    plan: Plan
    work: Objects
    protection: Protection
    report: Report
    signer: Signer | None
    published: str
    alive: Callable[[], None]

    def run(self) -> Assembled:
        """Return the bundle; the caller closes it.

        Raises:
            RedactionFailure: Something in a finished file must not leave.
            ResultTooLarge: A trace is too long.
            SigningError: It could not be signed.
            StorageError: A part could not be read.
        """
        runs = self._parts(runs=True)
        rows = self._parts(runs=False)
        accounts = [account_of(part.head) for part in (*rows, *runs)]
        redactions = Redactions(self.protection.policy, self.protection.pseudonyms)
        for account in accounts:
            redactions.add_account(account.redactions)
        names = payload_names(self.export.selection.profile) | self.plan.resolved.files.keys()
        search = partial(rescan, detectors=self.protection.detectors)
        with BundleWriter(names, rescan=search, signer=self.signer) as writer:
            controls = writer.open(CONTROLS)
            for some in encode_controls(map(run_of, merged(runs))):
                controls.write(some)
            found = self._write_rows(rows, writer)
            completeness = completeness_body(self.plan, accounts, found)
            bodies: dict[str, Mapping[str, Any]] = {
                REQUEST: request_body(self.export, self.plan, accounts, self.protection.pseudonyms),
                COMPLETENESS: completeness,
                REDACTIONS: redactions.body(rescanned=sorted(names)),
                COVERAGE: self.plan.coverage,
            }
            for name, body in bodies.items():
                writer.open(name).write(_json(body))
            writer.open(REPORT).write(self.report.render(self._account(bodies)))
            for name, held in self.plan.resolved.files.items():
                further = writer.open(name)
                for chunk in self.work.read(held):
                    further.write(chunk)
            bundle = writer.finish()
        counts = Counts(found.traces, found.spans, completeness["rows_here"], completeness["complete"])
        missing = tuple(map(words, what_is_missing(completeness)))
        return Assembled(bundle, counts, missing, bodies[REQUEST]["queries_hmac_sha256"])

    def _parts(self, *, runs: bool) -> list[Part]:
        """Open the parts of runs, or of rows; the accounts are their first lines."""
        slices = enumerate(self.plan.slices)
        names = [
            part_name(self.export.id, self.protection.fingerprint, n)
            for n, one in slices
            if (one.slice.table == RUNS) is runs
        ]
        return [Part(self.work, name, beside=len(self.plan.slices)) for name in names]

    def _write_rows(self, parts: Sequence[Part], writer: BundleWriter) -> Merged:
        traces, table = writer.open(TRACES), writer.open(TABLE)
        content = writer.open(CONTENT) if self.export.selection.profile == "content" else None
        table.write(table_header())
        verdicts = _Verdicts(merged(self._parts(runs=True)))
        merging = Merged(self.export.selection.selector, content=content is not None)
        for trace_id, lines in by_trace(merged(parts)):
            pieces, before = _Pieces(lines), merging.rows
            if not pieces.has_rows:  # of content without a row: the row is told as missing
                continue
            for text in encode_trace(trace_id, pieces.rows(table, merging)):
                traces.write(text)
            if content is not None:
                for line in pieces.content():
                    content.write(encode_content(content_of(line)))
            self.report.add(trace_id, pieces.first, verdicts.of(trace_id), rows_in_all=merging.rows - before)
            merging.add_trace(trace_id)
            if merging.traces % _ALIVE_EVERY == 0:
                self.alive()
        return merging

    def _account(self, bodies: Mapping[str, Mapping[str, Any]]) -> ReportAccount:
        return ReportAccount(
            request=bodies[REQUEST],
            completeness=bodies[COMPLETENESS],
            redactions=bodies[REDACTIONS],
            coverage=bodies[COVERAGE],
            key_id=thumbprint(self.signer.public_key()) if self.signer else None,
            published=self.published,
        )


class _Pieces:
    """The lines of one trace: its rows, a piece at a time (few have more than one), then its content."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._next: bytes | None = next(lines)
        self._lines = lines
        self.first: Sequence[TraceRow] = ()
        self.has_rows = not is_content(self._next)

    def rows(self, table: PayloadFile, merging: Merged) -> Iterator[Sequence[TraceRow]]:
        """Yield the rows in pieces, and write each into the table."""
        count = 0
        for lines in batched(self._row_lines(), _PIECE, strict=False):
            rows = [row_of(line) for line in lines]
            count += len(rows)
            if count > MOST_ROWS_OF_A_TRACE:
                raise ResultTooLarge(
                    f"A trace has more than {MOST_ROWS_OF_A_TRACE} rows.", next_step="Ask without that trace."
                )
            self.first = self.first or rows
            table.write(table_lines(rows))
            merging.rows += len(rows)
            merging.spans += sum(map(is_span, rows))
            yield rows

    def content(self) -> Iterator[bytes]:
        """Yield the lines of content, after all rows."""
        while self._next is not None:
            yield self._next
            self._next = next(self._lines, None)

    def _row_lines(self) -> Iterator[bytes]:
        while self._next is not None and not is_content(self._next):
            yield self._next
            self._next = next(self._lines, None)


class _Verdicts:
    """What controls say of runs, in the order of traces: given out trace by trace."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._traces = by_trace(lines)
        self._next = next(self._traces, None)

    def of(self, trace_id: str) -> list[RunVerdicts]:
        """Return those of a trace; each asked for comes after the one before."""
        while self._next is not None and self._next[0] < trace_id:
            self._next = next(self._traces, None)
        if self._next is None or self._next[0] != trace_id:
            return []
        found = [run_of(line) for line in self._next[1]]
        self._next = next(self._traces, None)
        return found


def _json(value: Mapping[str, Any]) -> bytes:
    """Encode for people to read; the same value gives the same bytes."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(value, option=options)
