"""A TraceSource that answers from a script and remembers what it was asked."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from functions.traces.source import Rows


@dataclass(frozen=True, slots=True)
class Asked:
    """One query as the source received it."""

    kql: str
    since: datetime
    until: datetime


Answer = Rows | Exception
Script = Iterable[Answer] | Callable[[Asked], Answer]


class ScriptedSource:
    """Gives the next answer of a list, or what a callable makes of the query; raises those that are errors.

    Attributes:
        asked: Every query so far, in order.
    """

    def __init__(self, script: Script) -> None:
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        self._answer = script if callable(script) else _next_of(script)

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        if since >= until:
            raise ValueError("a query is bounded: since must lie before until")
        asked = Asked(kql, since, until)
        with self._lock:
            self.asked.append(asked)
            answer = self._answer(asked)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _next_of(answers: Iterable[Answer]) -> Callable[[Asked], Answer]:
    remaining = iter(answers)

    def answer(asked: Asked) -> Answer:
        try:
            return next(remaining)
        except StopIteration:
            raise AssertionError(f"the script has no answer left for: {asked.kql[:200]}") from None

    return answer
