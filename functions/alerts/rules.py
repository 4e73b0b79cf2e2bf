"""The rules of alerting as config/alerts.yaml states them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any, Literal

from functions.checks.definition import Severity, duration


@dataclass(frozen=True, slots=True)
class DestinationRule:
    """Somewhere notices go.

    Attributes:
        name: What receipts call it.
        kind: Which adapter of delivery/ speaks to it.
        setting: The app setting that holds its address, which is a secret.
    """

    name: str
    kind: Literal["teams", "webhook"]
    setting: str


@dataclass(frozen=True, slots=True)
class Route:
    """Who is told of which alerts.

    Attributes:
        matches: What an alert must be: severity, owner, agent, environment, check, each to patterns as
            fnmatch has them, of which one must fit; empty fits all.
        destinations: Who is told.
        goes_on: Whether the routes behind it are looked at too.
        escalate_after: An open alert that nobody has acknowledged for so long is told further; None: never.
        escalate_to: Whom it is told then.
    """

    matches: Mapping[str, tuple[str, ...]]
    destinations: tuple[str, ...]
    goes_on: bool = False
    escalate_after: timedelta | None = None
    escalate_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert of one of the checks `by` is active, those of `mutes` with the same key stay quiet.

    Attributes:
        name: What an alert that is kept quiet names it by.
        by: Ids of checks.
        same: Key columns in which both alerts must be equal; empty: any alert of `by` is enough.
        mutes: Ids of checks.
        where: What key columns of the alert of `by` must be.
    """

    name: str
    by: tuple[str, ...]
    same: tuple[str, ...]
    mutes: tuple[str, ...]
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flapping:
    """An alert that opens `openings` times within `within` is told once, until it is calm for so long."""

    openings: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class EvidenceHold:
    """Alerts of which severities have their traces kept as they open, and how many of them a UTC day."""

    severities: tuple[Severity, ...]
    most_per_day: int


@dataclass(frozen=True, slots=True)
class WeeklySummary:
    """When the summary of a week is told, and to whom. `weekday`: 0 is Monday; `zone`: an IANA time zone."""

    weekday: int
    at: time
    zone: str
    destinations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mention:
    """Whom a Teams card names so that they are called: `user` is a user principal name or object id."""

    name: str
    user: str


@dataclass(frozen=True, slots=True)
class AlertRules:
    """When people are told.

    Attributes:
        repeat_after: An open alert is told again once its last accepted notice is this old.
        resolve_after_quiet: Evaluated windows in a row without a finding that resolve an alert.
        report_failure_after: Failed evaluations in a row before the check itself is reported.
        destinations: Everyone who can be told; each has its own outbox entries and receipts.
        routes: Who is told of what; the first that fits, and those behind it where it goes on.
        keep_open_for: An alert stays open at least so long after its last finding's window.
        worsened_by: An open alert is told again once its worst value is so many times the last one told.
        flapping: When an alert counts as flapping; None: never.
        digest_above: More pieces of news than this for one destination at one time come as one digest.
        inhibitions: What keeps what quiet.
        evidence_hold: Which alerts have their traces kept; None: none.
        weekly_summary: None: there is none.
        mentions: By owner.
        agent_owners: By agent, who answers for it: from agents.yaml.
        environment: The deployment's; None where it has no name.
    """

    repeat_after: timedelta
    resolve_after_quiet: int
    report_failure_after: int
    destinations: tuple[DestinationRule, ...]
    routes: tuple[Route, ...] = ()
    keep_open_for: timedelta = timedelta(0)
    worsened_by: float = 2.0
    flapping: Flapping | None = None
    digest_above: int = 10
    inhibitions: tuple[Inhibition, ...] = ()
    evidence_hold: EvidenceHold | None = None
    weekly_summary: WeeklySummary | None = None
    mentions: Mapping[str, Mention] = field(default_factory=dict)
    agent_owners: Mapping[str, str] = field(default_factory=dict)
    environment: str | None = None


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""As alerts.yaml names them."""


def alert_rules(
    body: Mapping[str, Any], *, agent_owners: Mapping[str, str] | None = None, environment: str | None = None
) -> AlertRules:
    """Build the rules from a body that alerts.schema.json has accepted.

    Args:
        body: alerts.yaml.
        agent_owners: By agent, from agents.yaml.
        environment: The deployment's.
    """
    read: Mapping[str, Callable[[Any], object]] = {
        "keep_open_for": duration,
        "worsened_by": float,
        "flapping": _flapping,
        "digest_above": int,
        "evidence_hold": _evidence_hold,
        "weekly_summary": _weekly_summary,
    }
    chosen: dict[str, Any] = {name: make(body[name]) for name, make in read.items() if name in body}
    return AlertRules(
        repeat_after=duration(body["repeat_after"]),
        resolve_after_quiet=body["resolve_after_quiet"],
        report_failure_after=body["report_failure_after"],
        destinations=tuple(DestinationRule(**rule) for rule in body["destinations"]),
        routes=tuple(map(_route, body.get("routes", ()))),
        inhibitions=tuple(map(_inhibition, body.get("inhibitions", ()))),
        mentions={owner: Mention(**one) for owner, one in body.get("mentions", {}).items()},
        agent_owners=agent_owners or {},
        environment=environment,
        **chosen,
    )


def _route(body: Mapping[str, Any]) -> Route:
    escalate = body.get("escalate")
    return Route(
        matches={fact: tuple(patterns) for fact, patterns in body.get("match", {}).items()},
        destinations=tuple(body["destinations"]),
        goes_on=body.get("goes_on", False),
        escalate_after=duration(escalate["after"]) if escalate else None,
        escalate_to=tuple(escalate["to"]) if escalate else (),
    )


def _inhibition(body: Mapping[str, Any]) -> Inhibition:
    return Inhibition(
        name=body["name"],
        by=tuple(body["by"]),
        same=tuple(body.get("same", ())),
        mutes=tuple(body["mutes"]),
        where=body.get("where", {}),
    )


def _flapping(body: Mapping[str, Any]) -> Flapping:
    return Flapping(openings=body["openings"], within=duration(body["within"]))


def _evidence_hold(body: Mapping[str, Any]) -> EvidenceHold:
    return EvidenceHold(severities=tuple(body["severities"]), most_per_day=body["most_per_day"])


def _weekly_summary(body: Mapping[str, Any]) -> WeeklySummary:
    return WeeklySummary(
        weekday=WEEKDAYS.index(body["weekday"]),
        at=time.fromisoformat(body["at"]),
        zone=body["time_zone"],
        destinations=tuple(body["destinations"]),
    )
