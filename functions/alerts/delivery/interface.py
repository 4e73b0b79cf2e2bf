"""The interfaces to a destination of news and to who writes for it, and what an HTTP answer means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from functions.alerts.outbox import Telling  # which itself needs to know what an answer is

RETRYABLE_STATUSES = frozenset({408, 425, 429})
"""4xx that say "later", not "never" (RFC 9110 15.5.9, RFC 8470, RFC 6585); so does every 5xx."""


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
        """Return one message that tells many pieces of news at once, of however many and whatever size.

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


def answer_of(status: int, retry_after: str | None, now: datetime) -> Answer:
    """Return what a status means: 2xx is accepted; 408, 425, 429 and 5xx may be sent again; all else may not.

    Args:
        status: The HTTP status.
        retry_after: The Retry-After header, in seconds or as a date (RFC 9110 10.2.3); nonsense is ignored.
        now: What a date is counted from.
    """
    if 200 <= status < 300:
        return Accepted(status)
    retryable = status in RETRYABLE_STATUSES or status >= 500
    return Rejected(retryable, _seconds(retry_after, now) if retryable else None, f"HTTP {status}")


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
