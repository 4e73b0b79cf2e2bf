"""Decides what may be asked about costs: a period of at most 31 days, and by what to break it down."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.errors import InvalidRequest

LONGEST = timedelta(days=31)

GROUPINGS: Mapping[str, str] = {
    "agent": "Agent",
    "owner": "Owner",
    "environment": "Environment",
    "release": "Release",
    "tenant": "Tenant",
    "model": "Model",
}
"""What costs can be broken down by, and the column of the query that holds it."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Question:
    """A valid question: the model calls made in [start, end), UTC, broken down by one of `GROUPINGS`."""

    start: datetime
    end: datetime
    by: str


def parse_question(parameters: Mapping[str, str]) -> Question:
    """Read the parameters `start`, `end` and `by`.

    Raises:
        InvalidRequest: Names the parameter and the rule it breaks, never the value.
    """
    start, end = (_instant(parameters, name) for name in ("start", "end"))
    if start >= end:
        raise invalid("start", "must lie before the end")
    if end - start > LONGEST:
        raise invalid("end", f"must be at most {LONGEST.days} days after the start")
    by = parameters.get("by", "")
    if by not in GROUPINGS:
        raise invalid("by", f"must be one of: {', '.join(GROUPINGS)}")
    return Question(start, end, by)


def invalid(parameter: str, rule: str) -> InvalidRequest:
    """Return the error for a parameter that breaks a rule."""
    return InvalidRequest(
        f"The parameter {parameter} {rule}.", next_step="Correct the request and send it again."
    )


def _instant(parameters: Mapping[str, str], name: str) -> datetime:
    rule = "must be a day (2026-11-01, from midnight UTC) or a time with an offset (2026-11-01T00:00:00Z)"
    text = parameters.get(name, "")
    if not _INSTANT.fullmatch(text):
        raise invalid(name, rule)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(name, rule) from None
    if not 2000 <= instant.year <= 2200:
        raise invalid(name, rule)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
