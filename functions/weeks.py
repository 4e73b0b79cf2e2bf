"""Decides which week's summary is to be made, from the last one that was and the present instant. Pure.

A week runs from a midnight to the one seven days later where its readers are, and its summary is due at a
time of the day that begins there. Weeks are told apart by that day, so that a time that a change of clocks
leaves out or brings twice, or another time in the config file, makes no second summary of a week.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

_DAYS = timedelta(days=7)


class Weekly(Protocol):
    """Once a week: on a day (0 is Monday), at a time of it, by the clocks of an IANA time zone."""

    @property
    def weekday(self) -> int: ...  # noqa: D102 - the class says it
    @property
    def at(self) -> time: ...  # noqa: D102 - as above
    @property
    def zone(self) -> str: ...  # noqa: D102 - as above


@dataclass(frozen=True, slots=True)
class WeekBefore:
    """The seven days before a day.

    Attributes:
        day: The day, which names the summary.
        zone: The IANA time zone of its midnights.
        missed: How many weeks before this one nobody was told of, since nothing ran.
    """

    day: date
    zone: str
    missed: int = 0

    @property
    def start(self) -> datetime:
        """Its first instant, UTC."""
        return self._midnight(self.day - _DAYS)

    @property
    def end(self) -> datetime:
        """The instant after its last, UTC: after a change of clocks an hour more or less than 7 x 24."""
        return self._midnight(self.day)

    def holds(self, at: datetime | None) -> bool:
        """Return whether an instant is in the week."""
        return at is not None and self.start <= at < self.end

    def holds_day(self, day: date) -> bool:
        """Return whether most of a UTC day is in the week: what is counted by such days."""
        return self.holds(datetime.combine(day, time(12), UTC))

    def before(self) -> "WeekBefore":
        """Return the week before this one."""
        return WeekBefore(self.day - _DAYS, self.zone)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)


def latest_day(rule: Weekly, now: datetime) -> date:
    """Return the latest day on which a summary was due."""
    today = now.astimezone(ZoneInfo(rule.zone)).date()
    day = today - timedelta(days=(today.weekday() - rule.weekday) % 7)
    due = datetime.combine(day, rule.at, ZoneInfo(rule.zone))
    return day if due.astimezone(UTC) <= now else day - _DAYS


def week_due(rule: Weekly, last: date | None, now: datetime) -> WeekBefore | None:
    """Return the week whose summary is to be made; None where none is.

    After an outage that is the latest week alone. The first summary comes at the first time that is due after
    the watch began, and one that was made in what is now the future, by a clock that was wrong, counts for
    nothing.

    Args:
        rule: When.
        last: The day of the last one made, or the latest before the watch began; None where it begins now.
        now: The present instant, UTC.
    """
    day = latest_day(rule, now)
    if last is None or last >= day:
        return None
    return WeekBefore(day, rule.zone, missed=max(0, (day - last).days // 7 - 1))


def is_ahead(rule: Weekly, last: date, now: datetime) -> bool:
    """Return whether a summary was made by a clock that was far ahead: more than a week from now."""
    return last > latest_day(rule, now) + _DAYS
