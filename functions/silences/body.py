"""Reads the silence that a person asks for; whose it is never stands in what they send. Pure.

{"reason": "...", "matchers": {"agent": ["courier*"], "Tool": ["get_stock"]}, "ends_at": "...",
 "starts_at": "..." (now, where it is left out),
 "recurrence": {"weekdays": ["mon", "tue"], "from": "22:00", "to": "06:00", "zone": "Europe/Berlin"}}
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.errors import InvalidRequest
from functions.silences.recurrence import WEEKDAYS, Recurrence
from functions.silences.silence import FACTS, MOST_DAYS, Silence

MOST_REASON, MOST_PATTERN = 200, 200
MOST_MATCHERS, MOST_PATTERNS = 10, 20

_LONGEST = timedelta(days=MOST_DAYS)
_COLUMN = re.compile(r"[A-Z][0-9A-Za-z_]{0,62}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a silence: the directory's object id, and the name that their sign-in has."""

    object_id: str
    name: str


def read_silence_body(body: object, *, silence_id: str, author: Author, now: datetime) -> Silence:
    """Return the silence.

    Args:
        body: What was sent, as JSON has it. Hostile.
        silence_id: The new silence's.
        author: Who sent it.
        now: When.

    Raises:
        InvalidRequest: It is not such a silence; the message says what is wrong, and quotes nothing of it.
    """
    given = _only(
        body,
        required={"reason", "matchers", "ends_at"},
        optional={"starts_at", "recurrence"},
        where="A silence",
    )
    starts_at = _instant(given, "starts_at") if "starts_at" in given else now
    starts_at, ends_at = max(starts_at, now), _instant(given, "ends_at")
    _hold(ends_at > starts_at, "ends_at must be in the future, and later than starts_at.")
    _hold(starts_at - now <= _LONGEST, f"A silence begins within {MOST_DAYS} days.")
    _hold(ends_at - starts_at <= _LONGEST, f"A silence lasts at most {MOST_DAYS} days.")
    silence = Silence(
        id=silence_id,
        author=author.name,
        author_id=author.object_id,
        reason=_text(given["reason"], MOST_REASON, "reason"),
        matchers=_matchers(given["matchers"]),
        made_at=now,
        starts_at=starts_at,
        ends_at=ends_at,
        recurrence=_recurrence(given["recurrence"]) if "recurrence" in given else None,
    )
    _hold(bool(silence.occurrences()), "The recurrence does not come between starts_at and ends_at.")
    return silence


def _matchers(body: object) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(body, dict) or not 1 <= len(body) <= MOST_MATCHERS:
        raise _wrong(f"matchers must be an object with 1 to {MOST_MATCHERS} names.")
    return {_matched(name): _patterns(patterns) for name, patterns in body.items()}


def _matched(name: str) -> str:
    known = name in FACTS or _COLUMN.fullmatch(name)
    _hold(bool(known), f"What is matched must be {', '.join(FACTS)}, or a key column such as Tool.")
    return name


def _patterns(body: object) -> tuple[str, ...]:
    if not isinstance(body, list) or not 1 <= len(body) <= MOST_PATTERNS:
        raise _wrong(f"A matcher must be a list of 1 to {MOST_PATTERNS} patterns.")
    return tuple(_text(pattern, MOST_PATTERN, "A pattern") for pattern in body)


def _recurrence(body: object) -> Recurrence:
    given = _only(body, required={"weekdays", "from", "to", "zone"}, optional=set(), where="recurrence")
    days = given["weekdays"]
    if not isinstance(days, list) or not days or not all(day in WEEKDAYS for day in days):
        raise _wrong(f"weekdays must be a list of {', '.join(WEEKDAYS)}.")
    return Recurrence(
        tuple(sorted({WEEKDAYS.index(day) for day in days})),
        _clock(given["from"]),
        _clock(given["to"]),
        _zone(given["zone"]),
    )


def _clock(body: object) -> time:
    if not isinstance(body, str) or not _CLOCK.fullmatch(body):
        raise _wrong("from and to must be times such as 22:00.")
    return time.fromisoformat(body)


def _zone(body: object) -> str:
    if not isinstance(body, str) or len(body) > MOST_PATTERN:
        raise _wrong("zone must be an IANA time zone such as Europe/Berlin.")
    try:
        return ZoneInfo(body).key  # takes no path that leads out of the zones
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _wrong("zone must be an IANA time zone such as Europe/Berlin.") from None


def _instant(given: Mapping[str, Any], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(given[name])
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise _wrong(f"{name} must be a time such as 2026-05-01T12:00:00Z, with its offset from UTC.")


def _text(body: object, most: int, name: str) -> str:
    # Nothing but what prints: no line breaks, controls, marks that turn the direction of writing, surrogates.
    if not isinstance(body, str) or not body.strip() or len(body) > most or not body.isprintable():
        raise _wrong(f"{name} must be one line of 1 to {most} characters that print.")
    return body


def _only(body: object, *, required: set[str], optional: set[str], where: str) -> Mapping[str, Any]:
    if not isinstance(body, dict) or not required <= body.keys() <= required | optional:
        known = ", ".join(sorted(required))
        further = f", and may have {', '.join(sorted(optional))}" if optional else ""
        raise _wrong(f"{where} must have {known}{further}; nothing else.")
    return body


def _hold(right: bool, otherwise: str) -> None:  # noqa: FBT001 - a claim and what is said where it fails
    if not right:
        raise _wrong(otherwise)


def _wrong(what: str) -> InvalidRequest:
    return InvalidRequest(what, next_step="Correct it and send it again.")
