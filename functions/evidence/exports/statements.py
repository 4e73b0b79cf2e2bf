"""States what an export was asked for, with the exact queries, and how complete the answer is."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from functions.evidence.exports.export import Export
from functions.evidence.exports.parts import Account, Read
from functions.evidence.exports.plan import Plan
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.selection.selection import AlertTraces, Selector, TraceIds
from functions.traces.slices import CONTENT_TABLE

_QUERY_DOMAIN = "query"
_HMAC_DIGITS = 64


class Merged:
    """Counts what the merge saw, and which of the traces asked for by id it did not see.

    Attributes:
        traces: Traces so far.
        spans: Requests and dependencies so far.
        rows: Rows so far.
        content: Lines of content so far; None in profiles without.
        unseen: Trace ids asked for that have not come.
    """

    def __init__(self, selector: Selector, *, content: bool) -> None:
        self.traces = self.spans = self.rows = 0
        self.content: int | None = 0 if content else None
        asked = selector.trace_ids if isinstance(selector, TraceIds | AlertTraces) else ()
        self.unseen = set(asked)

    def add_trace(self, trace_id: str) -> None:
        """Count one trace."""
        self.traces += 1
        self.unseen.discard(trace_id)


def completeness_body(plan: Plan, accounts: Sequence[Account], merged: Merged) -> dict[str, Any]:
    """Return the JSON object of completeness.json."""
    reads = [read for read in _reads(accounts) if read.table != CONTENT_TABLE]
    slices = [_slice_body(read) for read in reads]
    missing = sorted({*plan.resolved.missing, *merged.unseen})
    here = sum(read.rows_here for read in reads)
    content = _content_body(accounts)
    complete = (
        not missing
        and here == merged.rows
        and all(one["complete"] for one in slices)
        and content["complete"]
        and plan.seals.get("complete", True)
    )
    body = {
        "complete": complete,
        "rows_at_source": sum(read.rows_at_source for read in reads),
        "rows_here": here,
        "missing_trace_ids": missing,
        "unusable_trace_ids": plan.resolved.unusable,
        "sampling": {
            "rows_standing_for_more": sum(account.sampled for account in accounts),
            "rows_before_sampling": sum(account.before_sampling for account in accounts),
        },
        "seals": plan.seals,
        "slices": slices,
    }
    return body | ({"content": content} if merged.content is not None else {})


def _content_body(accounts: Sequence[Account]) -> dict[str, Any]:
    """Return how complete moved content is: a reader who may not see it gets no rows, and no error."""
    slices = [_slice_body(read) for read in _reads(accounts) if read.table == CONTENT_TABLE]
    pointing = sum(account.pointing for account in accounts)
    moved = sum(account.moved for account in accounts)
    return {
        "rows_pointing_there": pointing,
        "rows_here": moved,
        "slices": slices,
        "complete": pointing == moved and all(one["complete"] for one in slices),
    }


def request_body(
    export: Export, plan: Plan, accounts: Sequence[Account], pseudonyms: Pseudonyms
) -> dict[str, Any]:
    """Return the JSON object of request.json.

    Each query is shown with pseudonyms in place of what is personal. The HMACs are over its exact text, so
    that whoever has the key can prove what was asked.
    """
    reads = list(_reads(accounts))
    return export.selection.body() | {
        "hmac_key_id": pseudonyms.key_id,
        "queries_hmac_sha256": pseudonyms.hex_id(
            _QUERY_DOMAIN, "\n".join(read.kql for read in reads), _HMAC_DIGITS
        ),
        "queries": [
            {
                "kql": read.shown_kql,
                "hmac_sha256": pseudonyms.hex_id(_QUERY_DOMAIN, read.kql, _HMAC_DIGITS),
            }
            for read in reads
        ],
        "resolved": plan.resolved.account,
    }


def _reads(accounts: Iterable[Account]) -> Iterable[Read]:
    return chain.from_iterable(account.reads for account in accounts)


def _slice_body(read: Read) -> dict[str, Any]:
    return {
        "table": read.table,
        "since": read.since,
        "until": read.until,
        "received_from": read.received_from,
        "received_until": read.received_until,
        "rows_at_source": read.rows_at_source,
        "rows_here": read.rows_here,
        "complete": read.rows_at_source == read.rows_here,
    }
