"""Looks after exports that are not over: those that stalled go on, those that wait too long expire.

And it removes the work of those that are over, where a crash left it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from functions.errors import TracekeeperError
from functions.evidence.exports.export import State
from functions.evidence.exports.progress import read_progress, show_life
from functions.evidence.exports.records import Held, Records
from functions.evidence.exports.steps import Step
from functions.evidence.exports.work import Work

_log = logging.getLogger(__name__)

STALLED_AFTER = timedelta(minutes=15)
"""After so long without a sign of life an export's job is put into the queue again. A slice is read within a
few minutes, and who assembles shows signs of life."""

_NO_QUEUE = (
    "Give the app's identity the role Storage Queue Data Contributor on the storage account, and see that "
    "the queue 'exports' is there and that the function run_export is on."
)
"""The host fills and empties the queue for the app: nobody else can say why a job does not begin."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Looks after exports that are not over.

    Attributes:
        records: What is known of the exports.
        work: Holds the marks of those that are not over.
        expires_after: An export that is not over so long after it was asked for is given up.
    """

    records: Records
    work: Work
    expires_after: timedelta

    def tick(self) -> Sequence[str]:
        """Look after each; return the messages of those that go on. What fails is looked after next time."""
        messages = []
        for export_id in self.work.open_ids():
            try:
                if self._look_after(export_id):
                    messages.append(Step(export_id).message())
            except TracekeeperError as error:
                _log.warning("The export %s could not be looked after: %s", export_id, error)
        return messages

    def _look_after(self, export_id: str) -> bool:
        """Return whether its job has to go on."""
        held = self.records.find(export_id)
        now = self.records.clock()
        if held is None:  # it will be recorded within the moment, or never was
            return False
        if held.export.finished:
            self.work.clear(export_id)
            return False
        if now - held.export.requested_at > self.expires_after:
            self._expire(held)
            return False
        if held.export.state is State.AWAITING_APPROVAL:
            return False
        progress = read_progress(self.records.documents, export_id)
        since = held.export.waits_since
        if now - max(progress.seen_at or since, since) < STALLED_AFTER:
            return False
        if not progress.begun:
            _log.warning(
                "The job of the export %s has not begun for %s. %s", export_id, now - since, _NO_QUEUE
            )
        show_life(self.records.documents, export_id, now)
        return True

    def _expire(self, held: Held) -> None:
        waited = held.export.state is State.AWAITING_APPROVAL
        begun = read_progress(self.records.documents, held.export.id).begun
        reason = "It took too long: ask for less." if begun else f"Its job never began. {_NO_QUEUE}"
        if waited:
            reason = "Nobody approved it in time: ask again."
        self.records.end(held, State.EXPIRED, failure=reason)
        self.work.clear(held.export.id)
