"""Stands for a destination without an address: it takes nothing, and says by name what has to be set."""

from collections.abc import Mapping
from typing import Any

from functions.alerts.answer import Rejected


class UnaddressedDestination:
    """Refuses every message for good, so that the others tell of it at once; see Destination.

    Args:
        reason: Which setting is missing or unusable; never its value.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def send(self, message: Mapping[str, Any], idempotency_key: str) -> Rejected:  # noqa: ARG002 - the interface's
        """Return why it was not sent."""
        return Rejected(retryable=False, retry_after_seconds=None, reason=self._reason)
