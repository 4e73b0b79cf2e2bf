"""Decides what a search for traces may ask: by one id or an agent, in a bounded time, for a reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from functions.errors import InvalidRequest

LONGEST = timedelta(days=31)

TICKET_HEADER = "Tracekeeper-Ticket"
"""Says under which ticket one trace is read: a GET has no body, and no ticket stands in an address."""

By = Literal["conversation_id", "user_id", "agent"]

_BYS: tuple[By, ...] = ("conversation_id", "user_id", "agent")
_KNOWN = frozenset({*_BYS, "start", "end", "reason", "ticket"})
_LONGEST_ID = 256
_AGENT = re.compile(r"[\w .:/@+()-]{1,128}")
_REASON = re.compile(r"[\w .,:;!?'()/#&%+@-]{1,500}")
_TICKET = re.compile(r"[\w ./:#-]{1,100}")


@dataclass(frozen=True, slots=True)
class Search:
    """A valid search.

    Attributes:
        by: What `value` is.
        value: Personal, unless it is an agent's name: for no log, answer or ledger.
        start: Matching spans began from here on, UTC.
        end: And before, UTC.
        reason: Why, in words of whoever asks.
        ticket: Where that is recorded.
    """

    by: By
    value: str = field(repr=False)
    start: datetime
    end: datetime
    reason: str
    ticket: str


def parse_search(body: object, *, now: datetime) -> Search:
    """Read the JSON body of a request.

    Args:
        body: `{"conversation_id" | "user_id" | "agent": str, "start", "end", "reason", "ticket": str}`. For
            an id the times may be left out: the last 31 days.
        now: UTC.

    Raises:
        InvalidRequest: Names the field and the rule it breaks, never the value.
    """
    if not isinstance(body, dict):
        raise _invalid("body", "must be an object")
    if body.keys() - _KNOWN:
        raise _invalid("body", f"may hold only: {', '.join(sorted(_KNOWN))}")
    given = [by for by in _BYS if by in body]
    if len(given) != 1:
        raise _invalid("body", f"must hold exactly one of: {', '.join(_BYS)}")
    by = given[0]
    start, end = _times(body, by, now)
    return Search(
        by,
        _line(body, by, _AGENT) if by == "agent" else _id(body[by], by),
        start,
        end,
        _line(body, "reason", _REASON),
        _line(body, "ticket", _TICKET),
    )


def parse_ticket(given: str) -> str:
    """Read a ticket that came in a header, whose characters are ASCII. Raises InvalidRequest."""
    ticket = given.strip()
    if not (ticket.isascii() and _TICKET.fullmatch(ticket)):
        raise InvalidRequest(
            f"The header {TICKET_HEADER} must be ASCII text that matches {_TICKET.pattern}.",
            next_step="Correct the request and send it again.",
        )
    return ticket


def _times(body: Mapping[str, Any], by: By, now: datetime) -> tuple[datetime, datetime]:
    if by != "agent" and not body.keys() & {"start", "end"}:
        return now - LONGEST, now
    start, end = (_instant(body.get(name), name) for name in ("start", "end"))
    if start >= end:
        raise _invalid("start", "must lie before the end")
    if end - start > LONGEST:
        raise _invalid("end", f"must be at most {LONGEST.days} days after the start")
    return start, end


def _instant(value: object, name: str) -> datetime:
    wrong = _invalid(name, "must be a time with an offset, for example 2026-11-01T00:00:00Z")
    if not isinstance(value, str) or len(value) > 40:
        raise wrong
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise wrong from None
    if instant.tzinfo is None or not 2000 <= instant.year <= 2200:
        raise wrong
    return instant.astimezone(UTC)


def _id(value: object, name: str) -> str:
    # As telemetry has it: anything that can be sent, but for what no store of telemetry holds.
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_ID or not value.isprintable():
        raise _invalid(name, f"must be one line of 1 to {_LONGEST_ID} characters that print")
    return value


def _line(body: Mapping[str, Any], name: str, allowed: re.Pattern[str]) -> str:
    value = body.get(name)
    line = value.strip() if isinstance(value, str) else ""
    if not allowed.fullmatch(line):
        raise _invalid(name, f"must be one line of plain text that matches {allowed.pattern}")
    return line


def _invalid(name: str, rule: str) -> InvalidRequest:
    return InvalidRequest(f"The field {name} {rule}.", next_step="Correct the request and send it again.")
