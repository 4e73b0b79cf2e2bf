"""What comes back when a message is posted to a destination."""

from dataclasses import dataclass


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
