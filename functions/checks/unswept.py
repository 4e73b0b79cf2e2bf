"""Keeps which windows were judged and not yet swept, and shortly what was found in them. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.windows import LONGEST_BATCH, MOST_WINDOWS, Batch

LATE_HORIZON = timedelta(hours=1)
"""How long after its window's end a row may come and still count: a sweep reads until then."""

SWEEP_EVERY = timedelta(hours=1)
"""How much time one sweep takes up at least, and the pause after one that failed."""

MOST_TRACES = 10_000
"""Shortened trace ids kept of what was found and not swept: bounds the check's document to about 200 KB."""


def final_windows(windows: Sequence[Window], read_until: datetime) -> tuple[Window, ...]:
    """Return those windows whose late rows were read with them."""
    return tuple(window for window in windows if window.end + LATE_HORIZON <= read_until)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found at first for one key of one window, shortened: digests of the key and of trace ids."""

    start: datetime
    key: str
    violations: int
    traces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Adjoining windows of one width that were judged and not swept."""

    start: datetime
    end: datetime
    width: timedelta


@dataclass(frozen=True, slots=True)
class Unswept:
    """What one check has judged and not swept.

    Attributes:
        stretches: In the order of time.
        found: What was found in them.
        given_up: Windows that will not be swept, since too much was found to be kept.
        failed_at: When the latest sweep failed; None once one went well.
    """

    stretches: tuple[Stretch, ...] = ()
    found: tuple[Found, ...] = ()
    given_up: int = 0
    failed_at: datetime | None = None

    def after(self, judged: Sequence[JudgedWindow], read_until: datetime) -> "Unswept":
        """Return what is left to sweep once windows were judged by the rows received until `read_until`."""
        final = {window.start for window in final_windows([one.window for one in judged], read_until)}
        left = [one for one in judged if one.window.start not in final]
        stretches = list(self.stretches)
        for one in left:
            _extend(stretches, one.window)
        found = tuple(_found(finding) for one in left for finding in one.findings)
        return _small_enough(replace(self, stretches=tuple(stretches), found=(*self.found, *found)))

    def due(self, settle: timedelta, now: datetime) -> Batch | None:
        """Return the windows that one sweep takes next, the oldest, or None while it isn't worth it yet."""
        if not self.stretches or (self.failed_at is not None and now - self.failed_at < SWEEP_EVERY):
            return None
        first = self.stretches[0]
        ripe = min(first.end, now - LATE_HORIZON - settle, first.start + max(LONGEST_BATCH, first.width))
        count = min((ripe - first.start) // first.width, MOST_WINDOWS)
        whole = len(self.stretches) > 1 and first.start + count * first.width == first.end
        if count <= 0 or (count * first.width < SWEEP_EVERY and not whole):
            return None
        starts = [first.start + n * first.width for n in range(count)]
        return Batch(first.width, tuple(Window(start, start + first.width) for start in starts))

    def to_json(self) -> dict[str, Any]:
        """Return JSON values, instants as ISO 8601 with "Z", widths in seconds."""
        return {
            "stretches": [
                {"start": _text(one.start), "end": _text(one.end), "width": one.width.total_seconds()}
                for one in self.stretches
            ],
            "found": [
                {
                    "start": _text(one.start),
                    "key": one.key,
                    "violations": one.violations,
                    "traces": list(one.traces),
                }
                for one in self.found
            ],
            "given_up": self.given_up,
            "failed_at": self.failed_at and _text(self.failed_at),
        }

    def swept(self, windows: Sequence[Window]) -> "Unswept":
        """Return what is left once these, the oldest, were swept."""
        return replace(_without_until(self, windows[-1].end), failed_at=None)


def unswept_from_json(body: Mapping[str, Any]) -> Unswept:
    """Read back what `Unswept.to_json` wrote."""
    failed_at = body["failed_at"]
    return Unswept(
        tuple(
            Stretch(_instant(one["start"]), _instant(one["end"]), timedelta(seconds=one["width"]))
            for one in body["stretches"]
        ),
        tuple(
            Found(_instant(one["start"]), one["key"], one["violations"], tuple(one["traces"]))
            for one in body["found"]
        ),
        int(body["given_up"]),
        failed_at and _instant(failed_at),
    )


def digest_of_key(key: Mapping[str, str]) -> str:
    """Return 16 hex digits that stand for a finding's key, before or after it was stored."""
    stored = {name: _valid(value) for name, value in key.items()}
    return digest(orjson.dumps(stored, option=orjson.OPT_SORT_KEYS).decode())


def digest(text: str) -> str:
    """Return 16 hex digits that stand for a text."""
    return hashlib.blake2b(_valid(text).encode(), digest_size=8).hexdigest()


def _found(finding: Finding) -> Found:
    return Found(
        finding.window.start,
        digest_of_key(finding.key),
        finding.violations,
        tuple(digest(trace) for trace in finding.trace_ids),
    )


def _extend(stretches: list[Stretch], window: Window) -> None:
    width = window.end - window.start
    if stretches and (stretches[-1].end, stretches[-1].width) == (window.start, width):
        stretches[-1] = replace(stretches[-1], end=window.end)
    else:
        stretches.append(Stretch(window.start, window.end, width))


def _small_enough(unswept: Unswept) -> Unswept:
    """Give up the oldest windows while more was found than can be kept."""
    while unswept.found and sum(1 + len(one.traces) for one in unswept.found) > MOST_TRACES:
        oldest = min(one.start for one in unswept.found)
        width = next(one.width for one in unswept.stretches if one.start <= oldest < one.end)
        before = _windows(unswept)
        unswept = _without_until(unswept, oldest + width)
        unswept = replace(unswept, given_up=unswept.given_up + before - _windows(unswept))
    return unswept


def _windows(unswept: Unswept) -> int:
    return sum((one.end - one.start) // one.width for one in unswept.stretches)


def _without_until(unswept: Unswept, end: datetime) -> Unswept:
    return replace(
        unswept,
        stretches=tuple(
            replace(one, start=max(one.start, end)) for one in unswept.stretches if one.end > end
        ),
        found=tuple(one for one in unswept.found if one.start >= end),
    )


def _valid(text: str) -> str:
    """Return text as it can be stored, as an alert keeps it: lone surrogates replaced."""
    return text.encode("utf-8", "replace").decode()


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
