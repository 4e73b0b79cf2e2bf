"""Delivers to all destinations side by side, so that one never delays another or sends to it again."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from datetime import datetime
from time import sleep

from functions.alerts import outbox
from functions.alerts.outbox import Outbox
from functions.delivery.boxes import Boxes
from functions.delivery.deliverer import Deliverer
from functions.delivery.interface import Channel
from functions.delivery.posting import Posting
from functions.errors import DocumentConflict, TracekeeperError
from functions.storage.documents import Documents

LONGEST_WAIT_SECONDS = 45.0
"""A tick waits so long for a destination that hangs; its answer is written down when it comes."""

_log = logging.getLogger(__name__)


class Dispatch:
    """Delivers what waits.

    Args:
        documents: Where the destinations' records are.
        channels: By the destinations' names in alerts.yaml.
        boxes: Where the news waits.
        digest_above: More notices than this for one destination at one time go as one digest.
        clock: The present instant, UTC.
        jitter: Random numbers in [0, 1) that spread retries.
        pause: Waits for so many seconds, to keep a destination's rate.
        workers: Runs so many calls side by side as it is given.
    """

    def __init__(
        self,
        documents: Documents,
        channels: Mapping[str, Channel],
        boxes: Boxes,
        *,
        digest_above: int,
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
        pause: Callable[[float], None] = sleep,
        workers: Callable[[int], Executor] = ThreadPoolExecutor,
    ) -> None:
        self._documents = documents
        self._channels = channels
        self._boxes = boxes
        self._digest_above = digest_above
        self._clock = clock
        self._jitter = jitter
        self._pause = pause
        self._workers = workers

    def deliver(self, seen: Mapping[str, Outbox]) -> Counter[str]:
        """Send everything that is due.

        Args:
            seen: Outboxes as they were seen last, by their documents' names.

        Returns:
            How many messages were "accepted" and "put_off", and how much was "refused".
        """
        now = self._clock()
        due = {entry.destination for held in seen.values() for entry in outbox.due(held, now)}
        if not due:
            return Counter()
        waiting: dict[str, set[str]] = {name: set() for name in due}
        for name, held in seen.items():
            for entry in held.waiting:
                if entry.destination in due:
                    waiting[entry.destination].add(name)
        answers: Counter[str] = Counter()
        deliverers = [self._deliverer(name) for name in sorted(due)]
        workers = self._workers(len(deliverers))
        try:
            running = [
                workers.submit(_deliver, deliverer, waiting[deliverer.destination])
                for deliverer in deliverers
            ]
            for ended in wait(running, timeout=LONGEST_WAIT_SECONDS).done:
                ended.result()
        finally:
            workers.shutdown(wait=False)
        for deliverer in deliverers:
            answers += deliverer.answers
        return answers

    def _deliverer(self, destination: str) -> Deliverer:
        return Deliverer(
            destination,
            self._documents,
            self._boxes,
            Posting(self._channels.get(destination)),
            digest_above=self._digest_above,
            clock=self._clock,
            jitter=self._jitter,
            pause=self._pause,
        )


def _deliver(deliverer: Deliverer, names: set[str]) -> None:
    """Deliver to one destination; whatever happens, the others have theirs."""
    try:
        deliverer.deliver(names)
    except DocumentConflict as error:
        _log.warning("%s", error)
    except Exception as error:  # noqa: BLE001 - one destination's trouble must not stop the others
        text = str(error) if isinstance(error, TracekeeperError) else type(error).__name__
        _log.error("Delivering to %s stopped: %s", deliverer.destination, text)
