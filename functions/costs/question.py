"""Decides what may be asked about costs: a period of at most 31 days, and by what to break it down."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.errors import InvalidRequest
from functions.traces.kql import text

LONGEST = timedelta(days=31)

GROUPINGS: Mapping[str, str] = {
    "agent": "Agent",
    "group": "Group",
    "owner": "Owner",
    "environment": "Environment",
    "release": "Release",
    "tenant": "Tenant",
    "model": "Model",
}
"""What costs can be broken down by beside the dimensions, and the column of the query that holds it."""

DIMENSION = "dimension:"
"""Stands before the name of a dimension of the business, so that it can be called like a grouping."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """The time from `start` to before `end`, UTC, at most `LONGEST`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """A valid question: the model calls made in a period, broken down by a grouping or "dimension:<name>"."""

    period: Period
    by: str

    @property
    def column(self) -> str:
        """The KQL expression of the group."""
        if self.by.startswith(DIMENSION):
            return f"tostring(Dimensions[{text(self.by.removeprefix(DIMENSION))}])"
        return GROUPINGS[self.by]


def breakdowns(dimensions: Iterable[str]) -> tuple[str, ...]:
    """Return all that costs can be broken down by, where these dimensions are declared."""
    return (*GROUPINGS, *(f"{DIMENSION}{name}" for name in dimensions))


def parse_question(parameters: Mapping[str, str], dimensions: Iterable[str]) -> Question:
    """Read the parameters `start`, `end` and `by`.

    Args:
        parameters: As they were given.
        dimensions: The names of those that agents.yaml declares. A bare name will do where no grouping is
            called the same.

    Raises:
        InvalidRequest: Names the parameter and the rule it breaks, never the value.
    """
    period = parse_period(parameters)
    known = breakdowns(dimensions)
    asked = parameters.get("by", "")
    by = asked if asked in known else f"{DIMENSION}{asked}"
    if by not in known:
        raise invalid("by", f"must be one of: {', '.join(known)}")
    return Question(period, by)


def parse_period(parameters: Mapping[str, str]) -> Period:
    """Read the parameters `start` and `end`. Raises as `parse_question` does."""
    start, end = (_instant(parameters, name) for name in ("start", "end"))
    if start >= end:
        raise invalid("start", "must lie before the end")
    if end - start > LONGEST:
        raise invalid("end", f"must be at most {LONGEST.days} days after the start")
    return Period(start, end)


def invalid(parameter: str, rule: str) -> InvalidRequest:
    """Return the error for a parameter that breaks a rule."""
    return InvalidRequest(
        f"The parameter {parameter} {rule}.", next_step="Correct the request and send it again."
    )


def _instant(parameters: Mapping[str, str], name: str) -> datetime:
    rule = "must be a day (2026-11-01, from midnight UTC) or a time with an offset (2026-11-01T00:00:00Z)"
    given = parameters.get(name, "")
    if not _INSTANT.fullmatch(given):
        raise invalid(name, rule)
    try:
        instant = datetime.fromisoformat(given)
    except ValueError:
        raise invalid(name, rule) from None
    if not 2000 <= instant.year <= 2200:
        raise invalid(name, rule)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
