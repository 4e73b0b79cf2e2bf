"""Decides how much one person may ask in a minute and how many exports in an hour, whatever the host.

The counts lie in storage, one document a person, written by compare-and-swap: hosts come and go by the
minute, and a count that each keeps for itself is multiplied by their number and forgotten by a restart. A
host keeps in mind only who is over the limit, and until when, so that a flood costs storage nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil
from threading import Lock
from typing import Any, Literal

from functions.errors import DocumentConflict, TooManyRequests
from functions.storage.documents import Documents
from functions.storage.versioned import understood

PREFIX = "limits/"
NOBODY = ""
"""Stands for all whom nobody can name: they share one count."""

Kind = Literal["requests", "exports"]

_PERIODS: Mapping[Kind, timedelta] = {"requests": timedelta(minutes=1), "exports": timedelta(hours=1)}
_WORDS: Mapping[Kind, str] = {"requests": "requests a minute", "exports": "exports an hour"}
_ATTEMPTS = 8
_LOCKS = 64
_REMEMBERED = 10_000
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What one person may ask."""

    requests_per_minute: int
    exports_per_hour: int

    def of(self, kind: Kind) -> int:
        """Return how many of a kind are let through in its period."""
        return self.requests_per_minute if kind == "requests" else self.exports_per_hour


@dataclass(frozen=True, slots=True)
class Count:
    """How many came in the window that began at `start` (UTC), up to the first too many."""

    start: datetime
    number: int


Counts = Mapping[Kind, Count]


@dataclass(frozen=True, slots=True)
class Exceeded:
    """One too many.

    Attributes:
        kind: Of what.
        limit: How many there may be.
        until: When the next window begins, UTC.
        first: Whether it is the first too many of its window.
    """

    kind: Kind
    limit: int
    until: datetime
    first: bool


def count(
    counts: Counts, kinds: tuple[Kind, ...], limits: Limits, now: datetime
) -> tuple[Counts, Exceeded | None]:
    """Count one more of each kind; pure.

    Returns:
        The counts, to be written where they differ, and what is exceeded, if anything is.
    """
    after = dict(counts)
    exceeded = None
    for kind in kinds:
        period = _PERIODS[kind]
        start = _window(counts.get(kind), period, now)
        held = counts.get(kind)
        number = held.number if held is not None and held.start == start else 0
        if number < limits.of(kind):
            after[kind] = Count(start, number + 1)
            continue
        first = number == limits.of(kind)
        after[kind] = Count(start, limits.of(kind) + 1)
        exceeded = exceeded or Exceeded(kind, limits.of(kind), start + period, first)
    return after, exceeded


class RateLimits:
    """Counts what people ask. Safe to call from several threads.

    Args:
        documents: Holds `limits/<person>`.
        limits: How much is let through.
        clock: The time, UTC.
    """

    def __init__(self, documents: Documents, limits: Limits, *, clock: Callable[[], datetime]) -> None:
        self._documents = documents
        self._limits = limits
        self._clock = clock
        self._locks = tuple(Lock() for _ in range(_LOCKS))  # of one host only one request counts at a time
        self._over: dict[tuple[str, Kind], Exceeded] = {}

    def admit(self, who: str, *kinds: Kind) -> None:
        """Let one more through.

        Args:
            who: The directory's object id, or `NOBODY`.
            kinds: What to count it as.

        Raises:
            TooManyRequests: The person is over a limit, or so many came at once that they can't be counted.
            StorageError: The count could not be read or written.
        """
        name = PREFIX + sha256(who.encode()).hexdigest()[:32]
        now = self._clock()
        for kind in kinds:
            over = self._over.get((name, kind))
            if over is not None and now < over.until:
                raise _refused(over, now)
        with self._locks[hash(name) % _LOCKS]:
            exceeded = self._count(name, kinds, now)
        if exceeded is not None:
            self._remember(name, replace(exceeded, first=False), now)
            raise _refused(exceeded, now)

    def _count(self, name: str, kinds: tuple[Kind, ...], now: datetime) -> Exceeded | None:
        for _ in range(_ATTEMPTS):
            held = self._documents.read(name)
            before = _read(name, held.body) if held else {}
            after, exceeded = count(before, kinds, self._limits, now)
            if after == before:
                return exceeded
            try:
                self._documents.write(name, _body(after), version=held.version if held else None)
            except DocumentConflict:
                continue
            return exceeded
        raise TooManyRequests(
            "Too many requests of yours come at once to be counted.",
            next_step="Send them one after the other.",
            retry_after=1,
            first=False,
        )

    def _remember(self, name: str, exceeded: Exceeded, now: datetime) -> None:
        if len(self._over) >= _REMEMBERED:
            self._over = {about: one for about, one in self._over.items() if now < one.until}
        if len(self._over) < _REMEMBERED:
            self._over[name, exceeded.kind] = exceeded


def _window(held: Count | None, period: timedelta, now: datetime) -> datetime:
    """Return when the window began: by the clock, or the next one if a host whose clock is ahead is there."""
    own = now - (now - datetime.min.replace(tzinfo=now.tzinfo)) % period
    return held.start if held is not None and own <= held.start <= own + period else own


def _refused(exceeded: Exceeded, now: datetime) -> TooManyRequests:
    seconds = max(1, ceil((exceeded.until - now).total_seconds()))
    return TooManyRequests(
        f"More than {exceeded.limit} {_WORDS[exceeded.kind]}.",
        next_step=f"Ask again in {seconds} seconds.",
        retry_after=seconds,
        first=exceeded.first,
    )


def _body(counts: Counts) -> dict[str, Any]:
    windows = {kind: {"start": one.start.isoformat(), "number": one.number} for kind, one in counts.items()}
    return {"format": _FORMAT, "windows": windows}


def _read(name: str, body: Mapping[str, Any]) -> Counts:
    return understood(name, body, _counts, newest=_FORMAT, holds="counts of requests", next_step="Delete it.")


def _counts(body: Mapping[str, Any]) -> Counts:
    windows = body["windows"]
    return {
        kind: Count(datetime.fromisoformat(windows[kind]["start"]), int(windows[kind]["number"]))
        for kind in _PERIODS
        if kind in windows
    }
