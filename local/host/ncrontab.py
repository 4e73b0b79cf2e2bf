"""Reads the six-field NCRONTAB expressions of timer triggers and answers when one is due next, in UTC."""

import calendar
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?", re.ASCII)
# February 29th on one weekday comes back within 28 years, or 40 across a century without a leap day.
_HORIZON_DAYS = 40 * 366


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: dict[str, int]


_FIELDS = (
    _Field("second", 0, 59, {}),
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The allowed values of each field, sorted. Day and day of the week must both fit, as in NCrontab.

    Source: https://github.com/atifaziz/NCrontab and
    https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
    """

    seconds: Sequence[int]
    minutes: Sequence[int]
    hours: Sequence[int]
    days: Sequence[int]
    months: Sequence[int]
    weekdays: Sequence[int]

    def next_after(self, moment: datetime) -> datetime:
        """The first due time strictly after `moment` (aware), in UTC.

        Raises:
            ValueError: No such time exists, as with February 30th.
        """
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        for day in self._days_from(start.date()):
            earliest = start.time() if day == start.date() else time.min
            for due in self._times():
                if due >= earliest:
                    return datetime.combine(day, due, UTC)
        raise ValueError("The schedule is never due: no month has such a day.")

    def _days_from(self, first: date) -> Iterator[date]:
        for offset in range(_HORIZON_DAYS):
            day = first + timedelta(days=offset)
            if (
                day.month in self.months
                and day.day in self.days
                and day.isoweekday() % 7 in self.weekdays  # NCRONTAB counts from Sunday, 0
            ):
                yield day

    def _times(self) -> Iterator[time]:
        for hour in self.hours:
            for minute in self.minutes:
                for second in self.seconds:
                    yield time(hour, minute, second)


def parse_schedule(expression: str) -> Schedule:
    """Read `{second} {minute} {hour} {day} {month} {day of the week}`.

    Each field is `*`, a value, a range `a-b`, any of them with a step `/n`, or a list of those with commas.
    Months and days of the week may be three-letter English names.

    Raises:
        ValueError: The expression is not NCRONTAB; the message names the field.
    """
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"A timer's schedule has six fields, seconds first; {expression!r} has {len(fields)}."
        )
    return Schedule(*(_parse_field(text, field) for text, field in zip(fields, _FIELDS, strict=True)))


def _parse_field(text: str, field: _Field) -> tuple[int, ...]:
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no NCRONTAB {field.name}.")
        step = int(match["step"] or 1)
        if match["first"] == "*":
            first, last = field.low, field.high
        else:
            first = _parse_value(match["first"], field)
            # "5/10" starts at 5 and runs to the end of the field.
            last = field.high if match["step"] else first
        if match["last"]:
            last = _parse_value(match["last"], field)
        if step < 1 or first > last or (match["first"] == "*" and match["last"]):
            raise ValueError(f"{part!r} is no NCRONTAB {field.name}.")
        values.update(range(first, last + 1, step))
    return tuple(sorted(values))


def _parse_value(text: str, field: _Field) -> int:
    value = field.names.get(text.lower(), int(text) if text.isdigit() else -1)
    if not field.low <= value <= field.high:
        raise ValueError(f"{text!r} is no {field.name}: {field.low} to {field.high}.")
    return value
