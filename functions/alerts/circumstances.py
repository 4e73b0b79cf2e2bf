"""What bears on alerts beside what was found: the rules, the present instant, who is still to be told."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from functions.alerts.alert import Alert
from functions.alerts.rules import AlertRules

Waiting = Collection[tuple[str, str]]
"""(alert id, destination) of every notice that waits in an outbox."""


def nobody(alert: Alert) -> tuple[str, ...]:  # noqa: ARG001 - as Circumstances.quieted is called
    """Return that nothing keeps the alert quiet."""
    return ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a step of alerts' lives is decided by.

    Attributes:
        rules: When people are told, and who.
        now: The present instant, UTC.
        waiting: What waits in the outbox of the alerts' document.
        quieted: Returns the names of what keeps an alert quiet now: silences in force, and inhibitions.
    """

    rules: AlertRules
    now: datetime
    waiting: Waiting = frozenset()
    quieted: Callable[[Alert], tuple[str, ...]] = nobody
