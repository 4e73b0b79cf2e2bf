"""Decides what goes to a destination as which message: one by one, or many as a digest. Pure."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from functions.alerts.alert import Notice
from functions.alerts.outbox import Entry
from functions.delivery.health import is_tried
from functions.delivery.record import Parcel, Record

CLAIM_WAITS = timedelta(hours=1)
"""So long a claimed digest waits for a document with some of its members that can't be read. After that the
others are told without them."""

DEAD_AFTER = timedelta(days=1)
"""News that no attempt has brought home for so long is not sent any more."""


@dataclass(frozen=True, slots=True)
class Item:
    """An entry that waits for the destination.

    Attributes:
        document: Where it waits.
        entry: The entry.
        due: Whether it may be sent now.
    """

    document: str
    entry: Entry
    due: bool


def is_dead(entry: Entry, record: Record, now: datetime) -> bool:
    """Return whether it has waited for too long. What was never tried is tried, where that makes sense."""
    return now - entry.notice.at >= DEAD_AFTER and (entry.attempts > 0 or is_tried(record))


@dataclass(frozen=True, slots=True)
class Begun:
    """What was begun to be sent, as the destination's record has it.

    Attributes:
        claim: The digest that was being sent when a host stopped, or that was put off.
        whole: Whether all documents with members of it were read. Else it belongs to another part of the
            watch, or some of it can't be seen now: then nothing else may be claimed.
        waits: Whether it is left for a later time.
        alone: Keys of entries that go by themselves, as they were begun to.
    """

    claim: Parcel | None = None
    whole: bool = True
    waits: bool = False
    alone: Collection[str] = ()


def begun(record: Record, read: Collection[str], now: datetime) -> Begun:
    """Return what was begun to be sent, given which documents were read.

    What a crash makes to be sent twice must come under the same key, so that a digest waits for all of its
    members; but not for ever: after a day they are dead.
    """
    claim = record.claim
    if claim is None:
        return Begun(alone=record.alone)
    age = abs(now - record.claimed_at) if record.claimed_at else DEAD_AFTER
    whole = claim.members.keys() <= set(read) or age >= DEAD_AFTER
    return Begun(claim, whole, not whole and age < CLAIM_WAITS, record.alone)


def parcels(
    items: Sequence[Item],
    so_far: Begun = Begun(),
    *,
    destination: str,
    room: int,
    digest_above: int,
) -> tuple[Parcel, ...]:
    """Return what is sent now, in order: at most `room` messages.

    A digest that was claimed goes first, with all of its members that still wait. Else more notices than
    `digest_above`, or than there is room for, go as one. Announcements always go by themselves.

    Args:
        items: All that waits for the destination, in the order in which it is sent.
        so_far: What was begun to be sent.
        destination: Its name.
        room: How many messages it may be sent.
        digest_above: How many notices may go one by one.
    """
    claim, alone = so_far.claim, so_far.alone
    members = claim.members if claim else {}
    claimed = {(document, key) for document, keys in members.items() for key in keys}
    again = [item for item in items if (item.document, item.entry.key) in claimed]
    others = [item for item in items if item.due and (item.document, item.entry.key) not in claimed]
    together = [item.entry.key not in alone and isinstance(item.entry.notice, Notice) for item in others]
    notices = [item for item, joins in zip(others, together, strict=True) if joins]
    single = [item for item, joins in zip(others, together, strict=True) if not joins]
    first: list[Parcel] = []
    if claim is not None and not so_far.waits and any(item.due for item in again):
        first = [Parcel(claim.key, _members(again), digest=True)]
    room_left = room - len(first) - len(single)
    if so_far.whole and len(notices) > max(1, min(digest_above, room_left)):
        if not again:
            first = [Parcel(_digest_key(destination, notices), _members(notices), digest=True)]
        others = single
    singles = [Parcel(item.entry.key, {item.document: (item.entry.key,)}, digest=False) for item in others]
    return tuple([*first, *singles][:room])


def _members(items: Iterable[Item]) -> dict[str, tuple[str, ...]]:
    members: dict[str, list[str]] = {}
    for item in items:
        members.setdefault(item.document, []).append(item.entry.key)
    return {document: tuple(keys) for document, keys in members.items()}


def _digest_key(destination: str, items: Iterable[Item]) -> str:
    """Return a key that the same members give again."""
    named = orjson.dumps([destination, sorted(item.entry.key for item in items)])
    return f"digest-{hashlib.sha256(named).hexdigest()[:16]}"
