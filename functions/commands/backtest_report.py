"""Writes a backtest for a person at a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from functions.checks.backtest import Firing, Key, Point, firings_a_day, score
from functions.checks.definition import CheckDefinition
from functions.checks.evaluation import Judgement
from functions.checks.finding import Window
from functions.checks.measurement import MOST_TRACE_IDS
from functions.checks.windows import Batch
from functions.text_plot import number, plot, safe

_PLOTS = 5


def report(
    check: CheckDefinition, batch: Batch, judgement: Judgement, fired: Sequence[Firing]
) -> Iterator[str]:
    """Yield what was judged, and when the check would have fired."""
    first, last = batch.windows[0].start, batch.windows[-1].end
    yield f"{check.id}: {check.title}"
    yield (
        f"{_time(first)} to {_time(last)} UTC, {len(batch.windows)} windows of {_length(batch.width)}; "
        f"{_condition(check)}"
    )
    yield (
        f"{judgement.rows} values measured, {judgement.unjudged} of them not judged "
        "(too little history, or too few runs)"
    )
    yield ""
    if not fired:
        yield "It would not have fired."
        return
    rate = len(fired) * timedelta(days=1) / (last - first)
    yield f"It would have fired {_times(len(fired))}, {rate:.2g} a day:"
    yield from (f"  {day}  {count}" for day, count in firings_a_day(fired).items())
    yield ""
    yield f"  {'start (UTC)':16}  {'end (UTC)':16}  {'for':>6}  {'worst':>10}  {'threshold':>10}  key"
    for firing in fired:
        worst = firing.worst
        yield (
            f"  {_time(firing.start)}  {_time(firing.end)}  {_length(firing.end - firing.start):>6}  "
            f"{number(worst.value):>10}  {number(worst.threshold):>10}  {_key(check, firing.key)}"
        )


def scored(fired: Sequence[Firing], judgement: Judgement, labels: Mapping[str, bool]) -> Iterator[str]:
    """Yield precision and recall against labels (trace id to whether it should be named)."""
    held = score(fired, labels)
    yield ""
    yield (
        f"Against {len(labels)} labelled traces: "
        f"precision {_share(held.precision)}, recall {_share(held.recall)}"
    )
    yield (
        f"  {held.right} rightly named, {held.wrong} wrongly, {held.missed} missed; "
        f"{held.unlabelled} named ones have no label"
    )
    if any(len(f.trace_ids) >= MOST_TRACE_IDS for one in judgement.judged for f in one.findings):
        yield f"  A finding names at most {MOST_TRACE_IDS} traces, and one has as many: recall may be higher."


def plots(check: CheckDefinition, points: Mapping[Key, Sequence[Point]], batch: Batch) -> Iterator[str]:
    """Yield a plot for each of the worst keys."""
    between = Window(batch.windows[0].start, batch.windows[-1].end)
    if points:
        yield ""
        yield f"{check.unit} over time; # would have fired, o would not, - the threshold"
    for key, its in list(points.items())[:_PLOTS]:
        yield ""
        yield _key(check, key)
        yield from plot(its, between)
    if len(points) > _PLOTS:
        yield ""
        yield f"{len(points) - _PLOTS} further keys are not drawn: these are the worst."


def _key(check: CheckDefinition, key: Key) -> str:
    return "  ".join(f"{column}={safe(value)}" for column, value in zip(check.key, key, strict=True))


def _condition(check: CheckDefinition) -> str:
    options = ", ".join(f"{name} {safe(str(value))}" for name, value in check.condition.options.items())
    return f"{check.condition.kind} {options}".rstrip()


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return f"{minutes}m" if minutes < 120 else f"{minutes // 60}h{minutes % 60:02}m"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _share(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
