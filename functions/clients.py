"""Makes the clients of Azure's services from the settings; asks none of them anything yet."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from azure.core.exceptions import AzureError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.monitor.query import LogsQueryClient
from azure.storage.blob import BlobServiceClient

from functions.access.principal import Principal
from functions.canary.canary import Canary
from functions.canary.sending import ApplicationInsights, component, refused
from functions.errors import StorageError
from functions.overlay.store import OverlayStore
from functions.settings import LogsSettings, RecordSettings, Settings
from functions.signing.signatures import Signer
from functions.signing.signing import signer_for
from functions.storage import blob
from functions.storage.append_log import AppendLog
from functions.storage.blob import (
    BlobAppendBlobs,
    BlobDocuments,
    BlobListing,
    BlobObjects,
    BlobWorkObjects,
    storage_errors,
)
from functions.storage.chained_log import ChainedLog
from functions.storage.documents import Documents
from functions.storage.objects import Objects, WorkObjects
from functions.traces.log_analytics import basic_tables, client_options, log_analytics
from functions.traces.source import TraceSource
from functions.watch.heartbeat import Metric


@dataclass(frozen=True, slots=True)
class Clients:
    """What is the same whatever config files say.

    Attributes:
        settings: The app settings.
        documents: The state of checks, exports and the configuration.
        evidence: Finished bundles.
        work: What jobs put aside until an export is over.
        signer: Signs them.
        overlays: What sites have pushed.
        log: What the ledger is written to.
        source: The telemetry.
        content: AppGenAIContent where it is on the Basic plan; None where `source` reads it too.
        canary: Sends marker runs; None where they are off.
        metric: Counts ticks; None where no marker runs are sent either.
        service_time: Asks the storage service what time it is, UTC.
    """

    settings: Settings
    documents: Documents
    evidence: Objects
    work: WorkObjects
    signer: Signer
    overlays: OverlayStore
    log: AppendLog
    source: TraceSource
    content: TraceSource | None
    canary: Canary | None
    metric: Metric | None
    service_time: Callable[[], datetime]


def connect(settings: Settings) -> Clients:
    """Make the clients; asks no service of Azure."""
    credential = ManagedIdentityCredential(client_id=settings.azure_client_id)
    blobs = BlobServiceClient(settings.storage_blob_endpoint, credential=credential, **blob.client_options())
    documents = BlobDocuments(blobs.get_container_client("state"))
    metric = _metric(settings, credential)
    return Clients(
        settings=settings,
        documents=documents,
        evidence=BlobObjects(blobs.get_container_client("evidence")),
        work=BlobWorkObjects(blobs.get_container_client("work")),
        signer=signer_for(settings.signing_key, credential),
        overlays=_overlays(blobs),
        log=ChainedLog(BlobAppendBlobs(blobs.get_container_client("ledger")), now=_now),
        source=_source(settings, credential),
        content=_content(settings, credential),
        canary=_canary(metric, documents),
        metric=metric,
        service_time=partial(blob.service_time, blobs.get_container_client("ledger")),
    )


def log_source(settings: LogsSettings) -> TraceSource:
    """Return the source for a command that a person runs, who may be signed in with Azure's own tools."""
    return _source(settings, DefaultAzureCredential())


def content_source(settings: LogsSettings) -> TraceSource | None:
    """Return the source for AppGenAIContent likewise; None where it is on the Analytics plan."""
    return _content(settings, DefaultAzureCredential())


def record_documents(settings: RecordSettings) -> Documents:
    """Return what the watch has kept, for a command that a person runs, signed in likewise."""
    blobs = BlobServiceClient(
        settings.storage_blob_endpoint, credential=DefaultAzureCredential(), **blob.client_options()
    )
    return BlobDocuments(blobs.get_container_client("state"))


def record_time(settings: RecordSettings) -> datetime:
    """Ask the storage service for its time, UTC, for a command that a person runs likewise."""
    blobs = BlobServiceClient(
        settings.storage_blob_endpoint, credential=DefaultAzureCredential(), **blob.client_options()
    )
    return blob.service_time(blobs.get_container_client("state"))


def record_ledger(settings: RecordSettings) -> tuple[ChainedLog, BlobListing]:
    """Return the ledger, and what lists and reads evidence, for a command that a person runs likewise."""
    blobs = BlobServiceClient(
        settings.storage_blob_endpoint, credential=DefaultAzureCredential(), **blob.client_options()
    )
    log = ChainedLog(BlobAppendBlobs(blobs.get_container_client("ledger")), now=_now)
    return log, BlobListing(blobs.get_container_client("evidence"))


def signer_of_person(signing_key: str) -> Signer:
    """Return the signer for a command that a person runs, signed in likewise."""
    return signer_for(signing_key, DefaultAzureCredential())


def overlay_store(settings: RecordSettings) -> tuple[OverlayStore, str]:
    """Return the pushed overlays for a command, and the name by which a person is signed in.

    Raises:
        StorageError: Nobody is signed in.
    """
    blobs = BlobServiceClient(
        settings.storage_blob_endpoint, credential=DefaultAzureCredential(), **blob.client_options()
    )
    return _overlays(blobs), signed_in_as()


def signed_in_as() -> str:
    """Return the name by which a person is signed in.

    Raises:
        StorageError: Nobody is.
    """
    return named_by(_storage_token())


def signed_in_person() -> Principal:
    """Return who is signed in at a terminal; which roles of the app they have is not known.

    Raises:
        StorageError: Nobody is.
    """
    return person_of(_storage_token())


def person_of(token: str) -> Principal:
    """Return whom an access token was issued to, unverified: it is storage that believes it or does not.

    Raises:
        StorageError: It names nobody.
    """
    object_id = _claims(token).get("oid")
    if not isinstance(object_id, str):
        raise StorageError("The sign-in does not say who you are.", next_step="Sign in with `az login`.")
    return Principal(object_id, named_by(token), frozenset())


def named_by(token: str) -> str:
    """Return whom an access token was issued to, unverified: its name, else its object id."""
    claims = _claims(token)
    return str(claims.get("upn") or claims.get("oid") or "unknown")


def _storage_token() -> str:
    with storage_errors("state"):
        return DefaultAzureCredential().get_token("https://storage.azure.com/.default").token


def _claims(token: str) -> Mapping[str, Any]:
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, LookupError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _source(
    settings: Settings | LogsSettings, credential: ManagedIdentityCredential | DefaultAzureCredential
) -> TraceSource:
    return log_analytics(
        LogsQueryClient(credential, endpoint=settings.logs_endpoint, **client_options()),
        workspace_id=settings.logs_workspace_id,
        resource_id=settings.logs_resource_id,
    )


def _content(
    settings: Settings | LogsSettings, credential: ManagedIdentityCredential | DefaultAzureCredential
) -> TraceSource | None:
    if settings.content_plan != "basic" or settings.logs_workspace_id is None:
        return None
    client = LogsQueryClient(credential, endpoint=settings.logs_endpoint, **client_options())
    return basic_tables(client, workspace_id=settings.logs_workspace_id)


def _canary(metric: Metric | None, documents: Documents) -> Canary | None:
    """Return the sender of marker runs to the same component that ticks are counted in."""
    if metric is None:
        return None
    return Canary(documents, metric.ingestion, metric.instrumentation_key, clock=_now)


def _metric(settings: Settings, credential: ManagedIdentityCredential) -> Metric | None:
    if settings.canary_connection_string is None:
        return None
    target = component(settings.canary_connection_string)

    def token() -> str:
        try:
            got: str = credential.get_token(target.scope).token
        except AzureError as error:
            raise refused(f"There is no token for the ingestion endpoint ({type(error).__name__}).") from None
        return got

    return Metric(ApplicationInsights(target.endpoint, token), target.instrumentation_key)


def _overlays(blobs: BlobServiceClient) -> OverlayStore:
    container = blobs.get_container_client("config")
    return OverlayStore(BlobDocuments(container), BlobObjects(container))


def _now() -> datetime:
    return datetime.now(UTC)
