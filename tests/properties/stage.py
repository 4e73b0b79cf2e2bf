"""Storage, destinations and hosts that can fail at any step, and a record of all that passes between them.

A host is one process. Each of its writes and sends is a step before and a step after; at a step it may be
killed, storage may break, or another host may run a whole tick.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from functions.alerts.answer import Accepted, Answer
from functions.alerts.outbox import News, Telling
from functions.errors import StorageError
from functions.storage.documents import Document
from tests.fakes.storage import MemoryDocuments

Kind = Literal["crash", "storage breaks", "rival"]

LONGEST_SEND = timedelta(seconds=25)
"""What connecting and waiting for an answer may take at most."""


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class AtOnce(Executor):
    """Runs what is submitted before it returns, so that every run of an example takes the same course."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def submit[T](self, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run it; what kills the process kills the submitting thread too."""
        future: Future[T] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the caller's, as from any executor
            future.set_exception(error)
        return future


@dataclass(slots=True)
class Clock:
    """The present instant, the same for all hosts."""

    now: datetime

    def __call__(self) -> datetime:
        """Return it."""
        return self.now

    def pause(self, seconds: float) -> None:
        """Let so many seconds go by."""
        self.now += timedelta(seconds=seconds)


class NewsItself:
    """Writes messages that are the news as it is."""

    def one(self, telling: Telling) -> Mapping[str, Any]:
        """Write one piece."""
        return {"tells": (telling.news,)}

    def digest(self, key: str, tellings: Sequence[Telling]) -> Mapping[str, Any]:  # noqa: ARG002 - the interface's
        """Write many."""
        return {"tells": tuple(telling.news for telling in tellings)}


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that a destination accepted: its idempotency key, when, and what it tells."""

    key: str
    at: datetime
    tells: tuple[News, ...]


class WatchedDocuments(MemoryDocuments):
    """Documents that tell of each write."""

    def __init__(self, written: Callable[[str, Document], None]) -> None:
        super().__init__()
        self._written = written

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        after = super().write(name, body, version=version)
        self._written(name, after)
        return after


@dataclass(slots=True)
class Place:
    """A destination: what it answers next (202 once there is nothing left), and what it has accepted."""

    name: str
    clock: Clock
    answers: deque[Answer] = field(default_factory=deque)
    delivered: list[Delivered] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def send(self, message: Mapping[str, Any], idempotency_key: str) -> Answer:
        answer = self.answers.popleft() if self.answers else Accepted(202)
        if isinstance(answer, Accepted):
            self.delivered.append(Delivered(idempotency_key, self.clock.now, message["tells"]))
        elif not answer.retryable:
            self.refused.update(one.key for one in message["tells"])
        elif answer.reason == "ReadTimeout":
            self.clock.now += LONGEST_SEND
        return answer


@dataclass(slots=True)
class Host:
    """One process during one tick.

    Attributes:
        disturbances: At which of its steps, from 1, what happens.
        rival: Runs a whole tick of another host.
        seen: Counts what did happen.
        sent: What destinations accepted of it: (destination, key of the news).
    """

    disturbances: Mapping[int, Kind]
    rival: Callable[[], None]
    seen: Counter[str]
    sent: set[tuple[str, str]] = field(default_factory=set)
    steps: int = 0

    def step(self, *, storage: bool) -> None:
        self.steps += 1
        match self.disturbances.get(self.steps):
            case "crash":
                self.seen["crashes"] += 1
                raise Killed
            case "storage breaks" if storage:
                self.seen["broken writes"] += 1
                raise StorageError("The connection broke.", next_step="Try again.")
            case "rival":
                self.seen["rival ticks"] += 1
                self.rival()
            case _:
                pass


class HostsDocuments:
    """Documents as one host sees them."""

    def __init__(self, behind: MemoryDocuments, host: Host) -> None:
        self._behind, self._host = behind, host
        self.read, self.names = behind.read, behind.names

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        self._host.step(storage=True)
        written = self._behind.write(name, body, version=version)
        self._host.step(storage=True)
        return written


class HostsDestination:
    """A destination as one host sees it."""

    def __init__(self, behind: Place, host: Host) -> None:
        self._behind, self._host = behind, host

    def send(self, message: Mapping[str, Any], idempotency_key: str) -> Answer:
        self._host.step(storage=False)
        answer = self._behind.send(message, idempotency_key)
        if isinstance(answer, Accepted):
            self._host.sent.update((self._behind.name, one.key) for one in message["tells"])
        self._host.step(storage=False)
        return answer
