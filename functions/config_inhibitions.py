"""The rules that alerts.yaml's inhibitions obey: nothing is hidden by mistake, or by what is less severe."""

from collections.abc import Iterator, Mapping
from typing import Any

from functions.config_file import ConfigFile
from functions.config_subjects import Subject
from functions.errors import ConfigurationError

SEVERITIES = ("critical", "high", "medium", "low")
"""The worst first."""

Errors = Iterator[ConfigurationError]


def inhibition_breaches(alerts: ConfigFile, subjects: Mapping[str, Subject]) -> Errors:
    """Yield an error for every inhibition that could not work, or would hide what must be told.

    Args:
        alerts: alerts.yaml.
        subjects: By check id what alerts can be about.
    """
    edges: list[tuple[str, str]] = []
    for index, inhibition in enumerate(alerts.body.get("inhibitions", ())):
        yield from _unknown_checks(alerts, index, inhibition, subjects)
        yield from _unknown_columns(alerts, index, inhibition, subjects)
        yield from _hides_too_much(alerts, index, inhibition, subjects)
        yield from _cycles(alerts, index, inhibition, edges)


def _unknown_checks(
    alerts: ConfigFile, index: int, inhibition: Mapping[str, Any], subjects: Mapping[str, Subject]
) -> Errors:
    for key in ("by", "mutes"):
        for number, check_id in enumerate(inhibition[key]):
            if check_id not in subjects:
                yield alerts.wrong(
                    ("inhibitions", index, key, number),
                    "is no check",
                    next_step="Give a check's id, as its file is named.",
                )
            elif key == "by" and not subjects[check_id].inhibits:
                yield alerts.wrong(
                    ("inhibitions", index, key, number),
                    "is about a single check and keeps nothing quiet",
                    next_step="Name what blinds or stops several checks, such as source_blind, or remove it.",
                )


def _unknown_columns(
    alerts: ConfigFile, index: int, inhibition: Mapping[str, Any], subjects: Mapping[str, Subject]
) -> Errors:
    """Find columns that a check's key lacks: the inhibition would never be in force for it."""
    for key, of in (("same", ("by", "mutes")), ("where", ("by",))):
        checks = [check_id for part in of for check_id in inhibition[part] if check_id in subjects]
        for number, column in enumerate(inhibition.get(key, ())):
            lacking = [check_id for check_id in checks if column not in subjects[check_id].columns]
            if lacking:
                yield alerts.wrong(
                    ("inhibitions", index, key, number if key == "same" else column),
                    f"is no key column of {', '.join(lacking)}",
                    next_step="Name a column that the keys of all these checks have.",
                )


def _hides_too_much(
    alerts: ConfigFile, index: int, inhibition: Mapping[str, Any], subjects: Mapping[str, Subject]
) -> Errors:
    """Find alerts that would be hidden by what is told less urgently, and critical ones."""
    ranks = [SEVERITIES.index(subjects[one].severity) for one in inhibition["by"] if one in subjects]
    for number, check_id in enumerate(inhibition["mutes"]):
        if check_id not in subjects or not ranks:
            continue
        severity = subjects[check_id].severity
        if severity == "critical":
            yield alerts.wrong(
                ("inhibitions", index, "mutes", number),
                "is critical, and no inhibition keeps a critical alert quiet",
                next_step="Remove it; a silence can name it where it must be.",
            )
        elif SEVERITIES.index(severity) < max(ranks):
            yield alerts.wrong(
                ("inhibitions", index, "mutes", number),
                f"is more severe than what would hide it: {severity}, not {SEVERITIES[max(ranks)]}",
                next_step="Remove it, or raise the severity of the checks under by.",
            )


def _cycles(
    alerts: ConfigFile, index: int, inhibition: Mapping[str, Any], edges: list[tuple[str, str]]
) -> Errors:
    """Find the checks that would mute what mutes them; `edges` are those before, and grow."""
    for number, muted in enumerate(inhibition["mutes"]):
        place = ("inhibitions", index, "mutes", number)
        if muted in inhibition["by"]:
            yield alerts.wrong(place, "would mute itself", next_step="Remove it from by or from mutes.")
        elif _reached(muted, edges) & set(inhibition["by"]):
            yield alerts.wrong(
                place,
                "mutes, by way of others, what mutes it here: both would stay quiet",
                next_step="Let the cause mute what follows from it, and not the other way about.",
            )
        else:
            edges += [(one, muted) for one in inhibition["by"]]


def _reached(start: str, edges: list[tuple[str, str]]) -> set[str]:
    """Return all that `start` mutes, by way of others too."""
    reached, ahead = set[str](), [start]
    while ahead:
        check_id = ahead.pop()
        fresh = {muted for by, muted in edges if by == check_id} - reached
        reached |= fresh
        ahead += fresh
    return reached
