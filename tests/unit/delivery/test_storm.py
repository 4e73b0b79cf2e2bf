"""5,000 findings in one tick: one card for each destination, small, within its rate, and nothing is lost."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.alerts.alert import alert_id
from functions.alerts.answer import Accepted, Answer
from functions.alerts.reading import list_alerts, read_alert
from functions.delivery.budget import LIMITS
from functions.storage.documents import encode
from tests.unit.alerts.building import CHECK
from tests.unit.watch.world import OTHER, World, minutes_until

MANY = 5_000
MAX_CARD_BYTES = 20_000


class Counting:
    """A destination that takes everything and remembers when what came."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.messages: list[tuple[datetime, str, Mapping[str, Any]]] = []

    def send(self, message: Mapping[str, Any], idempotency_key: str) -> Answer:
        self.messages.append((self.world.now, idempotency_key, message))
        return Accepted(202)


def agents(count: int) -> list[dict[str, str]]:
    return [{"Agent": f"agent {n:04}", "Tool": "search"} for n in range(count)]


@pytest.fixture(scope="module")
def storm() -> tuple[World, Counting]:
    check, other = CHECK, replace(OTHER, severity="critical")
    world = World(
        {check.id: {0: agents(MANY - 12)}, other.id: {0: agents(12)}}, checks=(check, other), destinations=2
    )
    counting = Counting(world)
    world.destinations = {"teams": counting, "pager": Counting(world)}
    world.run(minutes_until(0))
    return world, counting


def test_the_storm_is_one_card_that_is_small_enough(storm: tuple[World, Counting]) -> None:
    _, counting = storm
    ((_, key, message),) = counting.messages
    assert key.startswith("digest-")
    assert len(encode(message)) < MAX_CARD_BYTES


def test_the_card_names_the_ten_worst_and_says_how_many_there_are(storm: tuple[World, Counting]) -> None:
    _, counting = storm
    text = str(counting.messages[0][2])
    named = {f"agent {n:04}" for n in range(MANY) if f"agent {n:04}" in text}
    assert len(named) >= 10
    assert named <= {one["Agent"] for one in agents(12)}, "the critical ones are the worst"
    assert "5,000" in text or "5000" in text


def test_the_list_of_alerts_equals_the_findings(storm: tuple[World, Counting]) -> None:
    world, _ = storm
    expected = {alert_id(CHECK.id, key) for key in agents(MANY - 12)}
    expected |= {alert_id(OTHER.id, key) for key in agents(12)}
    listed = list_alerts(world.held)
    assert {alert["id"] for alert in listed["alerts"]} == expected
    assert len(expected) == MANY


def test_each_alert_has_its_receipt_with_the_digest_that_told_it(storm: tuple[World, Counting]) -> None:
    world, counting = storm
    assert not any(world.state(check).outbox.waiting for check in (CHECK, OTHER))
    for key in (agents(MANY - 12)[0], agents(MANY - 12)[-1]):
        name = alert_id(CHECK.id, key)
        deliveries = {one["destination"]: one for one in read_alert(world.held, name)["deliveries"]}
        assert set(deliveries) == {"teams", "pager"}
        assert (deliveries["teams"]["key"], deliveries["teams"]["digest"]) == (
            f"{name}-1-opened-1",
            counting.messages[0][1],
        )


def test_whatever_comes_a_destination_never_gets_more_than_its_rate() -> None:
    other = replace(CHECK, id="slow_run")
    world = World(
        {
            CHECK.id: {n: agents(9) for n in range(0, 60, 4)},
            other.id: {n: agents(5) for n in range(0, 60, 5)},
        },
        checks=(CHECK, other),
    )
    counting = Counting(world)
    world.destinations = {"teams": counting}
    start = world.now
    instants: list[datetime] = []
    for _ in range(minutes_until(60)):
        before = len(counting.messages)
        world.pauses.clear()
        world.run(1)
        waited = 0.0
        for pause in world.pauses[: len(counting.messages) - before]:
            waited = max(waited, pause)
            instants.append(world.now + timedelta(seconds=waited))
    assert len(instants) == len(counting.messages) > 100, "it was more than an hour takes"
    for most, stretch in LIMITS:
        for n in range(len(instants) - most):
            assert instants[n + most] - instants[n] >= stretch
    assert instants[-1] > start
    assert not any(world.state(check).outbox.waiting for check in (CHECK, other))
