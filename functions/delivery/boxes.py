"""The outboxes of checks' documents and of the announcements: what waits in them, and how answers get in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from threading import Lock

from functions.alerts import announcements, outbox, state
from functions.alerts.alert import Notice, Told
from functions.alerts.lifecycle import record_told
from functions.alerts.outbox import Entry, Outbox, Response
from functions.alerts.records import Json
from functions.alerts.state import CheckState
from functions.checks.definition import CheckDefinition
from functions.errors import DocumentConflict
from functions.storage.documents import Document, Documents

COMMIT_ATTEMPTS = 10


class Boxes:
    """The outboxes that a host delivers from.

    Args:
        documents: Where they are.
        checks: Whose documents are delivered.
    """

    def __init__(self, documents: Documents, checks: Sequence[CheckDefinition]) -> None:
        self._documents = documents
        self._checks = {state.PREFIX + check.id: check for check in checks}
        # Destinations that are served side by side would only undo each other's writes.
        self._one_at_a_time = Lock()

    def are_ours(self, names: Iterable[str]) -> list[str]:
        """Return those of the documents that are delivered from here, in order."""
        return sorted(name for name in names if name in self._checks or name == announcements.NAME)

    def check_of(self, name: str) -> CheckDefinition | None:
        """Return the check whose document that is; None for the announcements."""
        return self._checks.get(name)

    def read(self, name: str) -> Outbox:
        """Return the outbox in a document. Raises StorageError."""
        held = self._documents.read(name)
        return outbox_of(held) if held else Outbox()

    def settle(self, name: str, destination: str, came: Mapping[str, Response], *, jitter: float) -> None:
        """Write down what came back for entries of a document, all in one write.

        Where someone else wrote in between, it is added to what they wrote; what is there already is not
        written again.

        Raises:
            DocumentConflict: Someone else wrote at every attempt.
            StorageError: The document can't be read or written.
        """
        with self._one_at_a_time:
            for _ in range(COMMIT_ATTEMPTS):
                held = self._documents.read(name)
                after = _settled(held, destination, came, jitter) if held else None
                if held is None or after is None:
                    return
                try:
                    self._documents.write(name, after, version=held.version)
                except DocumentConflict:
                    continue
                return
        raise DocumentConflict(
            f"The document {name} changed at every attempt to write receipts.", next_step="Wait a minute."
        )


def outbox_of(held: Document) -> Outbox:
    """Return the outbox in a document as read. Raises StorageError."""
    if held.name == announcements.NAME:
        return announcements.announcements_from_json(held.body)
    return state.outbox_from_json(held.name, held.body)


def settle(
    before: CheckState, destination: str, came: Mapping[str, Response], *, jitter: float
) -> CheckState:
    """Return a check's state with what came back on record; an alert counts as told with a receipt only."""
    settled = outbox.settle(before.outbox, destination, came, jitter=jitter)
    alerts = dict(before.alerts)
    for entry in _newly_accepted(before.outbox, settled):
        name = entry.notice.about
        if isinstance(entry.notice, Notice) and name in alerts:
            told = Told(destination, entry.notice.kind, entry.notice.alert.episode, came[entry.key].at)
            alerts |= record_told({name: alerts[name]}, name, told)
    return replace(before, outbox=outbox.without_old_receipts(settled, alerts), alerts=alerts)


def _newly_accepted(before: Outbox, after: Outbox) -> Iterable[Entry]:
    new = {(one.key, one.destination) for one in after.receipts[len(before.receipts) :]}
    return (entry for entry in before.waiting if (entry.key, entry.destination) in new)


def _settled(held: Document, destination: str, came: Mapping[str, Response], jitter: float) -> Json | None:
    """Return the body with what came back; None where nothing of it waits there any more."""
    if held.name == announcements.NAME:
        before = announcements.announcements_from_json(held.body)
        if not _any_waits(before, destination, came):
            return None
        settled = outbox.settle(before, destination, came, jitter=jitter)
        return announcements.announcements_to_json(outbox.without_old_receipts(settled, ()))
    whole = state.state_from_json(held.name, held.body)
    if not _any_waits(whole.outbox, destination, came):
        return None
    return state.state_to_json(settle(whole, destination, came, jitter=jitter))


def _any_waits(held: Outbox, destination: str, came: Mapping[str, Response]) -> bool:
    return any(entry.destination == destination and entry.key in came for entry in held.waiting)
