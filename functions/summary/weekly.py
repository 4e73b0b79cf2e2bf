"""Makes each week's summary once and announces it, however many hosts look and wherever one of them stops."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from functions.alerts.announcement import Announcement
from functions.alerts.announcements import Announcements
from functions.alerts.rules import WeeklySummary
from functions.errors import DocumentConflict
from functions.storage.documents import Documents
from functions.summary.body import Week
from functions.summary.document import DOCUMENT, Told, read_told, told_json
from functions.weeks import WeekBefore, is_ahead, latest_day, week_due

CLAIMED = timedelta(minutes=30)
"""How long a host may take to make a summary, as long as its functions may run; then another begins."""


class Gatherer(Protocol):
    """What makes a summary's body: `functions.summary.gathering.Gathering`."""

    def gather(self, week: WeekBefore) -> Week:
        """Return the body, as far as it can be known."""
        ...


class WeeklySummaries:
    """Announces summaries when they are due.

    Args:
        documents: Where it is remembered which was the last.
        gathering: Makes the bodies.
        rule: When, and to whom; None: never.
        clock: The present instant, UTC.
    """

    def __init__(
        self,
        documents: Documents,
        gathering: Gatherer,
        rule: WeeklySummary | None,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._documents = documents
        self._announcements = Announcements(documents)
        self._gathering = gathering
        self._rule = rule
        self._clock = clock

    def tick(self) -> bool:
        """Make and announce the summary that is due, if one is; return whether this call did.

        It is announced before that is written down: who stops in between makes it once more, under the same
        key, and that is announced no second time.

        Raises:
            StorageError: A document can't be read or written.
        """
        if self._rule is None:
            return False
        now, held = self._clock(), self._documents.read(DOCUMENT)
        told = read_told(held.body) if held else None
        version = held.version if held else None
        if told is None or is_ahead(self._rule, told.last, now):
            self._write(Told(latest_day(self._rule, now)), version)
            return False
        week = week_due(self._rule, told.last, now)
        if week is None or _is_claimed(told, now):
            return False
        claim = self._write(Told(told.last, claimed_until=now + CLAIMED), version)
        return claim is not None and self._announce(week, self._rule, claim)

    def _announce(self, week: WeekBefore, rule: WeeklySummary, claim: str) -> bool:
        body = self._gathering.gather(week)
        key = f"weekly_summary-{week.day.isoformat()}"
        added = self._announcements.add(
            Announcement(key, "weekly_summary", self._clock(), rule.destinations, body)
        )
        self._write(Told(week.day), claim)
        return added

    def _write(self, told: Told, version: str | None) -> str | None:
        """Return the new version; None where another host wrote first, which then sees to the rest."""
        try:
            return self._documents.write(DOCUMENT, told_json(told), version=version).version
        except DocumentConflict:
            return None


def _is_claimed(told: Told, now: datetime) -> bool:
    """Return whether another host is at work; a claim that is longer than one is, a wrong clock made."""
    return told.claimed_until is not None and now < told.claimed_until <= now + CLAIMED
