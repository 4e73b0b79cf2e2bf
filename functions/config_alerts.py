"""The rules that alerts.yaml obeys beyond its schema: whom its routes tell, and what its inhibitions hide.

As in config_rules, each rule yields an error for every place that breaks it, and says nothing where it lacks
what it needs.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.config_file import ConfigFile, Place
from functions.config_inhibitions import SEVERITIES, inhibition_breaches
from functions.config_subjects import Subject, owners_of, subjects_of
from functions.errors import ConfigurationError

_NAMED = 3
"""How many checks an error names."""

Errors = Iterator[ConfigurationError]


def alert_breaches(files: Mapping[str, ConfigFile], broken: Collection[str]) -> Errors:
    """Yield an error for every rule that alerts.yaml does not obey.

    Args:
        files: What of each file its schema accepts, by name; agents.yaml with all its environments.
        broken: The names of files of which something is missing there. What lies in a check's file or in
            agents.yaml is not judged by a part of them.
    """
    alerts = files.get("alerts.yaml")
    if alerts is None:
        return
    yield from _unknown_destinations(alerts)
    yield from _unknown_zone(alerts)
    yield from _unreachable(alerts)
    if any(name.startswith("checks/") for name in broken):
        return
    subjects = subjects_of(files)
    yield from inhibition_breaches(alerts, subjects)
    yield from _untaken(alerts, subjects)
    yield from _unfitting(alerts, "severity", SEVERITIES, "fits no severity")
    yield from _unfitting(alerts, "check", sorted(subjects), "fits no check")
    if "agents.yaml" in files and "agents.yaml" not in broken:
        owners = owners_of(files)
        yield from _unfitting(alerts, "owner", owners, "fits no owner of a check or an agent")
        yield from _unknown_mentions(alerts, owners)


def _routes(alerts: ConfigFile) -> list[dict[str, Any]]:
    routes: list[dict[str, Any]] = alerts.body.get("routes", [])
    return routes


def _unknown_destinations(alerts: ConfigFile) -> Errors:
    if "destinations" not in alerts.body:
        return
    known = [destination["name"] for destination in alerts.body["destinations"]]
    told: list[tuple[Place, Sequence[str]]] = []
    for index, route in enumerate(_routes(alerts)):
        told.append((("routes", index, "destinations"), route["destinations"]))
        told.append((("routes", index, "escalate", "to"), route.get("escalate", {}).get("to", ())))
    summary = alerts.body.get("weekly_summary", {})
    told.append((("weekly_summary", "destinations"), summary.get("destinations", ())))
    for place, names in told:
        for index, name in enumerate(names):
            if name not in known:
                yield alerts.wrong(
                    (*place, index),
                    "is no destination of this file",
                    next_step=f"List it under destinations, or take one of those there: {_all(known)}.",
                )


def _unknown_zone(alerts: ConfigFile) -> Errors:
    if "weekly_summary" not in alerts.body:
        return
    try:
        ZoneInfo(alerts.body["weekly_summary"]["time_zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield alerts.wrong(
            ("weekly_summary", "time_zone"),
            "is no time zone",
            next_step="Name it as the IANA does, for example Europe/Berlin.",
        )


def _unreachable(alerts: ConfigFile) -> Errors:
    ends: list[tuple[int, dict[str, list[str]]]] = []
    for index, route in enumerate(_routes(alerts)):
        match = route.get("match", {})
        before = next((number for number, taken in ends if _all_of(match, taken)), None)
        if before is not None:
            yield alerts.wrong(
                ("routes", index),
                f"takes no alert: the route on line {alerts.lines['routes', before]} has taken them all",
                next_step="Put it above that one, give that one goes_on: true, or remove it.",
            )
        elif not route.get("goes_on"):
            ends.append((index, match))


def _all_of(match: Mapping[str, list[str]], taken: Mapping[str, list[str]]) -> bool:
    """Return whether every alert that fits `match` fits `taken`."""
    return all(
        (patterns == ["*"] and fact in {"severity", "owner", "check"})  # every alert has these
        or all(any(_within(one, wider) for wider in patterns) for one in match.get(fact, [""]))
        for fact, patterns in taken.items()
    )


def _within(pattern: str, wider: str) -> bool:
    """Return whether all that fits a pattern fits the wider one; what can't be told for sure is not said."""
    if "[" in pattern + wider or ("?" in wider and "*" in pattern):
        return pattern == wider
    return bool(pattern) and fnmatchcase(pattern, wider)


def _untaken(alerts: ConfigFile, subjects: Mapping[str, Subject]) -> Errors:
    if "routes" not in alerts.body:
        return
    left = [
        check_id
        for check_id, subject in subjects.items()
        if not all(_is_taken(alerts, check_id, subject, owner) for owner in subject.owners)
    ]
    if left:
        more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        yield alerts.wrong(
            ("routes",),
            f"may leave alerts to nobody: of {', '.join(left[:_NAMED])}{more}",
            next_step="Put a route without match at the end.",
        )


def _is_taken(alerts: ConfigFile, check_id: str, subject: Subject, owner: str) -> bool:
    """Return whether some route takes the alerts of a check whatever agent and environment they are of."""
    facts = {"severity": subject.severity, "owner": owner, "check": check_id}
    return any(
        all(
            patterns == ["*"] and "Agent" in subject.columns
            if fact == "agent"
            else fact in facts and _fits(facts[fact], patterns)
            for fact, patterns in route.get("match", {}).items()
        )
        for route in _routes(alerts)
    )


def _unfitting(alerts: ConfigFile, fact: str, known: Sequence[str], rule: str) -> Errors:
    """Find patterns that fit nothing. Agents need not be declared, so that of them any may fit one."""
    for index, route in enumerate(_routes(alerts)):
        for number, pattern in enumerate(route.get("match", {}).get(fact, ())):
            if not any(fnmatchcase(one, pattern) for one in known):
                yield alerts.wrong(
                    ("routes", index, "match", fact, number),
                    rule,
                    next_step=f"Correct it; there are {_all(known)}.",
                )


def _unknown_mentions(alerts: ConfigFile, owners: Sequence[str]) -> Errors:
    for owner in alerts.body.get("mentions", ()):
        if owner not in owners:
            yield alerts.wrong(
                ("mentions", owner),
                "is no owner of a check or an agent",
                next_step=f"Correct it or remove it; there are {_all(owners)}.",
            )


def _fits(fact: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(fact, pattern) for pattern in patterns)


def _all(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
