"""Reads the fields of a request's JSON body: each has a rule, and what breaks it is refused, never quoted."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from functions.errors import InvalidRequest

_NONE: frozenset[str] = frozenset()
_TRACE_ID = re.compile(r"[0-9a-fA-F]{32}")
_NAME = re.compile(r"[\w .:/@+()-]{1,128}")
_REASON = re.compile(r"[\w .,:;!?'()/#&%+@-]{1,500}")


def well_formed(trace_ids: Iterable[str]) -> Iterator[str]:
    """Yield what can be a trace id: these came out of telemetry, which may call anything one."""
    return (one for one in trace_ids if _TRACE_ID.fullmatch(one))


def parse_trace_id(value: object, field: str = "trace_id") -> str:
    """Return a trace id in lower case.

    Raises:
        InvalidRequest: It is not 32 hex digits, or all zeros.
    """
    if not isinstance(value, str) or not _TRACE_ID.fullmatch(value) or not value.strip("0"):
        raise invalid(field, "must be 32 hex digits, not all zero")
    return value.lower()


def parse_reason(value: object, field: str = "reason") -> str:
    """Return a reason in plain words, one line of them. Raises InvalidRequest."""
    return line_of(value, field, _REASON)


def instant_of(value: object, field: str) -> datetime:
    """Return an instant in UTC, given as ISO 8601 with an offset. Raises InvalidRequest."""
    rule = "must be an ISO 8601 time with an offset, for example 2026-11-01T00:00:00Z"
    if not isinstance(value, str) or len(value) > 40:
        raise invalid(field, rule)
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise invalid(field, rule) from None
    if instant.tzinfo is None or not 2000 <= instant.year <= 2200:
        raise invalid(field, rule)
    return instant.astimezone(UTC)


def name_of(value: object, field: str) -> str | None:
    """Return a name as agents, releases and the like have it; None stays None. Raises InvalidRequest."""
    if value is None:
        return None
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise invalid(field, f"must match {_NAME.pattern}")
    return value


def line_of(value: object, field: str, allowed: re.Pattern[str]) -> str:
    """Return one line of the characters that are allowed. Raises InvalidRequest."""
    # People read these words in a portal, a terminal and a bundle: plain text, nothing that is markup.
    line = value.strip() if isinstance(value, str) else ""
    if not allowed.fullmatch(line):
        raise invalid(field, f"must be one line of plain text that matches {allowed.pattern}")
    return line


def fields_of(
    value: object, field: str, required: frozenset[str] = _NONE, optional: frozenset[str] = _NONE
) -> dict[str, Any]:
    """Return an object that holds all of `required`, and besides only `optional`. Raises InvalidRequest."""
    if not isinstance(value, dict):
        raise invalid(field, "must be an object")
    if missing := sorted(required - value.keys()):
        raise invalid(field, f"must hold: {', '.join(missing)}")
    if value.keys() - required - optional:
        raise invalid(field, f"may hold only: {', '.join(sorted(required | optional))}")
    return value


def invalid(field: str, rule: str) -> InvalidRequest:
    """Return the error that names a field and the rule it breaks."""
    return InvalidRequest(f"The field {field} {rule}.", next_step="Correct the request and send it again.")
