"""Draws traces for the report: a picture of when each step ran, and the same in a table. Pure.

The picture is SVG without a viewBox: places are percentages and sizes of text are pixels, so that it is as
readable on a small screen as on paper. A failed step is hatched and says so in words, not by colour alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from functions.costs.prices import Prices
from functions.evidence.report.html import (
    NOTHING,
    Html,
    code,
    count,
    duration,
    joined,
    moment,
    money,
    name,
    paragraph,
    table,
    text,
)
from functions.evidence.report.step_cost import TraceCost, step_cost
from functions.evidence.report.timeline import Step, Timeline

KINDS = {
    "invoke_agent": "agent",
    "chat": "model",
    "embeddings": "embeddings",
    "execute_tool": "tool",
    "retrieval": "retrieval",
    "other": "other",
}
"""Kinds of steps, as people call them."""

_ROW, _BAR, _TOP = 30, 9, 26  # heights in pixels
_TICKS = 4
_LONGEST_LABEL, _LONGEST_NOTE = 48, 90
_INDENT_PX = 10
_THINNEST = 0.4  # per cent
_COLUMNS = ("Step", "Began after", "Took", "Outcome", "Tokens in / out", "Cost", "What else is recorded")


@dataclass(frozen=True, slots=True)
class Drawing:
    """One trace as it is drawn.

    Attributes:
        timeline: Its steps.
        cost: Of all its model calls, those left out of the drawing too.
        verdict: What its controls came to, in words.
        read: How many of its rows the drawing is made from, the first.
    """

    timeline: Timeline
    cost: TraceCost
    verdict: str
    read: int


def draw(drawing: Drawing, number: int, prices: Prices) -> Html:
    """Return one trace: facts, picture and table.

    Args:
        drawing: What to draw.
        number: Its place in the report, from 1.
        prices: What model calls cost.
    """
    line = drawing.timeline
    facts = (f"{text(label, 40)}: {name(value, 60)}" for label, value in line.facts)
    return joined(
        (
            f'<article id="trace-{line.trace_id}" aria-labelledby="title-{number}">',
            f'<h3 id="title-{number}">Trace {number}: {code(line.trace_id)}</h3>',
            paragraph(f"<strong>{text(drawing.verdict, 400)}</strong>"),
            paragraph(
                f"Began {moment(line.start)}, took {duration(line.length_ms)}, {count(line.rows, 'row')}.",
                _cut(drawing),
                _cost(drawing.cost, prices),
            ),
            paragraph("; ".join(facts)),
            _picture(line, number) if line.steps else paragraph("No span of it is recorded, only events."),
            _left_out(line),
            _steps(line, number, prices) if line.steps else "",
            "</article>",
        )
    )


def _cut(drawing: Drawing) -> str:
    if drawing.read >= drawing.timeline.rows:
        return ""
    return f"<strong>Only its first {drawing.read:,} rows were read for this drawing and its cost.</strong>"


def _cost(cost: TraceCost, prices: Prices) -> str:
    if not cost.calls:
        return "No model call is recorded."
    told = [f"{count(cost.calls, 'model call')}"]
    if cost.priced:
        told.append(f"{money(cost.amount, prices.currency)} by the price list")
    if cost.without_usage:
        told.append(f"{cost.without_usage:,} without recorded tokens, so without a cost")
    if cost.without_price:
        told.append(f"{cost.without_price:,} to a model that the price list does not name")
    return ", ".join(told) + "."


def _left_out(line: Timeline) -> Html:
    if not line.left_out:
        return Html("")
    steps = count(line.left_out, "further step")
    return paragraph(f"{steps} left out here: they are in <code>data/spans.csv</code>, by the trace's id.")


def _picture(line: Timeline, number: int) -> Html:
    height = _TOP + _ROW * len(line.steps)
    length = max(line.length_ms, 0.001)
    failed = sum(step.failed for step in line.steps)
    told = f"{len(line.steps)} steps in {duration(line.length_ms)}, {failed} failed; the table has the same."
    return joined(
        (
            f'<svg role="img" aria-labelledby="p{number} d{number}" width="100%" height="{height}">',
            f'<title id="p{number}">Timeline of trace {number}</title>',
            f'<desc id="d{number}">{text(told)}</desc>',
            *_axis(length, height),
            *(part for place, step in enumerate(line.steps) for part in _bar(step, place, length)),
            "</svg>",
        )
    )


def _axis(length: float, height: int) -> Iterator[str]:
    for tick in range(_TICKS + 1):
        share = 100 * tick // _TICKS
        anchor = "start" if not tick else "end" if tick == _TICKS else "middle"
        yield f'<line class="grid" x1="{share}%" x2="{share}%" y1="16" y2="{height}"/>'
        if tick % 2 == 0:
            yield (
                f'<text class="tick" x="{share}%" y="11" text-anchor="{anchor}">'
                f"{duration(length * tick / _TICKS)}</text>"
            )


def _bar(step: Step, place: int, length: float) -> Iterator[str]:
    top = _TOP + _ROW * place
    start = min(100 * step.start_ms / length, 100 - _THINNEST)
    width = max(min(100 * step.duration_ms / length, 100 - start), _THINNEST)
    x = _INDENT_PX * min(step.depth, 6)
    marks = "".join(f'<tspan class="bad"> {mark}</tspan>' for mark in _marks(step))
    yield (
        f'<text x="{x}" y="{top + 10}">{_title(step, text(step.name, _LONGEST_LABEL))}'
        f" · {duration(step.duration_ms)}{marks}</text>"
    )
    bar = f'x="{start:.2f}%" y="{top + 14}" width="{width:.2f}%" height="{_BAR}"'
    yield f'<rect class="{step.kind}" {bar}/>'
    if step.failed:
        yield f'<rect class="failed" {bar}/>'


def _title(step: Step, shown: Html) -> Html:
    return (
        shown
        if step.kind == "other"
        else Html(f"{KINDS[step.kind]} {shown}" if step.name else KINDS[step.kind])
    )


def _marks(step: Step) -> Iterator[str]:
    if step.failed:
        yield "✕ failed"
    if step.retry:
        yield "↻ retry"


def _steps(line: Timeline, number: int, prices: Prices) -> Html:
    rows = (
        (
            Html(f'<span class="in{min(step.depth, 6)}">{_title(step, name(step.name))}</span>'),
            duration(step.start_ms),
            duration(step.duration_ms),
            joined(_outcome(step), "; "),
            _tokens(step),
            _price(step, prices),
            joined((text(note, _LONGEST_NOTE) for note in step.notes), "; ") or NOTHING,
        )
        for step in line.steps
    )
    return table(f"Steps of trace {number}", _COLUMNS, rows, numbers={1, 2, 4, 5})


def _outcome(step: Step) -> Iterator[str]:
    yield {True: "ok", False: "✕ failed", None: "outcome not recorded"}[step.succeeded]
    if step.retry:
        yield "↻ retry"
    if step.calls > 1:
        yield f"call {step.call} of {step.calls}"
    if step.stands_for > 1:
        yield f"stands for {step.stands_for} by sampling"


def _tokens(step: Step) -> Html:
    if not step.metered:
        return NOTHING
    if step.input_tokens is None and step.output_tokens is None:
        return Html("not recorded")
    given, got = (NOTHING if n is None else Html(f"{n:,}") for n in (step.input_tokens, step.output_tokens))
    cached = f" ({step.cached_tokens:,} cached)" if step.cached_tokens else ""
    return Html(f"{given}{cached} / {got}")


def _price(step: Step, prices: Prices) -> Html:
    if not step.metered:
        return NOTHING
    price = step_cost(step, prices)
    return Html("not known") if price is None else money(price, prices.currency)
