"""What an alert and a notice about it are, and how much of a finding is kept with them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import orjson

from functions.checks.definition import Severity
from functions.checks.finding import Finding
from functions.traces.source import Cell

MAX_FINDINGS = 300
"""Findings kept with an alert, the latest ones: more than a day of five-minute windows."""
MAX_TRACE_IDS = 20_000
"""Trace ids kept with an alert over all its findings: bounds the check's document."""
MAX_SAMPLES = 10
"""Trace ids kept with a notice."""
MAX_OPENINGS = 20
"""Openings kept with an alert, the latest ones: as many as `flapping` can ask for."""
MAX_SHOWN_CHARACTERS = 500
"""Length of a text kept from a finding's `shows`."""
RELEASES = ("Release", "PromptVersion")
"""Columns that say which version was at work."""

AlertState = Literal["pending", "open", "acknowledged", "resolved"]
NoticeKind = Literal["opened", "reopened", "repeated", "worsened", "escalated", "resolved", "passed"]


@dataclass(frozen=True, slots=True)
class Told:
    """A destination and a notice of an alert: the last that it accepted, or the last that was made for it."""

    destination: str
    kind: NoticeKind
    episode: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Announced:
    """What was last made known of an alert: for this a notice went into the outbox.

    Attributes:
        episode: The episode that it was about.
        over: Whether it said that the episode is over.
        worst: The worst value that it told.
        since: When this episode was made known first.
        flapping: Whether it said that the alert opens time and again. Then it stands for the episodes that
            follow too, till the alert is calm.
    """

    episode: int
    over: bool
    worst: float
    since: datetime
    flapping: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """The life of one (check, key).

    Attributes:
        id: `alert_id(check_id, key)`.
        check_id: The check, or what is wrong with it: "check_failed", "check_behind" or "check_blind".
        severity: The check's, when the alert last had a finding.
        owner: The check's, likewise.
        key: Key column to value. Hostile.
        state: "pending" (never open, and found in too few windows in a row to be), "open", "acknowledged"
            (open, and somebody sees to it) or "resolved".
        episode: 1 for the first time it opened, 2 for the next; 0 while pending.
        opened_at: Start of the first window with a finding of this episode.
        last_seen: End of the last window with one.
        resolved_at: End of the window that made it quiet for long enough; None while open.
        quiet: Evaluated windows in a row without a finding.
        value: The latest finding's, in the check's unit.
        threshold: The latest finding's limit; None where any occurrence counts.
        worst: The largest value of this episode.
        violations: Sum over this episode.
        runs: Agent runs concerned in this episode.
        shows: The latest finding's further columns. Hostile.
        findings: The latest ones over all episodes, oldest first.
        findings_dropped: How many earlier ones are no longer kept.
        notices: Notices made in this episode.
        noticed_at: When the last one was made, in whichever episode.
        told: What each destination last accepted.
        made: What was last made for each destination, whatever became of it.
        pending: Findings of the latest windows in a row, too few to open it (`for`); nobody is told.
        acknowledged_at: When somebody took it on, in this episode; None where nobody has. While it flaps its
            episodes count as one.
        acknowledged_by: The directory's object id of who did.
        escalated_at: When it was told further since nobody had taken it on, in this episode.
        announced: What was last made known of it; None where nothing was.
        openings: When its latest episodes began, oldest first: what flapping is seen by.
        quieted_by: What keeps it quiet now: silences' ids, inhibitions' names.
    """

    id: str
    check_id: str
    severity: Severity
    owner: str
    key: Mapping[str, str]
    state: AlertState
    episode: int
    opened_at: datetime
    last_seen: datetime
    resolved_at: datetime | None
    quiet: int
    value: float
    threshold: float | None
    worst: float
    violations: int
    runs: int
    shows: Mapping[str, Cell]
    findings: tuple[Finding, ...]
    findings_dropped: int
    notices: int = 0
    noticed_at: datetime | None = None
    told: tuple[Told, ...] = ()
    pending: tuple[Finding, ...] = ()
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    escalated_at: datetime | None = None
    announced: Announced | None = None
    openings: tuple[datetime, ...] = ()
    quieted_by: tuple[str, ...] = ()
    made: tuple[Told, ...] = ()

    @property
    def active(self) -> bool:
        """Whether it is open, acknowledged or not."""
        return self.state in {"open", "acknowledged"}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people have to be told about an alert.

    Attributes:
        alert: The alert as it was then; of its findings only what `snapshot` leaves. `openings` has what
            makes it flapping, and nothing where it is not.
        kind: "opened"; "reopened" (an alert that people know opened once more); "repeated" (still open, and
            last told long ago, or kept quiet until now); "worsened" (much worse than last told); "escalated"
            (nobody has taken it on); "resolved"; "passed" (opened and resolved before anybody could be told).
        number: Counts the notices of this episode from 1.
        earlier: Further episodes that opened and resolved since the last notice, of which nobody was told.
        at: When it was made.
        destinations: Who has to hear it.
    """

    alert: Alert
    kind: NoticeKind
    number: int
    earlier: int
    at: datetime
    destinations: tuple[str, ...]

    @property
    def key(self) -> str:
        """What names this notice for ever: its idempotency key."""
        return f"{self.alert.id}-{self.alert.episode}-{self.kind}-{self.number}"

    @property
    def about(self) -> str:
        """What it is about: news of the same thing reaches a destination in order."""
        return self.alert.id


def alert_id(check_id: str, key: Mapping[str, str]) -> str:
    """Return the 16 hex digits that name the alert of this check and key for ever."""
    named = orjson.dumps([check_id, dict(key)], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(named).hexdigest()[:16]


def kept(finding: Finding) -> Finding:
    """Return the finding as it can be stored: valid Unicode, text for instants, long texts cut.

    A lone surrogate in an agent's name must not make a check's document unwritable.
    """
    return replace(
        finding,
        key=kept_key(finding.key),
        trace_ids=tuple(_valid(trace_id) for trace_id in finding.trace_ids),
        shows={name: _shown(cell) for name, cell in finding.shows.items()},
    )


def kept_key(key: Mapping[str, str]) -> Mapping[str, str]:
    """Return a finding's key as it can be stored."""
    return {name: _valid(value) for name, value in key.items()}


def latest(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the last findings that fit into MAX_FINDINGS and MAX_TRACE_IDS; the very last always does."""
    room, fitting = MAX_TRACE_IDS, 0
    for finding in reversed(findings[-MAX_FINDINGS:]):
        room -= len(finding.trace_ids)
        if room < 0 and fitting:
            break
        fitting += 1
    return findings[len(findings) - fitting :]


def snapshot(alert: Alert) -> Alert:
    """Return the alert with only what a notice shows of its findings.

    That is the latest one, and before it the latest with each version that differs from its: what changed.
    """
    last = alert.findings[-1:]
    samples = (replace(finding, trace_ids=finding.trace_ids[:MAX_SAMPLES]) for finding in last)
    return replace(alert, findings=(*_before_changes(alert.findings), *samples), pending=())


def _before_changes(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    kept_ones: dict[int, Finding] = {}
    for column in RELEASES:
        now = findings[-1].shows.get(column) if findings else None
        for number, finding in enumerate(reversed(findings)):
            if now and finding.shows.get(column) not in {None, "", now}:
                kept_ones[-number] = replace(finding, trace_ids=(), withdrawn=())
                break
    return tuple(kept_ones[number] for number in sorted(kept_ones))


def runs_of(finding: Finding) -> int:
    """Return how many runs a finding concerns: the check's own count, or else its traces."""
    counted = finding.shows.get("Runs")
    return counted if isinstance(counted, int) else len(finding.trace_ids)


def _valid(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _shown(cell: Cell) -> Cell:
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat()
    return _valid(cell)[:MAX_SHOWN_CHARACTERS] if isinstance(cell, str) else cell
