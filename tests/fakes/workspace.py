"""A workspace that commands can be pointed at: the stand-in's query API and managed identity, over TLS."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from wsgiref.types import StartResponse, WSGIEnvironment

from local.azure_monitor.faults import Faults
from local.azure_monitor.ingestion import Telemetry
from local.azure_monitor.service import create_app
from local.identity import IdentityEndpoint, Tokens
from local.serving import Certificates, Service

GUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


class Workspace:
    """What a test ingests into, breaks, and counts the questions to.

    Attributes:
        telemetry: What is asked about.
        faults: What questions meet instead of an answer.
        asked: The path of every question so far.
    """

    def __init__(self) -> None:
        self.telemetry, self.faults = Telemetry(), Faults()
        self.asked: list[str] = []

    @contextmanager
    def served(self, certificates: Certificates) -> Iterator[dict[str, str]]:
        """Serve it, and yield the settings of someone who is signed in and may read it."""
        tokens = Tokens(GUID, GUID)
        identity = IdentityEndpoint(tokens)
        answer = create_app(
            self.telemetry, self.faults, token_ok=lambda token: tokens.accepts(token, monitor.url)
        )

        def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            self.asked.append(environ["PATH_INFO"])
            return answer(environ, start_response)

        with Service(app, certificates) as monitor, Service(identity, certificates) as issuer:
            yield {
                "LOGS_WORKSPACE_ID": GUID,
                "LOGS_ENDPOINT": monitor.url,
                "AZURE_CLIENT_ID": GUID,
                "IDENTITY_ENDPOINT": f"{issuer.url}/msi/token",
                "IDENTITY_HEADER": identity.header,
                "REQUESTS_CA_BUNDLE": str(certificates.authority),
            }
