"""Builds the real clients from the settings, once a process and not before the first request needs them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from threading import Lock

from azure.core.exceptions import AzureError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.monitor.query import LogsQueryClient
from azure.storage.blob import BlobServiceClient

from functions.access.ledger import Ledger
from functions.access.principal import SignIn
from functions.alerts.delivery.interface import Destination
from functions.alerts.delivery.teams import TeamsDestination
from functions.alerts.reading import read_alert
from functions.alerts.watch import Watch
from functions.canary.canary import Canary
from functions.canary.looking import Looking
from functions.canary.sending import ApplicationInsights, component, refused
from functions.canary.telling import SIGHT_CHECK, Reader
from functions.checks.runner import Runner
from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.costs.costs import Costs
from functions.evidence.assembly import Protection
from functions.evidence.detectors import standard_detectors
from functions.evidence.jobs import Exports
from functions.evidence.policy import redaction_policy
from functions.evidence.pseudonyms import Pseudonyms
from functions.settings import LogsSettings, RecordSettings, Settings, read_settings
from functions.storage import blob
from functions.storage.blob import BlobAppendBlobs, BlobDocuments, BlobObjects
from functions.storage.chained_log import ChainedLog
from functions.storage.documents import Documents
from functions.traces.log_analytics import client_options, log_analytics
from functions.traces.source import TraceSource

TENANT = "tenant"
"""The domain of tenants' pseudonyms; config/redaction.yaml puts them into exports under the same."""

_ONE_AT_A_TIME = Lock()
"""`cache` alone builds twice where the first two requests come together."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the triggers call; tests build one on fakes.

    Attributes:
        sign_in: Whom to believe.
        ledger: Where accesses are written down.
        documents: The state of checks and exports.
        configuration: What config files decide.
        sight: Whether the watch can see; its tick comes before the watch's.
        canary: Sends marker runs; None where they are off.
        watch: The watch.
        exports: All exports.
        costs: What model calls cost.
    """

    sign_in: SignIn
    ledger: Ledger
    documents: Documents
    configuration: Configuration
    sight: Watch
    canary: Canary | None
    watch: Watch
    exports: Exports
    costs: Costs


def services() -> Services:
    """Return the services on Azure's clients.

    Raises:
        SettingsError: An app setting is missing or unusable.
        ConfigurationError: A config file is.
    """
    with _ONE_AT_A_TIME:
        return _services()


@cache
def _services() -> Services:
    return build(read_settings())


def build(settings: Settings) -> Services:
    """Build the services; reads config files and asks no service of Azure. Raises as `services` does."""
    configuration = load_configuration(
        SHIPPED,
        *([settings.config_directory] if settings.config_directory else []),
        environment=settings.environment_name,
    )
    credential = ManagedIdentityCredential(client_id=settings.azure_client_id)
    blobs = BlobServiceClient(settings.storage_blob_endpoint, credential=credential, **blob.client_options())
    documents = BlobDocuments(blobs.get_container_client("state"))
    source = _source(settings, credential)
    looking = Looking(
        documents,
        source,
        configuration.checks,
        canaries=settings.canary_connection_string is not None,
        expected=settings.content_routing,
        clock=_now,
    )
    ledger = ChainedLog(BlobAppendBlobs(blobs.get_container_client("ledger")), now=_now)
    protection = _protection(settings, configuration)
    runner = Runner(source, configuration.agents, configuration.prices, blindness=looking.blindness)
    return Services(
        sign_in=SignIn(settings.auth_enabled, settings.auth_tenant_id, settings.auth_client_id),
        ledger=Ledger(ledger, now=_now),
        documents=documents,
        configuration=configuration,
        sight=Watch(
            documents=documents,
            runner=looking,
            checks=(SIGHT_CHECK,),
            rules=replace(configuration.alerts, resolve_after_quiet=1),
            destinations=_destinations(settings, configuration),
            clock=_now,
            hostname=settings.hostname,
            told_as=Reader(
                settings.azure_client_id, settings.logs_workspace_id, settings.logs_resource_id
            ).told_as,
        ),
        canary=_canary(settings, credential, documents),
        watch=Watch(
            documents=documents,
            runner=runner,
            sweeper=runner,
            checks=configuration.checks,
            rules=configuration.alerts,
            destinations=_destinations(settings, configuration),
            clock=_now,
            hostname=settings.hostname,
        ),
        exports=Exports(
            documents=documents,
            objects=BlobObjects(blobs.get_container_client("evidence")),
            source=source,
            protection=lambda: protection,
            ledger=ledger,
            resolve_alert=partial(alert_traces, documents),
            clock=_now,
        ),
        costs=Costs(
            source,
            configuration.agents,
            configuration.prices,
            tenant_pseudonym=partial(protection.pseudonyms.of, TENANT),
            clock=_now,
        ),
    )


def log_source(settings: LogsSettings) -> TraceSource:
    """Return the source for a command that a person runs, who may be signed in with Azure's own tools."""
    return _source(settings, DefaultAzureCredential())


def record_documents(settings: RecordSettings) -> Documents:
    """Return what the watch has kept, for a command that a person runs, signed in likewise."""
    blobs = BlobServiceClient(
        settings.storage_blob_endpoint, credential=DefaultAzureCredential(), **blob.client_options()
    )
    return BlobDocuments(blobs.get_container_client("state"))


def alert_traces(documents: Documents, alert_id: str) -> tuple[str, ...]:
    """Return the traces that an alert's findings name. Raises NotFound, StorageError."""
    findings = read_alert(documents, alert_id)["findings"]
    return tuple(trace_id for finding in findings for trace_id in finding["trace_ids"])


def _source(
    settings: Settings | LogsSettings, credential: ManagedIdentityCredential | DefaultAzureCredential
) -> TraceSource:
    return log_analytics(
        LogsQueryClient(credential, endpoint=settings.logs_endpoint, **client_options()),
        workspace_id=settings.logs_workspace_id,
        resource_id=settings.logs_resource_id,
    )


def _canary(settings: Settings, credential: ManagedIdentityCredential, documents: Documents) -> Canary | None:
    if settings.canary_connection_string is None:
        return None
    target = component(settings.canary_connection_string)

    def token() -> str:
        try:
            got: str = credential.get_token(target.scope).token
        except AzureError as error:
            raise refused(f"There is no token for the ingestion endpoint ({type(error).__name__}).") from None
        return got

    ingestion = ApplicationInsights(target.endpoint, token)
    return Canary(documents, ingestion, target.instrumentation_key, clock=_now)


def _destinations(settings: Settings, configuration: Configuration) -> Mapping[str, Destination]:
    return {
        rule.name: TeamsDestination(settings.webhook_url(rule.setting))
        for rule in configuration.alerts.destinations
    }


def _protection(settings: Settings, configuration: Configuration) -> Protection:
    return Protection(
        redaction_policy(configuration.redaction),
        Pseudonyms(settings.pseudonym_key, settings.pseudonym_key_id),
        standard_detectors(),
    )


def _now() -> datetime:
    return datetime.now(UTC)
