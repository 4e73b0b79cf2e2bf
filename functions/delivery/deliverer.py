"""Delivers to one destination: takes its lease, reserves, sends, and writes every answer down twice.

Each final answer goes into the destination's record before the next send, and from there into the documents
whose entries it is about, once for all of them. A crash between an acceptance and its note sends that one
message once more, under the same idempotency key; a crash after it sends nothing more.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from uuid import uuid4

from functions.alerts import outbox
from functions.alerts.answer import Accepted, Rejected
from functions.alerts.outbox import Entry, Response
from functions.delivery import budget, health, lease
from functions.delivery.boxes import Boxes
from functions.delivery.parcels import Item, begun, is_dead, parcels
from functions.delivery.posting import Posting
from functions.delivery.record import Answered, Parcel, Record
from functions.errors import StorageError
from functions.storage.documents import Documents

MOST_ROUNDS = 5
"""In one tick: after a message that tries the destination, or a digest, more may be due."""

MOST_ALONE = 1_000
"""Keys kept of what was begun to be sent one by one: of a document that was deleted nobody hears any more."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Delivers to one destination.

    Attributes:
        destination: Its name.
        documents: Where its record is.
        boxes: What waits.
        posting: Writes and posts a message.
        digest_above: More notices than this at once go as one digest.
        clock: The present instant, UTC.
        jitter: Random numbers in [0, 1) that spread retries.
        pause: Waits for so many seconds.
        answers: How many messages were accepted and put off, and how many entries refused.
    """

    destination: str
    documents: Documents
    boxes: Boxes
    posting: Posting
    digest_above: int
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    pause: Callable[[float], None]
    answers: Counter[str] = field(default_factory=Counter)

    def deliver(self, names: Collection[str]) -> None:
        """Send what is due of what waits in the documents `names`, as they are once the lease is had.

        Raises:
            LeaseLost: Another host goes on; what was sent is on record.
            StorageError: The destination's record could not be read or written.
        """
        held = lease.take(
            self.documents, self.destination, wanted=self._wanted, holder=uuid4().hex, clock=self.clock
        )
        if held is None:
            return
        try:
            for _ in range(MOST_ROUNDS):
                if not self._round(held, names):
                    break
        except Exception:
            lease.let_go(held)
            raise
        held.release(lambda record: record)

    def _wanted(self, record: Record) -> bool:
        return bool(record.answers) or not health.is_left_alone(record, self.clock())

    def _round(self, held: lease.HeldRecord, names: Collection[str]) -> bool:
        """Settle what is on record, send what is due; return whether there may be more."""
        self._settle(held, held.record.answers)
        now = self.clock()
        if health.is_left_alone(held.record, now):
            return False
        items, read = self._items(held.record, names)
        dead = [item for item in items if is_dead(item.entry, held.record, now)]
        self._bury(held, dead)
        alive = [item for item in items if item not in dead] if dead else items
        sending, slots = self._plan(held.record, alive, read)
        if not sending:
            return False
        entries = {(item.document, item.entry.key): item.entry for item in alive}
        held.change(partial(_reserved, parcels=sending, slots=slots, now=now))
        answered: list[Answered] = []
        try:
            all_accepted = self._send(held, sending, slots, entries, answered)
        except Exception:
            self._settle(held, answered)
            raise
        self._settle(held, answered)
        return all_accepted and len(alive) > sum(parcel.size for parcel in sending)

    def _items(self, record: Record, names: Collection[str]) -> tuple[list[Item], set[str]]:
        """Return what waits for the destination, without what was answered already, and where it was read.

        What was tried less often comes first, so that a message that is never taken holds up no other; then
        what is older. A document that can't be read keeps what it has.
        """
        over = {
            (document, key)
            for one in record.answers
            for document, keys in one.parcel.members.items()
            for key in keys
        }
        found: list[Item] = []
        read: set[str] = set()
        claimed = record.claim.members if record.claim else ()
        for name in self.boxes.are_ours({*names, *claimed}):
            try:
                held = self.boxes.read(name)
            except StorageError as error:
                _log.error("What waits in %s can't be delivered: %s", name, error)
                continue
            read.add(name)
            due = {(one.key, one.destination) for one in outbox.due(held, self.clock())}
            found += (
                Item(name, one, due=(one.key, one.destination) in due)
                for one in held.waiting
                if one.destination == self.destination and (name, one.key) not in over
            )
        return sorted(found, key=lambda item: (item.entry.attempts, item.entry.notice.at)), read

    def _plan(
        self, record: Record, items: Sequence[Item], read: Collection[str]
    ) -> tuple[Sequence[Parcel], Sequence[datetime]]:
        now = self.clock()
        slots = budget.slots(record.sent, now, sum(item.due for item in items))
        sending = parcels(
            items,
            begun(record, read, now),
            destination=self.destination,
            room=len(slots),
            digest_above=self.digest_above,
        )
        if health.is_tried(record):
            sending = sending[:1]
        return sending, slots[: len(sending)]

    def _send(
        self,
        held: lease.HeldRecord,
        sending: Sequence[Parcel],
        slots: Sequence[datetime],
        entries: Mapping[tuple[str, str], Entry],
        answered: list[Answered],
    ) -> bool:
        """Send one after another, each in its time, until one is put off; note each answer."""
        for number, (parcel, slot) in enumerate(zip(sending, slots, strict=True), start=1):
            self.pause(max(0.0, (slot - self.clock()).total_seconds()))
            members = [
                (self.boxes.check_of(document), entries[document, key])
                for document, keys in parcel.members.items()
                for key in keys
            ]
            posted = self.posting.post(parcel, members)
            one = Answered(parcel, posted.answer, self.clock())
            answered.append(one)
            self._count(one)
            stops = isinstance(one.answer, Rejected) and one.answer.retryable and not posted.by_us
            unused = slots[number:] if stops else ()
            held.note(partial(_noted, one=one, by_us=posted.by_us, unused=unused, jitter=self.jitter()))
            if stops:
                return False
        return True

    def _bury(self, held: lease.HeldRecord, dead: Sequence[Item]) -> None:
        """Give up what has waited for too long: it is on record as refused, and another route tells of it."""
        if not dead:
            return
        now = self.clock()
        lost = Rejected(retryable=False, retry_after_seconds=None, reason="not accepted within a day")
        buried = [
            Answered(
                Parcel(item.entry.key, {item.document: (item.entry.key,)}, digest=False),
                replace(lost, reason=f"{lost.reason}; last: {item.entry.reason or 'never tried'}"),
                now,
            )
            for item in dead
        ]
        self.answers["refused"] += len(buried)
        _log.error("%s: %s messages were %s.", self.destination, len(buried), lost.reason)
        held.change(lambda record: health.with_loss(_no_longer_alone(record, buried), lost, len(buried), now))
        self._settle(held, buried)

    def _settle(self, held: lease.HeldRecord, answered: Collection[Answered]) -> None:
        """Write answers into the documents that they are about, and forget those that are there."""
        by_document: dict[str, dict[str, Response]] = {}
        for one in answered:
            for document, keys in one.parcel.members.items():
                response = Response(one.answer, one.at, one.parcel.key if one.parcel.digest else None)
                by_document.setdefault(document, {}).update(dict.fromkeys(keys, response))
        left: set[str] = set()
        for document, responses in by_document.items():
            try:
                self.boxes.settle(document, self.destination, responses, jitter=self.jitter())
            except StorageError as error:
                _log.error("Answers to what waits in %s stay on record elsewhere: %s", document, error)
                left.add(document)
        settled = {one.parcel.key for one in answered if left.isdisjoint(one.parcel.members)}
        if any(one.parcel.key in settled for one in held.record.answers):
            held.note(lambda record: _without_answers(record, settled))

    def _count(self, one: Answered) -> None:
        if isinstance(one.answer, Accepted):
            self.answers["accepted"] += 1
            return
        self.answers["put_off" if one.answer.retryable else "refused"] += 1
        level = logging.WARNING if one.answer.retryable else logging.ERROR
        _log.log(level, "%s did not take %s: %s", self.destination, one.parcel.key, one.answer.reason)


def _reserved(
    record: Record,
    *,
    parcels: Sequence[Parcel],
    slots: Sequence[datetime],
    now: datetime,
) -> Record:
    digest = next((parcel for parcel in parcels if parcel.digest), None)
    if digest is not None:
        again = record.claim is not None and record.claim.key == digest.key
        record = replace(record, claim=digest, claimed_at=record.claimed_at if again else now)
    singles = {parcel.key for parcel in parcels if not parcel.digest}
    alone = tuple(sorted(singles.union(record.alone)))[-MOST_ALONE:]
    return replace(record, sent=(*budget.remembered(record.sent, now), *slots), alone=alone)


def _noted(
    record: Record, *, one: Answered, by_us: bool, unused: Sequence[datetime], jitter: float
) -> Record:
    """Return the record with an answer; one that is our own failure says nothing about the destination."""
    sent = list(record.sent)
    for slot in unused:
        sent.remove(slot)
    record = replace(record, sent=tuple(sent))
    if not by_us:
        record = health.after_answer(record, one.answer, one.at, jitter)
    final = isinstance(one.answer, Accepted) or not one.answer.retryable
    if final or by_us:
        record = _no_longer_alone(record, [one])
        if record.claim and record.claim.key == one.parcel.key:
            record = replace(record, claim=None, claimed_at=None)
    if isinstance(one.answer, Rejected) and not one.answer.retryable:
        record = health.with_loss(record, one.answer, one.parcel.size, one.at)
    return replace(record, answers=(*record.answers, one)) if final else record


def _no_longer_alone(record: Record, answered: Collection[Answered]) -> Record:
    over = {one.parcel.key for one in answered}
    return replace(record, alone=tuple(key for key in record.alone if key not in over))


def _without_answers(record: Record, keys: Collection[str]) -> Record:
    return replace(record, answers=tuple(one for one in record.answers if one.parcel.key not in keys))
