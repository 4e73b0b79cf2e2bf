"""Sends marker runs and counted ticks: the interface, and its adapter on Application Insights' ingestion."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from functions.errors import CanaryRefused, CanaryUnavailable
from functions.storage.documents import encode

TIMEOUT_SECONDS = (5.0, 20.0)
"""To connect; between two bytes of the answer."""


class Ingestion(Protocol):
    """Where telemetry is sent."""

    def send(self, envelopes: Sequence[Mapping[str, Any]]) -> None:
        """Send all envelopes.

        Raises:
            CanaryError: Not all of them were accepted.
        """
        ...


@dataclass(frozen=True, slots=True)
class Component:
    """An Application Insights component, as its connection string names it.

    Attributes:
        instrumentation_key: Its GUID.
        endpoint: Base URL of its ingestion endpoint, without a slash at the end.
        scope: What a token for it is asked for.
    """

    instrumentation_key: str
    endpoint: str
    scope: str


def component(connection_string: str) -> Component:
    """Read a connection string that settings.py has checked for form.

    AADAudience names the token's audience in clouds other than the public one.
    https://learn.microsoft.com/azure/azure-monitor/app/connection-strings
    """
    pairs = (part.partition("=") for part in connection_string.split(";"))
    parts = {name.strip().lower(): value.strip() for name, _, value in pairs}
    audience = parts.get("aadaudience") or "https://monitor.azure.com"
    return Component(
        parts["instrumentationkey"],
        parts["ingestionendpoint"].rstrip("/"),
        f"{audience.rstrip('/')}/.default",
    )


class ApplicationInsights:
    """An Ingestion.

    Args:
        endpoint: See `Component`.
        token: Returns a bearer token for it; raises CanaryRefused.
        session: Carries what TLS should trust.
    """

    def __init__(
        self, endpoint: str, token: Callable[[], str], *, session: requests.Session | None = None
    ) -> None:
        self._url = f"{endpoint}/v2.1/track"
        self._token = token
        self._session = session or requests.Session()

    def send(self, envelopes: Sequence[Mapping[str, Any]]) -> None:
        """Post all envelopes at once; see Ingestion.send."""
        body = b"[" + b",".join(map(encode, envelopes)) + b"]"
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token()}"}
        try:
            # A redirect would carry the token to another host.
            answer = self._session.post(
                self._url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
            _check(answer, len(envelopes))
        except requests.RequestException as error:
            raise CanaryUnavailable(
                f"The ingestion endpoint could not be reached ({type(error).__name__}).",
                next_step="Check CANARY_CONNECTION_STRING, and that the app's network lets it out.",
            ) from None


def _check(answer: requests.Response, count: int) -> None:
    if answer.status_code in {401, 403}:
        raise refused(f"The ingestion endpoint answered {answer.status_code}.")
    body = answer.json() if answer.status_code == 200 else None
    if not isinstance(body, dict) or body.get("itemsAccepted") != count:
        raise CanaryUnavailable(
            f"The ingestion endpoint answered {answer.status_code} and did not accept all that was sent.",
            next_step="It is sent again soon; if this goes on, check CANARY_CONNECTION_STRING.",
        )


def refused(what: str) -> CanaryRefused:
    """Return the error for a token that is missing or not enough."""
    return CanaryRefused(
        what,
        next_step=(
            "Give the app's identity the role Monitoring Metrics Publisher on the component that "
            "CANARY_CONNECTION_STRING names."
        ),
    )
