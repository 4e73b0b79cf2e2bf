"""What the document `weekly_summary` holds: which week was told of last, and who is about to tell of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from functions.alerts.records import instant, instant_text
from functions.storage.versioned import understood

DOCUMENT = "weekly_summary"

FORMAT = 1
"""Rises when a body is written that earlier versions would misread."""


@dataclass(frozen=True, slots=True)
class Told:
    """How far the weekly summaries have come.

    Attributes:
        last: The day of the last summary made, or the latest day before the watch began.
        claimed_until: Till then one host is making the next one, and no other begins; None where none is.
    """

    last: date
    claimed_until: datetime | None = None


def told_json(told: Told) -> dict[str, Any]:
    """Return the document's body."""
    return {
        "format": FORMAT,
        "last": told.last.isoformat(),
        "claimed_until": told.claimed_until and instant_text(told.claimed_until),
    }


def read_told(body: Mapping[str, Any]) -> Told:
    """Read the document's body.

    Raises:
        StorageError: A newer version wrote it, or it isn't such a body.
    """
    return understood(
        DOCUMENT,
        body,
        _read,
        newest=FORMAT,
        holds="what was told of weeks",
        next_step="Delete it: the next summary comes at its time.",
    )


def _read(body: Mapping[str, Any]) -> Told:
    claimed = body["claimed_until"]
    return Told(date.fromisoformat(body["last"]), claimed and instant(claimed))
