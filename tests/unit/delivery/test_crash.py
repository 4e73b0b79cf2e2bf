"""A host may die, or meet another, at any write and any send: nothing is lost, one card said twice."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from functions.alerts.answer import Answer
from functions.delivery.interface import Destination
from functions.errors import StorageError
from functions.storage.documents import Document, Documents
from tests.unit.alerts.building import CHECK, DISPATCHER
from tests.unit.watch.world import OTHER, Plan, World, minutes_until

BENEFITS = {"Agent": "benefits", "Tool": "search"}
PLAN: Plan = {
    CHECK.id: {0: [DISPATCHER, BENEFITS], 1: [DISPATCHER], 5: [DISPATCHER]},
    OTHER.id: {1: [DISPATCHER]},
}
MINUTES = minutes_until(10) + 4
EXPECTED = {
    CHECK.id: ["1-opened-1", "1-opened-1", "1-resolved-2", "1-resolved-2", "2-reopened-1", "2-resolved-2"],
    OTHER.id: ["1-opened-1", "1-resolved-2"],
}


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class Fuse:
    """Burns down by one at each step, and strikes at the last."""

    def __init__(self, steps: int, strike: type[BaseException] = Killed) -> None:
        self.steps: list[str] = []
        self._length = steps
        self._strike = strike

    def step(self, name: str) -> None:
        self.steps.append(name)
        if len(self.steps) == self._length:
            if self._strike is Killed:
                raise Killed
            raise StorageError("The connection broke.", next_step="Try again.")


class FusedDocuments:
    """Documents with a step before and after each write."""

    def __init__(self, behind: Documents, fuse: Fuse) -> None:
        self._behind = behind
        self._fuse = fuse
        self.names = behind.names
        self.read = behind.read

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        self._fuse.step("before write")
        written = self._behind.write(name, body, version=version)
        self._fuse.step("written")
        return written


class FusedDestination:
    """A destination with a step before and after each send."""

    def __init__(self, behind: Destination, fuse: Fuse) -> None:
        self._behind = behind
        self._fuse = fuse

    def send(self, message: Mapping[str, Any], idempotency_key: str) -> Answer:
        self._fuse.step("before send")
        answer = self._behind.send(message, idempotency_key)
        self._fuse.step("sent")
        return answer


def run(fuse: Fuse, plan: Plan, minutes: int, **options: Any) -> World:
    """Run a whole plan, going on in a new process after a crash."""
    world = World(plan, checks=(CHECK, OTHER), **options)
    world.documents = FusedDocuments(world.held, fuse)
    world.destinations = {"teams": FusedDestination(world.teams, fuse)}
    for _ in range(minutes):
        try:
            world.run(1)
        except Killed:
            continue
    return world


def keys(world: World) -> list[str]:
    return [posted.idempotency_key for posted in world.teams.posted]


WHOLE = Fuse(0)
UNDISTURBED = run(WHOLE, PLAN, MINUTES)
STEPS = range(1, len(WHOLE.steps) + 1)


def test_the_undisturbed_run_tells_all_there_is() -> None:
    for check, expected in EXPECTED.items():
        ids = {
            alert.id
            for alert in UNDISTURBED.state(next(c for c in (CHECK, OTHER) if c.id == check)).alerts.values()
        }
        told = [key.split("-", 1)[1] for key in keys(UNDISTURBED) if key[:16] in ids]
        assert sorted(told) == sorted(expected)
    assert len(STEPS) >= 2 * 3 * sum(map(len, EXPECTED.values()))


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_nothing_is_lost_and_at_most_one_card_is_repeated(step: int) -> None:
    fuse = Fuse(step)
    world = run(fuse, PLAN, MINUTES)
    assert set(keys(world)) == set(keys(UNDISTURBED))
    repeated = Counter(keys(world)) - Counter(keys(UNDISTURBED))
    last = fuse.steps[max(0, step - 2) : step]
    assert repeated.total() == (last[-1] == "sent" or last == ["sent", "before write"])
    for check in (CHECK, OTHER):
        found, expected = world.state(check), UNDISTURBED.state(check)
        assert found.coverage == expected.coverage
        assert {a.id: (a.state, a.episode, a.violations) for a in found.alerts.values()} == {
            a.id: (a.state, a.episode, a.violations) for a in expected.alerts.values()
        }


@pytest.mark.parametrize("step", [step for step in STEPS if "writ" in WHOLE.steps[step - 1]])
def test_a_write_that_fails_loses_nothing_whether_it_was_made_or_not(step: int) -> None:
    world = run(Fuse(step, StorageError), PLAN, MINUTES)
    assert set(keys(world)) == set(keys(UNDISTURBED))
    assert (Counter(keys(world)) - Counter(keys(UNDISTURBED))).total() <= 1


class Rival:
    """Documents before whose n-th write another host runs a whole tick."""

    def __init__(self, world: World, turns: Iterator[bool]) -> None:
        self._world = world
        self._turns = turns
        self.names = world.held.names
        self.read = world.held.read

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        if next(self._turns, False):
            self._world.tick(documents=self._world.held)
        return self._world.held.write(name, body, version=version)


@pytest.mark.parametrize("turn", range(sum("before write" in step for step in WHOLE.steps)))
def test_two_hosts_at_once_lose_nothing_and_repeat_one_card_at_most(turn: int) -> None:
    world = World(PLAN, checks=(CHECK, OTHER))
    world.documents = Rival(world, (n == turn for n in range(1000)))
    world.run(MINUTES)
    assert set(keys(world)) == set(keys(UNDISTURBED))
    assert (Counter(keys(world)) - Counter(keys(UNDISTURBED))).total() <= 1
    receipts = [receipt.key for check in (CHECK, OTHER) for receipt in world.state(check).outbox.receipts]
    assert sorted(receipts) == sorted(set(keys(UNDISTURBED)))
    assert [world.state(check).coverage for check in (CHECK, OTHER)] == [
        UNDISTURBED.state(check).coverage for check in (CHECK, OTHER)
    ]


class Touched(FusedDocuments):
    """Documents that someone else has written, with nothing changed, before the second write."""

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        if self._fuse.steps.count("before write") == 1 and (held := self.read(name)):
            self._behind.write(name, held.body, version=held.version)
        return super().write(name, body, version=version)


def test_a_receipt_is_written_even_where_someone_else_wrote_first() -> None:
    world = World({CHECK.id: {0: [DISPATCHER]}})
    world.documents = Touched(world.held, Fuse(0))
    world.run(minutes_until(0) + 5)
    assert world.accepted() == ["1-opened-1"]
    assert [receipt.status for receipt in world.state().outbox.receipts] == [202]


def test_the_host_that_lost_the_race_reports_a_conflict_and_sends_nothing() -> None:
    world = World({CHECK.id: {0: [DISPATCHER]}})
    world.documents = Rival(world, iter([True]))
    report = world.run(minutes_until(0))[-1]
    assert [tick.result for tick in report.checks] == ["conflict"]
    assert report.accepted == 0
    assert world.accepted() == ["1-opened-1"]
