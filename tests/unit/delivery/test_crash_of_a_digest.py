"""A host may die at any step of a storm: every alert is told, and the digest comes once more at most."""

from collections import Counter

import pytest

from functions.alerts.state import CheckState
from tests.fakes.destinations import MemoryDestination
from tests.unit.alerts.building import CHECK, DISPATCHER
from tests.unit.delivery.test_crash import Fuse, run
from tests.unit.watch.world import EVENTS, OTHER, Plan, minutes_until

STORM = [{"Agent": f"agent {n}", "Tool": ""} for n in range(8)]
PLAN: Plan = {CHECK.id: {0: [*STORM, DISPATCHER]}, OTHER.id: {0: STORM, 1: [DISPATCHER]}}
MINUTES = minutes_until(5) + 4


def told(teams: MemoryDestination) -> Counter[str]:
    return Counter(
        event["idempotency_key"]
        for posted in teams.accepted
        for event in posted.message.get("members", [posted.message])
    )


WHOLE = Fuse(0)
UNDISTURBED = run(WHOLE, PLAN, MINUTES, writer=EVENTS)


def test_the_undisturbed_run_tells_each_once_and_most_of_it_in_digests() -> None:
    assert set(told(UNDISTURBED.teams).values()) == {1}
    digests = [one for one in UNDISTURBED.teams.accepted if one.idempotency_key.startswith("digest-")]
    assert len(digests) == 2, "one as they open, one as they resolve"


@pytest.mark.parametrize("step", range(1, len(WHOLE.steps) + 1))
def test_killed_at_any_step_nothing_is_lost_and_one_message_is_repeated_at_most(step: int) -> None:
    fuse = Fuse(step)
    world = run(fuse, PLAN, MINUTES, writer=EVENTS)
    assert set(told(world.teams)) == set(told(UNDISTURBED.teams))
    sent = Counter(posted.idempotency_key for posted in world.teams.accepted)
    again = {key: times for key, times in sent.items() if times > 1}
    assert sum(again.values()) in {0, 2}
    last = fuse.steps[max(0, step - 2) : step]
    assert bool(again) == (last[-1] == "sent" or last == ["sent", "before write"])
    if not again:
        assert set(told(world.teams).values()) == {1}
    states: list[CheckState] = [world.state(check) for check in (CHECK, OTHER)]
    assert not any(state.outbox.waiting for state in states)
    receipts = {receipt.key for state in states for receipt in state.outbox.receipts}
    assert receipts == set(told(UNDISTURBED.teams))
