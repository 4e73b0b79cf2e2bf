"""Telemetry of one made-up trace, and the service over TLS with Microsoft's own client in front."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.monitor.query import LogsQueryClient

from local.azure_monitor.faults import Faults
from local.azure_monitor.ingestion import Telemetry
from local.azure_monitor.service import create_app
from local.serving import Service, make_certificates

DELAY = timedelta(seconds=4)
TOKEN = "made-up"


class Credential:
    """Hands out one fixed token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_: object) -> AccessToken:
        return AccessToken(self._token, 4_000_000_000)


@pytest.fixture(scope="session")
def envelopes() -> list[dict[str, Any]]:
    parsed: list[dict[str, Any]] = json.loads(Path(__file__).with_name("envelopes.json").read_text())
    return parsed


@pytest.fixture
def telemetry(envelopes: list[dict[str, Any]]) -> Telemetry:
    made = Telemetry()
    made.ingest(envelopes, delay=DELAY)
    return made


class Switch:
    """A WSGI app that is whichever app a test puts behind it: a server takes half a second to stop."""

    def __init__(self) -> None:
        self.app: WSGIApplication | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert self.app is not None
        return self.app(environ, start_response)


@dataclass(frozen=True)
class Server:
    """A server that is already running."""

    switch: Switch
    url: str
    authority: Path

    def client(self, token: str = TOKEN) -> LogsQueryClient:
        return LogsQueryClient(
            Credential(token), endpoint=self.url, connection_verify=str(self.authority), retry_total=0
        )

    def post(self, path: str, **options: Any) -> requests.Response:
        return requests.post(self.url + path, verify=str(self.authority), timeout=10, **options)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    certificates = make_certificates(tmp_path_factory.mktemp("tls"))
    switch = Switch()
    with Service(switch, certificates) as service:
        yield Server(switch, service.url, certificates.authority)


@dataclass(frozen=True)
class Monitor:
    """The stand-in, and what is behind it."""

    server: Server
    telemetry: Telemetry
    faults: Faults


@pytest.fixture
def monitor(telemetry: Telemetry, server: Server) -> Monitor:
    faults = Faults()
    server.switch.app = create_app(telemetry, faults, token_ok=lambda token: token == TOKEN)
    return Monitor(server, telemetry, faults)
