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


def parcels(
    items: Sequence[Item],
    claim: Parcel | None,
    alone: Collection[str] = (),
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
        claim: The digest that was being sent when a host stopped, or that was put off.
        alone: Keys of entries that go by themselves, as they were begun to.
        destination: Its name.
        room: How many messages it may be sent.
        digest_above: How many notices may go one by one.
    """
    members = claim.members if claim else {}
    claimed = {(document, key) for document, keys in members.items() for key in keys}
    again = [item for item in items if (item.document, item.entry.key) in claimed]
    others = [item for item in items if item.due and (item.document, item.entry.key) not in claimed]
    together = [item.entry.key not in alone and isinstance(item.entry.notice, Notice) for item in others]
    notices = [item for item, joins in zip(others, together, strict=True) if joins]
    single = [item for item, joins in zip(others, together, strict=True) if not joins]
    first: list[Parcel] = []
    if claim is not None and any(item.due for item in again):
        first = [Parcel(claim.key, _members(again), digest=True)]
    room_left = room - len(first) - len(single)
    if len(notices) > max(1, min(digest_above, room_left)):
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
