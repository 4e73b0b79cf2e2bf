"""Azure on a laptop: identity, storage, Azure Monitor, a Teams channel and the Functions host in one."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

import requests

from functions.signing.signatures import public_pem
from functions.storage.blob import BlobDocuments
from local.app_settings import (
    CANARY_KEY,
    IDENTITY_CLIENT_ID,
    SIGNING_KEY_NAME,
    TENANT_ID,
    Addresses,
    app_settings,
    keep_pseudonym_key,
)
from local.azure_monitor.faults import Faults
from local.azure_monitor.ingestion import Telemetry
from local.azure_monitor.service import create_app
from local.azurite import Azurite
from local.identity import IdentityEndpoint, Tokens
from local.key_vault import KeyVault, keep_key
from local.processes import Child, ChildError, free_ports
from local.roles import BLOBS, QUEUES, SECRETS, TABLES, Roles
from local.serving import Service, make_certificates
from local.storage_account import StorageAccount
from local.storage_gate import StorageGate
from local.teams_inbox import Post, TeamsInbox

REPOSITORY = Path(__file__).parent.parent
INGESTION_AUDIENCE = "https://monitor.azure.com"
"""Of tokens for sending telemetry, in the public cloud."""
REFERENCES = {
    "PSEUDONYM_KEY": "@Microsoft.KeyVault(VaultName=local;SecretName=pseudonym-key)",
    "TEAMS_WEBHOOK_URL": "@Microsoft.KeyVault(VaultName=local;SecretName=teams-webhook-url)",
}
"""What the app gets for the settings that are references to Key Vault, where the platform can't follow them:
https://learn.microsoft.com/azure/app-service/app-service-key-vault-references"""
_READY_SECONDS = 60.0
_RUN_SECONDS = 600.0


class Stack:
    """Inside `with` everything is up but the host, which is started, stopped and killed by hand.

    Args:
        folder: Keeps data, logs and certificates; a later stack in the same folder goes on from them.
        app: The folder of function_app.py.
        easy_auth: Whether App Service Authentication stands before the app.
        timers: Whether timers run by themselves, or only by `fire`.
        canaries: Whether the app sends marker runs.
        content_routing: See `Telemetry`.
        config: A site's own configuration folder.
        roles: What the app's identity may do, changed at will; None: everything, for good.
        host_environment: More settings for the host; they go before the stack's own.

    Attributes:
        folder: Where its data and logs are.
        telemetry: What the app's queries are answered from.
        faults: What queries and telemetry meet.
        inbox: The Teams channel; its page is at `inbox_url`.
        storage: The storage account.
        certificates: Of all services; `ca` is the authority to trust.
        host_url: Where the host listens once it is started.
        connection_string: For an exporter, as in APPLICATIONINSIGHTS_CONNECTION_STRING.
        public_key: File with the public key that verifies bundles, PEM.
        settings: The app settings.
        gates: Before the services of the storage account, by the role they need; none where `roles` is None.
    """

    def __init__(
        self,
        folder: Path,
        *,
        app: Path = REPOSITORY,
        easy_auth: bool = True,
        timers: bool = False,
        canaries: bool = False,
        content_routing: Literal["table", "inline"] = "table",
        config: Path | None = None,
        roles: Roles | None = None,
        host_environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder = folder.resolve()
        self._app = app.resolve()
        self._easy_auth = easy_auth
        self._timers = timers
        self._canaries = canaries
        self._content_routing = content_routing
        self._config = config
        self._roles = roles
        self._host_environment = host_environment
        self._host: Child | None = None
        self.telemetry = Telemetry(content_routing=content_routing)
        self.faults = Faults()
        self.gates: dict[str, StorageGate] = {}

    def __enter__(self) -> Self:
        """Start everything but the host.

        Raises:
            ChildError: Azurite did not start.
            FileNotFoundError: Node or one of its packages is missing.
        """
        self.certificates = make_certificates(self.folder / "certificates")
        self.ca = self.certificates.authority
        tokens = Tokens(TENANT_ID, IDENTITY_CLIENT_ID)
        identity = IdentityEndpoint(tokens)
        signing_key = keep_key(self.folder / "signing.pem")
        self.public_key = self.folder / "signing-public.pem"
        self.public_key.write_text(public_pem(signing_key.public_key()))
        self.inbox = TeamsInbox(self.folder / "posts.jsonl")
        self._host_port = free_ports(1)[0]
        self.host_url = f"https://127.0.0.1:{self._host_port}"
        with ExitStack() as opening:
            azurite = opening.enter_context(Azurite(self.folder / "azurite", self.certificates))
            self.storage = opening.enter_context(StorageAccount(azurite, tokens, self.ca))
            self.storage.prepare()
            monitor_url = self._serve(
                opening,
                create_app(
                    self.telemetry,
                    self.faults,
                    token_ok=lambda token: tokens.accepts(token, monitor_url),
                    may_send={CANARY_KEY: lambda token: tokens.accepts(token, INGESTION_AUDIENCE)},
                    roles=self._roles,
                ),
            )
            self.inbox_url = self._serve(opening, self.inbox)
            addresses = Addresses(
                host=self.host_url,
                identity=self._serve(opening, identity),
                monitor=monitor_url,
                blobs=self._gate(opening, azurite.blob_endpoint, BLOBS),
                queues=self._gate(opening, azurite.queue_endpoint, QUEUES),
                inbox=self.inbox_url,
                vault=self._serve(
                    opening,
                    KeyVault(
                        signing_key,
                        name=SIGNING_KEY_NAME,
                        tenant_id=TENANT_ID,
                        token_ok=tokens.accepts,
                        roles=self._roles,
                    ),
                ),
            )
            tables = self._gate(opening, azurite.table_endpoint, TABLES)
            opening.callback(self.stop_host)
            self._open = opening.pop_all()
        self.connection_string = (
            f"InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint={monitor_url}/"
        )
        self.settings = app_settings(
            addresses,
            identity_header=identity.header,
            pseudonym_key=keep_pseudonym_key(self.folder / "pseudonym.key"),
            easy_auth=self._easy_auth,
            canaries=self._canaries,
            content_routing=self._content_routing,
            config=self._config,
        )
        self.settings["AzureWebJobsStorage__tableServiceUri"] = tables
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, the host first; the folder stays."""
        self._open.close()

    def start_host(self) -> None:
        """Start the Functions host and wait until it answers.

        Raises:
            ChildError: It did not; the message has the end of its log.
        """
        command: list[str | Path] = [sys.executable, "-m", "local.host", "--app", self._app]
        command += ["--port", str(self._host_port), "--schedules", self.folder / "schedules.json"]
        command += [
            "--certificate",
            self.certificates.certificate,
            "--key",
            self.certificates.key,
            "--end-with-stdin",
        ]
        self._host = Child(
            command if self._timers else [*command, "--no-timers"],
            log=self.folder / "host.log",
            environment={**self._resolved(), **self.trust(), **self._host_environment},
            folder=REPOSITORY,
        )
        self._host.wait_until(self._host_answers, seconds=_READY_SECONDS)

    def stop_host(self) -> None:
        """Ask the host to end, and wait until it has."""
        if self._host is not None:
            self._host.stop()
            self._host = None

    def kill_host(self) -> None:
        """End the host at once, as `kill -9` does."""
        # Taken first: whoever sees it die may start the next one before `kill` has returned.
        host, self._host = self._host, None
        if host is not None:
            host.kill()

    def fire(self, function_name: str) -> None:
        """Run a timer function now, and wait until it has succeeded.

        Raises:
            ChildError: It failed; the message has the end of the host's log.
            requests.ConnectionError: The host is not up, or ended meanwhile.
        """
        with self._session() as session:
            answer = session.post(f"{self.host_url}/admin/functions/{function_name}", timeout=_RUN_SECONDS)
        if answer.status_code != 202:
            raise ChildError(f"{answer.text}\n{self._host.tail() if self._host else ''}")

    def sign_in(self, user: str) -> requests.Session:
        """A session of one of the people in people.py, that trusts this stack's certificates.

        Raises:
            requests.HTTPError: There is no such person, or Easy Auth is off.
        """
        session = self._session()
        url = f"{self.host_url}/.auth/login/aad"
        session.post(url, {"user": user}, timeout=_READY_SECONDS).raise_for_status()
        return session

    def posts(self) -> list[Post]:
        """The messages that the Teams channel accepted, oldest first."""
        return self.inbox.posts()

    def documents(self) -> BlobDocuments:
        """The app's own state documents."""
        return BlobDocuments(self.storage.blobs.get_container_client("state"))

    def trust(self) -> dict[str, str]:
        """The environment with which a child process reaches this stack's services and trusts them."""
        authority = str(self.ca)
        direct = "127.0.0.1,localhost"
        return {
            "REQUESTS_CA_BUNDLE": authority,
            "SSL_CERT_FILE": authority,
            "NO_PROXY": direct,
            "no_proxy": direct,
        }

    def _serve(self, opening: ExitStack, app: WSGIApplication) -> str:
        return opening.enter_context(Service(app, self.certificates)).url

    def _gate(self, opening: ExitStack, endpoint: str, role: str) -> str:
        """Where the app finds a service of the storage account: behind a gate, if roles can be taken away."""
        if self._roles is None:
            return endpoint
        origin = urlsplit(endpoint)
        gate = StorageGate(f"https://{origin.netloc}", role, self._roles, self.ca)
        self.gates[role] = gate
        return self._serve(opening, gate) + origin.path

    def _resolved(self) -> dict[str, str]:
        """The settings as the platform hands them out: a reference that it can't follow stays as it is."""
        if self._roles is None or self._roles.has(SECRETS):
            return self.settings
        return {**self.settings, **REFERENCES}

    def _host_answers(self) -> bool:
        with self._session() as session:
            try:
                return session.get(f"{self.host_url}/admin/host/status", timeout=5).ok
            except requests.RequestException:
                return False

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.verify = str(self.ca)
        session.trust_env = False  # the environment's bundle would go before `verify`
        return session
