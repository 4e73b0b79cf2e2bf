"""The interfaces to a destination of news, and to who writes for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from functions.alerts.answer import Answer
from functions.alerts.outbox import Telling


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

    def one(self, telling: Telling) -> Mapping[str, Any]:
        """Return the message that tells one piece of news.

        Raises:
            TracekeeperError: It is larger than the destination takes.
        """
        ...

    def digest(self, key: str, tellings: Sequence[Telling]) -> Mapping[str, Any]:
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
