"""The interface to telemetry: one bounded KQL query in, all of its rows out, or an error."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

Cell = str | int | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class AskingCost:
    """What one question took.

    Attributes:
        rows: Rows of its answer; 0 where none came.
        seconds: How long the engine worked; None where it isn't reported.
        bytes_read: Stored data that was read for it; None where it isn't reported.
        questions: How many this is the sum of.
    """

    rows: int = 0
    seconds: float | None = None
    bytes_read: int | None = None
    questions: int = 1

    def __add__(self, other: "AskingCost") -> "AskingCost":
        """Return what both took; what one of them does not tell is not known of both."""
        return AskingCost(
            self.rows + other.rows,
            None if self.seconds is None or other.seconds is None else self.seconds + other.seconds,
            None
            if self.bytes_read is None or other.bytes_read is None
            else self.bytes_read + other.bytes_read,
            self.questions + other.questions,
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """A complete query result.

    Attributes:
        columns: Column names in order.
        rows: The cells of each row in the order of `columns`. Datetimes are UTC-aware;
            `dynamic` and `decimal` cells arrive as JSON text.
        seconds: How long the engine worked, as far as it is reported; no part of what the answer says.
        bytes_read: Stored data that was read for it, likewise.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    seconds: float | None = field(default=None, compare=False)
    bytes_read: int | None = field(default=None, compare=False)

    @property
    def asking(self) -> AskingCost:
        """What it took to get this answer."""
        return AskingCost(len(self.rows), self.seconds, self.bytes_read)

    def records(self) -> list[dict[str, Cell]]:
        """Return the rows as dictionaries."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class TraceSource(Protocol):
    """Where traces come from. Safe to call from several threads."""

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        """Run one query over rows whose TimeGenerated lies in [since, until].

        Raises:
            SourceError: Anything but a complete answer; partial rows are never returned.
        """
        ...
