"""Turns what a destination does not take into an alert of its own, which the others are told."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from functions.alerts.records import instant_text
from functions.alerts.routing import DELIVERY_FAILED
from functions.checks.definition import CheckDefinition, without_query
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.judges import answer, window_due
from functions.checks.memory import Memory
from functions.checks.runner import NothingDue, Outcome
from functions.delivery.lease import read_record
from functions.delivery.record import Record
from functions.errors import StorageError
from functions.storage.documents import Documents

FAILING_AFTER = timedelta(hours=1)
"""A destination that has taken nothing for so long is told of, before a message is given up."""

DELIVERY_CHECK = without_query(
    DELIVERY_FAILED,
    title="A destination does not take what people have to be told",
    severity="high",
    owner="platform",
    every=timedelta(minutes=5),
    key=("Destination",),
    shows=("Reason", "FailingSince"),
    unit="messages lost",
    false_positives="A short outage of the destination ends by itself: what waits for it is sent then.",
    triage=(
        "HTTP 401, 403 or 404: the webhook's flow was deleted, or its address has changed; put the new one "
        "into the app setting that alerts.yaml names. HTTP 400 or 413: it does not take this one message. "
        "What was lost is under `deliveries` of the alerts, as refused."
    ),
)
"""What the alert is told as; it has no query."""

_log = logging.getLogger(__name__)


class DeliveryJudge:
    """Judges how deliveries went. There is nothing to say where nothing ever went wrong.

    Args:
        documents: Where the destinations' records are.
        destinations: Their names.
    """

    def __init__(self, documents: Documents, destinations: Sequence[str]) -> None:
        self._documents = documents
        self._destinations = destinations

    def judge_due(
        self,
        check: CheckDefinition,
        *,
        watermark: datetime | None,
        now: datetime,
        memory: Memory | None = None,  # noqa: ARG002 - a judge's shape; it remembers nothing
    ) -> Outcome:
        """Judge the time since it was judged last."""
        window = window_due(check, watermark, now)
        if window is None:
            return NothingDue()
        findings: list[Finding] = []
        unjudged: list[Mapping[str, str]] = []
        for name in self._destinations:
            try:
                record, _ = read_record(self._documents, name)
            except StorageError as error:
                _log.error("Nobody knows how %s is: %s", name, error)
                unjudged.append({"Destination": name})
            else:
                findings += failures(name, record, window)
        return answer(JudgedWindow(window, tuple(findings), unjudged=tuple(unjudged)), watermark)


def failures(destination: str, record: Record, window: Window) -> tuple[Finding, ...]:
    """Return what there is to tell of a destination: one finding, or none.

    It lost something in the window, or has taken nothing since it lost something, or fails for long.
    """
    lost = [
        one
        for one in record.losses
        if one.at > window.start or record.accepted_at is None or one.at > record.accepted_at
    ]
    long = record.failing_since is not None and window.end - record.failing_since >= FAILING_AFTER
    if not lost and not long:
        return ()
    reason = lost[-1].reason if lost else "it takes nothing at present"
    failing = instant_text(record.failing_since) if record.failing_since else ""
    count = sum(one.count for one in lost)
    return (
        Finding(
            DELIVERY_FAILED,
            {"Destination": destination},
            window,
            float(count),
            None,
            max(1, count),
            trace_ids=(),
            shows={"Reason": reason, "FailingSince": failing},
        ),
    )
