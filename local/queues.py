"""The few calls of Azure Queue Storage's REST interface that the Functions host makes.

Source: https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import requests
from azure.core.exceptions import AzureError

# What a call raises when storage, or the token for it, is not to be had.
STORAGE_ERRORS = (requests.RequestException, AzureError)
_API_VERSION = "2021-12-02"
_DEADLINE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Received:
    """One message that was taken from a queue and is hidden from others until `next_visible`."""

    message_id: str
    text: str
    dequeue_count: int
    inserted: datetime
    expires: datetime
    next_visible: datetime
    pop_receipt: str

    def body(self) -> bytes | None:
        """The body out of the base64 that the Functions host wraps it in; None where it is not that."""
        try:
            return base64.b64decode(self.text, validate=True)
        except binascii.Error:
            return None


class Queues:
    """The queues of one storage account.

    Args:
        endpoint: For example `https://ACCOUNT.queue.core.windows.net`.
        token: Gives a bearer token for Azure Storage.
        authority: Whose certificates to trust, as PEM; None leaves it to the environment.

    Every method raises one of STORAGE_ERRORS when the call fails.
    """

    def __init__(self, endpoint: str, token: Callable[[], str], authority: Path | None = None) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._token = token
        self._session = requests.Session()
        if authority is not None:
            self._session.verify = str(authority)
            self._session.trust_env = False  # the environment's bundle would go before `verify`

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def create(self, queue: str) -> None:
        """Make the queue unless it is there."""
        self._call("PUT", queue)

    def put(self, queue: str, body: bytes) -> None:
        """Add a message, in the base64 that the Functions host expects."""
        self.put_text(queue, base64.b64encode(body).decode())

    def put_text(self, queue: str, text: str) -> None:
        """Add a message whose text is encoded already."""
        message = ET.Element("QueueMessage")
        ET.SubElement(message, "MessageText").text = text
        self._call("POST", f"{queue}/messages", body=ET.tostring(message, "utf-8"))

    def take(self, queue: str, *, at_most: int, hidden: timedelta) -> list[Received]:
        """Take visible messages, hidden from others meanwhile; none where the queue doesn't exist."""
        query = {"numofmessages": str(at_most), "visibilitytimeout": str(int(hidden.total_seconds()))}
        answer = self._call("GET", f"{queue}/messages", query, missing_ok=True)
        if answer.status_code == 404:
            return []
        return [_read_message(found) for found in ET.fromstring(answer.content).iter("QueueMessage")]  # noqa: S314 - our own emulator wrote it

    def hide(self, queue: str, message: Received, hidden: timedelta) -> str:
        """Hide the message from now on, for `hidden`; gives its new pop receipt."""
        query = {"popreceipt": message.pop_receipt, "visibilitytimeout": str(int(hidden.total_seconds()))}
        answer = self._call("PUT", f"{queue}/messages/{message.message_id}", query)
        return answer.headers["x-ms-popreceipt"]

    def delete(self, queue: str, message: Received) -> None:
        """Remove the message; one that is gone already, or that someone else has, is left alone."""
        query = {"popreceipt": message.pop_receipt}
        self._call("DELETE", f"{queue}/messages/{message.message_id}", query, missing_ok=True)

    def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: bytes | None = None,
        *,
        missing_ok: bool = False,
    ) -> requests.Response:
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "x-ms-version": _API_VERSION,
            "x-ms-date": format_datetime(datetime.now(UTC), usegmt=True),
        }
        answer = self._session.request(
            method,
            f"{self._endpoint}/{path}",
            params=query,
            data=body,
            headers=headers,
            timeout=_DEADLINE_SECONDS,
        )
        if not (missing_ok and answer.status_code == 404):
            answer.raise_for_status()
        return answer


def _read_message(found: ET.Element) -> Received:
    def field(name: str) -> str:
        return found.findtext(name) or ""

    return Received(
        field("MessageId"),
        field("MessageText"),
        int(field("DequeueCount")),
        parsedate_to_datetime(field("InsertionTime")),
        parsedate_to_datetime(field("ExpirationTime")),
        parsedate_to_datetime(field("TimeNextVisible")),
        field("PopReceipt"),
    )
