"""Reads the steps of a trace out of its sanitized rows: what was called, when, how long, how often. Pure.

Names of spans don't leave, so that a step is named by its attributes alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.evidence.packing.otlp import is_span
from functions.evidence.report.step_notes import event_note, span_notes
from functions.evidence.report.step_reading import deployment, kind, model, subject, tokens
from functions.traces.agents import Attributes
from functions.traces.model import TraceRow

MODEL_CALLS = frozenset({"chat", "embeddings"})
_COUNTED = frozenset({"chat", "execute_tool", "retrieval"})
_MOST_NOTES = 5
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One span of a trace.

    Attributes:
        place: Of its span among the spans of the trace, from 0.
        kind: invoke_agent, chat, embeddings, execute_tool, retrieval, or other.
        name: What it was about, such as a tool or a model; "" where nothing says so.
        depth: How many steps are above it.
        at: When it began, UTC.
        start_ms: From the trace's first row.
        duration_ms: 0 where it is not recorded.
        succeeded: What it says itself; None where it says nothing.
        call: Which call it is, from 1, of those of its kind and name in the trace.
        calls: How many there are.
        retry: Whether the call before it, of the same kind and name, failed.
        notes: What else is known of it, such as the type of an error or how many documents were found.
        metered: Whether it is a model call that counts: none is below it that repeats it.
        model: The model that was called, without the date of its snapshot; "" where it is not metered.
        deployment: The name that was asked for.
        input_tokens: None where they are not recorded, or it is not metered.
        output_tokens: Likewise.
        cached_tokens: Those of the input that came from the provider's cache.
        stands_for: How many such steps it stands for, by sampling.
    """

    place: int
    kind: str
    name: str
    depth: int
    at: datetime
    start_ms: float
    duration_ms: float
    succeeded: bool | None
    call: int
    calls: int
    retry: bool
    notes: tuple[str, ...]
    metered: bool
    model: str
    deployment: str
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int
    stands_for: int

    @property
    def failed(self) -> bool:
        """Whether it says that it failed."""
        return self.succeeded is False


@dataclass(frozen=True, slots=True)
class Timeline:
    """One trace.

    Attributes:
        trace_id: 32 hex digits.
        start: The time of its first row, UTC.
        length_ms: From the first row to the end of the last step.
        facts: What is known of the whole, such as ("release", "2.4.0").
        steps: A step before those below it, else in the order of time.
        left_out: How many steps more it has; 0 unless it was shortened.
        rows: How many rows it has in all.
    """

    trace_id: str
    start: datetime
    length_ms: float
    facts: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    left_out: int
    rows: int


def timeline(trace_id: str, rows: Sequence[TraceRow], attributes: Attributes) -> Timeline:
    """Return the timeline of one trace.

    A row that was ingested twice is one step.

    Args:
        trace_id: Whose rows they are.
        rows: All rows of the trace, sanitized, in the order of time; at least one.
        attributes: Which properties carry what the site configured.
    """
    given = [row for row in rows if is_span(row)]
    places = {id(row): place for place, row in enumerate(given)}
    spans = _each_once(given)
    start = rows[0].time
    ordered = list(_outermost_first(spans))
    notes = _notes(rows, [row for row, _ in ordered], attributes)
    doubled = _doubled(spans)
    steps = [
        _step(
            row,
            places[id(row)],
            depth,
            start,
            tuple(notes.get(row.span_id, ()))[:_MOST_NOTES],
            doubled=row.span_id in doubled,
        )
        for row, depth in ordered
    ]
    steps = _counted(steps)
    return Timeline(
        trace_id,
        start,
        max([step.start_ms + step.duration_ms for step in steps], default=0.0),
        tuple(_facts(rows, attributes)),
        tuple(steps),
        0,
        len(rows),
    )


def shortened(whole: Timeline, most: int) -> Timeline:
    """Keep `most` steps: those of agents, models and tools before all others, then the first."""
    if len(whole.steps) <= most:
        return whole
    ranked = sorted(range(len(whole.steps)), key=lambda place: (whole.steps[place].kind == "other", place))
    kept = tuple(whole.steps[place] for place in sorted(ranked[:most]))
    return replace(whole, steps=kept, left_out=len(whole.steps) - most)


def _each_once(spans: Sequence[TraceRow]) -> list[TraceRow]:
    first: dict[str, TraceRow] = {}
    for number, row in enumerate(spans):
        first.setdefault(row.span_id or f"none {number}", row)
    return list(first.values())


def _outermost_first(spans: Sequence[TraceRow]) -> Iterator[tuple[TraceRow, int]]:
    """Yield each span and its depth, a span before those below it; rings hang on nothing and come last."""
    known = {row.span_id for row in spans if row.span_id}
    below: dict[str, list[TraceRow]] = {}
    for row in spans:
        above = row.parent_id if row.parent_id in known and row.parent_id != row.span_id else ""
        below.setdefault(above, []).append(row)
    left = [(row, 0) for row in reversed(below.pop("", []))]
    while True:
        while left:
            row, depth = left.pop()
            yield row, depth
            left.extend(
                (each, depth + 1) for each in reversed(below.pop(row.span_id, []) if row.span_id else [])
            )
        if not below:
            return
        left = [(row, 0) for row in reversed(below.pop(next(iter(below))))]


def _notes(
    rows: Sequence[TraceRow], spans: Sequence[TraceRow], attributes: Attributes
) -> Mapping[str, list[str]]:
    notes = {row.span_id: list(span_notes(row, attributes)) for row in reversed(spans)}
    outermost = spans[0].span_id if spans else ""
    for row in rows:
        if not is_span(row) and (note := event_note(row)):
            notes.setdefault(row.parent_id if row.parent_id in notes else outermost, []).append(note)
    return {span_id: list(dict.fromkeys(its)) for span_id, its in notes.items()}


def _doubled(spans: Sequence[TraceRow]) -> frozenset[str]:
    """Return the model spans with a model span below: they repeat the same call (as in spans.kql)."""
    return frozenset(row.parent_id for row in spans if kind(row) in MODEL_CALLS)


def _step(
    row: TraceRow, place: int, depth: int, start: datetime, notes: tuple[str, ...], *, doubled: bool
) -> Step:
    its_kind = kind(row)
    metered = its_kind in MODEL_CALLS and not doubled
    given, got, cached = tokens(row) if metered else (None, None, 0)
    taken, weight = row.columns.get("DurationMs", 0), row.columns.get("ItemCount", 1)
    succeeded = row.columns.get("Success")
    return Step(
        place=place,
        kind=its_kind,
        name=subject(row, its_kind),
        depth=depth,
        at=row.time,
        start_ms=max((row.time - start) / _MILLISECOND, 0.0),
        duration_ms=float(taken) if isinstance(taken, int | float) and 0 <= taken < 1e12 else 0.0,
        succeeded=succeeded if isinstance(succeeded, bool) else None,
        call=1,
        calls=1,
        retry=False,
        notes=notes,
        metered=metered,
        model=model(row) if metered else "",
        deployment=deployment(row) if metered else "",
        input_tokens=given,
        output_tokens=got,
        cached_tokens=cached,
        stands_for=weight if isinstance(weight, int) and weight > 0 else 1,
    )


def _counted(steps: Sequence[Step]) -> list[Step]:
    """Number the calls of each tool, model and retriever in the order of time, and tell retries."""
    calls = Counter((step.kind, step.name) for step in steps)
    told: Counter[tuple[str, str]] = Counter()
    failed: dict[tuple[str, str], bool] = {}
    counted = list(steps)
    for place, step in sorted(enumerate(steps), key=lambda one: one[1].start_ms):
        if step.kind not in _COUNTED:
            continue
        key = (step.kind, step.name)
        told[key] += 1
        counted[place] = replace(step, call=told[key], calls=calls[key], retry=failed.get(key, False))
        failed[key] = step.failed
    return counted


def _facts(rows: Sequence[TraceRow], attributes: Attributes) -> Iterator[tuple[str, str]]:
    named: dict[str, tuple[str, ...]] = {
        "agent": ("gen_ai.agent.name",),
        "prompt version": attributes.prompt_version,
        "intent": attributes.intent,
        "environment": attributes.environment,
        "tenant": attributes.tenant,
        "conversation": ("gen_ai.conversation.id",),
        **attributes.dimensions,
    }
    for label, names in named.items():
        value = next((row.properties[name] for row in rows for name in names if name in row.properties), "")
        if value:
            yield label, value
    releases = {str(row.columns["AppVersion"]) for row in rows if "AppVersion" in row.columns}
    if releases:
        yield "release", ", ".join(sorted(releases)[:3])
