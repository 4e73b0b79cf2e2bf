"""Builds what evidence needs on the real clients: what protects it, the exports, and what holds evidence."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from functions.access.scope import EVERYTHING, Scope
from functions.alerts.announcements import Announcements
from functions.alerts.reading import read_alert
from functions.clients import Clients
from functions.configuration import Configuration
from functions.evidence.controls.judging import Controls
from functions.evidence.detectors import standard_detectors
from functions.evidence.exports.jobs import Exports
from functions.evidence.exports.scheduling import ScheduledExports
from functions.evidence.exports.slicing import Reader
from functions.evidence.exports.sweeping import Sweep
from functions.evidence.exports.work import Work
from functions.evidence.exports.worker import Worker
from functions.evidence.holds.holding import Holding
from functions.evidence.redaction.policy import redaction_policy
from functions.evidence.redaction.protection import Protection
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.evidence.report.coverage_file import coverage_body
from functions.evidence.report.report import ReportBuilder
from functions.evidence.seals.reconciling import Reconciler
from functions.evidence.seals.store import Seals
from functions.evidence.selection.asking import asking_for
from functions.evidence.selection.drawing import Drawing
from functions.evidence.selection.export_rules import ExportRules
from functions.evidence.selection.resolving import SourceResolver
from functions.evidence.selection.selection import PROFILES, Selection
from functions.overlay.history import History
from functions.settings import Settings
from functions.storage.documents import Documents


@dataclass(frozen=True, slots=True)
class EvidenceServices:
    """What of the services is evidence's.

    Attributes:
        exports: All exports.
        controls: Judges runs.
        worker: Does their jobs.
        sweep: Looks after those that are not over.
        holding: Has the traces of severe alerts exported as they open.
        scheduled: Makes the exports that nobody has to ask for.
    """

    exports: Exports
    controls: Controls
    worker: Worker
    sweep: Sweep
    holding: Holding
    scheduled: ScheduledExports


def protect(settings: Settings, configuration: Configuration) -> Protection:
    """Return what stands between telemetry and an export's reader."""
    return Protection(
        redaction_policy(configuration.redaction),
        Pseudonyms(
            settings.pseudonym_key,
            settings.pseudonym_key_id,
            Pseudonyms(*settings.pseudonym_key_previous) if settings.pseudonym_key_previous else None,
        ),
        standard_detectors(),
        structure_only=configuration.exports.content.structure_only,
    )


def build_evidence(
    clients: Clients, configuration: Configuration, protection: Protection, *, clock: Callable[[], datetime]
) -> EvidenceServices:
    """Build the services by a configuration; asks no service of Azure."""
    attributes = configuration.agents.attributes
    exports = Exports(
        documents=clients.documents,
        objects=clients.evidence,
        work=clients.work,
        protection=lambda: protection,
        ledger=clients.log,
        resolve_alert=partial(alert_traces, clients.documents),
        clock=clock,
        needs_approval=partial(_needs_approval, configuration.exports),
        asking=asking_for(
            attributes,
            protection.policy,
            protection.pseudonyms,
            case_attribute=configuration.exports.case_attribute,
            profiles=PROFILES,
        ),
    )
    controls = Controls(
        clients.source,
        History(clients.documents).periods,
        configuration.agents,
        partial(Sanitizer, protection.policy, protection.pseudonyms, protection.detectors),
        protection.pseudonyms,
    )
    work = Work(clients.work)
    reconciler = Reconciler(
        clients.source,
        Seals(clients.evidence, clients.documents),
        protection.pseudonyms,
        timedelta(days=clients.settings.logs_retention_days),
        clients.log,
        clock,
    )
    worker = Worker(
        records=exports.records,
        objects=clients.evidence,
        work=work,
        reader=Reader(clients.source, clients.content or clients.source, controls),
        resolver=SourceResolver(
            clients.source,
            attributes,
            configuration.exports.case_attribute,
            protection,
            Drawing(clients.documents, clients.work, clients.log, clock),
        ),
        protection=lambda: protection,
        reconcile=lambda export, resolved: reconciler.reconcile(
            export.selection, resolved, at=export.requested_at, export_id=export.id
        ),
        coverage=partial(coverage_body, clients.documents, configuration.checks),
        report=partial(ReportBuilder, attributes, configuration.prices),
        signer=clients.signer,
        published=clients.settings.public_key_url or "",
    )
    sweep = Sweep(exports.records, work, configuration.exports.expires_after)
    holding = Holding(
        clients.documents, exports, configuration.checks, configuration.alerts.evidence_hold, clock=clock
    )
    scheduled = ScheduledExports(
        documents=clients.documents,
        exports=exports,
        announcer=Announcements(clients.documents),
        schedules=configuration.exports.schedules,
        everybody=tuple(rule.name for rule in configuration.alerts.destinations),
        clock=clock,
    )
    return EvidenceServices(exports, controls, worker, sweep, holding, scheduled)


def _needs_approval(rules: ExportRules, selection: Selection) -> bool:
    return selection.profile == "content" and rules.content.approval


def alert_traces(documents: Documents, alert_id: str, scope: Scope = EVERYTHING) -> tuple[str, ...]:
    """Return the traces that an alert's findings name. Raises NotFound (beyond scope too), StorageError."""
    findings = read_alert(documents, alert_id, scope)["findings"]
    return tuple(trace_id for finding in findings for trace_id in finding["trace_ids"])
