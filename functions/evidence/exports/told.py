"""The form of what is told of a scheduled export: the body of what is announced.

Instants are ISO 8601 texts in UTC with "Z", days are "2026-11-23".
"""

from typing import TypedDict


class ScheduledExport(TypedDict):
    """The body of what is told of an export that was made by itself.

    Attributes:
        schedule: Its name in exports.yaml.
        export_id: 32 hex digits; null where it could not be asked for.
        day: The day that it was due.
        start: The first instant of what was asked for.
        end: The instant after the last.
        zone: IANA time zone of both.
        profile: How much the bundle shows.
        ticket: Where the need is recorded.
        state: What became of it: done, failed, cancelled, refused or expired.
        complete: Whether the bundle holds all that the source has; null where there is none.
        traces: How many it holds; null where there is no bundle.
        spans: Likewise.
        rows: Likewise, spans included.
        why: Why there is no bundle, as a sentence in our own words; null where there is one.
        missed_weeks: Weeks before this one for which no export was made, since nothing ran.
    """

    schedule: str
    export_id: str | None
    day: str
    start: str
    end: str
    zone: str
    profile: str
    ticket: str
    state: str
    complete: bool | None
    traces: int | None
    spans: int | None
    rows: int | None
    why: str | None
    missed_weeks: int
