"""Keeps what a check's questions took, a UTC day each, so that its load and its bill can be told."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from functions.checks.coverage import KEPT
from functions.traces.source import AskingCost


@dataclass(frozen=True, slots=True)
class Asked:
    """What some questions took together.

    Attributes:
        queries: Questions, answered or not. What the client asks again by itself counts once.
        rows: Rows of their answers.
        seconds: Time of the engine, of those questions whose answer tells it.
        timed: How many those are.
        bytes_read: Stored data read, of those questions whose answer tells it.
        measured: How many those are.
    """

    queries: int = 0
    rows: int = 0
    seconds: float = 0.0
    timed: int = 0
    bytes_read: int = 0
    measured: int = 0

    def __add__(self, other: "Asked") -> "Asked":
        return Asked(
            self.queries + other.queries,
            self.rows + other.rows,
            round(self.seconds + other.seconds, 6),
            self.timed + other.timed,
            self.bytes_read + other.bytes_read,
            self.measured + other.measured,
        )


def asked(cost: AskingCost) -> Asked:
    """Return what a cost counts for."""
    return Asked(
        queries=cost.questions,
        rows=cost.rows,
        seconds=cost.seconds or 0.0,
        timed=0 if cost.seconds is None else cost.questions,
        bytes_read=cost.bytes_read or 0,
        measured=0 if cost.bytes_read is None else cost.questions,
    )


@dataclass(frozen=True, slots=True)
class AskedDay:
    """What was asked on one UTC day."""

    day: date
    asked: Asked = field(default_factory=Asked)


@dataclass(frozen=True, slots=True)
class AskingRecord:
    """The days of one check in which it asked, oldest first; those older than `KEPT` are forgotten."""

    days: tuple[AskedDay, ...] = ()

    def after(self, cost: AskingCost | None, at: datetime) -> "AskingRecord":
        """Return the record once questions were asked at an instant; the same where None was asked."""
        if cost is None:
            return self
        today = at.astimezone(UTC).date()
        earlier = self.days
        newest = AskedDay(today)
        if earlier and earlier[-1].day >= today:  # a clock that goes backwards counts to the newest day
            earlier, newest = earlier[:-1], earlier[-1]
        newest = AskedDay(newest.day, newest.asked + asked(cost))
        return AskingRecord((*(one for one in earlier if one.day > today - KEPT), newest))

    def total(self, first: date, last: date) -> Asked:
        """Return what was asked from one day to another, both included."""
        return sum((one.asked for one in self.days if first <= one.day <= last), Asked())

    def to_json(self) -> list[dict[str, Any]]:
        """Return the days as JSON values: seconds and bytes are null where no answer told them."""
        return [{"day": one.day.isoformat()} | _json(one.asked) for one in self.days]


def asking_from_json(body: Iterable[Mapping[str, Any]]) -> AskingRecord:
    """Read back what `AskingRecord.to_json` wrote."""
    return AskingRecord(
        tuple(
            AskedDay(
                date.fromisoformat(one["day"]),
                Asked(
                    queries=one["queries"],
                    rows=one["rows"],
                    seconds=one["seconds"] or 0.0,
                    timed=one["timed"],
                    bytes_read=one["bytes_read"] or 0,
                    measured=one["measured"],
                ),
            )
            for one in body
        )
    )


def _json(total: Asked) -> dict[str, Any]:
    told = {"seconds": total.timed, "bytes_read": total.measured}
    return {name: value if told.get(name, 1) else None for name, value in asdict(total).items()}
