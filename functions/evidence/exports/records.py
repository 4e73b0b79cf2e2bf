"""Keeps what is known of exports: their documents, and what the ledger hears of them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from functions.errors import NotFound
from functions.evidence.exports.export import Export, State, stored_export
from functions.storage.append_log import AppendLog
from functions.storage.documents import Documents

_PREFIX = "exports/"
_EXPORT_ID = re.compile(r"[0-9a-f]{32}")
_ENDED = {
    State.DONE: "finished",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.REFUSED: "refused",
    State.EXPIRED: "expired",
}


@dataclass(frozen=True, slots=True)
class Held:
    """An export as read, with the version of its document."""

    export: Export
    version: str


@dataclass(frozen=True, slots=True)
class Records:
    """All exports' records.

    Attributes:
        documents: Holds `exports/<id>`.
        ledger: Where requests and results are written down.
        clock: The time, UTC.
    """

    documents: Documents
    ledger: AppendLog
    clock: Callable[[], datetime]

    def find(self, export_id: str) -> Held | None:
        """Return an export, or None where there is none of this id. Raises StorageError."""
        document = self.documents.read(_PREFIX + export_id) if _EXPORT_ID.fullmatch(export_id) else None
        return Held(stored_export(document.body), document.version) if document else None

    def get(self, export_id: str) -> Held:
        """Return an export.

        Raises:
            NotFound: There is none of this id.
            StorageError: It could not be read.
        """
        held = self.find(export_id)
        if held is None:
            raise NotFound("There is no such export.", next_step="Check its id in the list of exports.")
        return held

    def all(self) -> Iterator[Export]:
        """Yield all exports. Raises StorageError."""
        for name in self.documents.names(_PREFIX):
            document = self.documents.read(name)
            if document is not None:
                yield stored_export(document.body)

    def create(self, export: Export) -> Held:
        """Record a new export. Raises DocumentConflict, StorageError."""
        document = self.documents.write(_PREFIX + export.id, export.stored(), version=None)
        return Held(export, document.version)

    def write(self, held: Held, export: Export) -> Held:
        """Replace an export as it was read.

        Raises:
            DocumentConflict: It has changed since.
            StorageError: It is not known to be written.
        """
        document = self.documents.write(_PREFIX + export.id, export.stored(), version=held.version)
        return Held(export, document.version)

    def end(self, held: Held, state: State, *, failure: str | None = None, who: str | None = None) -> Held:
        """Bring an export to its final state; the ledger hears of it before anyone can see it.

        What only the job needed of the request is forgotten. Without a bundle nothing is known of one.

        Args:
            held: The export.
            state: The final state.
            failure: Why there is no bundle.
            who: Whose doing it is; None: the job's, on the requester's behalf.

        Raises:
            DocumentConflict: It has changed since it was read.
            StorageError: It is not known to be written.
        """
        ended = replace(
            held.export,
            state=state,
            selection=held.export.selection.forgotten(),
            finished_at=self.clock(),
            failure=failure,
        )
        facts: dict[str, str] = {}
        if state is State.DONE:
            body = ended.body()
            known = {**(body["bundle"] or {}), **(body["counts"] or {})}
            facts = {name: str(value) for name, value in known.items()}
        else:
            ended = replace(ended, bundle=None, counts=None, late_rows=None, missing=())
        self.enter(ended, f"exports.{_ENDED[state]}", who=who, **facts)
        return self.write(held, ended)

    def enter(self, export: Export, action: str, *, who: str | None = None, **on: str) -> None:
        """Tell the ledger. Raises StorageError: it is not known to be in the ledger."""
        self.ledger.append(
            {
                "at": self.clock(),
                "action": action,
                "who": {"object_id": who or export.requester},
                "on": {"export_id": export.id, "profile": export.selection.profile, **on},
                "outcome": "failed" if export.state in {State.FAILED, State.EXPIRED} else "served",
                "reason": export.failure or "",
                "correlation_id": export.id,
            }
        )
