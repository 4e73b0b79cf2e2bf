"""What the document `deliveries/<destination>` holds, and how it is written. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.alerts.answer import Accepted, Answer, Rejected
from functions.alerts.records import Json, instant, instant_text
from functions.storage.versioned import understood

FORMAT = 1
"""Rises when a body is written that earlier versions would misread."""

PREFIX = "deliveries/"
"""Document names are this and the destination's name."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Which host delivers to the destination, and until when nobody else does."""

    holder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes as one message.

    Attributes:
        key: Its idempotency key.
        members: The keys of the outbox entries that it tells, by the documents that they wait in.
        digest: Whether it tells them together; else it has one member, whose key is its own.
    """

    key: str
    members: Mapping[str, tuple[str, ...]]
    digest: bool

    @property
    def size(self) -> int:
        """How many entries it tells."""
        return sum(map(len, self.members.values()))


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back for a parcel, and when."""

    parcel: Parcel
    answer: Answer
    at: datetime


@dataclass(frozen=True, slots=True)
class Loss:
    """Messages that the destination will never be sent again: refused, or not accepted within a day."""

    at: datetime
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """All that is remembered of a destination.

    Attributes:
        lease: None while nobody delivers.
        sent: When messages of the last hour were sent or are going to be, in order.
        resting_until: It asked to be left alone till then.
        failures: Failed attempts since the last accepted one.
        failing_since: When the first of them was.
        open_until: Its circuit is open till then; after that one message tries it.
        accepted_at: When it last accepted something.
        claim: The digest that is being sent.
        claimed_at: Since when it is.
        alone: Keys of entries that were begun to be sent one by one: they go so again, since what a crash
            makes to be sent twice must come under the same key.
        answers: Final answers that are not yet in all their entries' documents.
        losses: The latest ones, oldest first.
    """

    lease: Lease | None = None
    sent: tuple[datetime, ...] = ()
    resting_until: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    open_until: datetime | None = None
    accepted_at: datetime | None = None
    claim: Parcel | None = None
    claimed_at: datetime | None = None
    alone: tuple[str, ...] = ()
    answers: tuple[Answered, ...] = ()
    losses: tuple[Loss, ...] = ()


def record_to_json(record: Record) -> Json:
    """Return a document body."""
    return {
        "format": FORMAT,
        "lease": record.lease and {"holder": record.lease.holder, "until": instant_text(record.lease.until)},
        "sent": [instant_text(at) for at in record.sent],
        "resting_until": _text(record.resting_until),
        "failures": record.failures,
        "failing_since": _text(record.failing_since),
        "open_until": _text(record.open_until),
        "accepted_at": _text(record.accepted_at),
        "claim": record.claim and _parcel_json(record.claim),
        "claimed_at": _text(record.claimed_at),
        "alone": list(record.alone),
        "answers": [_answered_json(one) for one in record.answers],
        "losses": [
            {"at": instant_text(one.at), "count": one.count, "reason": one.reason} for one in record.losses
        ],
    }


def record_from_json(name: str, body: Mapping[str, Any]) -> Record:
    """Read the body of the document `name`.

    Raises:
        StorageError: A newer version wrote it, or it isn't such a body.
    """
    return understood(
        name,
        body,
        _read,
        newest=FORMAT,
        holds="a destination's record",
        next_step="Delete it: what waits is sent, and what was sent last perhaps once more.",
    )


def _read(body: Mapping[str, Any]) -> Record:
    lease, claim = body["lease"], body["claim"]
    return Record(
        lease=lease and Lease(lease["holder"], instant(lease["until"])),
        sent=tuple(map(instant, body["sent"])),
        resting_until=_instant(body["resting_until"]),
        failures=int(body["failures"]),
        failing_since=_instant(body["failing_since"]),
        open_until=_instant(body["open_until"]),
        accepted_at=_instant(body["accepted_at"]),
        claim=claim and _read_parcel(claim),
        claimed_at=_instant(body.get("claimed_at")),
        alone=tuple(body.get("alone", ())),
        answers=tuple(map(_read_answered, body["answers"])),
        losses=tuple(Loss(instant(one["at"]), one["count"], one["reason"]) for one in body["losses"]),
    )


def _parcel_json(parcel: Parcel) -> Json:
    members = {document: list(keys) for document, keys in parcel.members.items()}
    return {"key": parcel.key, "members": members, "digest": parcel.digest}


def _read_parcel(body: Json) -> Parcel:
    members = {document: tuple(keys) for document, keys in body["members"].items()}
    return Parcel(body["key"], members, body["digest"])


def _answered_json(one: Answered) -> Json:
    accepted = isinstance(one.answer, Accepted)
    return {
        "parcel": _parcel_json(one.parcel),
        "at": instant_text(one.at),
        "status": one.answer.status if isinstance(one.answer, Accepted) else None,
        "reason": None if accepted else one.answer.reason,  # type: ignore[union-attr]  # the other kind
    }


def _read_answered(body: Json) -> Answered:
    status = body["status"]
    answer = Rejected(False, None, body["reason"]) if status is None else Accepted(status)  # noqa: FBT003
    return Answered(_read_parcel(body["parcel"]), answer, instant(body["at"]))


def _text(at: datetime | None) -> str | None:
    return instant_text(at) if at else None


def _instant(text: str | None) -> datetime | None:
    return instant(text) if text else None
