"""Asks for scheduled exports when they are due, and announces each once it is over.

What is due is written down, with the id of its export, before it is asked for, and it is announced before it
is forgotten: whatever stops in between, the next tick goes on from there, with the same export and card.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from functions.alerts.announcement import Announcement
from functions.errors import DocumentConflict, InvalidRequest, NotFound, StorageError
from functions.evidence.exports.export import Export, State
from functions.evidence.exports.schedules import (
    DOCUMENT,
    Due,
    Held,
    announcement_of,
    decide,
    held_json,
    read_held,
    request_of,
    without,
)
from functions.evidence.selection.export_rules import Schedule
from functions.evidence.selection.selection import Selection
from functions.storage.documents import Document, Documents

_log = logging.getLogger(__name__)

REQUESTER = "tracekeeper:schedule"
"""Who asks for the exports: the directory's ids of people are GUIDs."""


class Asker(Protocol):
    """What takes requests for exports: `functions.evidence.exports.jobs.Exports`."""

    def parse(self, body: object) -> Selection:
        """Read the body of a request. Raises InvalidRequest."""
        ...

    def request(self, selection: Selection, *, requester: str, export_id: str | None = None) -> Export:
        """Record an export, unless one of this id is. Raises StorageError."""
        ...

    def get(self, export_id: str) -> Export:
        """Return an export. Raises NotFound, StorageError."""
        ...


class Announcer(Protocol):
    """Whatever tells people what is not about one alert."""

    def add(self, announcement: Announcement) -> object:
        """Have it told; what was added under the same key before changes nothing. Raises StorageError."""
        ...


@dataclass(frozen=True, slots=True)
class ScheduledExports:
    """Makes the scheduled exports.

    Attributes:
        documents: Where it is remembered which were the last.
        exports: Takes the requests.
        announcer: Tells what became of them.
        schedules: Which there are.
        everybody: All destinations.
        clock: The present instant, UTC.
    """

    documents: Documents
    exports: Asker
    announcer: Announcer
    schedules: Sequence[Schedule]
    everybody: tuple[str, ...]
    clock: Callable[[], datetime]

    def tick(self) -> tuple[str, ...]:
        """Ask for what is due, and tell of what is over; what can't be done now is done by a later tick.

        Returns:
            The ids of exports whose jobs should begin: the caller puts them into the queue.
        """
        begun: list[str] = []
        try:
            self._tick(begun)
        except DocumentConflict:
            _log.info("Another host sees to the scheduled exports at the same time.")
        except StorageError as error:
            _log.error("Scheduled exports could not be seen to: %s", error)
        return tuple(begun)

    def _tick(self, begun: list[str]) -> None:
        document = self.documents.read(DOCUMENT)
        held = read_held(document.body) if document else {}
        decided = decide(self.schedules, held, self.clock())
        if decided != held:
            document = self._write(decided, document)
        for schedule in self.schedules:
            for due in decided[schedule.name].waiting:
                export, why = self._ask(schedule, due, begun)
                if export is not None and not export.finished:
                    continue
                told = announcement_of(schedule, due, export, why, everybody=self.everybody, now=self.clock())
                self.announcer.add(told)
                decided = without(decided, schedule.name, due)
                document = self._write(decided, document)

    def _ask(self, schedule: Schedule, due: Due, begun: list[str]) -> tuple[Export | None, str | None]:
        """Return the export, asked for now unless it was, and why it has come to nothing if it has."""
        try:
            export = self.exports.get(due.export_id)
        except NotFound:
            try:
                selection = self.exports.parse(request_of(schedule, due.day))
            except InvalidRequest as error:
                return None, error.message
            export = self.exports.request(selection, requester=REQUESTER, export_id=due.export_id)
            if export.state is State.QUEUED:  # else somebody has to approve it first
                begun.append(export.id)
        return export, export.failure

    def _write(self, held: Held, over: Document | None) -> Document:
        return self.documents.write(DOCUMENT, held_json(held), version=over.version if over else None)
