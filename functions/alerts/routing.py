"""Decides who is told of an alert, and which alerts keep others quiet, by config/alerts.yaml. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from functions.alerts.alert import Alert
from functions.alerts.rules import AlertRules, Inhibition, Route

DELIVERY_FAILED = "delivery_failed"
"""Stands for a check's id in the alerts about a destination, whose name is their key `Destination`."""


@dataclass(frozen=True, slots=True)
class Inhibitors:
    """What keeps alerts quiet now.

    Attributes:
        in_force: An inhibition's name, and the values that its `same` columns have in an active alert.
    """

    in_force: frozenset[tuple[str, tuple[str, ...]]] = frozenset()


def destinations_for(alert: Alert, rules: AlertRules) -> tuple[str, ...]:
    """Return who is told of the alert, each once.

    Rather all are told than none: where no route takes the alert, or the only one is the destination that
    the alert is about.
    """
    told = [name for route in _routes_of(alert, rules) for name in route.destinations]
    return _but_itself(alert, told) or _but_itself(alert, [rule.name for rule in rules.destinations])


def escalation_for(alert: Alert, rules: AlertRules) -> tuple[timedelta, tuple[str, ...]] | None:
    """Return after which time the alert is told further, and to whom; None where it is not.

    Where several routes say so, it is told to all of theirs at once, after the shortest of the times.
    """
    routes = [route for route in _routes_of(alert, rules) if route.escalate_after is not None]
    further = _but_itself(alert, [name for route in routes for name in route.escalate_to])
    if not further:
        return None
    return min(route.escalate_after for route in routes if route.escalate_after is not None), further


def inhibiting(check_id: str, rules: AlertRules) -> tuple[str, ...]:
    """Return the ids of the checks that may keep alerts of `check_id` quiet, each once."""
    return tuple(
        dict.fromkeys(
            by for inhibition in rules.inhibitions if check_id in inhibition.mutes for by in inhibition.by
        )
    )


def inhibiting_first(check_ids: Sequence[str], rules: AlertRules) -> tuple[str, ...]:
    """Return the ids in an order in which none comes before one that may keep its alerts quiet."""
    ordered: dict[str, None] = {}

    def put(check_id: str, on_the_way: tuple[str, ...]) -> None:
        for by in inhibiting(check_id, rules):
            if by in check_ids and by not in ordered and by not in on_the_way:
                put(by, (*on_the_way, check_id))
        ordered[check_id] = None

    for check_id in check_ids:
        put(check_id, (check_id,))
    return tuple(ordered)


def inhibitors_among(active: Iterable[tuple[str, Mapping[str, str]]], rules: AlertRules) -> Inhibitors:
    """Return what is kept quiet by active alerts, given by their check's id and their key."""
    return Inhibitors(
        frozenset(
            (inhibition.name, values)
            for check_id, key in active
            for inhibition in rules.inhibitions
            if check_id in inhibition.by
            and inhibition.where.items() <= key.items()
            and (values := _values(key, inhibition)) is not None
        )
    )


def inhibited_by(alert: Alert, rules: AlertRules, active: Inhibitors) -> tuple[str, ...]:
    """Return the names of the inhibitions that keep the alert quiet; none does with a critical one."""
    if alert.severity == "critical":
        return ()
    return tuple(
        inhibition.name
        for inhibition in rules.inhibitions
        if alert.check_id in inhibition.mutes
        and (values := _values(alert.key, inhibition)) is not None
        and (inhibition.name, values) in active.in_force
    )


def _values(key: Mapping[str, str], inhibition: Inhibition) -> tuple[str, ...] | None:
    """Return a key's values in the columns that must be the same; None where it lacks one."""
    if any(column not in key for column in inhibition.same):
        return None
    return tuple(key[column] for column in inhibition.same)


def _routes_of(alert: Alert, rules: AlertRules) -> Iterator[Route]:
    for route in rules.routes:
        if _takes(route, alert, rules):
            yield route
            if not route.goes_on:
                return


def _takes(route: Route, alert: Alert, rules: AlertRules) -> bool:
    agent = alert.key.get("Agent")
    facts = {
        "severity": (alert.severity,),
        "owner": (alert.owner, rules.agent_owners.get(agent or "")),
        "agent": (agent,),
        "environment": (alert.shows.get("Environment") or rules.environment,),
        "check": (alert.check_id,),
    }
    return all(
        any(fnmatchcase(str(fact), pattern) for fact in facts[name] if fact for pattern in patterns)
        for name, patterns in route.matches.items()
    )


def _but_itself(alert: Alert, names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once, without the destination that the alert itself is about."""
    itself = alert.key.get("Destination") if alert.check_id == DELIVERY_FAILED else None
    return tuple(dict.fromkeys(name for name in names if name != itself))
