"""Which alerts have their traces kept as they open: decides it, and what is remembered of it. Pure.

Each episode of an alert has one hold, whose export has an id that follows from the two: nothing that runs
twice holds twice.
"""

import hashlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.alerts.alert import Alert
from functions.alerts.records import instant, instant_text
from functions.alerts.rules import EvidenceHold
from functions.checks.definition import Severity
from functions.evidence.selection.selection import MAX_TRACE_IDS, Selection, parse_selection, well_formed
from functions.storage.versioned import understood

DOCUMENT = "evidence_holds"
FORMAT = 1

ASKED_AGAIN_AFTER = timedelta(minutes=15)
"""An export that has not begun by then is asked for again: its message may never have been in the queue."""
RECENT = timedelta(days=3)
"""An alert that is over is held too where it was seen in that time: it may have come and gone in one tick."""
REMEMBERED = timedelta(days=35)
"""How long the counts of a day are kept."""

Episode = tuple[str, int]
"""An alert's id and the number of one of its episodes."""

_WORST_FIRST: tuple[Severity, ...] = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Hold:
    """What was decided about one episode of an alert.

    Attributes:
        alert_id: The alert.
        episode: Its episode.
        check_id: The check in whose document it is.
        opened_at: When the episode began, as it was known then.
        at: When it was decided.
        over_cap: Whether too many were held that day already, so that this one is not.
        asked_at: When its export was last asked for.
        settled: Whether there is nothing left to do.
    """

    alert_id: str
    episode: int
    check_id: str
    opened_at: datetime
    at: datetime
    over_cap: bool
    asked_at: datetime
    settled: bool

    @property
    def about(self) -> Episode:
        """What it is about."""
        return self.alert_id, self.episode

    @property
    def export_id(self) -> str:
        """The 32 hex digits that name its export, however often it is asked for."""
        # An alert that was forgotten begins again with episode 1: its beginning tells the two apart.
        named = f"{self.alert_id} {self.episode} {instant_text(self.opened_at)}"
        return hashlib.sha256(named.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Day:
    """How many were held on a UTC day, and how many were not since there were too many."""

    held: int = 0
    over_cap: int = 0


@dataclass(frozen=True, slots=True)
class Holds:
    """All that is remembered: holds by what they are about, and counts by UTC day ("2026-11-24")."""

    holds: Mapping[Episode, Hold] = field(default_factory=dict)
    days: Mapping[str, Day] = field(default_factory=dict)


def decide(holds: Holds, alerts: Iterable[Alert], rule: EvidenceHold, now: datetime) -> Holds:
    """Decide about alerts of whose episodes nothing is known, the worst first.

    Args:
        holds: What is known.
        alerts: Of any kind.
        rule: Which are held, and how many a day.
        now: The present instant; its UTC day counts.
    """
    decided, days, today = dict(holds.holds), dict(holds.days), day_of(now)
    new = (
        alert for alert in alerts if (alert.id, alert.episode) not in decided and _wanted(alert, rule, now)
    )
    for alert in sorted(new, key=_rank):
        count = days.get(today, Day())
        over = count.held >= rule.most_per_day
        decided[alert.id, alert.episode] = Hold(
            alert.id, alert.episode, alert.check_id, alert.opened_at, now, over, asked_at=now, settled=over
        )
        days[today] = Day(count.held + (not over), count.over_cap + over)
    return Holds(decided, days)


def forget(holds: Holds, current: Container[Episode], unreadable: Container[str], now: datetime) -> Holds:
    """Drop what is of no more use: days long ago, and settled holds of episodes that no alert is in.

    Args:
        holds: What is known.
        current: The episodes that alerts are in.
        unreadable: Checks of whose alerts nobody knows.
        now: The present instant.
    """
    first = day_of(now - REMEMBERED)
    return Holds(
        {
            about: hold
            for about, hold in holds.holds.items()
            if not hold.settled or about in current or hold.check_id in unreadable
        },
        {day: count for day, count in holds.days.items() if day >= first},
    )


def day_of(at: datetime) -> str:
    """Return the UTC day of an instant, as days are named here."""
    return at.astimezone(UTC).date().isoformat()


def traces_of(alert: Alert) -> tuple[str, ...]:
    """Return the traces of this episode, the latest ones where there are more than an export takes."""
    found: dict[str, None] = {}
    for finding in reversed(alert.findings):
        if finding.window.start >= alert.opened_at:
            found.update(dict.fromkeys(well_formed(finding.trace_ids)))
    return tuple(found)[:MAX_TRACE_IDS]


def selection_of(alert: Alert) -> Selection:
    """Return what the export of an alert asks for. Raises InvalidRequest where the alert names no traces."""
    return parse_selection(
        {
            "selector": {"alert_id": alert.id},
            "profile": "metadata",
            "reason": f"Evidence hold: an alert of severity {alert.severity} opened.",
            "ticket": f"alert {alert.id}",
        },
        resolve_alert=lambda _: traces_of(alert),
    )


def holds_json(holds: Holds) -> dict[str, Any]:
    """Return the document's body."""
    instants = ("opened_at", "at", "asked_at")
    return {
        "format": FORMAT,
        "holds": [
            asdict(hold) | {name: instant_text(getattr(hold, name)) for name in instants}
            for hold in holds.holds.values()
        ],
        "days": {day: asdict(count) for day, count in holds.days.items()},
    }


def read_holds(body: Mapping[str, Any]) -> Holds:
    """Read what `holds_json` wrote.

    Raises:
        StorageError: A newer version wrote it, or it is something else.
    """
    return understood(
        DOCUMENT,
        body,
        _read,
        newest=FORMAT,
        holds="evidence holds",
        next_step="Restore an earlier version of it, or delete it: what is open is then held again.",
    )


def _read(body: Mapping[str, Any]) -> Holds:
    read = [
        Hold(**one | {name: instant(one[name]) for name in ("opened_at", "at", "asked_at")})
        for one in body["holds"]
    ]
    return Holds(
        {hold.about: hold for hold in read}, {day: Day(**count) for day, count in body["days"].items()}
    )


def _rank(alert: Alert) -> tuple[int, datetime, str]:
    return _WORST_FIRST.index(alert.severity), alert.opened_at, alert.id


def _wanted(alert: Alert, rule: EvidenceHold, now: datetime) -> bool:
    return (
        alert.episode > 0
        and alert.severity in rule.severities
        and (alert.active or now - alert.last_seen < RECENT)
        and bool(traces_of(alert))
    )
