"""Says of each check, quarter day by quarter day, how much it evaluated and what kept it from more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from functions.alerts.reading import check_state
from functions.alerts.records import Json, instant_text
from functions.alerts.state import CheckState
from functions.alerts.watchfulness import answerable, is_behind, is_blind_day
from functions.checks.coverage import KEPT
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Window
from functions.checks.interruptions import Interruption
from functions.checks.windows import window_start
from functions.errors import SourceBlind, StorageError
from functions.storage.documents import Documents

CELL = timedelta(hours=6)
MOST_DAYS = KEPT.days

NOTHING_TO_JUDGE = "nothing to judge"
"""The cause where hardly any window of a day had a row that could be judged."""

CellState = Literal["evaluated", "late", "blind", "gap", "none"]
"""Of a quarter day.

evaluated: all that was due, in time; late: all, and not all in time; blind: what the check needs could not be
seen, or hardly any window of that day could be judged; gap: a part was not evaluated; none: nothing was due.
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """A quarter day of one check.

    Attributes:
        state: In a word.
        share: The evaluated part of what was due, 0 to 1; None where nothing was.
        causes: Kinds of errors, "not running" or "nothing to judge"; empty where none is known.
    """

    state: CellState
    share: float | None = None
    causes: tuple[str, ...] = ()


def coverage_map(documents: Documents, checks: Sequence[CheckDefinition], days: int, now: datetime) -> Json:
    """Return the quarter days of ingestion time of each check, the one that holds `now` last.

    A check whose document can't be read has no cells.

    Args:
        documents: Where the checks' states are.
        checks: Which.
        days: How many, 1 to `MOST_DAYS`.
        now: The present instant, UTC.
    """
    until = window_start(now, CELL) + CELL
    starts = [until - n * CELL for n in range(days * (timedelta(days=1) // CELL), 0, -1)]
    return {
        "since": instant_text(starts[0]),
        "until": instant_text(until),
        "cell_hours": CELL / timedelta(hours=1),
        "checks": [_check(documents, check, starts, now) for check in checks],
    }


def cells(
    check: CheckDefinition, state: CheckState, starts: Sequence[datetime], now: datetime
) -> Iterator[Cell]:
    """Yield the quarter days that begin at `starts`, which are in order."""
    known = answerable(check, state.coverage, state.watermark, starts[0], now)
    blind_days = {one.day for one in state.tally.days if is_blind_day(check, one)}
    for start in starts:
        due = known and _shared(known, Window(start, start + CELL))
        yield _cell(check, state, due, blind_days) if due else Cell("none")


def _check(documents: Documents, check: CheckDefinition, starts: Sequence[datetime], now: datetime) -> Json:
    try:
        state = check_state(documents, check.id) or CheckState()
    except StorageError:
        return {"id": check.id, "readable": False, "behind": False, "cells": []}
    found = cells(check, state, starts, now)
    return {
        "id": check.id,
        "readable": True,
        "behind": state.watermark is not None and is_behind(check, state.watermark, now),
        "cells": [{"state": one.state, "share": one.share, "causes": list(one.causes)} for one in found],
    }


def _cell(check: CheckDefinition, state: CheckState, due: Window, blind_days: set[date]) -> Cell:
    gaps = state.coverage.gaps(due)
    missing = sum((gap.end - gap.start for gap in gaps), timedelta())
    share = 1 - missing / (due.end - due.start)
    stretches = state.interruptions.stretches
    if gaps:
        causes = _causes(check, stretches, gaps)
        return Cell("blind" if SourceBlind.__name__ in causes else "gap", share, causes)
    if due.start.astimezone(UTC).date() in blind_days:
        return Cell("blind", share, (NOTHING_TO_JUDGE,))
    causes = _causes(check, stretches, (due,))
    return Cell("late" if causes else "evaluated", share, causes)


def _causes(
    check: CheckDefinition, stretches: Sequence[Interruption], windows: Sequence[Window]
) -> tuple[str, ...]:
    """Return what kept the check from judging these windows in time, each cause once."""
    found = {
        one.cause: None
        for one in stretches
        # A stretch is the time of judging: a window is due only when it has ended and settled.
        if any(one.start - check.settle - check.every < each.end for each in windows)
        and any(each.start < one.end - check.settle for each in windows)
    }
    return tuple(found)


def _shared(one: Window, other: Window) -> Window | None:
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Window(start, end) if start < end else None
