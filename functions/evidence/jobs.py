"""Runs exports from request to bundle; the ledger hears of each step before anyone can see it.

A job may be started again at any time: a repeated message of a finished export does nothing, and after a
crash the next attempt takes over what the last one stored, or builds it anew.
"""

import hashlib
import io
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from functions.errors import (
    DocumentConflict,
    EvidenceError,
    InvalidRequest,
    NotFound,
    NotReady,
    QueryRejected,
    RedactionFailure,
    ResultTooLarge,
    SourceError,
    SourceRefused,
    TracekeeperError,
)
from functions.evidence.assembly import (
    Counts,
    Protection,
    build_bundle,
    gather_rows,
    queries_hmac,
)
from functions.evidence.export import BundleFacts, Export, State, stored_export
from functions.evidence.selection import (
    AlertTraces,
    ResolveAlert,
    Selection,
    TimeWindow,
    TraceIds,
    parse_selection,
)
from functions.storage.append_log import AppendLog
from functions.storage.documents import Document, Documents
from functions.storage.objects import Objects
from functions.traces.rows import Scope, find_traces, read_slices, traces_in_window
from functions.traces.source import TraceSource

ATTEMPTS = 4
"""How often a job may begin. The queue delivers a message five times, and the last records the failure."""

_EXPORT_ID = re.compile(r"[0-9a-f]{32}")
_HOPELESS = (RedactionFailure, SourceRefused, QueryRejected, ResultTooLarge)


@dataclass(frozen=True, slots=True)
class Exports:
    """All exports.

    Attributes:
        documents: Holds `exports/<id>`.
        objects: Holds finished bundles.
        source: Where traces come from.
        protection: Gives what stands between telemetry and an export's reader, as configured now.
        ledger: Where requests and results are written down.
        resolve_alert: Finds the traces of an alert; raises NotFound where there is no such alert.
        clock: The time, UTC.
        names: Which agent is meant by which name; see `Attributes.names`.
    """

    documents: Documents
    objects: Objects
    source: TraceSource
    protection: Callable[[], Protection]
    ledger: AppendLog
    resolve_alert: ResolveAlert
    clock: Callable[[], datetime]
    names: Mapping[str, str]

    def parse(self, body: object) -> Selection:
        """Read the JSON body of a request; see `parse_selection`.

        Raises:
            InvalidRequest: A field breaks a rule, or holds what may not stand in a bundle.
            NotFound: It names an alert that there is not.
        """
        selection = parse_selection(body, resolve_alert=self.resolve_alert)
        detectors = self.protection().detectors
        for field, text in selection.words():
            if detectors.find(text):
                raise InvalidRequest(
                    f"The field {field} holds what looks like a secret or personal data.",
                    next_step="Say it without: the bundle and the ledger will hold these words.",
                )
        return selection

    def request(self, selection: Selection, *, requester: str, export_id: str | None = None) -> Export:
        """Record a new export; the caller puts its id into the queue.

        Args:
            selection: What to export.
            requester: The directory's object id of who asks, or the name of what asks by itself.
            export_id: The id of one that may be recorded already, and then is left as it is; None: a new one.

        Raises:
            StorageError: It is not recorded, or not in the ledger.
        """
        recorded = self.documents.read(_name(export_id)) if export_id else None
        if recorded is not None:
            return stored_export(recorded.body)
        export = Export(export_id or secrets.token_hex(16), State.QUEUED, selection, requester, self.clock())
        self._enter(export, "exports.requested", reason=selection.reason, ticket=selection.ticket)
        self.documents.write(_name(export.id), export.stored(), version=None)
        return export

    def get(self, export_id: str) -> Export:
        """Return an export.

        Raises:
            NotFound: There is none of this id.
        """
        return stored_export(self._document(export_id).body)

    def list(self) -> list[Export]:
        """Return all exports, the latest first."""
        documents = (self.documents.read(name) for name in self.documents.names("exports/"))
        exports = [stored_export(document.body) for document in documents if document is not None]
        return sorted(exports, key=lambda export: (export.requested_at, export.id), reverse=True)

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

    def run(self, export_id: str) -> None:
        """Do the export's job, unless it is finished.

        Raises:
            NotFound: There is no such export.
            SourceError: The source failed in a way that may pass; deliver the message again.
            StorageError: Likewise, of the storage or the ledger; also where another attempt took over.
        """
        document = self._document(export_id)
        export = stored_export(document.body)
        if export.finished:
            return
        if export.attempts >= ATTEMPTS:
            self._fail(document, export, f"The job was stopped {ATTEMPTS} times before it could finish.")
            return
        export = replace(export, state=State.RUNNING, attempts=export.attempts + 1)
        document = self._write(export, document)
        if export.bundle is not None and self._stored(export.bundle):
            self._finish(document, export)
            return
        try:
            facts, counts, data = self._build(export)
        except (EvidenceError, SourceError) as error:
            if export.attempts < ATTEMPTS and not isinstance(error, _HOPELESS):
                raise
            self._fail(document, export, _failure(error))
            return
        # What is about to be stored is noted first, so that after a crash its counts are known.
        export = replace(export, bundle=facts, counts=counts)
        self._store(self._write(export, document), export, facts, data)

    def _build(self, export: Export) -> tuple[BundleFacts, Counts, bytes]:
        protection = self.protection()
        scope = self._scope(export.selection)
        gathered = gather_rows(scope, read_slices(self.source, scope), protection)
        data = build_bundle(export.selection, gathered, protection)
        facts = BundleFacts(
            object_name=f"{export.id}/bundle-{export.selection.profile}.zip",
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            queries_hmac_sha256=queries_hmac(gathered, protection.pseudonyms),
        )
        return facts, gathered.counts, data

    def _store(self, document: Document, export: Export, facts: BundleFacts, data: bytes) -> None:
        # A conflict: an attempt at the same time has stored it, or another version of it.
        with suppress(DocumentConflict):
            self.objects.put(facts.object_name, io.BytesIO(data))
        if self._stored(facts):
            self._finish(document, export)
        else:
            self._fail(document, export, "Telemetry was still arriving, and two attempts differ: ask again.")

    def _stored(self, facts: BundleFacts) -> bool:
        if self.objects.size(facts.object_name) != facts.size:
            return False
        digest = hashlib.sha256()
        for chunk in self.objects.read(facts.object_name):
            digest.update(chunk)
        return digest.hexdigest() == facts.sha256

    def _scope(self, selection: Selection) -> Scope:
        match selection.selector:
            case TimeWindow(start, end, agent, release):
                return traces_in_window(
                    self.source, start=start, end=end, agent=agent, release=release, names=self.names
                )
            case TraceIds(trace_ids) | AlertTraces(_, trace_ids):
                return find_traces(self.source, trace_ids, now=self.clock())
            case _:
                raise InvalidRequest("This can't be exported yet.", next_step="Ask by trace ids or a window.")

    def _finish(self, document: Document, export: Export) -> None:
        done = replace(export, state=State.DONE, finished_at=self.clock())
        facts = {**(done.body()["bundle"] or {}), **(done.body()["counts"] or {})}
        self._enter(done, "exports.finished", **{name: str(value) for name, value in facts.items()})
        self._write(done, document)

    def _fail(self, document: Document, export: Export, failure: str) -> None:
        failed = replace(
            export, state=State.FAILED, finished_at=self.clock(), failure=failure, bundle=None, counts=None
        )
        self._enter(failed, "exports.failed")
        self._write(failed, document)

    def _enter(self, export: Export, action: str, **on: str) -> None:
        self.ledger.append(
            {
                "at": self.clock(),
                "action": action,
                "who": {"object_id": export.requester},
                "on": {"export_id": export.id, "profile": export.selection.profile, **on},
                "outcome": "failed" if export.state is State.FAILED else "served",
                "reason": export.failure or "",
                "correlation_id": export.id,
            }
        )

    def _document(self, export_id: str) -> Document:
        document = self.documents.read(_name(export_id)) if _EXPORT_ID.fullmatch(export_id) else None
        if document is None:
            raise NotFound("There is no such export.", next_step="Check its id in the list of exports.")
        return document

    def _write(self, export: Export, over: Document) -> Document:
        return self.documents.write(over.name, export.stored(), version=over.version)


def _name(export_id: str) -> str:
    return f"exports/{export_id}"


def _failure(error: TracekeeperError) -> str:
    """Say what went wrong in words of ours: what a service answered may quote telemetry."""
    match error:
        case RedactionFailure():
            return "Withheld: the finished files held something that must not leave."
        case SourceRefused():
            return "The app's identity may not read the telemetry: give it the role Log Analytics Reader."
        case ResultTooLarge():
            return "Too much telemetry for one export: ask for a shorter window or fewer traces."
        case QueryRejected():
            return "The workspace does not accept the queries: report this."
        case _:
            return "The telemetry could not be read: ask again later."
