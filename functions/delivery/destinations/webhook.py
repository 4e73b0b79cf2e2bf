"""Posts JSON to a webhook: a Workflows flow that feeds a Teams channel, or whatever feeds a pager.

It speaks HTTP by itself: libraries let an answer that comes byte by byte go on for ever, and write addresses
into logs and errors. A webhook's address is its secret.
"""

import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPException, HTTPSConnection
from threading import Event, Timer
from typing import Any
from urllib.parse import urlsplit

import requests

from functions.alerts.answer import Answer, Rejected
from functions.delivery.destinations.answers import MAX_TEXT_BYTES, answer_of
from functions.storage.documents import encode

CONNECT_SECONDS = 5.0
DEADLINE_SECONDS = 20.0
"""For all of one attempt, to the last byte of its answer; only looking up the host's name comes on top."""


class WebhookDestination:
    """One webhook; see Destination.

    Args:
        url: The secret; https.
        trust: Which servers to believe; None: those that the machine and the shipped authorities vouch for.
        clock: What a date in Retry-After is counted from.
        deadline_seconds: How long one attempt may take.
    """

    def __init__(
        self,
        url: str,
        *,
        trust: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._url = url
        self._trust = trust or shipped_trust()
        self._clock = clock
        self._deadline_seconds = deadline_seconds

    def send(self, message: Mapping[str, Any], idempotency_key: str) -> Answer:
        """Post one message; see Destination.send. A redirect is refused: it would lead elsewhere."""
        try:
            address = urlsplit(self._url)
            if address.scheme != "https" or not address.hostname:
                return _rejected("InvalidURL")
            connection = HTTPSConnection(
                address.hostname, address.port, timeout=CONNECT_SECONDS, context=self._trust
            )
        except (ValueError, HTTPException):
            return _rejected("InvalidURL")
        target = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
        over = Event()
        alarm = Timer(self._deadline_seconds, _hang_up, (connection, over))
        alarm.daemon = True
        alarm.start()
        try:
            return self._exchange(connection, target, encode(message), idempotency_key, over)
        except (OSError, HTTPException, ValueError) as error:
            # The text of these errors can hold the address; one that is unusable is put right one day.
            return _rejected("TimeoutError" if over.is_set() else _reason(error))
        finally:
            alarm.cancel()
            connection.close()

    def _exchange(
        self, connection: HTTPSConnection, target: str, body: bytes, idempotency_key: str, over: Event
    ) -> Answer:
        connection.connect()
        if over.is_set():
            return _rejected("TimeoutError")
        connection.sock.settimeout(self._deadline_seconds)
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key}
        connection.request("POST", target, body, headers)
        response = connection.getresponse()
        text = response.read(MAX_TEXT_BYTES) if response.status < 300 else b""
        if over.is_set():  # a connection that is hung up looks like an answer that ended
            return _rejected("TimeoutError")
        return answer_of(response.status, response.headers.get("Retry-After"), self._clock(), text)


@cache
def shipped_trust() -> ssl.SSLContext:
    """Return the authorities that the machine trusts, and those that come with the app."""
    trust = ssl.create_default_context()
    trust.load_verify_locations(requests.utils.DEFAULT_CA_BUNDLE_PATH)
    return trust


def _hang_up(connection: HTTPSConnection, over: Event) -> None:
    over.set()
    if connection.sock is not None:
        # Not by SSLSocket.shutdown, which would take the encryption from under whoever reads.
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _rejected(reason: str) -> Rejected:
    return Rejected(retryable=True, retry_after_seconds=None, reason=reason)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "SSLError"
    if isinstance(error, TimeoutError):
        return "TimeoutError"
    return "ConnectionError" if isinstance(error, OSError | HTTPException) else "InvalidURL"
