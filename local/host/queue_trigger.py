"""Feeds a function from its queue as the Functions host does: retries, and poison messages put aside.

Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#hostjson-settings
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

from local.host.invocations import QueueCall
from local.queues import STORAGE_ERRORS, Queues, Received

_LOG = logging.getLogger("local.host")
_SHORTEST_POLL_SECONDS = 0.1
_LONGEST_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class QueueRules:
    """`extensions.queues` of host.json.

    Attributes:
        batch_size: Messages handled at once.
        max_dequeue_count: Failures after which a message is poison.
        retry_after: How long a message that failed stays hidden.
        lease: How long a message stays hidden whose host died over it. Ten minutes on Azure; here someone
            waits for it.
    """

    batch_size: int = 16
    max_dequeue_count: int = 5
    retry_after: timedelta = timedelta(0)
    lease: timedelta = timedelta(seconds=30)


class QueueTrigger:
    """Polls one queue and runs one function for each message.

    Args:
        queues: The account.
        queue: The queue's name; it need not exist yet.
        rules: When to retry and when to give up.
        run: Invokes the function and waits; true when it succeeded.
    """

    def __init__(
        self, queues: Queues, queue: str, rules: QueueRules, run: Callable[[QueueCall], bool]
    ) -> None:
        self._queues = queues
        self._queue = queue
        self._rules = rules
        self._run = run
        self._stopped = threading.Event()
        self._free = threading.Semaphore(rules.batch_size)
        self._poller = threading.Thread(target=self._poll, daemon=True)
        self._pool = ThreadPoolExecutor(rules.batch_size, thread_name_prefix=f"queue-{queue}")

    def start(self) -> None:
        """Begin to poll."""
        self._poller.start()

    def stop(self) -> None:
        """Take no further message, and wait for those that are being handled."""
        self._stopped.set()
        self._poller.join()
        self._pool.shutdown()

    def _poll(self) -> None:
        pause = _SHORTEST_POLL_SECONDS
        while not self._stopped.wait(pause):
            self._free.acquire()
            try:
                taken = self._queues.take(self._queue, at_most=1, hidden=self._rules.lease)
            except STORAGE_ERRORS as error:
                _LOG.warning("The queue %s can't be read: %s", self._queue, type(error).__name__)
                taken = []
            for message in taken:
                self._pool.submit(self._handle, message).add_done_callback(lambda _: self._free.release())
            if taken:
                pause = 0.0
            else:
                self._free.release()
                pause = min(max(pause, _SHORTEST_POLL_SECONDS) * 2, _LONGEST_POLL_SECONDS)

    def _handle(self, message: Received) -> None:
        """See one message through; a storage error leaves it to come back when its lease ends."""
        try:
            self._decide(message)
        except STORAGE_ERRORS:
            _LOG.exception("A message of the queue %s could not be settled", self._queue)

    def _decide(self, message: Received) -> None:
        body = message.body()
        if body is None or message.dequeue_count > self._rules.max_dequeue_count:
            self._put_aside(message)
            return
        with _Lease(self._queues, self._queue, message, self._rules.lease) as lease:
            succeeded = self._run(_read_call(message, body))
        if succeeded:
            self._queues.delete(self._queue, lease.message)
        elif message.dequeue_count >= self._rules.max_dequeue_count:
            self._put_aside(lease.message)
        else:
            self._queues.hide(self._queue, lease.message, self._rules.retry_after)

    def _put_aside(self, message: Received) -> None:
        poison = f"{self._queue}-poison"
        _LOG.error("A message of the queue %s failed too often and is now in %s", self._queue, poison)
        self._queues.create(poison)
        self._queues.put_text(poison, message.text)
        self._queues.delete(self._queue, message)


class _Lease:
    """Keeps a message hidden from others for as long as it is being worked on."""

    def __init__(self, queues: Queues, queue: str, message: Received, length: timedelta) -> None:
        self.message = message
        self._queues = queues
        self._queue = queue
        self._length = length
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._done.wait(self._length.total_seconds() / 3):
            try:
                receipt = self._queues.hide(self._queue, self.message, self._length)
            except STORAGE_ERRORS:
                _LOG.warning("The lease on a message of the queue %s could not be renewed", self._queue)
                return
            self.message = replace(self.message, pop_receipt=receipt)


def _read_call(message: Received, body: bytes) -> QueueCall:
    return QueueCall(
        message_id=message.message_id,
        body=body,
        dequeue_count=message.dequeue_count,
        inserted=message.inserted,
        expires=message.expires,
        next_visible=message.next_visible,
        pop_receipt=message.pop_receipt,
    )
