"""The rules that exports.yaml obeys beyond its schema: its schedules, and what they name in other files.

As in config_rules, each rule yields an error for every place that breaks it, and says nothing where it lacks
what it needs.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.config_file import ConfigFile, Place
from functions.errors import ConfigurationError
from functions.evidence.selection.selection import STRATA

Errors = Iterator[ConfigurationError]


def export_breaches(files: Mapping[str, ConfigFile], broken: Collection[str]) -> Errors:
    """Yield an error for every rule that exports.yaml does not obey.

    Args:
        files: What of each file its schema accepts, by name.
        broken: The names of files of which something is missing there: they are not asked what they name.
    """
    exports = files.get("exports.yaml")
    if exports is None:
        return
    yield from _named_twice(exports)
    yield from _unknown_zones(exports)
    for name, rule in (("alerts.yaml", _unknown_destinations), ("agents.yaml", _unknown_dimensions)):
        if name in files and name not in broken:
            yield from rule(exports, files[name])


def _schedules(exports: ConfigFile) -> list[dict[str, Any]]:
    schedules: list[dict[str, Any]] = exports.body.get("schedules", [])
    return schedules


def _named_twice(exports: ConfigFile) -> Errors:
    first: dict[str, int] = {}
    for index, schedule in enumerate(_schedules(exports)):
        before = first.setdefault(schedule["name"], index)
        if before != index:
            yield exports.wrong(
                ("schedules", index, "name"),
                f"is the name of the schedule on line {exports.lines['schedules', before]} too",
                next_step="Give each schedule a name of its own: what was made last is remembered by it.",
            )


def _unknown_zones(exports: ConfigFile) -> Errors:
    for index, schedule in enumerate(_schedules(exports)):
        try:
            ZoneInfo(schedule["time_zone"])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield exports.wrong(
                ("schedules", index, "time_zone"),
                "is no time zone",
                next_step="Name it as the IANA does, for example Europe/Berlin.",
            )


def _unknown_destinations(exports: ConfigFile, alerts: ConfigFile) -> Errors:
    known = [destination["name"] for destination in alerts.body.get("destinations", ())]
    for index, schedule in enumerate(_schedules(exports)):
        for number, name in enumerate(schedule.get("destinations", ())):
            if name not in known:
                yield exports.wrong(
                    ("schedules", index, "destinations", number),
                    "is no destination of alerts.yaml",
                    next_step=f"Take one of those there: {', '.join(known) or 'none'}.",
                )


def _unknown_dimensions(exports: ConfigFile, agents: ConfigFile) -> Errors:
    known = sorted(agents.body.get("attributes", {}).get("dimensions", ()))
    for index, schedule in enumerate(_schedules(exports)):
        for kind, selector in schedule["selector"].items():
            place: Place = ("schedules", index, "selector", kind)
            for name in selector.get("dimensions", ()):
                if name not in known:
                    yield exports.wrong(
                        (*place, "dimensions", name),
                        "is no dimension of agents.yaml",
                        next_step=f"Take one of those there: {', '.join(known) or 'none'}.",
                    )
            if "stratum" in selector and selector["stratum"] not in (*STRATA, *known):
                yield exports.wrong(
                    (*place, "stratum"),
                    "is nothing that runs can be divided by",
                    next_step=f"Take one of {', '.join((*STRATA, *known))}.",
                )
