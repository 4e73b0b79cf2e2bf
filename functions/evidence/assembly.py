"""Turns the slices of an export into the files of its bundle; nothing here depends on the time of day."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import orjson

from functions.errors import ResultTooLarge
from functions.evidence.bundle import COMPLETENESS, PAYLOAD, REDACTIONS, REQUEST, TABLE, TRACES, pack_bundle
from functions.evidence.detectors import Detectors
from functions.evidence.otlp import encode_traces, is_span, row_attributes, row_name
from functions.evidence.policy import Policy
from functions.evidence.pseudonyms import Pseudonyms
from functions.evidence.redactions import Redactions
from functions.evidence.rescan import rescan
from functions.evidence.sanitizer import Sanitizer
from functions.evidence.selection import Selection
from functions.evidence.table import encode_table
from functions.traces.model import TABLES, TraceRow
from functions.traces.rows import Scope, Slice, SliceRows

MAX_ROWS = 200_000
"""Most rows of an export: a job holds them in memory."""

_QUERY_DOMAIN = "query"
_HMAC_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Protection:
    """What stands between telemetry and whoever reads an export."""

    policy: Policy
    pseudonyms: Pseudonyms
    detectors: Detectors


@dataclass(frozen=True, slots=True)
class Counts:
    """What an export holds.

    Attributes:
        traces: Traces with at least one row.
        spans: Requests and dependencies.
        rows: Spans, and the logs, exceptions and events on them.
        complete: Whether the source counted the same rows, and every trace asked for has some.
    """

    traces: int
    spans: int
    rows: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Gathered:
    """All rows of an export, sanitized and in order, with what is known of their completeness.

    Attributes:
        rows: Sorted by trace, then time; equal telemetry gives an equal order.
        redactions: What was removed.
        completeness: The content of completeness.json.
        queries: The slices read, in order.
        counts: What was found.
    """

    rows: tuple[TraceRow, ...]
    redactions: Redactions
    completeness: Mapping[str, Any]
    queries: tuple[Slice, ...]
    counts: Counts


def gather_rows(scope: Scope, slices: Iterable[SliceRows], protection: Protection) -> Gathered:
    """Sanitize the rows of all slices and compare them with what the source counted.

    Raises:
        ResultTooLarge: There are more than `MAX_ROWS`.
        SourceError: The source did not answer completely.
    """
    sanitizer = Sanitizer(protection.policy, protection.pseudonyms, protection.detectors)
    redactions = Redactions(protection.policy, protection.pseudonyms)
    rows: list[TraceRow] = []
    parts: list[dict[str, Any]] = []
    queries: list[Slice] = []
    found: set[str] = set()
    weights: list[int] = []
    for part in slices:
        if len(rows) + len(part.rows) > MAX_ROWS:
            raise ResultTooLarge(
                f"An export holds at most {MAX_ROWS} rows.",
                next_step="Ask for a shorter window or fewer traces.",
            )
        for raw in part.rows:
            sanitized = sanitizer.sanitize(raw)
            redactions.add(sanitized)
            rows.append(sanitized.row)
            weights.append(_weight(raw))
            found.add(raw.trace_id)
        queries.append(part.slice)
        parts.append(_slice_account(part))
    missing = sorted({*scope.trace_ids, *scope.missing} - found)
    complete = not missing and all(part["complete"] for part in parts)
    completeness = {
        "complete": complete,
        "rows_at_source": sum(part["rows_at_source"] for part in parts),
        "rows_here": len(rows),
        "missing_trace_ids": missing,
        "unusable_trace_ids": scope.unusable,
        "sampling": {
            "rows_standing_for_more": sum(weight > 1 for weight in weights),
            "rows_before_sampling": sum(weights),
        },
        "slices": parts,
    }
    counts = Counts(len(found), sum(map(is_span, rows)), len(rows), complete)
    return Gathered(tuple(sorted(rows, key=_order)), redactions, completeness, tuple(queries), counts)


def build_bundle(selection: Selection, gathered: Gathered, protection: Protection) -> bytes:
    """Return the bundle's bytes: the same for the same selection, telemetry, policy and key.

    Raises:
        RedactionFailure: Something in a finished file must not leave.
    """
    payload = {
        TRACES: encode_traces(gathered.rows).data,
        TABLE: encode_table(gathered.rows),
        REQUEST: _json(_request(selection, gathered, protection.pseudonyms)),
        COMPLETENESS: _json(gathered.completeness),
        REDACTIONS: _json(gathered.redactions.body(rescanned=sorted(PAYLOAD))),
    }
    return pack_bundle(payload, rescan=rescan_for(gathered, protection))


def rescan_for(gathered: Gathered, protection: Protection) -> Callable[[bytes], None]:
    """Return the rescan of finished bytes: it raises RedactionFailure where something must not leave."""
    return partial(rescan, detectors=protection.detectors, lookalikes=gathered.redactions.lookalikes)


def queries_hmac(gathered: Gathered, pseudonyms: Pseudonyms) -> str:
    """Return the keyed HMAC (64 hex digits) over the exact text of all queries; request.json holds it too."""
    text = "\n".join(part.kql for part in gathered.queries)
    return pseudonyms.hex_id(_QUERY_DOMAIN, text, _HMAC_DIGITS)


def describe_rows(gathered: Gathered) -> dict[str, Any]:
    """Return the rows as a JSON object: spans and events as flat lists, counts, and what was removed."""
    return {
        "complete": gathered.counts.complete,
        "spans": [_described(row) for row in gathered.rows if is_span(row)],
        "events": [_described(row) for row in gathered.rows if not is_span(row)],
        "redactions": gathered.redactions.body(rescanned=["trace"]),
    }


def _described(row: TraceRow) -> dict[str, Any]:
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
    }


def _request(selection: Selection, gathered: Gathered, pseudonyms: Pseudonyms) -> dict[str, Any]:
    return selection.body() | {
        "hmac_key_id": pseudonyms.key_id,
        "queries_hmac_sha256": queries_hmac(gathered, pseudonyms),
        "queries": [
            {"kql": part.kql, "hmac_sha256": pseudonyms.hex_id(_QUERY_DOMAIN, part.kql, _HMAC_DIGITS)}
            for part in gathered.queries
        ],
    }


def _slice_account(part: SliceRows) -> dict[str, Any]:
    return {
        "table": part.slice.table,
        "since": part.slice.since,
        "until": part.slice.until,
        "traces": len(part.slice.trace_ids),
        "rows_at_source": part.rows_at_source,
        "rows_here": len(part.rows),
        "complete": part.rows_at_source == len(part.rows),
    }


def _weight(row: TraceRow) -> int:
    count = row.columns.get("ItemCount", 1)
    return count if isinstance(count, int) else 1


def _order(row: TraceRow) -> tuple[str, datetime, int, str, str, datetime, bytes]:
    rest = orjson.dumps([dict(row.columns), dict(row.properties)], option=orjson.OPT_SORT_KEYS)
    table = TABLES.index(row.table)
    return row.trace_id, row.time, table, row.span_id, row.parent_id, row.received, rest


def _json(value: Mapping[str, Any]) -> bytes:
    """Encode for people to read; the same value gives the same bytes."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(value, option=options)
