"""A destination in memory; passes the same suite as a webhook (tests/contract/test_destinations.py)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.alerts.answer import Accepted, Answer, Rejected
from functions.delivery.destinations.answers import answer_of


@dataclass(frozen=True, slots=True)
class Reply:
    """How the other side answers one message; status None breaks the connection."""

    status: int | None
    retry_after: str | None = None
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class Posted:
    """One message as it arrived."""

    message: Mapping[str, Any]
    idempotency_key: str


class MemoryDestination:
    """Gives the next of `replies`, 202 once there are none left.

    Attributes:
        posted: Every message that arrived, in order, taken or not.
        accepted: Those that were taken.
    """

    def __init__(self, replies: Iterable[Reply] = (), *, clock: Callable[[], datetime]) -> None:
        self.posted: list[Posted] = []
        self.accepted: list[Posted] = []
        self._replies = iter(replies)
        self._clock = clock

    def send(self, message: Mapping[str, Any], idempotency_key: str) -> Answer:
        reply = next(self._replies, Reply(202))
        if reply.status is None:
            return Rejected(retryable=True, retry_after_seconds=None, reason="ConnectionError")
        posted = Posted(message, idempotency_key)
        self.posted.append(posted)
        answer = answer_of(reply.status, reply.retry_after, self._clock(), reply.text)
        if isinstance(answer, Accepted):
            self.accepted.append(posted)
        return answer
