"""What a check says: windows and findings, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from functions.traces.source import Cell


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open stretch [start, end) of ingestion time, UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found for one key in one window.

    Attributes:
        check_id: The check.
        key: Key column to value, for example {"Agent": "dispatcher", "Tool": "get_shipment_status"}. Hostile.
        window: The window judged.
        value: The measured value, in the check's unit.
        threshold: The limit it was held against, in the same unit; None where any occurrence counts.
        violations: How many times (a sum of ItemCount).
        trace_ids: The traces concerned, at most 1,000.
        shows: Further columns that the check names under `shows`. Hostile.
        late: Whether it was found only by a sweep, in rows that came after the window had been judged; then
            value, violations and traces are those that were not found at first.
        withdrawn: Those of its traces that rows which came later refute.
    """

    check_id: str
    key: Mapping[str, str]
    window: Window
    value: float
    threshold: float | None
    violations: int
    trace_ids: tuple[str, ...]
    shows: Mapping[str, Cell] = field(default_factory=dict)
    late: bool = False
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """One window that a check has evaluated, with all that it found there (nothing is a result too).

    Attributes:
        window: The window.
        findings: What opens an alert, or keeps it open.
        continuing: What would open none, but keeps an open one open: above `clear_below`.
        unjudged: Keys of rows of which nothing can be said: nothing begins, ends or counts for them.
            Hostile.
        rows: Result rows in it.
    """

    window: Window
    findings: tuple[Finding, ...]
    continuing: tuple[Finding, ...] = ()
    unjudged: tuple[Mapping[str, str], ...] = ()
    rows: int = 0
