"""What every destination of news promises: a webhook over TLS that gets cards or events, and the fake."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
import pytest

from functions.alerts.answer import Accepted, Answer, Rejected
from functions.delivery.destinations.webhook import WebhookDestination
from functions.delivery.interface import Destination
from local.serving import Certificates, Service, make_certificates
from tests.fakes.destinations import MemoryDestination, Posted, Reply

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SECRET = "sig-0f9a-secret"
UNCLEAR = "HTTP 200 with a text that reports an error"
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
        headers = [("Location", "/elsewhere"), ("Content-Length", str(len(reply.text)))]
        if reply.retry_after:
            headers.append(("Retry-After", reply.retry_after))
        start_response(f"{reply.status} Scripted", headers)
        return [reply.text]


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


@pytest.fixture(scope="module")
def trust(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificates.authority)


@pytest.fixture(params=["webhook", "memory"])
def opening(request: pytest.FixtureRequest, webhook: Webhook, address: str, trust: ssl.SSLContext) -> Opening:
    def real(replies: Iterable[Reply]) -> tuple[Destination, Sequence[Posted]]:
        return WebhookDestination(address, trust=trust, clock=lambda: NOW), webhook.listen(replies)

    def memory(replies: Iterable[Reply]) -> tuple[Destination, Sequence[Posted]]:
        destination = MemoryDestination(replies, clock=lambda: NOW)
        return destination, destination.posted

    return real if request.param == "webhook" else memory


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
    (Reply(200, text=b"1"), Accepted(200)),
    (Reply(200, text=b"ok"), Accepted(200)),
    (
        Reply(202, text=b'{"status": "success", "message": "Event processed", "dedup_key": "a1"}'),
        Accepted(202),
    ),
    (Reply(200, text=b'{"title": "An error: access denied", "kind": "opened"}'), Accepted(200)),
    (
        Reply(
            200,
            text=b"Webhook message delivery failed with error: the endpoint returned HTTP error 429",
        ),
        Rejected(retryable=True, retry_after_seconds=None, reason="HTTP 200 with a text that reports 429"),
    ),
    (
        Reply(
            200,
            text=b"Webhook message delivery failed with error: the endpoint returned HTTP error 413",
        ),
        Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 200 with a text that reports 413"),
    ),
    (
        Reply(200, "9", b"Something failed."),
        Rejected(retryable=True, retry_after_seconds=9.0, reason=UNCLEAR),
    ),
    (
        Reply(200, text=b'{"error": {"code": "WorkflowTriggerIsNotEnabled"}}'),
        Rejected(retryable=True, retry_after_seconds=None, reason=UNCLEAR),
    ),
    (
        Reply(200, text=b'{"ok": false}'),
        Rejected(retryable=True, retry_after_seconds=None, reason=UNCLEAR),
    ),
    (
        Reply(200, text=b'{"statusCode": 403}'),
        Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 200 with a text that reports 403"),
    ),
    (
        Reply(200, text=b'{"error": "' + b"x" * 5000 + b'"}'),
        Rejected(retryable=True, retry_after_seconds=None, reason=UNCLEAR),
    ),
    (
        Reply(200, text=b"<!doctype html><title>Sign in</title>"),
        Rejected(retryable=True, retry_after_seconds=None, reason=UNCLEAR),
    ),
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
        (f"https://127.0.0.1:{SECRET}/workflows", "InvalidURL"),
        (f"https://127.0.0.1:1/work flows?sig={SECRET}", "ConnectionError"),
        (f"http://127.0.0.1:1/workflows?sig={SECRET}", "InvalidURL"),
    ],
)
def test_a_webhook_that_is_not_there_is_tried_again_and_its_address_is_kept_secret(
    url: str, reason: str
) -> None:
    answer = WebhookDestination(url).send(MESSAGE, "k-4")
    assert answer == Rejected(retryable=True, retry_after_seconds=None, reason=reason)


def test_a_server_that_nobody_vouches_for_gets_no_news(webhook: Webhook, address: str) -> None:
    posted = webhook.listen([Reply(202)])
    answer = WebhookDestination(address).send(MESSAGE, "k-5")
    assert answer == Rejected(retryable=True, retry_after_seconds=None, reason="SSLError")
    assert posted == []


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 202 Accepted\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    ],
    ids=["no answer", "headers", "text"],
)
def test_an_answer_that_comes_byte_by_byte_ends_at_the_deadline(
    answer: bytes, certificates: Certificates, trust: ssl.SSLContext
) -> None:
    with Dripping(answer, certificates) as url:
        begun = time.monotonic()
        given = WebhookDestination(f"{url}?sig={SECRET}", trust=trust, deadline_seconds=0.6).send(
            MESSAGE, "k-6"
        )
        took = time.monotonic() - begun
    assert given == Rejected(retryable=True, retry_after_seconds=None, reason="TimeoutError")
    assert 0.5 < took < 2


class Dripping:
    """A server that begins its answer as told and then sends a byte every tenth of a second."""

    def __init__(self, begins: bytes, certificates: Certificates) -> None:
        self._begins = begins
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.certificate, certificates.key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._answer)

    def __enter__(self) -> str:
        self._thread.start()
        return f"https://127.0.0.1:{self._listening.getsockname()[1]}/hook"

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listening.close()

    def _answer(self) -> None:
        connection, _ = self._listening.accept()
        with self._context.wrap_socket(connection, server_side=True) as speaking:
            speaking.recv(65536)
            try:
                speaking.sendall(self._begins)
                while self._begins:
                    time.sleep(0.1)
                    speaking.sendall(b"x")
                speaking.recv(65536)
                speaking.recv(65536)
            except OSError:
                return
