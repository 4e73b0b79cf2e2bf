"""Reads the `timespan` of a query request: ISO 8601 intervals."""

import re
from datetime import UTC, datetime, timedelta

from local.azure_monitor.engine import Timespan

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def read_timespan(text: str, now: datetime) -> Timespan:
    """Return start and end of `start/end`, `start/duration`, `duration/end`, or `duration` up to `now`.

    Raises:
        ValueError: It is none of these.
    """
    first, separator, second = text.partition("/")
    if not separator:
        return now - _duration(first), now
    if first.startswith("P"):
        end = _instant(second)
        return end - _duration(first), end
    start = _instant(first)
    return start, start + _duration(second) if second.startswith("P") else _instant(second)


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None:
        message = "not an ISO 8601 duration"
        raise ValueError(message)
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
