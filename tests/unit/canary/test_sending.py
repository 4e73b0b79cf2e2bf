"""The adapter against the stand-in's ingestion endpoint, over TLS, with local authentication off."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from werkzeug import Request, Response

from functions.canary.canary import Canary, Markers, read_markers
from functions.canary.marker import Marker, envelopes
from functions.canary.sending import ApplicationInsights, Component, component, refused
from functions.errors import CanaryError, CanaryRefused, CanaryUnavailable
from local.azure_monitor.faults import Faults
from local.azure_monitor.ingestion import Telemetry
from local.azure_monitor.service import create_app
from local.serving import Service, make_certificates
from tests.fakes.storage import MemoryDocuments

KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MARKER = Marker("0123456789abcdef" * 2, NOW)
SECRET = "sesame"


class Endpoint:
    """The stand-in's ingestion, or an answer of a test's own."""

    def __init__(self) -> None:
        self.telemetry = Telemetry()
        self.answer: Response | None = None
        self.headers: list[dict[str, str]] = []
        self._app = create_app(
            self.telemetry,
            Faults(),
            token_ok=lambda _: False,
            may_send={KEY: lambda token: token == SECRET},
        )

    @Request.application
    def __call__(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        return self.answer or Response.from_app(self._app, request.environ)


@pytest.fixture(scope="module")
def authority_and_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, Service, Endpoint]]:
    certificates = make_certificates(tmp_path_factory.mktemp("tls"))
    endpoint = Endpoint()
    with Service(endpoint, certificates) as service:
        yield certificates.authority, service, endpoint


@pytest.fixture
def endpoint(authority_and_server: tuple[Path, Service, Endpoint]) -> Iterator[Endpoint]:
    yield authority_and_server[2]
    authority_and_server[2].answer = None


@pytest.fixture
def session(authority_and_server: tuple[Path, Service, Endpoint]) -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.verify = str(authority_and_server[0])
        made.trust_env = False
        yield made


@pytest.fixture
def url(authority_and_server: tuple[Path, Service, Endpoint]) -> str:
    return authority_and_server[1].url


def test_a_marker_run_is_taken_with_the_identitys_token(
    url: str, session: requests.Session, endpoint: Endpoint
) -> None:
    ApplicationInsights(url, lambda: SECRET, session=session).send(envelopes(MARKER, KEY))
    rows = endpoint.telemetry.query("AppDependencies | summarize Rows = count() by OperationId").rows
    assert rows == [[MARKER.trace_id, 2]]


def test_a_wrong_token_is_refused_with_the_role_that_is_needed(url: str, session: requests.Session) -> None:
    with pytest.raises(CanaryRefused, match="Monitoring Metrics Publisher"):
        ApplicationInsights(url, lambda: "wrong", session=session).send(envelopes(MARKER, KEY))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(status=403), CanaryRefused),
        (Response("sesame", status=500), CanaryUnavailable),
        (Response(status=429), CanaryUnavailable),
        (Response('{"itemsReceived": 2, "itemsAccepted": 1, "errors": []}', status=206), CanaryUnavailable),
        (Response('{"itemsReceived": 2, "itemsAccepted": 1, "errors": []}', status=200), CanaryUnavailable),
        (Response("[]", status=200), CanaryUnavailable),
        (Response("<html>sesame", status=200), CanaryUnavailable),
    ],
)
def test_what_is_not_accepted_as_a_whole_is_an_error_that_quotes_nothing(
    url: str,
    session: requests.Session,
    endpoint: Endpoint,
    answer: Response,
    error: type[CanaryError],
) -> None:
    endpoint.answer = answer
    with pytest.raises(error) as caught:
        ApplicationInsights(url, lambda: SECRET, session=session).send(envelopes(MARKER, KEY))
    assert SECRET not in str(caught.value)
    assert url not in str(caught.value)


def test_a_token_does_not_follow_a_redirect(url: str, session: requests.Session, endpoint: Endpoint) -> None:
    before = len(endpoint.headers)
    endpoint.answer = Response(status=307, headers={"Location": f"{url}/elsewhere"})
    with pytest.raises(CanaryUnavailable):
        ApplicationInsights(url, lambda: SECRET, session=session).send(envelopes(MARKER, KEY))
    assert len(endpoint.headers) == before + 1


def test_an_endpoint_that_is_not_there_is_unavailable(session: requests.Session) -> None:
    with pytest.raises(CanaryUnavailable):
        ApplicationInsights("https://127.0.0.1:9", lambda: SECRET, session=session).send([])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"InstrumentationKey={KEY};IngestionEndpoint=https://westeurope-5.in.example.com/",
            Component(KEY, "https://westeurope-5.in.example.com", "https://monitor.azure.com/.default"),
        ),
        (
            (
                f"ingestionendpoint=https://in.example.us;INSTRUMENTATIONKEY={KEY};"
                "AADAudience=https://monitor.azure.us;LiveEndpoint=https://live.example.us/"
            ),
            Component(KEY, "https://in.example.us", "https://monitor.azure.us/.default"),
        ),
    ],
)
def test_a_connection_string_names_key_endpoint_and_audience(text: str, expected: Component) -> None:
    assert component(text) == expected


class ScriptedIngestion:
    """Accepts everything, or nothing."""

    def __init__(self) -> None:
        self.error: CanaryError | None = None

    def send(self, envelopes: object) -> None:  # noqa: ARG002 - the Protocol's shape
        if self.error:
            raise self.error


def test_only_an_accepted_run_is_remembered_and_for_an_hour() -> None:
    documents, ingestion, minutes = MemoryDocuments(), ScriptedIngestion(), [0]
    canary = Canary(documents, ingestion, KEY, clock=lambda: NOW.replace(minute=minutes[0]))
    canary.send()
    ingestion.error = refused("No.")
    minutes[0] = 5
    with pytest.raises(CanaryRefused):
        canary.send()
    held = read_markers(documents)
    assert ([one.at for one in held.accepted], held.error) == ([NOW], "CanaryRefused")
    ingestion.error = None
    later = Canary(documents, ingestion, KEY, clock=lambda: NOW.replace(hour=13))
    later.send()
    held = read_markers(documents)
    assert ([one.at for one in held.accepted], held.error) == ([NOW.replace(hour=13)], None)


def test_before_the_first_run_nothing_is_on_record() -> None:
    assert read_markers(MemoryDocuments()) == Markers()
