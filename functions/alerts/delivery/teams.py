"""Posts to a Teams channel through a Workflows webhook, which answers 202 before it has posted anything."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import requests

from functions.alerts.delivery.interface import Answer, Rejected, answer_of
from functions.storage.documents import encode

TIMEOUT_SECONDS = (5.0, 20.0)
"""To connect; between two bytes of the answer."""

# urllib3 writes path and query of every request at DEBUG, and the whole address when an answer's headers are
# broken at WARNING; a webhook's query is its secret.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


class TeamsDestination:
    """One webhook. `url` is the secret; `session` carries what TLS should trust."""

    def __init__(
        self,
        url: str,
        *,
        session: requests.Session | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._url = url
        self._session = session or requests.Session()
        self._clock = clock

    def send(self, message: Mapping[str, Any], idempotency_key: str) -> Answer:
        """Post one message; see Destination.send."""
        try:
            # Streamed, so that the body, which says nothing, is never read. A redirect would carry the card
            # to another host.
            with self._session.post(
                self._url,
                data=encode(message),
                headers={"Content-Type": "application/json", "Idempotency-Key": idempotency_key},
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
                verify=self._session.verify,  # else REQUESTS_CA_BUNDLE would overrule the session
                stream=True,
            ) as response:
                return answer_of(response.status_code, response.headers.get("Retry-After"), self._clock())
        except requests.RequestException as error:
            # The text of these errors holds the address. Even an unusable address is put right one day.
            return Rejected(retryable=True, retry_after_seconds=None, reason=type(error).__name__)
