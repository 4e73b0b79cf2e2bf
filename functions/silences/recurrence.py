"""Says when a time of day that recurs on some weekdays really is, on nights too that change clocks. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """A stretch of time [start, end), UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A time of day that recurs.

    Attributes:
        weekdays: On which days it begins; 0 is Monday.
        start: When it begins, by the clocks of `zone`.
        end: When it ends: on the same day or, if that is not later than `start`, on the next.
        zone: An IANA time zone.
    """

    weekdays: tuple[int, ...]
    start: time
    end: time
    zone: str

    def within(self, start: datetime, end: datetime) -> Iterator[Occurrence]:
        """Yield what lies in [start, end), in order, cut at both.

        Where clocks go back, a time that comes twice that night begins with the first and ends with the
        second. Where they go forward, one that does not come begins as they do, and ends as long after
        midnight as on any other night.
        """
        zone = ZoneInfo(self.zone)
        day, last = start.astimezone(zone).date() - _DAY, end.astimezone(zone).date()
        while day <= last:
            if day.weekday() in self.weekdays:
                later = day if self.end > self.start else day + _DAY
                begins, ends = (
                    max(start, _first(day, self.start, zone)),
                    min(end, _last(later, self.end, zone)),
                )
                if begins < ends:
                    yield Occurrence(begins, ends)
            day += _DAY


def _first(day: date, at: time, zone: ZoneInfo) -> datetime:
    local = datetime.combine(day, at, zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    # No clock shows this time that day. Read by the offset that follows it lies before the change.
    earlier = local.replace(fold=1).astimezone(UTC)
    after = instant.astimezone(zone).utcoffset()
    moments = (earlier + n * _MINUTE for n in range((instant - earlier) // _MINUTE))
    return next((one for one in moments if one.astimezone(zone).utcoffset() == after), instant)


def _last(day: date, at: time, zone: ZoneInfo) -> datetime:
    once, again = (datetime.combine(day, at, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(once, again)
