"""Sends one marker run and remembers whether it was accepted, so that it can be asked for later."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.canary.marker import Marker, envelopes
from functions.canary.sending import Ingestion
from functions.canary.sight import REMEMBERED
from functions.errors import CanaryError
from functions.storage.documents import Documents

DOCUMENT = "canary/markers"
"""Written by the canary's timer alone."""


@dataclass(frozen=True, slots=True)
class Markers:
    """What became of the latest marker runs.

    Attributes:
        accepted: Those of the last `REMEMBERED`, oldest first.
        error: The kind of error of the latest attempt; None where it was accepted.
    """

    accepted: tuple[Marker, ...] = ()
    error: str | None = None


class Canary:
    """Sends marker runs.

    Args:
        documents: Where they are remembered.
        ingestion: Where they are sent.
        instrumentation_key: Of the component that they are sent to.
        clock: The present instant, UTC.
    """

    def __init__(
        self,
        documents: Documents,
        ingestion: Ingestion,
        instrumentation_key: str,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._documents = documents
        self._ingestion = ingestion
        self._instrumentation_key = instrumentation_key
        self._clock = clock

    def send(self) -> None:
        """Send one.

        Raises:
            CanaryError: It was not accepted, which is on record.
            StorageError: The record could not be written; the run counts as never sent.
        """
        marker = Marker(secrets.token_hex(16), self._clock())
        try:
            self._ingestion.send(envelopes(marker, self._instrumentation_key))
        except CanaryError as error:
            self._remember(marker.at, (), type(error).__name__)
            raise
        self._remember(marker.at, (marker,), None)

    def _remember(self, now: datetime, new: tuple[Marker, ...], error: str | None) -> None:
        held = self._documents.read(DOCUMENT)
        earlier = markers_from_json(held.body).accepted if held else ()
        kept = tuple(marker for marker in earlier if now - marker.at < REMEMBERED)
        body = {
            "format": 1,
            "accepted": [{"trace_id": one.trace_id, "at": one.at} for one in (*kept, *new)],
            "error": error,
        }
        self._documents.write(DOCUMENT, body, version=held.version if held else None)


def read_markers(documents: Documents) -> Markers:
    """Return what is on record; nothing before the first attempt. Raises StorageError."""
    held = documents.read(DOCUMENT)
    return markers_from_json(held.body) if held else Markers()


def markers_from_json(body: Mapping[str, Any]) -> Markers:
    """Read the body of the document."""
    return Markers(
        tuple(Marker(one["trace_id"], datetime.fromisoformat(one["at"])) for one in body["accepted"]),
        body["error"],
    )
