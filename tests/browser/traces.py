"""Answers of GET traces/{trace_id} that a test makes up, in the shape that the product gives them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Page, Route

from functions.evidence.exports.export import Counts
from functions.evidence.packing.otlp import is_span
from functions.evidence.reading.gathering import Gathered, describe_rows
from functions.evidence.reading.steps import describe_steps
from functions.evidence.redaction.redactions import Redactions
from functions.problems import MEDIA_TYPE
from functions.storage.documents import encode
from functions.traces.model import TraceRow
from tests.unit.evidence.material import protection
from tests.unit.evidence.reporting import ATTRIBUTES, PRICES, TRACE

OF_A_TRACE = "**/api/v1/traces/*"


def trace_answer(
    rows: Sequence[TraceRow], *, findings: Sequence[str] = (), complete: bool = True, removed: str = ""
) -> bytes:
    """Return the answer for rows that nobody sanitized, the earliest first; `removed` from each one."""
    spans = sum(map(is_span, rows))
    gathered = Gathered(
        tuple(rows),
        tuple(Counter([removed] if removed else []) for _ in rows),
        Redactions(protection().policy, protection().pseudonyms),
        Counts(1, spans, len(rows), complete),
    )
    return encode(
        {
            "trace_id": TRACE,
            "findings": list(findings),
            "timeline": describe_steps(TRACE, rows, ATTRIBUTES, PRICES),
            **describe_rows(gathered),
        }
    )


def answer_with(page: Page, body: bytes, *, status: int = 200, of: str = OF_A_TRACE) -> None:
    """Let the page have this answer for every trace, whatever the service would say."""
    kind = "application/json" if status == 200 else MEDIA_TYPE

    def fulfil(route: Route) -> None:
        route.fulfill(status=status, body=body, content_type=kind)

    page.unroute(of)
    page.route(of, fulfil)


def problem(kind: str, status: int, **told: Any) -> bytes:
    """Return a problem document of this type."""
    words = {"title": "A title", "detail": "A detail.", "next_step": "Do something."}
    body = {"type": f"urn:tracekeeper:problem:{kind}", "status": status, "instance": "urn:uuid:c-1"}
    return encode({**body, **words, **told})
