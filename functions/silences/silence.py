"""Decides which alerts a silence keeps quiet, and when. Pure.

Whoever makes a silence puts a name and a reason under it; it ends by itself within MOST_DAYS.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, time
from fnmatch import fnmatchcase
from typing import Literal

from functions.alerts.alert import Alert
from functions.alerts.records import Json, instant, instant_text
from functions.silences.recurrence import WEEKDAYS, Occurrence, Recurrence

MOST_DAYS = 30
FACTS = ("check", "agent", "severity", "owner", "alert")
"""What a silence can match beside the key columns of checks; `alert` is an alert's id."""


@dataclass(frozen=True, slots=True)
class Report:
    """That an occurrence of a silence has been reported.

    Attributes:
        start: When the occurrence began.
        at: When it was reported, or found to have hidden nothing.
        hid: How many alerts it hid; of none no report is sent.
        forgotten: Whether the checks' documents no longer have what it hid.
    """

    start: datetime
    at: datetime
    hid: int
    forgotten: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """What a person wants not to hear of for a while.

    Attributes:
        id: 12 hex digits.
        author: The name of who made it, as their sign-in has it.
        author_id: The directory's object id of who did.
        reason: Why.
        matchers: One of FACTS or a key column, to patterns as fnmatch has them, of which one must fit; an
            alert is silenced if all of them do.
        made_at: When it was made.
        starts_at: When it begins.
        ends_at: When it ends by itself.
        recurrence: At which times between it is in force; None: all the time.
        ended_at: When somebody ended it before.
        ended_by: The directory's object id of who did.
        reports: Of its occurrences that are over.
    """

    id: str
    author: str
    author_id: str
    reason: str
    matchers: Mapping[str, tuple[str, ...]]
    made_at: datetime
    starts_at: datetime
    ends_at: datetime
    recurrence: Recurrence | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    reports: tuple[Report, ...] = ()

    @property
    def until(self) -> datetime:
        """When it ends, or ended."""
        return min(self.ends_at, self.ended_at or self.ends_at)

    def occurrences(self) -> tuple[Occurrence, ...]:
        """Return the times at which it is in force, in order."""
        if self.recurrence:
            return tuple(self.recurrence.within(self.starts_at, self.until))
        return (Occurrence(self.starts_at, self.until),) if self.starts_at < self.until else ()

    def named(self, occurrence: Occurrence) -> str:
        """Return what the alerts that are quiet for an occurrence name it by."""
        return f"{self.id}@{instant_text(occurrence.start)}"

    def state(self, now: datetime) -> Literal["scheduled", "in_force", "between", "ended"]:
        """Return how it stands; "between" is one that recurs and is not in force for now."""
        if now >= self.until:
            return "ended"
        if any(one.start <= now < one.end for one in self.occurrences()):
            return "in_force"
        return "scheduled" if now < self.starts_at else "between"


InForce = tuple[tuple[str, Silence], ...]
"""The silences in force, each with the name of its occurrence."""


def in_force(silences: Iterable[Silence], now: datetime) -> InForce:
    """Return the silences that are in force."""
    return tuple(
        (silence.named(one), silence)
        for silence in silences
        for one in silence.occurrences()
        if one.start <= now < one.end
    )


def silenced_by(alert: Alert, silences: InForce, agent_owners: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the occurrences that keep the alert quiet.

    A critical alert passes unless a silence names it: by its very id, or by the severity "critical". No
    pattern does so by the way.

    Args:
        alert: The alert.
        silences: Those in force.
        agent_owners: By agent, who answers for it: they count as owner beside the check's.
    """
    agent = alert.key.get("Agent", "")
    facts = {name: (value,) for name, value in alert.key.items()} | {
        "check": (alert.check_id,),
        "agent": (agent,) if "Agent" in alert.key else (),
        "severity": (alert.severity,),
        "owner": tuple({alert.owner, agent_owners.get(agent, alert.owner)}),
        "alert": (alert.id,),
    }
    if alert.severity == "critical":
        silences = tuple(one for one in silences if _names(one[1], alert))
    return tuple(name for name, silence in silences if _covers(silence, facts))


def _names(silence: Silence, alert: Alert) -> bool:
    return "critical" in silence.matchers.get("severity", ()) or alert.id in silence.matchers.get("alert", ())


def _covers(silence: Silence, facts: Mapping[str, tuple[str, ...]]) -> bool:
    for name, patterns in silence.matchers.items():
        values = facts.get(name, ())
        if not any(fnmatchcase(value, pattern) for pattern in patterns for value in values):
            return False
    return True


def silence_json(silence: Silence) -> Json:
    """Return a silence as the document `silences` has it."""
    flat = {field.name: getattr(silence, field.name) for field in fields(silence)}
    recurs = silence.recurrence
    return flat | {
        **{name: instant_text(flat[name]) for name in ("made_at", "starts_at", "ends_at")},
        "ended_at": silence.ended_at and instant_text(silence.ended_at),
        "matchers": {name: list(patterns) for name, patterns in silence.matchers.items()},
        "recurrence": recurs
        and {
            "weekdays": [WEEKDAYS[day] for day in recurs.weekdays],
            "from": recurs.start.isoformat("minutes"),
            "to": recurs.end.isoformat("minutes"),
            "zone": recurs.zone,
        },
        "reports": [
            {
                "start": instant_text(one.start),
                "at": instant_text(one.at),
                "hid": one.hid,
                "forgotten": one.forgotten,
            }
            for one in silence.reports
        ],
    }


def read_silence(body: Json) -> Silence:
    """Read what `silence_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: It is something else.
    """
    recurs = body["recurrence"]
    return Silence(
        **body
        | {name: instant(body[name]) for name in ("made_at", "starts_at", "ends_at")}
        | {
            "ended_at": body["ended_at"] and instant(body["ended_at"]),
            "matchers": {name: tuple(patterns) for name, patterns in body["matchers"].items()},
            "recurrence": recurs
            and Recurrence(
                tuple(WEEKDAYS.index(day) for day in recurs["weekdays"]),
                time.fromisoformat(recurs["from"]),
                time.fromisoformat(recurs["to"]),
                recurs["zone"],
            ),
            "reports": tuple(
                Report(instant(one["start"]), instant(one["at"]), one["hid"], one["forgotten"])
                for one in body["reports"]
            ),
        }
    )
