"""The rules of exports as config/exports.yaml states them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from functions.alerts.rules import WEEKDAYS
from functions.checks.definition import duration


@dataclass(frozen=True, slots=True)
class ContentRules:
    """What exports of the profile `content` need and show.

    Attributes:
        approval: Whether a second person has to approve each of them.
        structure_only: Whether they show of messages roles, lengths and tool names alone.
    """

    approval: bool = True
    structure_only: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """An export that is made every week.

    Attributes:
        name: What it is called.
        weekday: 0 is Monday.
        at: When on that day it is asked for.
        zone: The IANA time zone of that day, and of the midnights that its window begins and ends with.
        selector: As exports.schema.json has it: `window` or `sample` with `last_days`.
        profile: How much the bundle shows.
        reason: What it is for.
        ticket: Where the need is recorded.
        destinations: Who gets the card; empty: everybody.
    """

    name: str
    weekday: int
    at: time
    zone: str
    selector: Mapping[str, Any]
    profile: str
    reason: str
    ticket: str
    destinations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportRules:
    """What exports can be asked by, and which are made by themselves.

    Attributes:
        case_attribute: The span property that holds case numbers; None: none does.
        content: What the profile `content` needs and shows.
        expires_after: An export that is not finished so long after it was asked for is given up.
        schedules: In the order of the file.
    """

    case_attribute: str | None = None
    content: ContentRules = ContentRules()
    expires_after: timedelta = timedelta(days=7)
    schedules: tuple[Schedule, ...] = ()


def export_rules(body: Mapping[str, Any]) -> ExportRules:
    """Build the rules from a body that exports.schema.json has accepted; {} where there is no file."""
    rules = ExportRules()
    content = body.get("content")
    return ExportRules(
        case_attribute=body.get("case_attribute"),
        content=ContentRules(content["approval"] == "required", content["structure_only"])
        if content
        else rules.content,
        expires_after=duration(body["expires_after"]) if "expires_after" in body else rules.expires_after,
        schedules=tuple(map(_schedule, body.get("schedules", ()))),
    )


def _schedule(body: Mapping[str, Any]) -> Schedule:
    return Schedule(
        name=body["name"],
        weekday=WEEKDAYS.index(body["weekday"]),
        at=time.fromisoformat(body["at"]),
        zone=body["time_zone"],
        selector=body["selector"],
        profile=body["profile"],
        reason=body["reason"],
        ticket=body["ticket"],
        destinations=tuple(body.get("destinations", ())),
    )
