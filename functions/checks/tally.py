"""Counts, a UTC day each, what a check found or could not judge, and what late rows have changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from typing import Any

from functions.checks.coverage import KEPT
from functions.checks.finding import JudgedWindow


@dataclass(frozen=True, slots=True)
class CountedDay:
    """What happened in the windows that began on one UTC day.

    Attributes:
        day: The day.
        windows: Judged windows that had result rows.
        blind_windows: Those of them in which not one row could be judged.
        unjudged: Result rows that could not be judged.
        late_rows: Rows of telemetry that came too late for the window of their run.
        late_findings: Findings that only a sweep made.
        withdrawn: Traces named at first that late rows refute.
        findings: Findings made as the windows were judged; a day counted by an earlier version lacks them.
    """

    day: date
    windows: int = 0
    blind_windows: int = 0
    unjudged: int = 0
    late_rows: int = 0
    late_findings: int = 0
    withdrawn: int = 0
    findings: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """The days of one check, oldest first; those older than `KEPT` are forgotten."""

    days: tuple[CountedDay, ...] = ()

    def judged(self, windows: Iterable[JudgedWindow]) -> "Tally":
        """Return the tally once these windows were judged."""
        tally = self
        for one in windows:
            blind = len(one.unjudged)
            if one.rows:
                tally = tally.plus(
                    one.window.start,
                    windows=1,
                    unjudged=blind,
                    blind_windows=int(blind >= one.rows),
                    findings=len(one.findings),
                )
        return tally

    def came_late(self, rows: Mapping[datetime, int]) -> "Tally":
        """Return the tally with these late rows, by the start of the window that they were late for."""
        tally = self
        for start, count in rows.items():
            tally = tally.plus(start, late_rows=count)
        return tally

    def plus(self, at: datetime, **counts: int) -> "Tally":
        """Return the tally with these counts added to the day of `at`."""
        day = at.astimezone(UTC).date()
        by_day = {one.day: one for one in self.days}
        counted = by_day.get(day, CountedDay(day))
        by_day[day] = replace(counted, **{name: getattr(counted, name) + n for name, n in counts.items()})
        newest = max(by_day)
        return Tally(tuple(by_day[each] for each in sorted(by_day) if each > newest - KEPT))

    def on(self, day: date) -> CountedDay:
        """Return the counts of one day."""
        return next((one for one in self.days if one.day == day), CountedDay(day))

    def to_json(self) -> list[dict[str, Any]]:
        """Return the days as JSON values."""
        return [{"day": one.day.isoformat()} | _counts(one) for one in self.days]

    def total(self) -> dict[str, int]:
        """Return the sum of all days, by the names of the counts."""
        counts = [_counts(one) for one in self.days]
        return {name: sum(one[name] for one in counts) for name in _NAMES}


def tally_from_json(body: Iterable[Mapping[str, Any]]) -> Tally:
    """Read back what `Tally.to_json` wrote."""
    return Tally(tuple(CountedDay(**dict(one) | {"day": date.fromisoformat(one["day"])}) for one in body))


_NAMES = tuple(field.name for field in fields(CountedDay) if field.name != "day")


def _counts(day: CountedDay) -> dict[str, int]:
    return {name: getattr(day, name) for name in _NAMES}
