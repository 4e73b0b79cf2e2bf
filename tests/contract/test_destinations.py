"""What every destination of notices promises, tried on the Teams webhook over TLS and on the fake."""

import logging
import socket
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
import pytest
import requests

from functions.alerts.delivery.interface import Accepted, Answer, Destination, Rejected
from functions.alerts.delivery.teams import TeamsDestination
from local.serving import Certificates, Service, make_certificates
from tests.fakes.destinations import MemoryDestination, Posted, Reply

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SECRET = "sig-0f9a-secret"
MESSAGE = {"type": "message", "attachments": [{"content": "Überschrift ✓"}]}


class Opening(Protocol):
    """Opens a destination whose other side answers as told, and the list of what arrives there."""

    def __call__(self, replies: Iterable[Reply]) -> tuple[Destination, Sequence[Posted]]: ...


class Webhook:
    """The other side of a webhook: answers as told and remembers what arrived."""

    def __init__(self) -> None:
        self.listen(())

    def listen(self, replies: Iterable[Reply]) -> Sequence[Posted]:
        self.posted: list[Posted] = []
        self._replies = iter(replies)
        return self.posted

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        reply = next(self._replies)
        if reply.status is None:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError
        self.posted.append(Posted(orjson.loads(body), environ["HTTP_IDEMPOTENCY_KEY"]))
        headers = [("Location", "/elsewhere"), ("Content-Length", "0")]
        if reply.retry_after:
            headers.append(("Retry-After", reply.retry_after))
        start_response(f"{reply.status} Scripted", headers)
        return [b""]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def webhook() -> Webhook:
    return Webhook()


@pytest.fixture(scope="module")
def address(webhook: Webhook, certificates: Certificates) -> Iterator[str]:
    with Service(webhook, certificates) as service:
        yield f"{service.url}/workflows/a?sig={SECRET}"


@pytest.fixture
def session(certificates: Certificates) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.verify = str(certificates.authority)
        yield session


@pytest.fixture(params=["teams", "memory"])
def opening(
    request: pytest.FixtureRequest, webhook: Webhook, address: str, session: requests.Session
) -> Opening:
    def teams(replies: Iterable[Reply]) -> tuple[Destination, Sequence[Posted]]:
        return TeamsDestination(address, session=session, clock=lambda: NOW), webhook.listen(replies)

    def memory(replies: Iterable[Reply]) -> tuple[Destination, Sequence[Posted]]:
        destination = MemoryDestination(replies, clock=lambda: NOW)
        return destination, destination.posted

    return teams if request.param == "teams" else memory


REPLIES: list[tuple[Reply, Answer]] = [
    (Reply(200), Accepted(200)),
    (Reply(202), Accepted(202)),
    (Reply(302), Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 302")),
    (Reply(400), Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 400")),
    (Reply(403), Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 403")),
    (Reply(404, "60"), Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 404")),
    (Reply(413), Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 413")),
    (Reply(408), Rejected(retryable=True, retry_after_seconds=None, reason="HTTP 408")),
    (Reply(425), Rejected(retryable=True, retry_after_seconds=None, reason="HTTP 425")),
    (Reply(429, "17"), Rejected(retryable=True, retry_after_seconds=17.0, reason="HTTP 429")),
    (
        Reply(429, "Tue, 24 Nov 2026 03:02:00 GMT"),
        Rejected(retryable=True, retry_after_seconds=120.0, reason="HTTP 429"),
    ),
    (
        Reply(429, "Tue, 24 Nov 2026 02:00:00 GMT"),
        Rejected(retryable=True, retry_after_seconds=0.0, reason="HTTP 429"),
    ),
    (Reply(429, "soon"), Rejected(retryable=True, retry_after_seconds=None, reason="HTTP 429")),
    (Reply(429, "-5"), Rejected(retryable=True, retry_after_seconds=None, reason="HTTP 429")),
    (Reply(500), Rejected(retryable=True, retry_after_seconds=None, reason="HTTP 500")),
    (Reply(503, "5"), Rejected(retryable=True, retry_after_seconds=5.0, reason="HTTP 503")),
    (Reply(504), Rejected(retryable=True, retry_after_seconds=None, reason="HTTP 504")),
    (Reply(None), Rejected(retryable=True, retry_after_seconds=None, reason="ConnectionError")),
]


@pytest.mark.parametrize(("reply", "answer"), REPLIES, ids=str)
def test_what_each_reply_means(opening: Opening, reply: Reply, answer: Answer) -> None:
    destination, _ = opening([reply])
    assert destination.send(MESSAGE, "k-1") == answer


def test_one_send_posts_one_message_with_its_key(opening: Opening) -> None:
    destination, posted = opening([Reply(302), Reply(503), Reply(202)])
    for _ in range(3):
        destination.send(MESSAGE, "k-2")
    assert list(posted) == [Posted(MESSAGE, "k-2")] * 3


@pytest.mark.parametrize("reply", [Reply(202), Reply(400), Reply(503), Reply(None)], ids=str)
def test_no_answer_or_log_shows_the_address(
    opening: Opening, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    destination, _ = opening([reply])
    answer = destination.send(MESSAGE, "k-3")
    shown = f"{answer!r} {destination!r} {caplog.text}"
    assert SECRET not in shown
    assert "/workflows" not in shown


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"https://127.0.0.1:1/workflows?sig={SECRET}", "ConnectionError"),
        (f"not an address {SECRET}", "InvalidURL"),
        (f"https://[{SECRET}/workflows", "InvalidURL"),
    ],
)
def test_a_webhook_that_is_not_there_is_tried_again_and_its_address_is_kept_secret(
    url: str, reason: str
) -> None:
    answer = TeamsDestination(url).send(MESSAGE, "k-4")
    assert answer == Rejected(retryable=True, retry_after_seconds=None, reason=reason)


def test_a_server_that_nobody_vouches_for_gets_no_card(webhook: Webhook, address: str) -> None:
    posted = webhook.listen([Reply(202)])
    with requests.Session() as session:
        answer = TeamsDestination(address, session=session).send(MESSAGE, "k-5")
    assert answer == Rejected(retryable=True, retry_after_seconds=None, reason="SSLError")
    assert posted == []
