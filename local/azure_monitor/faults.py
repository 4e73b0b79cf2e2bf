"""Faults of the real service that a test or a demonstration asks the stand-in to show.

Those of a kind are met by so many queries. The others last until they are ended: a protected table, rows that
come late, content that is routed otherwise or on another plan.
"""

import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, get_args

Kind = Literal["throttled", "timeout", "unavailable", "partial", "refused"]
"""429, 504, 503, 200 with an error inside and half of the rows, 403."""

PROTECTED_TABLE = "AppGenAIContent"
"""What a reader without the role Privileged Monitoring Data Reader sees no row of, and gets no error for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that waits for queries.

    Attributes:
        kind: What the query meets.
        times: How many queries still meet it.
        matching: A part of the text of the queries that meet it; "" is any query.
        retry_after: Seconds for the Retry-After header, None for no header.
    """

    kind: Kind
    times: int = 1
    matching: str = ""
    retry_after: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind) or self.times < 1:
            message = f"no such fault: {self.kind!r}, {self.times} times"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Lasting:
    """What is wrong until it is ended.

    Attributes:
        protected: Whether `PROTECTED_TABLE` is protected and its reader lacks the role.
        late_minutes: How much later than the others late rows can be queried.
        late_every: Each so many-th row is late: 1 for all, 20 for 5 %.
        content_inline: Whether GenAI content stays in Properties, as after an opt-out.
        content_basic: Whether AppGenAIContent is on the Basic plan.
    """

    protected: bool = False
    late_minutes: float = 0.0
    late_every: int = 1
    content_inline: bool = False
    content_basic: bool = False

    def __post_init__(self) -> None:
        if self.late_minutes < 0 or self.late_every < 1:
            message = "rows come late by no less than no time, and at most all of them"
            raise ValueError(message)

    @property
    def hidden(self) -> frozenset[str]:
        """The tables that answer with no rows."""
        return frozenset({PROTECTED_TABLE} if self.protected else ())

    @property
    def late_by(self) -> timedelta:
        """`late_minutes` as a length."""
        return timedelta(minutes=self.late_minutes)


class Faults:
    """The faults that are waiting, the oldest first, and those that last. Safe to use from several threads.

    Attributes:
        lasting: What is wrong until it is ended; put another value there.
    """

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()
        self.lasting = Lasting()

    def add(self, kind: Kind, *, times: int = 1, matching: str = "", retry_after: int | None = None) -> None:
        """Let the next `times` queries whose text contains `matching` meet a fault.

        Raises:
            ValueError: There is no such kind, or `times` is below one.
        """
        with self._lock:
            self._waiting.append(Fault(kind, times, matching, retry_after))

    def take(self, query: str) -> Fault | None:
        """Return the fault that this query meets, and count it as met."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if fault.matching in query:
                    left = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                    self._waiting[index : index + 1] = left
                    return fault
        return None
