"""Gathers the rows of a few traces in memory, sanitized: for who reads one trace at once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from functions.errors import ResultTooLarge
from functions.evidence.exports.export import Counts
from functions.evidence.exports.parts import row_line
from functions.evidence.packing.otlp import is_span, row_attributes, row_name
from functions.evidence.redaction.protection import Protection
from functions.evidence.redaction.redactions import Redactions
from functions.evidence.redaction.rescan import rescan
from functions.evidence.redaction.sanitizer import SanitizedRow, Sanitizer
from functions.traces.model import TraceRow
from functions.traces.rows import Scope
from functions.traces.slices import SliceRows

MOST_ROWS = 20_000
"""Most rows that are gathered: they are held in memory."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """All rows of some traces, sanitized and in order.

    Attributes:
        rows: Sorted by trace, then time; equal telemetry gives an equal order.
        removed: For each row what was removed from it; see `SanitizedRow.removed`.
        redactions: What was removed.
        counts: What was found.
    """

    rows: tuple[TraceRow, ...]
    removed: tuple[Mapping[str, int], ...]
    redactions: Redactions
    counts: Counts


def gather_rows(scope: Scope, slices: Iterable[SliceRows], protection: Protection) -> Gathered:
    """Sanitize the rows of all slices and compare them with what the source counted.

    Raises:
        ResultTooLarge: There are more than `MOST_ROWS`.
        SourceError: The source did not answer completely.
    """
    sanitizer = Sanitizer(protection.policy, protection.pseudonyms, protection.detectors)
    redactions = Redactions(protection.policy, protection.pseudonyms)
    rows: list[SanitizedRow] = []
    found: set[str] = set()
    complete = True
    for part in slices:
        if len(rows) + len(part.rows) > MOST_ROWS:
            raise ResultTooLarge(
                f"More than {MOST_ROWS} rows are too many for one answer.", next_step="Ask for an export."
            )
        for raw in part.rows:
            sanitized = sanitizer.sanitize(raw)
            redactions.add(sanitized)
            rows.append(sanitized)
            found.add(raw.trace_id)
        complete = complete and part.rows_at_source == len(part.rows)
    complete = complete and {*scope.trace_ids, *scope.missing} <= found
    rows.sort(key=lambda one: row_line(one.row))
    counts = Counts(len(found), sum(is_span(one.row) for one in rows), len(rows), complete)
    return Gathered(tuple(one.row for one in rows), tuple(one.removed for one in rows), redactions, counts)


def rescan_for(protection: Protection) -> Callable[[bytes], None]:
    """Return the rescan of finished bytes: it raises RedactionFailure where something must not leave."""
    return partial(rescan, detectors=protection.detectors)


def describe_rows(gathered: Gathered) -> dict[str, Any]:
    """Return the rows as a JSON object: spans and events as flat lists, counts, and what was removed."""
    described = [
        (is_span(row), _described(row, removed))
        for row, removed in zip(gathered.rows, gathered.removed, strict=True)
    ]
    return {
        "complete": gathered.counts.complete,
        "spans": [one for span, one in described if span],
        "events": [one for span, one in described if not span],
        "redactions": gathered.redactions.body(rescanned=["trace"]),
    }


def _described(row: TraceRow, removed: Mapping[str, int]) -> dict[str, Any]:
    return {
        "table": row.table,
        "span_id": row.span_id,
        "parent_id": row.parent_id,
        "time": row.time,
        "name": row_name(row),
        "duration_ms": row.columns.get("DurationMs"),
        "success": row.columns.get("Success"),
        "service": row.columns.get("AppRoleName"),
        "release": row.columns.get("AppVersion"),
        "attributes": row_attributes(row),
        "removed": dict(sorted(removed.items())),
    }
