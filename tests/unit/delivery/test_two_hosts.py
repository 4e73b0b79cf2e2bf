"""Two hosts tick at the same time on the same storage, 200 times: every card comes once, none is missing."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from functions.storage.documents import Document
from tests.fakes.destinations import MemoryDestination, Reply
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK, DISPATCHER
from tests.unit.watch.world import EVENTS, MINUTE, OTHER, Plan, World

TICKS = 200
STORM = [{"Agent": f"agent {n}", "Tool": ""} for n in range(30)]
PLAN: Plan = {
    CHECK.id: {n: [DISPATCHER, *STORM] if n in {7, 20} else [DISPATCHER] for n in range(0, 40, 5)},
    OTHER.id: {n: STORM[: n % 7] for n in range(0, 36, 2)},
}


class Dawdling:
    """Documents that take their time, so that the hosts meet at every step."""

    def __init__(self, behind: MemoryDocuments, random: Random) -> None:
        self._behind, self._random = behind, random
        self.names = behind.names

    def read(self, name: str) -> Document | None:
        self._dawdle()
        return self._behind.read(name)

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        self._dawdle()
        return self._behind.write(name, body, version=version)

    def _dawdle(self) -> None:
        time.sleep(self._random.random() / 2000)


class Slow(MemoryDestination):
    """A destination that takes its time too."""

    def send(self, message: Mapping[str, Any], idempotency_key: str) -> Any:
        time.sleep(0.001)
        return super().send(message, idempotency_key)


def world(replies: Mapping[str, list[Reply]]) -> World:
    made = World(PLAN, checks=(CHECK, OTHER), destinations=2, writer=EVENTS)
    for name in ("teams", "pager"):
        made.destinations[name] = Slow(replies.get(name, []), clock=lambda: made.now)
    return made


def keys(made: World) -> dict[str, Counter[str]]:
    """Return how often each destination accepted each piece of news, however it came."""
    told: dict[str, Counter[str]] = {}
    for name, place in made.destinations.items():
        assert isinstance(place, MemoryDestination)
        told[name] = Counter(
            event["idempotency_key"]
            for posted in place.accepted
            for event in posted.message.get("members", [posted.message])
        )
    return told


@pytest.mark.parametrize("seed", range(2))
def test_two_hosts_at_once_send_no_card_twice_in_200_ticks_and_leave_none_out(seed: int) -> None:
    random = Random(seed)
    together, alone = world({}), world({})
    for _ in range(TICKS):
        together.now += MINUTE
        hosts = [
            threading.Thread(target=together.tick, kwargs={"documents": Dawdling(together.held, random)})
            for _ in range(2)
        ]
        for host in hosts:
            host.start()
        for host in hosts:
            host.join()
        alone.run(1)
    told = keys(together)
    assert {name: [key for key, times in counted.items() if times > 1] for name, counted in told.items()} == {
        "teams": [],
        "pager": [],
    }
    assert {name: set(counted) for name, counted in told.items()} == {
        name: set(counted) for name, counted in keys(alone).items()
    }
    assert min(map(len, told.values())) > 100
    assert not any(together.state(check).outbox.waiting for check in (CHECK, OTHER))
