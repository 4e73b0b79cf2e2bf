"""Remembers which attempts to judge failed, and in which stretches of time windows were not judged in time.

A window is due `settle` after its end. Where nobody tried, the service was not running; where somebody tried
and failed, the kind of error is the cause.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from functions.checks.coverage import KEPT

IN_TIME = timedelta(minutes=15)
"""A window judged later than this after it was due was not judged in time: the timer fires every minute, so
that a restart or a few throttled minutes are no interruption."""

MOST_KEPT = 300
"""Stretches of either kind kept, the latest ones: bounds the check's document."""

NOT_RUNNING = "not running"
"""The cause where no attempt was made."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed attempts in a row that met the same kind of error: the first, the last, and how many."""

    kind: str
    start: datetime
    end: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Interruption:
    """A stretch, from when windows were due until they were judged (or last tried), and why."""

    start: datetime
    end: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Interruptions:
    """What kept one check from judging, oldest first; what ended longer than `KEPT` ago is forgotten."""

    errors: tuple[Failures, ...] = ()
    stretches: tuple[Interruption, ...] = ()

    def failed(self, kind: str, *, due: datetime | None, in_a_row: bool, now: datetime) -> "Interruptions":
        """Return the record after an attempt failed.

        Args:
            kind: The kind of error.
            due: When the first of the windows was due; None where no window was in question (a sweep, or the
                first evaluation, which looks back on purpose).
            in_a_row: Whether the attempt before failed too.
            now: When it failed.
        """
        errors = [one for one in self.errors if one.end > now - KEPT]
        last = errors[-1] if errors and in_a_row else None
        if last is not None and last.kind == kind and now - last.end <= IN_TIME:
            errors[-1] = replace(last, end=now, count=last.count + 1)
        else:
            errors.append(Failures(kind, now, now, 1))
        return replace(self, errors=tuple(errors[-MOST_KEPT:])).tried(due=due, now=now)

    def tried(self, *, due: datetime | None, now: datetime) -> "Interruptions":
        """Return the record after an attempt at windows of which the first was due at `due`."""
        if due is None or now - due <= IN_TIME:
            return self
        earlier = [one for one in self.stretches if one.start < due and one.end > now - KEPT]
        begun = max(due, earlier[-1].end) if earlier else due
        found = _joined([*earlier, *_causes(begun, now, self.errors)])
        return replace(self, stretches=found[-MOST_KEPT:])

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Return JSON values, instants as ISO 8601 with "Z"."""
        return {
            "errors": [
                {"kind": one.kind, "from": _text(one.start), "to": _text(one.end), "count": one.count}
                for one in self.errors
            ],
            "interruptions": [
                {"from": _text(one.start), "to": _text(one.end), "cause": one.cause} for one in self.stretches
            ],
        }


def interruptions_from_json(body: Mapping[str, Iterable[Mapping[str, Any]]]) -> Interruptions:
    """Read back what `Interruptions.to_json` wrote; a document of an earlier version has none."""
    return Interruptions(
        tuple(Failures(one["kind"], *_bounds(one), int(one["count"])) for one in body.get("errors", ())),
        tuple(Interruption(*_bounds(one), one["cause"]) for one in body.get("interruptions", ())),
    )


def _causes(begun: datetime, now: datetime, errors: Sequence[Failures]) -> Iterator[Interruption]:
    """Divide the stretch among its causes: an error lasts until the next attempt, if that comes soon."""
    marks: list[tuple[datetime, str]] = []
    reached = begun
    for one in errors:
        if one.end < begun:
            continue
        start = max(one.start, begun)
        if start - reached > IN_TIME:
            marks.append((reached, NOT_RUNNING))
        else:
            start = start if marks else begun
        marks.append((start, one.kind))
        reached = one.end
    if now - reached > IN_TIME:
        marks.append((reached, NOT_RUNNING))
    for (start, cause), (end, _) in pairwise([*marks, (now, "")]):
        if start < end:
            yield Interruption(start, end, cause)


def _joined(stretches: Sequence[Interruption]) -> tuple[Interruption, ...]:
    joined: list[Interruption] = []
    for one in stretches:
        if joined and joined[-1].cause == one.cause and joined[-1].end == one.start:
            joined[-1] = replace(joined[-1], end=one.end)
        else:
            joined.append(one)
    return tuple(joined)


def _bounds(body: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(body["from"]), datetime.fromisoformat(body["to"])


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
