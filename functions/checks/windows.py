"""Decides which windows of ingestion time a check judges next: each once, none skipped, oldest first.

Windows are half-open and tumble on multiples of `every` since midnight, as KQL's bin() does for every
width that divides a day (configuration.py refuses others: bin() counts from the year 1, not from 1970).
The watermark is the end of the last window judged; a tick that fails leaves it alone, and the next tick asks
again for the same windows and those that have come since.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.checks.finding import Window

FIRST_LOOKBACK = timedelta(hours=24)
"""How far back a new check begins: what was wrong in the last day is worth an alert, older is history."""

LONGEST_BATCH = timedelta(hours=24)
"""The most ingestion time that one query catches up: a day's rows stay well inside the service's limits."""

MOST_WINDOWS = 1000
"""The most windows that one query catches up."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Batch:
    """Adjoining windows of one width that one query answers; at least one.

    Attributes:
        width: The width of each; `every`, except where a changed `every` is being brought into step.
        windows: Oldest first.
    """

    width: timedelta
    windows: tuple[Window, ...]


def due_windows(
    *, every: timedelta, settle: timedelta, watermark: datetime | None, now: datetime
) -> Batch | None:
    """Return the next windows to judge, or None while none has ended and settled.

    After `every` was changed the watermark may lie inside a window of the new width. The time up to that
    window's end is then judged in narrower windows, as wide as fits both, so that no row is judged twice.

    Args:
        every: The width of a window: whole minutes, a divisor of a day.
        settle: How long after its end a window waits for late rows.
        watermark: The end of the last window judged; None for a check that was never evaluated.
        now: The present instant, UTC. A clock that goes backwards makes nothing due.
    """
    settled = now - settle
    start = window_start(settled - FIRST_LOOKBACK, every) if watermark is None else watermark
    ahead = (_EPOCH - start) % every
    width = _common_width(start, every) if ahead else every
    stretch = min(settled - start, ahead or max(LONGEST_BATCH, every))
    count = min(stretch // width, MOST_WINDOWS)
    if count <= 0:
        return None
    return Batch(width, tuple(Window(start + i * width, start + (i + 1) * width) for i in range(count)))


def window_start(instant: datetime, width: timedelta) -> datetime:
    """Return the start of the window that holds `instant`, as KQL's bin(instant, width) does."""
    return instant - (instant - _EPOCH) % width


def _common_width(start: datetime, every: timedelta) -> timedelta:
    """Return the widest window of which both `start` and the multiples of `every` are multiples."""
    return timedelta(seconds=math.gcd(int((start - _EPOCH).total_seconds()), int(every.total_seconds())))
