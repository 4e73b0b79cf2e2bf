"""Puts the chapters of the report together: the answer first, traces last since they are long. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from functions.costs.prices import Prices
from functions.evidence.report import account
from functions.evidence.report.controls import ControlTally
from functions.evidence.report.coverage import coverage_chapter
from functions.evidence.report.html import (
    Html,
    bullets,
    count,
    joined,
    moment,
    paragraph,
    section,
    text,
)
from functions.evidence.report.removed import content_sentence, removed
from functions.evidence.report.resolving import is_sample, resolved_sentence
from functions.evidence.report.timelines import Drawing, draw
from functions.evidence.report.verify import verify

_CHAPTERS = {
    "question": "What was asked",
    "completeness": "Completeness",
    "controls": "Controls",
    "removed": "What was removed",
    "coverage": "What the checks have seen",
    "verify": "How to verify",
    "traces": "Traces",
}

# The one resource is the page itself: were markup to slip in, a browser would still run and load nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_HATCH = (
    '<svg class="definitions" width="0" height="0" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6"/><path d="M0 0V6" stroke-width="5"/></pattern></defs></svg>'
)


@dataclass(frozen=True, slots=True)
class Totals:
    """What all traces of a bundle come to.

    Attributes:
        traces: How many there are.
        rows: How many rows they have.
        first: The time of the first row, UTC; None where there is none.
        last: The time of the last row.
        failed: How many traces have a run that failed a control.
    """

    traces: int
    rows: int
    first: datetime | None
    last: datetime | None
    failed: int


def page(
    totals: Totals,
    controls: ControlTally,
    drawings: Sequence[Drawing],
    prices: Prices,
    *,
    request: Mapping[str, Any],
    completeness: Mapping[str, Any],
    redactions: Mapping[str, Any],
    coverage: Mapping[str, Any],
    key_id: str | None,
    published: str,
) -> bytes:
    """Return the whole file; see `Account` and `ReportBuilder` for what goes in."""
    missing = account.what_is_missing(completeness)
    title = f"Evidence for {request.get('ticket') or 'an export'}"
    drawn = frozenset(drawing.timeline.trace_id for drawing in drawings)
    body = (
        _HATCH,
        "<header>",
        f"<h1>{'INCOMPLETE: ' if missing else ''}{text(title)}</h1>",
        _alarm(missing),
        _answer(totals, controls, request, redactions, complete=not missing),
        _contents(),
        "</header>",
        "<main>",
        account.question(request),
        account.completeness_chapter(completeness),
        controls.chapter(drawn),
        removed(redactions),
        coverage_chapter(coverage),
        verify(
            str(request.get("profile", "")),
            key_id,
            published,
            complete=not missing,
            sampled=is_sample(request),
        ),
        _traces(totals, drawings, prices),
        "</main>",
    )
    return joined(
        (
            "<!doctype html>",
            '<html lang="en" dir="ltr">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">',
            f"<title>{'INCOMPLETE: ' if missing else ''}{text(title)}</title>",
            f"<style>\n{_style()}</style>",
            "</head>",
            f"<body{' class="incomplete"' if missing else ''}>",
            *filter(None, body),
            "</body>",
            "</html>\n",
        )
    ).encode()


def _alarm(missing: Sequence[Html]) -> Html:
    if not missing:
        return Html("")
    listed = bullets(missing)
    return Html(
        '<div class="alarm" role="note" aria-label="Incomplete">\n'
        "<p><strong>✕ This bundle is INCOMPLETE.</strong> It can't show what it lacks:</p>\n"
        f"{listed}\n</div>"
    )


def _answer(
    totals: Totals,
    controls: ControlTally,
    request: Mapping[str, Any],
    redactions: Mapping[str, Any],
    *,
    complete: bool,
) -> Html:
    reason = f' ("{text(request["reason"], 300)}")' if request.get("reason") else ""
    ticket = text(request.get("ticket") or "no ticket")
    held = f"{count(totals.traces, 'trace')} with {count(totals.rows, 'row')} of telemetry"
    when = (
        f", from {moment(totals.first)} to {moment(totals.last)} UTC"
        if totals.first is not None and totals.last is not None
        else ""
    )
    whole = (
        "It is complete: the workspace counted the same rows, slice by slice."
        if complete
        else "<strong>It is INCOMPLETE</strong>: what is missing is named below."
    )
    return Html(
        '<div class="answer" role="note" aria-label="Answer">\n'
        + paragraph(
            f"For {ticket}{reason} this bundle holds {held}{when}.",
            resolved_sentence(request),
            whole,
            controls.sentence(),
            content_sentence(request, redactions),
        )
        + "\n</div>"
    )


def _contents() -> Html:
    links = "\n".join(
        f'<li><a href="#{anchor}">{text(title)}</a></li>' for anchor, title in _CHAPTERS.items()
    )
    return Html(f'<nav aria-label="Chapters">\n<ul>\n{links}\n</ul>\n</nav>')


def _traces(totals: Totals, drawings: Sequence[Drawing], prices: Prices) -> Html:
    if not totals.traces:
        return section("traces", "Traces", paragraph("The bundle holds no trace."))
    left = totals.traces - len(drawings)
    data = "<code>data/traces.otlp.jsonl</code> and <code>data/spans.csv</code>"
    told = (
        f"{count(totals.traces, 'trace is', 'traces are')} drawn here, all there are; {data} hold all rows."
        if not left
        else (
            f"{len(drawings):,} of {count(totals.traces, 'trace')} are drawn here: those with a failed "
            "control first, then those with a failed step, then those that could not be judged in full, each "
            f"in the order of the bundle. The other {left:,} are left out and are in {data}, by their ids."
        )
    )
    failed = max(totals.failed - len(drawings), 0)
    return section(
        "traces",
        "Traces",
        paragraph(told),
        paragraph(
            f"{failed:,} of those left out have a failed control. The table of failed runs names them, and "
            "<code>data/controls.csv</code> all of them."
        )
        if failed
        else "",
        paragraph(
            "A cost stands only where the tokens of a call are recorded and its model is in the price list "
            f"of {prices.as_of.isoformat()}. A hatched bar is a failed step; a retry is a call of the same "
            "tool or model after a failed one. Times are UTC."
        ),
        *(draw(drawing, number, prices) for number, drawing in enumerate(drawings, 1)),
    )


@cache
def _style() -> str:
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")
