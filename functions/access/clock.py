"""Compares our clock with the storage service's, which none of us sets; an hour off is told and recorded.

The ledger's dates are ours, and days are sealed by them: while the clock is off nothing is sealed, and from
when to when it was off stands in the ledger itself.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.errors import DocumentConflict, StorageError
from functions.storage.append_log import AppendLog
from functions.storage.documents import Documents, encode
from functions.storage.versioned import understood

_log = logging.getLogger(__name__)

MOST = timedelta(minutes=5)
"""By more than this the clock is off. Tokens of Microsoft Entra are refused by about as much."""

DOCUMENT = "clock"
FORMAT = 1
WHO = "tracekeeper:clock"
"""Stands in the ledger for who compares."""


@dataclass(frozen=True, slots=True)
class ClockState:
    """What was told of the clock last.

    Attributes:
        off: Whether it was off.
        told_on: The day (UTC, by the service's clock) on which that was told; "" where it was right.
        seconds: By how much ours was ahead.
    """

    off: bool = False
    told_on: str = ""
    seconds: int = 0


class ClockCheck:
    """Compares, tells, and remembers what was told.

    Args:
        documents: Where it is remembered whether the clock was off.
        ledger: Hears when it goes off, of each day (by the service's clock) that it stays so, and when it is
            right again.
        theirs: Asks the storage service for its time, UTC; whole seconds.
        clock: Ours, UTC.
    """

    def __init__(
        self,
        documents: Documents,
        ledger: AppendLog,
        *,
        theirs: Callable[[], datetime],
        clock: Callable[[], datetime],
    ) -> None:
        self._documents = documents
        self._ledger = ledger
        self._theirs = theirs
        self._clock = clock

    def tick(self) -> None:
        """Compare; where it is off, tell.

        Raises:
            StorageError: The service does not say what time it is, or what is to be told can't be written.
        """
        ahead, theirs = self._compare()
        off = abs(ahead) > MOST
        if off:
            _log.error("%s Nothing is sealed until it is right.", _told(ahead))
        held = self._documents.read(DOCUMENT)
        before = _remembered(held.body) if held else ClockState()
        told_on = theirs.date().isoformat() if off else ""
        if (off, told_on) == (before.off, before.told_on):
            return
        # The ledger first: what is remembered as told must have been told.
        self._enter(ahead, theirs, off=off)
        with suppress(DocumentConflict):
            seconds = round(ahead.total_seconds())
            body = {"format": FORMAT, "off": off, "told_on": told_on, "seconds": seconds}
            self._documents.write(DOCUMENT, body, version=held.version if held else None)

    def hindrance(self) -> str | None:
        """Say that the clock is off, or that nobody knows; None where it is right."""
        try:
            ahead, _ = self._compare()
        except StorageError as error:
            return str(error)
        return _told(ahead) if abs(ahead) > MOST else None

    def _compare(self) -> tuple[timedelta, datetime]:
        """Return by how much ours is ahead, and the time by theirs."""
        before = self._clock()
        theirs = self._theirs().astimezone(UTC)
        ours = before + (self._clock() - before) / 2
        return ours - theirs, theirs

    def _enter(self, ahead: timedelta, theirs: datetime, *, off: bool) -> None:
        self._ledger.append(
            {
                "at": self._clock(),
                "action": "clock.off" if off else "clock.right",
                "who": {"object_id": WHO},
                "on": {"seconds": str(round(ahead.total_seconds())), "storage_time": _iso(theirs)},
                "outcome": "failed" if off else "served",
                "reason": _told(ahead) if off else "",
                "correlation_id": f"clock-{_iso(theirs)}",
            }
        )
        _log.info("%s", encode({"event": "clock.told", "off": off}).decode())


def read_clock(documents: Documents) -> ClockState:
    """Return what was told of the clock last. Raises StorageError."""
    held = documents.read(DOCUMENT)
    return _remembered(held.body) if held else ClockState()


def _remembered(body: Mapping[str, Any]) -> ClockState:
    return understood(
        DOCUMENT,
        body,
        lambda body: ClockState(bool(body["off"]), str(body["told_on"]), int(body.get("seconds", 0))),
        newest=FORMAT,
        holds="what was told of the clock",
        next_step="Delete it: it is written again.",
    )


def _told(ahead: timedelta) -> str:
    seconds = round(ahead.total_seconds())
    word = "ahead of" if seconds > 0 else "behind"
    return f"The clock is {abs(seconds)} s {word} the storage service's."


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
