"""Builds the services on the real clients, not before the first request needs them.

What config files decide is built again whenever another configuration comes into force.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from threading import Lock
from uuid import uuid4

from functions.access.ledger import Access, Ledger
from functions.access.limits import Limits, RateLimits
from functions.access.principal import SignIn
from functions.alerts.acknowledging import Acknowledging
from functions.alerts.announcements import Announcements
from functions.canary.canary import Canary
from functions.canary.looking import Looking
from functions.canary.telling import SIGHT_CHECK
from functions.checks.runner import Runner
from functions.clients import Clients, connect
from functions.configuration import SHIPPED, Configuration, configuration_of, load_configuration, read_folder
from functions.costs.costs import Costs
from functions.delivery.delivery_failed import DELIVERY_CHECK, DeliveryJudge
from functions.errors import ConfigurationError, SettingsError, StorageError
from functions.evidence.exports.jobs import Exports
from functions.evidence.exports.scheduling import ScheduledExports
from functions.evidence.exports.sweeping import Sweep
from functions.evidence.exports.worker import Worker
from functions.evidence.holds.holding import Holding
from functions.evidence.reading.reading import Reading
from functions.evidence.reading.search import Searching
from functions.evidence.seals.record_at_risk import RECORD_CHECK, RecordJudge
from functions.overlay.in_force import Holder, Refusal
from functions.overlay.refusal import CONFIG_CHECK, RefusalJudge
from functions.overlay.standing import Standing
from functions.overlay.store import Push
from functions.settings import read_settings
from functions.silences.ends import SilenceEnds
from functions.silences.store import SilenceStore
from functions.storage.documents import Documents
from functions.summary.gathering import Gathering
from functions.summary.weekly import WeeklySummaries
from functions.watch.heartbeat import Heart
from functions.watch.watch import Watch
from functions.wiring_evidence import build_evidence, protect
from functions.wiring_record import RecordServices, build_record
from functions.wiring_watch import watch_over

TENANT = "tenant"
"""The domain of tenants' pseudonyms; config/redaction.yaml puts them into exports under the same."""

_ONE_AT_A_TIME = Lock()
"""`cache` alone builds twice where the first two requests come together."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the triggers call; tests build one on fakes.

    Attributes:
        sign_in: Whom to believe.
        limits: Counts what people ask.
        ledger: Where accesses are written down.
        documents: The state of checks and exports.
        configuration: What config files decide.
        standing: Since when it is in force, and what is refused.
        alarm: Tells of what is refused.
        sight: Whether the watch can see; its tick comes before the watch's.
        canary: Sends marker runs; None where they are off.
        watch: The watch.
        deliveries: Tells of destinations that take nothing; its tick comes after the watch's.
        acknowledging: Where people take alerts on.
        silences: The silences.
        silence_ends: Reports what they hid; its tick comes after the watch's.
        record_alarm: Tells of what keeps the record from being kept.
        record: Seals, the ledger's heads, and the clock they go by.
        heart: Tells that a tick is complete, and whether the last one is too old.
        exports: All exports.
        worker: Does their jobs, step by step.
        sweep: Looks after exports that are not over.
        reading: Gives single traces.
        searching: Finds traces.
        holding: Has the traces of severe alerts exported as they open.
        scheduled: Makes the exports that nobody has to ask for; its tick comes after the watch's.
        costs: What model calls cost.
        summaries: The weekly summaries.
    """

    sign_in: SignIn
    limits: RateLimits
    ledger: Ledger
    documents: Documents
    configuration: Configuration
    standing: Standing
    alarm: Watch
    sight: Watch
    canary: Canary | None
    watch: Watch
    deliveries: Watch
    acknowledging: Acknowledging
    silences: SilenceStore
    silence_ends: SilenceEnds
    record_alarm: Watch
    record: RecordServices
    heart: Heart
    exports: Exports
    worker: Worker
    sweep: Sweep
    reading: Reading
    searching: Searching
    holding: Holding
    scheduled: ScheduledExports
    costs: Costs
    summaries: WeeklySummaries


def services() -> Services:
    """Return the services on Azure's clients, by the configuration that was in force within the last minute.

    Raises:
        SettingsError: An app setting is missing or unusable.
        ConfigurationError: Neither the pushed config files nor the last good ones can be used.
        StorageError: Storage can't say what is in force.
    """
    return _holder().get()


def services_for_tick() -> Services:
    """Return the services by the configuration that is in force now.

    Where there is none, nothing is judged, and the alert about it is told by the rules that are shipped.
    Raises as `services` does.
    """
    return look_or_tell(_holder(), _clients())


def look_or_tell(holder: Holder[Services], clients: Clients) -> Services:
    """Look for what is in force; where nothing is, tell of it and raise as `services` does."""
    try:
        return holder.look()
    except (ConfigurationError, SettingsError, StorageError) as error:
        alarm(clients, error).tick()
        raise


def hold(clients: Clients) -> Holder[Services]:
    """Return the holder of the services; reads the config files that come with the app.

    Raises:
        ConfigurationError: The folder that CONFIG_DIRECTORY names can't be read.
    """
    folder = clients.settings.config_directory
    return Holder(
        clients.overlays,
        clients.documents,
        {**read_folder(SHIPPED), **(read_folder(folder) if folder else {})},
        read=partial(configuration_of, environment=clients.settings.environment_name),
        build=partial(build, clients),
        came_into_force=partial(_record_push, Ledger(clients.log, now=_now)),
        clock=_now,
    )


def build(clients: Clients, configuration: Configuration, standing: Standing) -> Services:
    """Build the services by a configuration; asks no service of Azure.

    Raises:
        SettingsError: No destination has an address; where only some have, the others tell of it.
    """
    settings = clients.settings
    protection = protect(settings, configuration)
    record = build_record(clients, configuration, protection.pseudonyms, clock=_now)
    evidence = build_evidence(clients, configuration, protection, clock=_now)
    looking = Looking(
        clients.documents,
        clients.source,
        configuration.checks,
        canaries=clients.canary is not None,
        expected=settings.content_routing,
        content=clients.content,
        clock=_now,
    )
    runner = Runner(
        clients.source,
        configuration.agents,
        configuration.prices,
        blindness=looking.blindness,
        content=clients.content,
    )
    silences = SilenceStore(clients.documents, clock=_now)
    costs = Costs(
        clients.source,
        configuration.agents,
        configuration.prices,
        tenant_pseudonym=partial(protection.pseudonyms.of, TENANT),
        clock=_now,
    )
    return Services(
        sign_in=SignIn(settings.auth_enabled, settings.auth_tenant_id, settings.auth_client_id),
        limits=RateLimits(
            clients.documents,
            Limits(settings.requests_per_minute, settings.exports_per_hour),
            clock=_now,
        ),
        ledger=record.ledger,
        documents=clients.documents,
        configuration=configuration,
        standing=standing,
        alarm=watch_over(clients, configuration, RefusalJudge(standing, _now()), (CONFIG_CHECK,), quiet=1),
        sight=watch_over(clients, configuration, looking, (SIGHT_CHECK,), quiet=1),
        canary=clients.canary,
        watch=watch_over(
            clients, configuration, runner, configuration.checks, sweeper=runner, announcements=True
        ),
        deliveries=watch_over(
            clients,
            configuration,
            DeliveryJudge(clients.documents, [rule.name for rule in configuration.alerts.destinations]),
            (DELIVERY_CHECK,),
            quiet=1,
        ),
        acknowledging=Acknowledging(clients.documents, clock=_now),
        silences=silences,
        silence_ends=SilenceEnds(
            clients.documents, silences, Announcements(clients.documents), configuration.alerts, clock=_now
        ),
        record_alarm=watch_over(
            clients,
            configuration,
            RecordJudge(clients.documents, record.seals),
            (RECORD_CHECK,),
            quiet=1,
        ),
        record=record,
        heart=Heart(clients.documents, clients.metric, clock=_now),
        exports=evidence.exports,
        worker=evidence.worker,
        sweep=evidence.sweep,
        searching=Searching(clients.source, lambda: protection, configuration.agents, _now),
        reading=Reading(
            clients.source,
            lambda: protection,
            configuration.agents.attributes,
            configuration.prices,
            evidence.controls,
            clients.documents,
            record.seals,
            timedelta(days=settings.logs_retention_days),
            _now,
        ),
        holding=evidence.holding,
        scheduled=evidence.scheduled,
        costs=costs,
        summaries=WeeklySummaries(
            clients.documents,
            Gathering(clients.documents, clients.source, costs, configuration, clock=_now),
            configuration.alerts.weekly_summary,
            clock=_now,
        ),
    )


def alarm(clients: Clients, error: Refusal) -> Watch:
    """Return a watch that judges nothing and tells that there is no configuration to judge by."""
    now = _now()
    judge = RefusalJudge(Standing().refusing(None, error, now), now)
    return watch_over(clients, load_configuration(SHIPPED), judge, (CONFIG_CHECK,))


def _holder() -> Holder[Services]:
    with _ONE_AT_A_TIME:
        return _the_holder()


@cache
def _the_holder() -> Holder[Services]:
    return hold(_clients())


@cache
def _clients() -> Clients:
    return connect(read_settings())


def _record_push(ledger: Ledger, push: Push, configuration: Configuration) -> None:
    """Write down whose overlay comes into force: the name is what the push says, not what we have checked."""
    on = {"overlay": push.overlay, "configuration": configuration.hash, "pushed_by": push.pushed_by}
    ledger.record(Access("configuration.in-force", None, on, "served", push.reason, str(uuid4())))


def _now() -> datetime:
    return datetime.now(UTC)
