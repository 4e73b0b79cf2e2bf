"""The watch's heartbeat: each complete tick leaves a document, a line in the log and a metric.

Whoever watches the watch sees it stop: GET health by the document, Azure Monitor's alert rule by the line.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.canary.sending import Ingestion
from functions.errors import CanaryError, DocumentConflict, StorageError, WatchStopped
from functions.storage.documents import Documents, encode
from functions.watch.watch import TickReport

_log = logging.getLogger(__name__)

DOCUMENT = "heartbeat"
FORMAT = 1
OLDEST = timedelta(minutes=5)
"""An older heartbeat means that the watch has stopped: it ticks every minute."""
METRIC = "tracekeeper.ticks"
ROLE = "tracekeeper"
"""The metric's cloud role."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One complete tick.

    Attributes:
        completed_at: When it was complete, UTC.
        checks: How many checks had which result; see `CheckTick`.
        accepted: Messages that destinations accepted.
        put_off: Messages that are sent again later.
        refused: Messages that are not.
    """

    completed_at: datetime
    checks: Mapping[str, int]
    accepted: int
    put_off: int
    refused: int


@dataclass(frozen=True, slots=True)
class Metric:
    """Where ticks are counted: an Application Insights component."""

    ingestion: Ingestion
    instrumentation_key: str


class Heart:
    """Beats, and tells whether it has stopped.

    Args:
        documents: Where the latest beat is kept.
        metric: Where ticks are counted; None where they are not.
        clock: The present instant, UTC.
    """

    def __init__(self, documents: Documents, metric: Metric | None, *, clock: Callable[[], datetime]) -> None:
        self._documents = documents
        self._metric = metric
        self._clock = clock

    def beat(self, reports: Sequence[TickReport]) -> None:
        """Tell that a tick is complete, of which these are the parts.

        Raises:
            StorageError: It could not be written, so that GET health fails before long.
        """
        beat = Beat(
            completed_at=self._clock(),
            checks=dict(Counter(check.result for report in reports for check in report.checks)),
            accepted=sum(report.accepted for report in reports),
            put_off=sum(report.put_off for report in reports),
            refused=sum(report.refused for report in reports),
        )
        held = self._documents.read(DOCUMENT)
        try:
            self._documents.write(
                DOCUMENT, {"format": FORMAT, **asdict(beat)}, version=held.version if held else None
            )
        except DocumentConflict:
            _log.info("Another host has completed a tick at the same time; its heartbeat stands.")
        _log.info("%s", encode({"event": "watch.heartbeat", **asdict(beat)}).decode())
        self._count(beat)

    def check(self) -> None:
        """Say nothing where it beats.

        Raises:
            WatchStopped: The latest complete tick is older than OLDEST, or there was none.
            StorageError: Nobody knows.
        """
        held = self._documents.read(DOCUMENT)
        if held is None or self._clock() - _completed_at(held.body) > OLDEST:
            raise WatchStopped(
                f"No tick of the watch was completed in the last {OLDEST.seconds // 60} minutes.",
                next_step="Look for the function watch_tick in the app's log.",
            )

    def latest(self) -> datetime | None:
        """Return when the latest tick was complete; None where there was none, or nobody can tell."""
        try:
            held = self._documents.read(DOCUMENT)
            return _completed_at(held.body) if held else None
        except StorageError as error:
            _log.warning("The latest tick is not known: %s", error)
            return None

    def _count(self, beat: Beat) -> None:
        if self._metric is None:
            return
        try:
            self._metric.ingestion.send([envelope(beat, self._metric.instrumentation_key)])
        except CanaryError as error:
            # The document and the line tell of the tick as well: nothing else may fail for the metric.
            _log.warning("The tick could not be counted: %s", error)


def envelope(beat: Beat, instrumentation_key: str) -> Mapping[str, Any]:
    """Return the metric as Application Insights takes it: one tick, with what became of the checks.

    Source: MetricData of https://github.com/microsoft/ApplicationInsights-dotnet, BASE/Schema/PublicSchema.
    """
    return {
        "name": "Microsoft.ApplicationInsights.Metric",
        "time": beat.completed_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "iKey": instrumentation_key,
        "tags": {"ai.cloud.role": ROLE},
        "data": {
            "baseType": "MetricData",
            "baseData": {
                "ver": 2,
                "metrics": [{"name": METRIC, "value": 1.0, "count": 1}],
                "properties": {result: str(count) for result, count in sorted(beat.checks.items())},
            },
        },
    }


def _completed_at(body: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(body["completed_at"])
    except (KeyError, TypeError, ValueError):
        raise StorageError(
            f"The document {DOCUMENT} is not a heartbeat.", next_step="Delete it: the next tick writes it."
        ) from None
