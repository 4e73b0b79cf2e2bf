"""Writes down that somebody sees to an alert, in the check's document, whoever else writes that."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from functions.alerts.alert import Alert
from functions.alerts.lifecycle import acknowledge
from functions.alerts.state import PREFIX, state_from_json, state_to_json
from functions.errors import DocumentConflict, NotFound, NotReady
from functions.storage.documents import Document, Documents

ATTEMPTS = 10


class Acknowledging:
    """Acknowledges alerts.

    Args:
        documents: Where the checks' states are.
        clock: The present instant, UTC.
    """

    def __init__(self, documents: Documents, *, clock: Callable[[], datetime]) -> None:
        self._documents = documents
        self._clock = clock

    def acknowledge(self, alert_id: str, by: str) -> Alert:
        """Return the alert as acknowledged: by `by`, or by who did so before in this episode.

        Args:
            alert_id: Which.
            by: The directory's object id of who sees to it.

        Raises:
            NotFound: There is no such alert.
            NotReady: It is not open.
            StorageError: A document could not be read, or it is not known to be written.
        """
        for name in self._documents.names(PREFIX):
            for _ in range(ATTEMPTS):
                held = self._documents.read(name)
                try:
                    alert = held and self._acknowledge(held, alert_id, by)
                except DocumentConflict:
                    continue
                if alert:
                    return alert
                break
            else:
                raise DocumentConflict(
                    f"The document {name} changed at every attempt to write it.", next_step="Try again."
                )
        raise NotFound("There is no such alert.", next_step="GET /api/v1/alerts lists them.")

    def _acknowledge(self, held: Document, alert_id: str, by: str) -> Alert | None:
        """Acknowledge the alert if it is in this document. Raises as above, or DocumentConflict."""
        state = state_from_json(held.name, held.body)
        before = state.alerts.get(alert_id)
        if before is None:
            return None
        if not before.active:
            raise NotReady(f"The alert is {before.state}.", next_step="Only an open one can be acknowledged.")
        after = acknowledge(before, by, self._clock())
        if after is not before:
            alerts = {**state.alerts, alert_id: after}
            self._documents.write(
                held.name, state_to_json(replace(state, alerts=alerts)), version=held.version
            )
        return after
