"""Builds what evidence needs on the real clients: what protects it, the exports, and what holds evidence."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from functions.alerts.announcements import Announcements
from functions.alerts.reading import read_alert
from functions.clients import Clients
from functions.configuration import Configuration
from functions.evidence.assembly import Protection
from functions.evidence.detectors import standard_detectors
from functions.evidence.holding import Holding
from functions.evidence.jobs import Exports
from functions.evidence.judging import Controls
from functions.evidence.policy import redaction_policy
from functions.evidence.pseudonyms import Pseudonyms
from functions.evidence.sanitizer import Sanitizer
from functions.evidence.scheduling import ScheduledExports
from functions.overlay.history import History
from functions.settings import Settings
from functions.storage.documents import Documents


@dataclass(frozen=True, slots=True)
class EvidenceServices:
    """What of the services is evidence's.

    Attributes:
        exports: All exports.
        controls: Judges runs.
        holding: Has the traces of severe alerts exported as they open.
        scheduled: Makes the exports that nobody has to ask for.
    """

    exports: Exports
    controls: Controls
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
    )


def build_evidence(
    clients: Clients, configuration: Configuration, protection: Protection, *, clock: Callable[[], datetime]
) -> EvidenceServices:
    """Build the services by a configuration; asks no service of Azure."""
    exports = Exports(
        documents=clients.documents,
        objects=clients.evidence,
        source=clients.source,
        protection=lambda: protection,
        ledger=clients.log,
        resolve_alert=partial(alert_traces, clients.documents),
        clock=clock,
        names=configuration.agents.attributes.names,
    )
    controls = Controls(
        clients.source,
        History(clients.documents).periods,
        configuration.agents,
        partial(Sanitizer, protection.policy, protection.pseudonyms, protection.detectors),
        protection.pseudonyms,
    )
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
    return EvidenceServices(exports, controls, holding, scheduled)


def alert_traces(documents: Documents, alert_id: str) -> tuple[str, ...]:
    """Return the traces that an alert's findings name. Raises NotFound, StorageError."""
    findings = read_alert(documents, alert_id)["findings"]
    return tuple(trace_id for finding in findings for trace_id in finding["trace_ids"])
