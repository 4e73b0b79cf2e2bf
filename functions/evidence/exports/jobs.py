"""What people do with exports: ask for one, decide about it, follow it, stop it, take its bundle.

The ledger hears of each before anyone can see it. `Steps` does the work.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from functions.access.scope import EVERYTHING, Scope
from functions.errors import Forbidden, InvalidRequest, NotReady
from functions.evidence.exports.export import Decision, Export, State
from functions.evidence.exports.records import Records
from functions.evidence.exports.work import Work
from functions.evidence.redaction.protection import Protection
from functions.evidence.selection.selection import Asking, Selection, parse_reason, parse_selection
from functions.storage.append_log import AppendLog
from functions.storage.documents import Documents
from functions.storage.objects import Objects, WorkObjects


@dataclass(frozen=True, slots=True)
class Exports:
    """All exports.

    Attributes:
        documents: Holds `exports/<id>`.
        objects: Holds finished bundles.
        work: Holds what is put aside until an export is over.
        protection: Gives what stands between telemetry and an export's reader, as configured now.
        ledger: Where requests and results are written down.
        resolve_alert: Finds the traces of an alert; raises NotFound where there is none within the scope.
        clock: The time, UTC.
        needs_approval: Whether an export needs a second person's approval.
        asking: What people can ask by here.
    """

    documents: Documents
    objects: Objects
    work: WorkObjects
    protection: Callable[[], Protection]
    ledger: AppendLog
    resolve_alert: Callable[[str, Scope], Sequence[str]]
    clock: Callable[[], datetime]
    needs_approval: Callable[[Selection], bool]
    asking: Asking | None = None

    @property
    def records(self) -> Records:
        """What is known of the exports."""
        return Records(self.documents, self.ledger, self.clock)

    def parse(self, body: object, *, scope: Scope = EVERYTHING) -> Selection:
        """Read the JSON body of a request; see `parse_selection`.

        Raises:
            InvalidRequest: A field breaks a rule, or holds what may not stand in a bundle.
            NotFound: It names an alert that there is not.
        """
        selection = parse_selection(
            body,
            resolve_alert=lambda alert_id: self.resolve_alert(alert_id, scope),
            asking=self.asking,
            scope=scope,
        )
        for field, text in selection.words():
            self._refuse_secrets(field, text)
        return selection

    def request(self, selection: Selection, *, requester: str, export_id: str | None = None) -> Export:
        """Record a new export; the caller puts its message into the queue, unless it waits for approval.

        Args:
            selection: What to export.
            requester: The directory's object id of who asks, or the name of what asks by itself.
            export_id: The id of one that may be recorded already, and then is left as it is; None: a new one.

        Raises:
            StorageError: It is not recorded, or not in the ledger.
        """
        recorded = self.records.find(export_id) if export_id else None
        if recorded is not None:
            return recorded.export
        state = State.AWAITING_APPROVAL if self.needs_approval(selection) else State.QUEUED
        export = Export(export_id or secrets.token_hex(16), state, selection, requester, self.clock())
        self.records.enter(export, "exports.requested", reason=selection.reason, ticket=selection.ticket)
        Work(self.work).open(export.id)
        return self.records.create(export).export

    def get(self, export_id: str) -> Export:
        """Return an export.

        Raises:
            NotFound: There is none of this id.
        """
        return self.records.get(export_id).export

    def progress(self, export: Export) -> dict[str, int] | None:
        """Return how many slices an export has and how many are done; None where it is not at work.

        Raises:
            StorageError: It could not be read.
        """
        if export.state is not State.RUNNING:
            return None
        work = Work(self.work)
        plan = work.plan(export.id)
        if plan is None:
            return {"slices": 0, "done": 0}
        protection = self.protection().for_profile(export.selection.profile)
        count = len(plan.slices)
        left = len(work.missing(export.id, protection.fingerprint, count))
        return {"slices": count, "done": count - left}

    def list(self) -> list[Export]:
        """Return all exports, the latest first."""
        return sorted(self.records.all(), key=lambda export: (export.requested_at, export.id), reverse=True)

    def decide(self, export_id: str, body: object, *, by: str) -> Export:
        """Let a second person approve or refuse an export; the caller puts the message of one approved.

        Args:
            export_id: The export.
            body: `{"approved": bool, "reason": str}`.
            by: The directory's object id of who decides.

        Raises:
            Forbidden: They asked for it themselves.
            InvalidRequest: The body has another shape.
            NotFound: There is no such export.
            NotReady: It does not wait for approval.
        """
        held = self.records.get(export_id)
        if by == held.export.requester:
            raise Forbidden(
                "Who asks for an export can't approve it.",
                next_step="Ask somebody else who has the role Evidence.Approve.",
            )
        if held.export.state is not State.AWAITING_APPROVAL:
            raise NotReady(
                f"The export is {held.export.state} and waits for no approval.",
                next_step="Look at its state and who decided.",
            )
        approved, reason = self._decision(body)
        decision = Decision(by, self.clock(), approved, reason)
        decided = replace(held.export, decision=decision)
        if not approved:
            refused = "A second person refused it."
            return self.records.end(
                replace(held, export=decided), State.REFUSED, failure=refused, who=by
            ).export
        queued = replace(decided, state=State.QUEUED)
        self.records.enter(queued, "exports.approved", who=by, reason=reason)
        return self.records.write(held, queued).export

    def cancel(self, export_id: str, *, by: str) -> Export:
        """Stop an export that is not over; what is under way of it is dropped.

        Raises:
            NotFound: There is no such export.
            NotReady: It is over already.
        """
        held = self.records.get(export_id)
        if held.export.finished:
            raise NotReady(f"The export is {held.export.state}.", next_step="There is nothing to stop.")
        ended = self.records.end(held, State.CANCELLED, failure="It was cancelled.", who=by).export
        Work(self.work).clear(export_id)
        return ended

    def open_bundle(self, export_id: str, *, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Give the bundle's bytes from `offset`, `length` of them at most.

        Raises:
            NotFound: There is no such export.
            NotReady: It is not done.
        """
        export = self.get(export_id)
        if export.state is not State.DONE or export.bundle is None:
            raise NotReady(f"The export is {export.state}.", next_step="Ask for its state again later.")
        return self.objects.read(export.bundle.object_name, offset=offset, length=length)

    def _decision(self, body: object) -> tuple[bool, str]:
        match body:
            case {"approved": bool(approved), "reason": reason, **rest} if not rest:
                words = parse_reason(reason)
                self._refuse_secrets("reason", words)
                return approved, words
        raise InvalidRequest(
            'The body must be {"approved": true or false, "reason": "..."}.',
            next_step="Correct the request and send it again.",
        )

    def _refuse_secrets(self, field: str, text: str) -> None:
        if self.protection().detectors.find(text):
            raise InvalidRequest(
                f"The field {field} holds what looks like a secret or personal data.",
                next_step="Say it without: the bundle and the ledger will hold these words.",
            )
