"""Keeps what a check's questions took, a UTC day each, so that its load and its bill can be told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from functions.checks.coverage import KEPT
from functions.traces.source import AskingCost


@dataclass(frozen=True, slots=True)
class AskedDay:
    """What was asked in one UTC day.

    Attributes:
        day: The day.
        queries: Questions, answered or not. What the client asks again by itself counts once.
        rows: Rows of their answers.
        seconds: Time of the engine, of those questions whose answer tells it.
        timed: How many those are.
        bytes_read: Stored data read, of those questions whose answer tells it.
        measured: How many those are.
    """

    day: date
    queries: int = 0
    rows: int = 0
    seconds: float = 0.0
    timed: int = 0
    bytes_read: int = 0
    measured: int = 0

    def after(self, cost: AskingCost) -> "AskedDay":
        """Return the day with one question more."""
        return AskedDay(
            self.day,
            self.queries + 1,
            self.rows + cost.rows,
            round(self.seconds + (cost.seconds or 0.0), 6),
            self.timed + (cost.seconds is not None),
            self.bytes_read + (cost.bytes_read or 0),
            self.measured + (cost.bytes_read is not None),
        )


@dataclass(frozen=True, slots=True)
class AskingRecord:
    """The days of one check in which it asked, oldest first; those older than `KEPT` are forgotten."""

    days: tuple[AskedDay, ...] = ()

    def after(self, cost: AskingCost | None, at: datetime) -> "AskingRecord":
        """Return the record once a question was asked at an instant; the same where None was asked."""
        if cost is None:
            return self
        today = at.astimezone(UTC).date()
        earlier = self.days
        newest = AskedDay(today)
        if earlier and earlier[-1].day >= today:  # a clock that goes backwards counts to the newest day
            earlier, newest = earlier[:-1], earlier[-1]
        return AskingRecord((*(one for one in earlier if one.day > today - KEPT), newest.after(cost)))

    def since(self, first: date) -> "AskingRecord":
        """Return the record from a day on."""
        return AskingRecord(tuple(one for one in self.days if one.day >= first))

    def to_json(self) -> list[dict[str, Any]]:
        """Return the days as JSON values: seconds and bytes are null where no answer told them."""
        return [
            {
                "day": one.day.isoformat(),
                "queries": one.queries,
                "rows": one.rows,
                "seconds": one.seconds if one.timed else None,
                "timed": one.timed,
                "bytes_read": one.bytes_read if one.measured else None,
                "measured": one.measured,
            }
            for one in self.days
        ]


def asking_from_json(body: Iterable[Mapping[str, Any]]) -> AskingRecord:
    """Read back what `AskingRecord.to_json` wrote."""
    return AskingRecord(
        tuple(
            AskedDay(
                date.fromisoformat(one["day"]),
                one["queries"],
                one["rows"],
                one["seconds"] or 0.0,
                one["timed"],
                one["bytes_read"] or 0,
                one["measured"],
            )
            for one in body
        )
    )
