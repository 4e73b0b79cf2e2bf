import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
import requests

from local.host.invocations import QueueCall
from local.host.queue_trigger import QueueRules, QueueTrigger
from local.queues import Received

NOW = datetime(2026, 11, 24, tzinfo=UTC)
# In base64: "hello".
HELLO = Received("id1", "aGVsbG8=", 1, NOW, NOW, NOW, "receipt0")


@dataclass
class ScriptedQueues:
    """One queue's messages to take, in order, and what was done to them; an exception is raised instead."""

    to_take: list[Received | Exception]
    done: list[tuple[str, str]] = field(default_factory=list)
    renewals: int = 0

    def take(self, _queue: str, **_limits: object) -> list[Received]:
        if not self.to_take:
            return []
        following = self.to_take.pop(0)
        if isinstance(following, Exception):
            raise following
        return [following]

    def hide(self, _queue: str, message: Received, hidden: timedelta) -> str:
        self.renewals += 1
        self.done.append((f"hide {hidden.total_seconds():g}", message.pop_receipt))
        return f"receipt{self.renewals}"

    def create(self, queue: str) -> None:
        pass

    def put_text(self, queue: str, text: str) -> None:
        self.done.append((f"put {queue}", text))

    def delete(self, _queue: str, message: Received) -> None:
        self.done.append(("delete", message.pop_receipt))


def handle(
    queues: ScriptedQueues, run: Callable[[QueueCall], bool], rules: QueueRules, *, until: int
) -> list[tuple[str, str]]:
    """Run a trigger until `until` things were done to messages."""
    trigger = QueueTrigger(queues, "exports", rules, run)  # type: ignore[arg-type]  # the scripted stand-in
    trigger.start()
    deadline = time.monotonic() + 10
    while len(queues.done) < until and time.monotonic() < deadline:
        time.sleep(0.01)
    trigger.stop()
    return queues.done


@pytest.mark.parametrize(
    ("dequeue_count", "succeeds", "done"),
    [
        (1, True, [("delete", "receipt0")]),
        (5, True, [("delete", "receipt0")]),
        (1, False, [("hide 3600", "receipt0")]),
        (4, False, [("hide 3600", "receipt0")]),
        (5, False, [("put exports-poison", "aGVsbG8="), ("delete", "receipt0")]),
    ],
)
def test_what_becomes_of_a_message(dequeue_count: int, succeeds: bool, done: list[tuple[str, str]]) -> None:
    calls: list[QueueCall] = []

    def run(call: QueueCall) -> bool:
        calls.append(call)
        return succeeds

    queues = ScriptedQueues([replace(HELLO, dequeue_count=dequeue_count)])
    assert handle(queues, run, QueueRules(retry_after=timedelta(hours=1)), until=len(done)) == done
    assert [(call.body, call.dequeue_count) for call in calls] == [(b"hello", dequeue_count)]


def test_a_message_that_killed_its_hosts_is_put_aside_without_a_sixth_try() -> None:
    calls: list[QueueCall] = []
    queues = ScriptedQueues([replace(HELLO, dequeue_count=6)])
    done = handle(queues, lambda call: not calls.append(call), QueueRules(), until=2)
    assert done == [("put exports-poison", "aGVsbG8="), ("delete", "receipt0")]
    assert calls == []


def test_a_message_stays_hidden_while_it_is_worked_on_and_is_deleted_by_its_newest_receipt() -> None:
    queues = ScriptedQueues([HELLO])
    renewed = threading.Event()

    def run(call: QueueCall) -> bool:
        while queues.renewals < 2 and not renewed.wait(0.01):
            pass
        return True

    done = handle(queues, run, QueueRules(lease=timedelta(seconds=0.3)), until=3)
    assert done[:2] == [("hide 0.3", "receipt0"), ("hide 0.3", "receipt1")]
    assert done[-1] == ("delete", f"receipt{queues.renewals}")


def test_a_queue_that_cannot_be_read_for_a_while_is_read_again() -> None:
    queues = ScriptedQueues([requests.ConnectionError("refused"), HELLO])
    assert handle(queues, lambda _: True, QueueRules(), until=1) == [("delete", "receipt0")]
