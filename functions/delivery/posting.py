"""Writes one message and posts it, whatever goes wrong on either side."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.alerts.answer import Answer, Rejected
from functions.alerts.outbox import Entry, Telling
from functions.checks.definition import CheckDefinition
from functions.delivery.interface import Channel
from functions.delivery.record import Parcel
from functions.errors import TracekeeperError


@dataclass(frozen=True, slots=True)
class Posted:
    """What came back, and whether it is our own failure: then the destination was not even asked."""

    answer: Answer
    by_us: bool = False


@dataclass(frozen=True, slots=True)
class Posting:
    """Posts through a channel; None where the destination is not configured (any more)."""

    channel: Channel | None

    def post(self, parcel: Parcel, members: Sequence[tuple[CheckDefinition | None, Entry]]) -> Posted:
        """Send a parcel once.

        Args:
            parcel: What goes as one message.
            members: The entries that it tells, each with its check.
        """
        if self.channel is None:
            return _ours("the destination is not configured")
        tellings = [Telling(entry.notice, check) for check, entry in members]
        try:
            writer = self.channel.writer
            message = writer.digest(parcel.key, tellings) if parcel.digest else writer.one(tellings[0])
        except Exception as error:  # noqa: BLE001 - it waits for a version or a text that can write it
            ours = isinstance(error, TracekeeperError)
            return _ours(str(error) if ours else f"no message: {type(error).__name__}")
        try:
            return Posted(self.channel.destination.send(message, parcel.key))
        except Exception as error:  # noqa: BLE001 - one destination's bug must not stop the others
            return Posted(Rejected(retryable=True, retry_after_seconds=None, reason=type(error).__name__))


def _ours(reason: str) -> Posted:
    return Posted(Rejected(retryable=True, retry_after_seconds=None, reason=reason), by_us=True)
