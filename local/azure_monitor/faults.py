"""Faults of the real service that a test or a demonstration asks the stand-in to show."""

import threading
from dataclasses import dataclass, replace
from typing import Literal, get_args

Kind = Literal["throttled", "timeout", "unavailable", "partial", "refused"]
"""429, 504, 503, 200 with an error inside and half of the rows, 403."""


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


class Faults:
    """The faults that are waiting, the oldest first. Safe to use from several threads."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

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
