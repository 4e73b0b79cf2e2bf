"""Keeps what each question to a source took, also where no answer came."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import add

from functions.traces.source import AskingCost, Rows, TraceSource


class Metered:
    """A TraceSource that asks another and adds what each question took to a list."""

    def __init__(self, source: TraceSource, spent: list[AskingCost]) -> None:
        self._source = source
        self._spent = spent

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        """Ask. Raises as the source does."""
        try:
            rows = self._source.query(kql, since=since, until=until)
        except Exception:
            self._spent.append(AskingCost())
            raise
        self._spent.append(rows.asking)
        return rows


def total(spent: Sequence[AskingCost]) -> AskingCost | None:
    """Return what questions took together; None where none was asked."""
    return reduce(add, spent) if spent else None
