"""Decides when a destination may be sent its next messages, so that it gets no more than it takes. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

LIMITS = ((4, timedelta(seconds=1)), (60, timedelta(seconds=30)), (100, timedelta(hours=1)))
"""At most so many messages in any stretch of that length. Documented for Teams' connectors; nothing is for
Workflows (https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using)."""

HORIZON = timedelta(seconds=20)
"""How far ahead an instant is reserved: a tick waits for it."""


def slots(sent: Sequence[datetime], now: datetime, wanted: int) -> tuple[datetime, ...]:
    """Return the next instants at which messages may be sent: as many as are wanted, or fewer.

    Args:
        sent: When messages were sent or are going to be, in order.
        now: The present instant.
        wanted: How many are.
    """
    taken = list(remembered(sent, now))
    free: list[datetime] = []
    at = max([now, *taken[-1:]])
    while len(free) < wanted:
        at = max([at, *(taken[-most] + stretch for most, stretch in LIMITS if len(taken) >= most)])
        if at > now + HORIZON:
            break
        free.append(at)
        taken.append(at)
    return tuple(free)


def remembered(sent: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    """Return those that still count; one far ahead comes from a clock that was wrong."""
    longest = max(stretch for _, stretch in LIMITS)
    return tuple(at for at in sent if now - longest < at <= now + HORIZON)
