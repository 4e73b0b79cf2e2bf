"""Decides which notice is sent where and when, and keeps the receipts. Pure.

An entry is written with the alert it tells of, before anything is sent; it ends as a receipt or a refusal.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.alerts.alert import Notice
from functions.alerts.announcement import Announcement
from functions.alerts.delivery.interface import Accepted, Rejected
from functions.checks.definition import CheckDefinition

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(minutes=15)
LONGEST_RETRY_AFTER = timedelta(hours=1)
"""A destination that asks for more is asked again sooner: an alert isn't put off for a day by one header."""
MAX_FINISHED = 200
"""Receipts kept with a check, and as many refusals: the latest ones."""


News = Notice | Announcement


@dataclass(frozen=True, slots=True)
class Entry:
    """News that waits for one destination, or that the destination refused.

    Attributes:
        key: The idempotency key: the same for every attempt, and for all destinations of the news.
        destination: A name from alerts.yaml.
        notice: What to tell.
        attempts: How often it was sent.
        next_attempt: When it may be sent (again).
        reason: Why the last attempt failed.
    """

    key: str
    destination: str
    notice: News
    attempts: int
    next_attempt: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is left of an entry that was accepted; `about` is the id of its alert, or what it told."""

    key: str
    destination: str
    about: str
    kind: str
    created_at: datetime
    accepted_at: datetime
    attempts: int
    status: int


@dataclass(frozen=True, slots=True)
class Telling:
    """News and the check that it came from, as a destination's writer needs them.

    Attributes:
        news: What to tell.
        check: The check whose document it waited in; None for an announcement.
    """

    news: News
    check: CheckDefinition | None


@dataclass(frozen=True, slots=True)
class Outbox:
    """A check's notices: waiting and refused in the order they were made, receipts as they came."""

    waiting: tuple[Entry, ...] = ()
    refused: tuple[Entry, ...] = ()
    receipts: tuple[Receipt, ...] = ()


def enqueue(outbox: Outbox, news: Iterable[News]) -> Outbox:
    """Add an entry for each destination of each piece of news."""
    added = (
        Entry(one.key, destination, one, attempts=0, next_attempt=one.at)
        for one in news
        for destination in one.destinations
    )
    return replace(outbox, waiting=(*outbox.waiting, *added))


def waiting_pairs(outbox: Outbox) -> frozenset[tuple[str, str]]:
    """Return (what it is about, destination) of everything that waits."""
    return frozenset((entry.notice.about, entry.destination) for entry in outbox.waiting)


def due(outbox: Outbox, now: datetime) -> tuple[Entry, ...]:
    """Return what may be sent now: of each thing and destination the oldest, so that news stays in order."""
    oldest: dict[tuple[str, str], Entry] = {}
    for entry in outbox.waiting:
        oldest.setdefault((entry.notice.about, entry.destination), entry)
    return tuple(entry for entry in oldest.values() if entry.next_attempt <= now)


def accept(outbox: Outbox, entry: Entry, answer: Accepted, now: datetime) -> Outbox:
    """Turn a waiting entry into a receipt."""
    receipt = Receipt(
        key=entry.key,
        destination=entry.destination,
        about=entry.notice.about,
        kind=entry.notice.kind,
        created_at=entry.notice.at,
        accepted_at=now,
        attempts=entry.attempts + 1,
        status=answer.status,
    )
    return replace(
        outbox, waiting=_without(outbox, entry), receipts=(*outbox.receipts, receipt)[-MAX_FINISHED:]
    )


def reject(outbox: Outbox, entry: Entry, answer: Rejected, now: datetime, *, jitter: float) -> Outbox:
    """Put a waiting entry off, and with it all others that a Retry-After concerns, or keep it as refused.

    Args:
        outbox: The outbox as it stands.
        entry: What was sent.
        answer: What came back.
        now: When.
        jitter: A random number in [0, 1): a delay is between half of its length and all of it.
    """
    tried = replace(entry, attempts=entry.attempts + 1, reason=answer.reason)
    if not answer.retryable:
        return replace(
            outbox, waiting=_without(outbox, entry), refused=(*outbox.refused, tried)[-MAX_FINISHED:]
        )
    asked = min(answer.retry_after_seconds or 0.0, LONGEST_RETRY_AFTER.total_seconds())
    held_until = now + timedelta(seconds=asked)
    delay = min(FIRST_DELAY * 2 ** min(entry.attempts, 10), LONGEST_DELAY) * (0.5 + jitter / 2)
    tried = replace(tried, next_attempt=max(now + delay, held_until))
    return replace(
        outbox,
        waiting=tuple(
            tried if _same(other, entry) else _hold(other, entry.destination, held_until)
            for other in outbox.waiting
        ),
    )


def _hold(entry: Entry, destination: str, until: datetime) -> Entry:
    if entry.destination != destination or entry.next_attempt >= until:
        return entry
    return replace(entry, next_attempt=until)


def _without(outbox: Outbox, entry: Entry) -> tuple[Entry, ...]:
    return tuple(other for other in outbox.waiting if not _same(other, entry))


def _same(one: Entry, other: Entry) -> bool:
    return (one.key, one.destination) == (other.key, other.destination)
