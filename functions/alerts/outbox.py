"""Decides which notice is sent where and when, and keeps the receipts. Pure.

An entry is written with the alert it tells of, before anything is sent; it ends as a receipt or a refusal.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.alerts.alert import Notice
from functions.alerts.announcement import Announcement
from functions.alerts.answer import Accepted, Answer, Rejected
from functions.checks.definition import CheckDefinition

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(minutes=15)
MAX_FINISHED = 200
"""Receipts kept with a check, and as many refusals: the latest ones, and of each alert the last receipt."""


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
    """What is left of an entry that was accepted.

    Attributes:
        key: The entry's.
        destination: Who accepted it.
        about: The id of its alert, or what it told.
        kind: The news' kind.
        created_at: When the news was made.
        accepted_at: When it was accepted.
        attempts: How often it was sent.
        status: The HTTP status.
        digest: The idempotency key of the digest that told it; None where it went by itself.
    """

    key: str
    destination: str
    about: str
    kind: str
    created_at: datetime
    accepted_at: datetime
    attempts: int
    status: int
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What came back for an entry.

    Attributes:
        answer: The destination's answer.
        at: When.
        digest: As in the receipt.
    """

    answer: Answer
    at: datetime
    digest: str | None = None


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
    """Return what may be sent now: of each thing and destination the oldest, so that news stays in order.

    What was never tried is due whatever the clock says; so is what a wrong clock has put off for too long.
    """
    oldest: dict[tuple[str, str], Entry] = {}
    for entry in outbox.waiting:
        oldest.setdefault((entry.notice.about, entry.destination), entry)
    return tuple(
        entry
        for entry in oldest.values()
        if not entry.attempts or not now < entry.next_attempt <= now + LONGEST_DELAY
    )


def settle(outbox: Outbox, destination: str, responses: Mapping[str, Response], *, jitter: float) -> Outbox:
    """Turn what waits for a destination into receipts and refusals, or put it off.

    Args:
        outbox: The outbox as it stands.
        destination: Who answered.
        responses: What came back, by the keys of entries; those that don't wait any more are passed over.
        jitter: A random number in [0, 1): a delay is between half of its length and all of it.
    """
    waiting, refused, receipts = [], list(outbox.refused), list(outbox.receipts)
    for entry in outbox.waiting:
        response = responses.get(entry.key) if entry.destination == destination else None
        if response is None:
            waiting.append(entry)
        elif isinstance(response.answer, Accepted):
            receipts.append(_receipt(entry, response, response.answer))
        elif response.answer.retryable:
            waiting.append(_put_off(entry, response.answer, response.at, jitter))
        else:
            refused.append(replace(entry, attempts=entry.attempts + 1, reason=response.answer.reason))
    return Outbox(tuple(waiting), tuple(refused[-MAX_FINISHED:]), tuple(receipts))


def without_old_receipts(outbox: Outbox, about: Collection[str]) -> Outbox:
    """Forget receipts: of what is in `about` the last of each destination stays, however old."""
    last = {(one.about, one.destination): one for one in outbox.receipts if one.about in about}
    kept = {id(one) for one in (*last.values(), *outbox.receipts[-MAX_FINISHED:])}
    return replace(outbox, receipts=tuple(one for one in outbox.receipts if id(one) in kept))


def _receipt(entry: Entry, response: Response, answer: Accepted) -> Receipt:
    return Receipt(
        key=entry.key,
        destination=entry.destination,
        about=entry.notice.about,
        kind=entry.notice.kind,
        created_at=entry.notice.at,
        accepted_at=response.at,
        attempts=entry.attempts + 1,
        status=answer.status,
        digest=response.digest,
    )


def _put_off(entry: Entry, answer: Rejected, at: datetime, jitter: float) -> Entry:
    delay = min(FIRST_DELAY * 2 ** min(entry.attempts, 10), LONGEST_DELAY) * (0.5 + jitter / 2)
    return replace(entry, attempts=entry.attempts + 1, reason=answer.reason, next_attempt=at + delay)
