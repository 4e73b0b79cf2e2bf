"""Remembers which windows of ingestion time a check has evaluated, and says which it has not.

Adjoining windows are kept as one interval a UTC day, so that five weeks fit into the check's document and
whole days can be forgotten without blurring a count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.checks.finding import Window

KEPT = timedelta(days=35)
"""How long coverage is remembered: a month and some days, so that a monthly review sees all of its month."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open stretch of evaluated time and how many result rows it was judged by."""

    start: datetime
    end: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one check has evaluated: intervals in order that do not overlap."""

    intervals: tuple[Interval, ...] = ()

    def after(self, windows: Sequence[Window], rows: int) -> "Coverage":
        """Return the coverage once `windows`, the next ones due, were judged by `rows` result rows in all."""
        new = Interval(windows[0].start, windows[-1].end, rows)
        earlier = self.intervals
        if earlier and new.start < earlier[-1].end:
            raise ValueError("a window is evaluated once")
        if earlier and earlier[-1].end == new.start and _day(earlier[-1].start) == _day(new.start):
            new = Interval(earlier[-1].start, new.end, earlier[-1].rows + rows)
            earlier = earlier[:-1]
        return Coverage((*(i for i in earlier if i.end > new.end - KEPT), new))

    def gaps(self, between: Window) -> tuple[Window, ...]:
        """Return the stretches of `between` that were not evaluated, in order."""
        gaps, reached = [], between.start
        for interval in self.intervals:
            if min(interval.start, between.end) > reached:
                gaps.append(Window(reached, min(interval.start, between.end)))
            reached = max(reached, interval.end)
        if reached < between.end:
            gaps.append(Window(reached, between.end))
        return tuple(gaps)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the intervals as JSON values, instants as ISO 8601 with "Z"."""
        return [{"start": _text(i.start), "end": _text(i.end), "rows": i.rows} for i in self.intervals]


def coverage_from_json(body: Iterable[Mapping[str, Any]]) -> Coverage:
    """Read back what `Coverage.to_json` wrote."""
    return Coverage(
        tuple(
            Interval(datetime.fromisoformat(i["start"]), datetime.fromisoformat(i["end"]), i["rows"])
            for i in body
        )
    )


def _day(instant: datetime) -> str:
    return instant.astimezone(UTC).date().isoformat()


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
