"""The interface to telemetry: one bounded KQL query in, all of its rows out, or an error."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Cell = str | int | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Rows:
    """A complete query result.

    Attributes:
        columns: Column names in order.
        rows: The cells of each row in the order of `columns`. Datetimes are UTC-aware;
            `dynamic` and `decimal` cells arrive as JSON text.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

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
