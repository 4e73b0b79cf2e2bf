"""Reads the steps of a trace out of its sanitized rows: what was called, when, how long, how often again. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.traces.agents import Attributes
from functions.traces.model import TraceRow


@dataclass(frozen=True, slots=True)
class Step:
    """One span of a trace.

    Attributes:
        kind: invoke_agent, chat, execute_tool, retrieval, or other.
        name: What it was about, such as a tool or a model; "" where nothing says so.
        depth: How many steps are above it.
        start_ms: From the trace's first row.
        duration_ms: 0 where it is not recorded.
        failed: Whether it says that it failed.
        call: Which call it is, from 1, of those of its kind and name in the trace.
        calls: How many there are.
        retry: Whether the call before it, of the same kind and name, failed.
        notes: What else is known of it, such as the type of an error or how many documents were found.
        model: The model that was called; "" where none was.
        input_tokens: None where they are not recorded.
        output_tokens: None where they are not recorded.
        cached_tokens: Those of the input that came from the provider's cache.
        stands_for: How many such steps it stands for, by sampling.
    """

    kind: str
    name: str
    depth: int
    start_ms: float
    duration_ms: float
    failed: bool
    call: int
    calls: int
    retry: bool
    notes: tuple[str, ...]
    model: str
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int
    stands_for: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """One trace.

    Attributes:
        trace_id: 32 hex digits.
        start: The time of its first row, UTC.
        length_ms: From the first row to the end of the last step.
        steps: In the order of their start, a step before those below it; at most as many as were asked for.
        left_out: How many steps more it has.
    """

    trace_id: str
    start: datetime
    length_ms: float
    steps: tuple[Step, ...]
    left_out: int


def timeline(trace_id: str, rows: Sequence[TraceRow], attributes: Attributes, *, most: int) -> Timeline:
    """Return the timeline of one trace.

    Args:
        trace_id: Whose rows they are.
        rows: All rows of the trace, sanitized, in the order of time; at least one.
        attributes: Which properties carry what the site configured.
        most: How many steps to keep.
    """
    raise NotImplementedError
