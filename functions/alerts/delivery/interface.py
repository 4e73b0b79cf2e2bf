"""The interfaces to a destination of news, and to who writes for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from functions.alerts.outbox import Telling  # which itself needs to know what an answer is


@dataclass(frozen=True, slots=True)
class Accepted:
    """The destination has taken the message; `status` is its HTTP status."""

    status: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The destination has not taken the message.

    Attributes:
        retryable: Whether the same message may be taken later.
        retry_after_seconds: How long the destination asked to be left alone.
        reason: Why, without address or content, for example "HTTP 429".
    """

    retryable: bool
    retry_after_seconds: float | None
    reason: str


Answer = Accepted | Rejected


class Destination(Protocol):
    """Somewhere a message can be posted. Its address is a secret that no answer, error, log or repr shows."""

    def send(self, message: Mapping[str, Any], idempotency_key: str) -> Answer:
        """Post one message, once. Never raises for what the other side does.

        Args:
            message: The JSON object to post.
            idempotency_key: The same for every attempt at the same message.
        """
        ...


class Writer(Protocol):
    """Turns news into the JSON objects that one kind of destination takes. Does no I/O."""

    def one(self, telling: "Telling") -> Mapping[str, Any]:
        """Return the message that tells one piece of news.

        Raises:
            TracekeeperError: It is larger than the destination takes.
        """
        ...

    def digest(self, key: str, tellings: "Sequence[Telling]") -> Mapping[str, Any]:
        """Return one message that tells many notices at once, however many; announcements go by themselves.

        Args:
            key: The idempotency key that it is sent under.
            tellings: What it tells, at least one.
        """
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """A destination, and who writes what it takes."""

    destination: Destination
    writer: Writer
