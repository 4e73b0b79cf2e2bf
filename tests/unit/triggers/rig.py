"""Services on fakes, and requests as the Functions host hands them over."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

import azure.functions as func

from functions.access.clock import ClockCheck
from functions.access.entries import access_rules
from functions.access.heads import Heads
from functions.access.ledger import Ledger
from functions.access.limits import Limits, RateLimits
from functions.access.principal import SignIn
from functions.alerts.acknowledging import Acknowledging
from functions.alerts.announcements import Announcements
from functions.alerts.rules import EvidenceHold
from functions.canary.looking import Looking
from functions.canary.telling import SIGHT_CHECK
from functions.checks.runner import Runner
from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.costs.costs import Costs
from functions.delivery.delivery_failed import DELIVERY_CHECK, DeliveryJudge
from functions.evidence.controls.verdicts import RunVerdicts
from functions.evidence.detectors import standard_detectors
from functions.evidence.exports.jobs import Exports
from functions.evidence.exports.scheduling import ScheduledExports
from functions.evidence.exports.slicing import Reader
from functions.evidence.exports.sweeping import Sweep
from functions.evidence.exports.work import Work
from functions.evidence.exports.worker import Worker
from functions.evidence.holds.holding import Holding
from functions.evidence.reading.reading import Reading
from functions.evidence.reading.search import Searching
from functions.evidence.redaction.policy import redaction_policy
from functions.evidence.redaction.protection import Protection
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.report.report import ReportBuilder
from functions.evidence.seals.account import SealAccount
from functions.evidence.seals.record_at_risk import RECORD_CHECK, RecordJudge
from functions.evidence.seals.sealing import Sealing
from functions.evidence.seals.store import Seals
from functions.evidence.selection.asking import asking_for
from functions.evidence.selection.drawing import Drawing
from functions.evidence.selection.resolving import SourceResolver
from functions.overlay.refusal import CONFIG_CHECK, RefusalJudge
from functions.overlay.standing import InForce, Standing
from functions.silences.ends import SilenceEnds
from functions.silences.store import SilenceStore
from functions.summary.gathering import Gathering
from functions.summary.weekly import WeeklySummaries
from functions.traces.source import Rows
from functions.watch.heartbeat import Heart
from functions.watch.watch import Watch
from functions.wiring import TENANT as TENANT_DOMAIN
from functions.wiring import Services
from functions.wiring_evidence import alert_traces
from functions.wiring_record import RecordServices
from tests.fakes.signer import MemorySigner
from tests.fakes.source import Asked, ScriptedSource
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects, MemoryWorkObjects
from tests.unit.evidence.material import NoRuns

TENANT = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
AUDIENCE = "11111111-2222-3333-4444-555555555555"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOLD = EvidenceHold(("critical", "high"), 50)
ROOMY = Limits(10_000, 10_000)


class NoControls:
    """Finds nothing to say about a trace."""

    def judge_trace(
        self,
        trace_id: str,  # noqa: ARG002 - the interface's parameters
        *,
        since: datetime,  # noqa: ARG002
        until: datetime,  # noqa: ARG002
        cutoff: datetime,  # noqa: ARG002
    ) -> Sequence[RunVerdicts]:
        return ()


@dataclass(frozen=True, slots=True)
class Rig:
    """The services and what lies behind them."""

    services: Services
    log: MemoryAppendLog
    documents: MemoryDocuments
    objects: MemoryObjects
    source: ScriptedSource

    def recorded(self) -> list[Mapping[str, Any]]:
        return list(self.log.entries())


def make_rig(
    *, sign_in_enabled: bool = True, log: MemoryAppendLog | None = None, limits: Limits = ROOMY
) -> Rig:
    log, documents, objects = log or MemoryAppendLog(), MemoryDocuments(), MemoryObjects()
    configuration, protection = shipped()
    source = ScriptedSource(no_rows)
    costs = Costs(
        source,
        configuration.agents,
        configuration.prices,
        tenant_pseudonym=partial(protection.pseudonyms.of, TENANT_DOMAIN),
        clock=lambda: NOON,
    )
    silences = SilenceStore(documents, clock=lambda: NOON)
    exports = Exports(
        documents=documents,
        objects=objects,
        work=MemoryWorkObjects(),
        protection=lambda: protection,
        ledger=log,
        resolve_alert=partial(alert_traces, documents),
        clock=lambda: NOON,
        needs_approval=lambda selection: selection.profile == "content",
        asking=asking_for(
            configuration.agents.attributes,
            protection.policy,
            protection.pseudonyms,
            case_attribute="app.case_number",
        ),
    )
    work = Work(exports.work)
    worker = Worker(
        records=exports.records,
        objects=objects,
        work=work,
        reader=Reader(source, source, NoRuns()),
        resolver=SourceResolver(
            source,
            configuration.agents.attributes,
            None,
            protection,
            Drawing(documents, exports.work, log, lambda: NOON),
        ),
        protection=lambda: protection,
        reconcile=lambda _export, _resolved: SealAccount(complete=True, body={}),
        coverage=lambda since, until: {"complete": True, "since": since, "until": until, "checks": []},
        report=partial(ReportBuilder, configuration.agents.attributes, configuration.prices),
        signer=MemorySigner(),
    )
    services = Services(
        sign_in=SignIn(sign_in_enabled, TENANT, AUDIENCE),
        limits=RateLimits(documents, limits, clock=lambda: NOON),
        ledger=record(log, objects, documents, source).ledger,
        documents=documents,
        configuration=configuration,
        standing=Standing((InForce(configuration.hash, None, NOON),)),
        alarm=alarm(documents),
        sight=Watch(
            documents=documents,
            runner=Looking(
                documents,
                source,
                configuration.checks,
                canaries=False,
                expected="table",
                clock=lambda: NOON,
            ),
            checks=(SIGHT_CHECK,),
            rules=configuration.alerts,
            channels={},
            clock=lambda: NOON,
        ),
        canary=None,
        watch=Watch(
            documents=documents,
            runner=Runner(source, configuration.agents, configuration.prices),
            checks=configuration.checks,
            rules=configuration.alerts,
            channels={},
            clock=lambda: NOON,
        ),
        deliveries=Watch(
            documents=documents,
            runner=DeliveryJudge(documents, ("teams",)),
            checks=(DELIVERY_CHECK,),
            rules=configuration.alerts,
            channels={},
            clock=lambda: NOON,
        ),
        acknowledging=Acknowledging(documents, clock=lambda: NOON),
        silences=silences,
        silence_ends=SilenceEnds(
            documents, silences, Announcements(documents), configuration.alerts, clock=lambda: NOON
        ),
        record_alarm=Watch(
            documents=documents,
            runner=RecordJudge(documents, Seals(objects, documents)),
            checks=(RECORD_CHECK,),
            rules=configuration.alerts,
            channels={},
            clock=lambda: NOON,
        ),
        record=record(log, objects, documents, source),
        heart=Heart(documents, None, clock=lambda: NOON),
        exports=exports,
        worker=worker,
        sweep=Sweep(exports.records, work, timedelta(days=7)),
        searching=Searching(source, lambda: protection, configuration.agents, lambda: NOON),
        reading=Reading(
            source,
            lambda: protection,
            configuration.agents.attributes,
            configuration.prices,
            NoControls(),
            documents,
            Seals(objects, documents),
            timedelta(days=90),
            lambda: NOON,
        ),
        holding=Holding(documents, exports, configuration.checks, HOLD, clock=lambda: NOON),
        scheduled=ScheduledExports(documents, exports, Announcements(documents), (), (), lambda: NOON),
        costs=costs,
        summaries=WeeklySummaries(
            documents,
            Gathering(documents, source, costs, configuration, clock=lambda: NOON),
            configuration.alerts.weekly_summary,
            clock=lambda: NOON,
        ),
    )
    return Rig(services, log, documents, objects, source)


def record(
    log: MemoryAppendLog, objects: MemoryObjects, documents: MemoryDocuments, source: ScriptedSource
) -> RecordServices:
    """Return what keeps the record, by a clock that is right."""
    configuration, protection = shipped()
    seals = Seals(objects, documents)
    heads = Heads(log, objects, None, clock=lambda: NOON)
    clock_check = ClockCheck(documents, log, theirs=lambda: NOON, clock=lambda: NOON)
    return RecordServices(
        ledger=Ledger(log, now=lambda: NOON, heads=heads.marks),
        seals=seals,
        sealing=Sealing(
            source=source,
            seals=seals,
            ledger=log,
            agents=configuration.agents,
            pseudonyms=protection.pseudonyms,
            hindrance=clock_check.hindrance,
            retention=timedelta(days=90),
            clock=lambda: NOON,
        ),
        heads=heads,
        clock_check=clock_check,
    )


def with_access(rig: Rig, section: Mapping[str, Any]) -> Services:
    """Return the rig's services where agents.yaml has this section `access`."""
    configuration = replace(rig.services.configuration, access=access_rules(section))
    return replace(rig.services, configuration=configuration)


def alarm(documents: MemoryDocuments) -> Watch:
    configuration, _ = shipped()
    return Watch(
        documents=documents,
        runner=RefusalJudge(Standing(), NOON),
        checks=(CONFIG_CHECK,),
        rules=configuration.alerts,
        channels={},
        clock=lambda: NOON,
    )


@cache
def shipped() -> tuple[Configuration, Protection]:
    """Load what is shipped, once for all tests: it is frozen."""
    configuration = load_configuration(SHIPPED)
    policy = redaction_policy(configuration.redaction)
    return configuration, Protection(policy, Pseudonyms(b"k" * 32, "tests"), standard_detectors())


def no_rows(asked: Asked) -> Rows:
    """Answer as a workspace without telemetry does."""
    return Rows((), ())


def principal(*roles: str, tenant: str = TENANT, audience: str = AUDIENCE, person: str = "person-1") -> str:
    """Return the header of Ada, or of another person, who has these roles."""
    claims = [("tid", tenant), ("aud", audience), ("oid", person), ("name", "Ada")]
    claims += [("roles", role) for role in roles]
    listed = [{"typ": kind, "val": value} for kind, value in claims]
    return base64.b64encode(json.dumps({"claims": listed, "role_typ": "roles"}).encode()).decode()


def request(
    *roles: str,
    header: str | None = None,
    method: str = "GET",
    route: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> func.HttpRequest:
    """Return a request of someone who has these roles, or of whom the header says."""
    sent = {"X-MS-CLIENT-PRINCIPAL": principal(*roles) if header is None else header, **(headers or {})}
    return func.HttpRequest(
        method=method,
        url="https://tracekeeper.example.com/api",
        headers=sent,
        params=query or {},
        route_params=route or {},
        body=body,
    )


def body_of(response: func.HttpResponse) -> Any:
    return json.loads(response.get_body())
