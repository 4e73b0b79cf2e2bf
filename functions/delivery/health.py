"""Decides whether a destination is to be left alone: it asked for time, or has failed too often. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from functions.alerts.answer import Accepted, Answer, Rejected
from functions.delivery.record import Loss, Record

LONGEST_REST = timedelta(hours=1)
"""A destination that asks for more is asked again sooner: an alert isn't put off for a day by one header."""

OPEN_AFTER = 3
"""Failed attempts in a row that open the circuit."""
FIRST_OPEN = timedelta(minutes=1)
LONGEST_OPEN = timedelta(minutes=15)

MAX_LOSSES = 50
"""Losses kept with a destination, the latest ones."""


def is_left_alone(record: Record, now: datetime) -> bool:
    """Return whether nothing is sent now. What lies too far ahead comes from a clock that was wrong."""
    return _ahead(record.resting_until, now, LONGEST_REST) or _ahead(record.open_until, now, LONGEST_OPEN)


def is_tried(record: Record) -> bool:
    """Return whether the circuit is open or half open: once it is not left alone, one message tries it."""
    return record.failures >= OPEN_AFTER


def after_answer(record: Record, answer: Answer, now: datetime, jitter: float) -> Record:
    """Return the record after an attempt.

    Args:
        record: What was remembered before.
        answer: What came back.
        now: When.
        jitter: A random number in [0, 1): the circuit stays open between half of a time and all of it.
    """
    if isinstance(answer, Accepted):
        return replace(
            record, failures=0, failing_since=None, resting_until=None, open_until=None, accepted_at=now
        )
    if not answer.retryable:
        # It works: it has looked at the message, and does not want it.
        return replace(record, failures=0, failing_since=None, resting_until=None, open_until=None)
    failing = replace(record, failing_since=record.failing_since or now)
    if answer.retry_after_seconds is not None:
        rest = min(answer.retry_after_seconds, LONGEST_REST.total_seconds())
        return replace(failing, resting_until=now + timedelta(seconds=rest))
    failures = record.failures + 1
    opened = None
    if failures >= OPEN_AFTER:
        longest = min(FIRST_OPEN * 2 ** min(failures - OPEN_AFTER, 10), LONGEST_OPEN)
        opened = now + longest * (0.5 + jitter / 2)
    return replace(failing, failures=failures, open_until=opened)


def with_loss(record: Record, answer: Rejected, count: int, now: datetime) -> Record:
    """Return the record with so many more messages lost."""
    return replace(record, losses=(*record.losses, Loss(now, count, answer.reason))[-MAX_LOSSES:])


def _ahead(until: datetime | None, now: datetime, longest: timedelta) -> bool:
    return until is not None and now < until <= now + longest
