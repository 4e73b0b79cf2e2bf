"""What alerts can be about, and whose they can be, as the config files have it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.config_file import ConfigFile


@dataclass(frozen=True, slots=True)
class Subject:
    """What alerts of one check are like.

    Attributes:
        severity: As the check's file says.
        columns: The columns of their key.
        owners: Whose they can be, agents' owners apart.
        inhibits: Whether such an alert can keep others quiet.
    """

    severity: str
    columns: tuple[str, ...]
    owners: tuple[str, ...]
    inhibits: bool = True


OF_A_CHECK = {"check_failed": "high", "check_behind": "high", "check_blind": "low"}
"""By id the severity of alerts about a check. They lie in that check's document and have its owner."""

OF_THE_WATCH = {
    "source_blind": Subject("high", ("Path",), ("platform",)),
    "config_refused": Subject("high", ("Part",), ("platform",)),
    "record_at_risk": Subject("high", ("Part",), ("platform",)),
    "delivery_failed": Subject("high", ("Destination",), ("platform",)),
}
"""By id the other alerts that stand for no check's file."""


def subjects_of(files: Mapping[str, ConfigFile]) -> Mapping[str, Subject]:
    """Return by check id what alerts can be about. The checks' files are whole."""
    checks = {
        name: Subject(body["severity"], tuple(body["key"]), (body["owner"],)) for name, body in _checks(files)
    }
    owners = tuple(sorted({body["owner"] for _, body in _checks(files)}))
    about = {
        check_id: Subject(severity, ("Check",), owners, inhibits=False)
        for check_id, severity in OF_A_CHECK.items()
    }
    return {**checks, **about, **OF_THE_WATCH}


def owners_of(files: Mapping[str, ConfigFile]) -> tuple[str, ...]:
    """Return in order who owns a check, an alert of the watch, or an agent in any environment."""
    agents = files["agents.yaml"].body
    layers = [agents, *agents.get("environments", {}).values()]
    entries = [
        *(body for _, body in _checks(files)),
        *(layer.get("defaults", {}) for layer in layers),
        *(entry for layer in layers for entry in layer.get("agents", {}).values()),
    ]
    of_the_watch = {owner for subject in OF_THE_WATCH.values() for owner in subject.owners}
    return tuple(sorted({entry["owner"] for entry in entries if "owner" in entry} | of_the_watch))


def _checks(files: Mapping[str, ConfigFile]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, file in files.items():
        if name.startswith("checks/"):
            yield file.path.stem, file.body
