"""Does an export's job, step by step; each step is a message of the queue and may be repeated at any time.

What a step stores is written once under a name that is its own, so that whoever comes second finds it there.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO

from functions.errors import (
    AskedTooMuch,
    DocumentConflict,
    EvidenceError,
    QueryRejected,
    RedactionFailure,
    ResultTooLarge,
    SigningRefused,
    SourceError,
    SourceRefused,
    TracekeeperError,
)
from functions.evidence.exports.assembly import Assembled, Assembly, Report
from functions.evidence.exports.export import BundleFacts, Export, State, bundle_name
from functions.evidence.exports.plan import Plan, make_plan
from functions.evidence.exports.progress import begin, read_progress, show_life
from functions.evidence.exports.records import Held, Records
from functions.evidence.exports.same_bundle import same_but_for_signatures
from functions.evidence.exports.slicing import Reader
from functions.evidence.exports.steps import ASSEMBLE, PLAN, SLICE, Step, read_step
from functions.evidence.exports.work import Work, part_name
from functions.evidence.redaction.protection import Protection
from functions.evidence.seals.account import SealAccount
from functions.evidence.selection.membership import Resolved, Resolver
from functions.signing.signatures import Signer
from functions.storage.objects import Objects
from functions.traces.cutting import LIMITS, Limits, count_late

ATTEMPTS = 4
"""How often a step may begin. The queue delivers a message five times, and the last records the failure."""

_HOPELESS = (RedactionFailure, SigningRefused, SourceRefused, QueryRejected, ResultTooLarge)


class _StoppedTooOftenError(Exception):
    """A step has begun as often as it may."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Does the steps of all exports' jobs.

    Attributes:
        records: What is known of the exports.
        objects: Holds finished bundles.
        work: Holds what is put aside until an export is over.
        reader: Reads slices into parts.
        resolver: Finds out which traces an export is about.
        protection: Gives what stands between telemetry and an export's reader, as configured now.
        reconcile: Holds an export against the seals.
        coverage: Says what checks have evaluated of a stretch of ingestion time.
        report: Makes a builder of one report.
        signer: Signs bundles; None: nobody does.
        published: Where the public part of its key is published.
        limits: How much a slice may hold.
    """

    records: Records
    objects: Objects
    work: Work
    reader: Reader
    resolver: Resolver
    protection: Callable[[], Protection]
    reconcile: Callable[[Export, Resolved], SealAccount]
    coverage: Callable[[datetime, datetime], Mapping[str, Any]]
    report: Callable[[], Report]
    signer: Signer | None
    published: str = ""
    limits: Limits = LIMITS

    def run(self, message: bytes | str) -> list[str]:
        """Do one step, unless the export is over; return the messages of the steps that follow.

        Raises:
            InvalidRequest: It is no message of ours.
            NotFound: There is no such export.
            SourceError: The source failed in a way that may pass; deliver the message again.
            EvidenceError: Likewise, of what signs.
            StorageError: Likewise, of the storage or the ledger; also where another attempt took over.
        """
        step = read_step(message)
        held = self.records.get(step.export_id)
        if held.export.finished:
            self.work.clear(step.export_id)
            return []
        if held.export.state is State.AWAITING_APPROVAL:
            return []
        try:
            return [next_.message() for next_ in self._do(step, held)]
        except (EvidenceError, SourceError) as error:
            begun = read_progress(self.records.documents, step.export_id).begun.get(step.name, 0)
            if begun < ATTEMPTS and not isinstance(error, _HOPELESS):
                raise
            self._fail(self.records.get(step.export_id), _failure(error))
        except _StoppedTooOftenError:
            self._fail(held, f"The job was stopped {ATTEMPTS} times before it could finish.")
        return []

    def _do(self, step: Step, held: Held) -> Sequence[Step]:
        export = held.export
        protection = self.protection().for_profile(export.selection.profile)
        plan = self.work.plan(export.id)
        if step.step == PLAN and plan is None:
            self._begin(step)
            if export.state is State.QUEUED:
                self.records.write(held, replace(export, state=State.RUNNING))
            plan = self.work.keep_plan(export.id, self._plan(export))
        if plan is None:
            return [Step(export.id, PLAN)]
        if step.step == SLICE and step.number < len(plan.slices):
            self._read(step, export, plan, protection)
        missing = self.work.missing(export.id, protection.fingerprint, len(plan.slices))
        if step.step == ASSEMBLE and not missing:
            self._begin(step)
            self._assemble(held, plan, protection)
            return ()
        if not missing:
            return [Step(export.id, ASSEMBLE)]
        return () if step.step == SLICE else [Step(export.id, SLICE, number) for number in missing]

    def _begin(self, step: Step) -> None:
        """Note that there is something to do for a step: a message that comes twice counts once."""
        now = self.records.clock()
        if begin(self.records.documents, step.export_id, step.name, now, most=ATTEMPTS) == ATTEMPTS:
            raise _StoppedTooOftenError

    def _plan(self, export: Export) -> Plan:
        resolved = self.resolver.resolve(export)
        plan = make_plan(self.reader.source, self.reader.content, export, resolved, limits=self.limits)
        seals = self.reconcile(export, resolved)
        return replace(
            plan,
            seals=dict(seals.body) | {"complete": seals.complete},
            coverage=self.coverage(*plan.received),
        )

    def _read(self, step: Step, export: Export, plan: Plan, protection: Protection) -> None:
        name = part_name(export.id, protection.fingerprint, step.number)
        if self.work.objects.size(name) is not None:
            return
        self._begin(step)
        part = self.reader.read(plan.slices[step.number], export.requested_at, protection)
        # A conflict: an attempt at the same time has stored it.
        with suppress(DocumentConflict):
            self.work.objects.put(name, part)
        if self.records.get(export.id).export.finished:  # cancelled meanwhile: nobody looks after it any more
            self.work.clear(export.id)

    def _assemble(self, held: Held, plan: Plan, protection: Protection) -> None:
        export = held.export
        if export.bundle is not None and self._stored(export.bundle):
            self._finish(held)
            return
        bounds = (plan.resolved.since, plan.resolved.until, export.requested_at)
        late = sum(count_late(self.reader.source, one, *bounds) for one in plan.resolved.memberships)
        assembled = Assembly(
            export=export,
            plan=plan,
            work=self.work.objects,
            protection=protection,
            report=self.report(),
            signer=self.signer,
            published=self.published,
            alive=_at_times(self._show_life(export.id), self.records.clock),
        ).run()
        with assembled.bundle:
            facts = _facts(export, assembled)
            # What is about to be stored is noted first, so that after a crash its counts are known.
            noted = replace(
                export,
                bundle=facts,
                counts=assembled.counts,
                late_rows=late,
                missing=assembled.missing,
            )
            self._store(self.records.write(held, noted), facts, assembled.bundle.file)

    def _store(self, held: Held, facts: BundleFacts, file: BinaryIO) -> None:
        try:
            self.objects.put(facts.object_name, file)
        except DocumentConflict:
            # An attempt at the same time has stored it: the same but for its signatures, or another version.
            found = same_but_for_signatures(self.objects, facts)
            if found is None:
                self._fail(held, "Telemetry was still arriving, and two attempts differ: ask again.")
                return
            held = self.records.write(held, replace(held.export, bundle=found))
        self._finish(held)

    def _stored(self, facts: BundleFacts) -> bool:
        if self.objects.size(facts.object_name) != facts.size:
            return False
        digest = hashlib.sha256()
        for chunk in self.objects.read(facts.object_name):
            digest.update(chunk)
        return digest.hexdigest() == facts.sha256

    def _finish(self, held: Held) -> None:
        self.records.end(held, State.DONE)
        self.work.clear(held.export.id)

    def _fail(self, held: Held, failure: str) -> None:
        if not held.export.finished:
            self.records.end(held, State.FAILED, failure=failure)
        self.work.clear(held.export.id)

    def _show_life(self, export_id: str) -> Callable[[], None]:
        return lambda: show_life(self.records.documents, export_id, self.records.clock())


def _facts(export: Export, assembled: Assembled) -> BundleFacts:
    bundle = assembled.bundle
    name = bundle_name(export.selection.profile, complete=assembled.counts.complete)
    return BundleFacts(
        object_name=f"{export.id}/{name}",
        size=bundle.size,
        sha256=bundle.sha256,
        queries_hmac_sha256=assembled.queries_hmac_sha256,
        tag_manifest_sha256=bundle.tag_manifest_sha256,
        key_id=bundle.key_id,
    )


def _at_times(do: Callable[[], None], clock: Callable[[], datetime]) -> Callable[[], None]:
    """Return a function that does it, but not more often than once in half a minute."""
    last = clock()

    def sometimes() -> None:
        nonlocal last
        now = clock()
        if (now - last).total_seconds() >= 30:
            last = now
            do()

    return sometimes


def _failure(error: TracekeeperError) -> str:
    """Say what went wrong in words of ours: what a service answered may quote telemetry."""
    if isinstance(error, AskedTooMuch):
        return str(error)
    return next((words for kind, words in _FAILURES if isinstance(error, kind)), _UNREAD)


_NOT_READ = (
    "The app's identity may not read the telemetry: give it the role Log Analytics Data Reader on the "
    "workspace that is asked, or Monitoring Reader on the component that is asked, and ask again."
)
_NOT_SIGNED = (
    "The bundle could not be signed: give the app's identity the role Key Vault Crypto User on the key that "
    "SIGNING_KEY names, see that the key is enabled, and ask again."
)
_FAILURES: tuple[tuple[type[TracekeeperError], str], ...] = (
    (RedactionFailure, "Withheld: the finished files held something that must not leave."),
    (SourceRefused, _NOT_READ),
    (ResultTooLarge, "Too much telemetry for one export: ask for a shorter window or fewer traces."),
    (QueryRejected, "The workspace does not accept the queries: report this."),
    (SigningRefused, _NOT_SIGNED),
    (
        EvidenceError,
        "The bundle could not be signed: look at the key and the app's role on it, and ask again.",
    ),
)
_UNREAD = "The telemetry could not be read: ask again later."
