"""Tells apart why a trace is not there: never kept, expired, still arriving, sampled out, or vanished. Pure.

What is said rests on when the trace should have been: on the day whose seal holds it, the window in which an
alert named it, or the instant that whoever asks remembers. Without any of these nothing can be said.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from functions.errors import (
    TraceAbsent,
    TraceExpired,
    TraceNotFound,
    TraceSampledOut,
    TraceTooRecent,
    TraceUnknown,
    TraceVanished,
)

ARRIVING = timedelta(minutes=30)
"""Rows are usually there within minutes; behind a slow pipeline it takes as long as this.

https://learn.microsoft.com/azure/azure-monitor/logs/data-ingestion-time
"""

AROUND = timedelta(hours=1)
"""How far from the instant other rows are looked at."""


@dataclass(frozen=True, slots=True)
class Naming:
    """An alert that names the trace: its id, and the window in which it did, UTC."""

    alert_id: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Nearby:
    """What else came within `AROUND` of the instant.

    Attributes:
        spans: Requests and dependencies, of the agent where one is known.
        standing_for_more: Those that sampling let stand for more than themselves.
        before_sampling: How many there were before.
    """

    spans: int
    standing_for_more: int
    before_sampling: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a trace that has no rows.

    Attributes:
        now: UTC.
        kept_since: When the retention begins, UTC.
        around: When it should have been, as whoever asks has it; None: they don't say.
        sealed: The day whose seal holds it.
        named: The alerts that name it.
        damaged: What is wrong with the seals, so that they say nothing; "" where nothing is.
    """

    now: datetime
    kept_since: datetime
    around: datetime | None = None
    sealed: date | None = None
    named: tuple[Naming, ...] = ()
    damaged: str = ""

    @property
    def was_there(self) -> bool:
        """Whether anybody but who asks knows of it."""
        return self.sealed is not None or bool(self.named)

    @property
    def when(self) -> datetime | None:
        """When it should have been: by its seal, by an alert, by who asks."""
        if self.sealed is not None:
            return datetime.combine(self.sealed, time(12), UTC)
        if self.named:
            return min(one.start for one in self.named)
        return self.around


def explain(known: Known, nearby: Nearby | None) -> TraceAbsent:
    """Return the answer, with what it rests on.

    Args:
        known: What is known.
        nearby: What came around `known.when`; None where that is not known, or need not be asked.
    """
    evidence = [*_testimony(known), f"Rows are kept since {_said(known.kept_since)}."]
    when = known.when
    if when is None:
        return TraceUnknown(
            "There is no such trace, and nobody can say whether there was one.",
            next_step="Ask again with ?around=, the time at which it should have been.",
            evidence=evidence,
        )
    if when < known.kept_since:
        return TraceExpired(
            "The trace is older than what the workspace keeps.",
            next_step="Look for an export that holds it: GET /api/v1/exports.",
            evidence=evidence,
        )
    if when > known.now - ARRIVING and known.sealed is None:
        return TraceTooRecent(
            "There is no such trace yet; it may still be arriving.",
            next_step=f"Ask again after {_said(max(when, known.now) + ARRIVING)}.",
            evidence=[*evidence, f"Rows may arrive up to {_minutes(ARRIVING)} minutes late."],
        )
    if known.was_there:
        return TraceVanished(
            "The trace was there, and its rows are gone before the retention's end.",
            next_step="Find out who can purge or delete data in the workspace.",
            evidence=evidence,
        )
    return _by_neighbours(nearby, evidence)


def _by_neighbours(nearby: Nearby | None, evidence: list[str]) -> TraceAbsent:
    if nearby is None or nearby.spans == 0:
        return TraceUnknown(
            "There is no such trace, and no other telemetry around then either.",
            next_step="See GET /api/v1/checks for whether telemetry arrived, or correct ?around=.",
            evidence=[*evidence, f"No span came within {_minutes(AROUND)} minutes of then."],
        )
    count, more, before = nearby.spans, nearby.standing_for_more, nearby.before_sampling
    if more:
        return TraceSampledOut(
            "There is no such trace; sampling was at work around then and may have left it out.",
            next_step="Nothing of a trace that was sampled out is kept anywhere; sample less to keep more.",
            evidence=[
                *evidence,
                f"{more} of {count} spans around then stand for more than one: there were {before}.",
            ],
        )
    return TraceNotFound(
        "There is no such trace.",
        next_step="Check the id and the time.",
        evidence=[
            *evidence,
            f"{count} spans came within {_minutes(AROUND)} minutes of then, and sampling left out none.",
        ],
    )


def _testimony(known: Known) -> list[str]:
    said = []
    if known.sealed is not None:
        said.append(f"The seal of {known.sealed} holds it.")
    if known.damaged:
        said.append(f"The seals can't be asked. {known.damaged}")
    said += [
        f"The alert {one.alert_id} named it for the window from {_said(one.start)} to {_said(one.end)}."
        for one in known.named
    ]
    if known.around is not None:
        said.append(f"You say it was around {_said(known.around)}.")
    return said


def _said(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _minutes(length: timedelta) -> int:
    return int(length / timedelta(minutes=1))
