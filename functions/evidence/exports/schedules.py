"""Decides which scheduled exports are due, what each asks for, and what is told of it. Pure.

A week is named by the day its export is due, so that a time which a change of clocks leaves out or brings
twice makes no second one. What was missed while nothing ran is caught up once, by the latest week's export.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from functions.alerts.announcement import Announcement
from functions.alerts.records import instant_text
from functions.evidence.exports.export import Export
from functions.evidence.exports.told import ScheduledExport
from functions.evidence.selection.export_rules import Schedule
from functions.storage.versioned import understood
from functions.weeks import is_ahead, latest_day

DOCUMENT = "export_schedules"
FORMAT = 1
"""Rises when a body is written that earlier versions would misread."""


@dataclass(frozen=True, slots=True)
class Due:
    """An export that a schedule has made due, and of which nothing was told yet.

    Attributes:
        day: The day.
        export_id: 32 hex digits, drawn when it became due, so that it is asked for only once.
        missed: How many weeks before this one had none, since nothing ran.
    """

    day: date
    export_id: str
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a schedule has come: the day of the latest export that was due, and those not told of."""

    last: date
    waiting: tuple[Due, ...] = ()


Held = Mapping[str, Progress]
"""What is remembered, by the names of schedules."""


def new_export_id() -> str:
    """Return an id that nobody could know before."""
    return secrets.token_hex(16)


def decide(
    schedules: Sequence[Schedule], held: Held, now: datetime, new_id: Callable[[], str] = new_export_id
) -> Held:
    """Return what is to be remembered now: with what has become due, and without schedules that are no more.

    The first export of a schedule comes at the first time that is due after it was seen first.

    Args:
        schedules: Those that there are.
        held: What is remembered.
        now: The present instant, UTC.
        new_id: Makes ids.
    """
    decided: dict[str, Progress] = {}
    for schedule in schedules:
        progress, day = held.get(schedule.name), latest_day(schedule, now)
        if progress is None or is_ahead(schedule, progress.last, now):
            decided[schedule.name] = Progress(day, progress.waiting if progress else ())
        elif progress.last < day:
            missed = max(0, (day - progress.last).days // 7 - 1)
            decided[schedule.name] = Progress(day, (*progress.waiting, Due(day, new_id(), missed)))
        else:
            decided[schedule.name] = progress
    return decided


def without(held: Held, name: str, due: Due) -> Held:
    """Return what is remembered once people were told of an export."""
    progress = held[name]
    left = tuple(one for one in progress.waiting if one.export_id != due.export_id)
    return {**held, name: replace(progress, waiting=left)}


def bounds_of(schedule: Schedule, day: date) -> tuple[datetime, datetime]:
    """Return the first instant of what is asked for on a day and the one after the last, UTC."""
    (selector,) = schedule.selector.values()
    zone = ZoneInfo(schedule.zone)
    start, end = (
        datetime.combine(one, time(), zone).astimezone(UTC)
        for one in (day - timedelta(days=selector["last_days"]), day)
    )
    return start, end


def request_of(schedule: Schedule, day: date) -> dict[str, Any]:
    """Return the body of the request that a schedule makes on a day."""
    ((kind, selector),) = schedule.selector.items()
    start, end = map(instant_text, bounds_of(schedule, day))
    filters = {name: value for name, value in selector.items() if name != "last_days"}
    return {
        "selector": {kind: {"start": start, "end": end, **filters}},
        "profile": schedule.profile,
        "reason": schedule.reason,
        "ticket": schedule.ticket,
    }


def announcement_of(
    schedule: Schedule,
    due: Due,
    export: Export | None,
    why: str | None,
    *,
    everybody: tuple[str, ...],
    now: datetime,
) -> Announcement:
    """Return what is told of an export that is over.

    Args:
        schedule: Which one.
        due: When it was due.
        export: The export; None where it could not be asked for.
        why: Why there is no bundle; None where there is one.
        everybody: All destinations, who are told where the schedule names none.
        now: The present instant.
    """
    start, end = map(instant_text, bounds_of(schedule, due.day))
    counts = export.counts if export else None
    body = ScheduledExport(
        schedule=schedule.name,
        export_id=export.id if export else None,
        day=due.day.isoformat(),
        start=start,
        end=end,
        zone=schedule.zone,
        profile=schedule.profile,
        ticket=schedule.ticket,
        state=export.state.value if export else "refused",
        complete=counts.complete if counts else None,
        traces=counts.traces if counts else None,
        spans=counts.spans if counts else None,
        rows=counts.rows if counts else None,
        why=why,
        missed_weeks=due.missed,
    )
    key = f"scheduled_export-{schedule.name}-{due.day.isoformat()}"
    return Announcement(key, "scheduled_export", now, schedule.destinations or everybody, body)


def held_json(held: Held) -> dict[str, Any]:
    """Return the document's body."""
    return {
        "format": FORMAT,
        "schedules": {
            name: {
                "last": progress.last.isoformat(),
                "waiting": [
                    {"day": due.day.isoformat(), "export_id": due.export_id, "missed": due.missed}
                    for due in progress.waiting
                ],
            }
            for name, progress in sorted(held.items())
        },
    }


def read_held(body: Mapping[str, Any]) -> Held:
    """Read the document's body.

    Raises:
        StorageError: A newer version wrote it, or it isn't such a body.
    """
    return understood(
        DOCUMENT,
        body,
        _read,
        newest=FORMAT,
        holds="how far scheduled exports have come",
        next_step="Delete it: the next scheduled exports come at their time.",
    )


def _read(body: Mapping[str, Any]) -> Held:
    return {
        name: Progress(
            date.fromisoformat(one["last"]),
            tuple(
                Due(date.fromisoformat(due["day"]), due["export_id"], due["missed"]) for due in one["waiting"]
            ),
        )
        for name, one in body["schedules"].items()
    }
