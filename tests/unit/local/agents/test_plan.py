"""The plan of a fleet: who runs when, and which runs misbehave."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.agents.plan import PLANTED_AS, SMALLEST_MISBEHAVING_FLEET, Behaviour, Role, RunPlan, plan_runs

DISPATCH = Role("dispatch", ("status",), ("general",), data_dated=True)
BENEFITS = Role("benefits", ("coverage",), ("enrolment",), data_dated=False)
UNDERWRITING = Role("underwriting", ("quote", "renewal"), (), data_dated=True)
ROLES = (DISPATCH, BENEFITS, UNDERWRITING)

seeds = st.integers(0, 10**6)
sizes = st.integers(SMALLEST_MISBEHAVING_FLEET, 400)


def planned(runs: int, seed: int = 1, *, healthy: bool = False) -> tuple[RunPlan, ...]:
    return plan_runs(ROLES, runs, seed=seed, healthy=healthy)


@given(sizes, seeds)
def test_each_misbehaviour_is_planted_as_often_as_promised(runs: int, seed: int) -> None:
    planted = Counter((plan.role.agent, plan.behaviour) for plan in planned(runs, seed))
    assert {key: count for key, count in planted.items() if key[1] in PLANTED_AS} == {
        ("dispatch", Behaviour.DATA_STALE): 2,
        ("underwriting", Behaviour.DATA_STALE): 2,
        ("dispatch", Behaviour.LOOKUP_SKIPPED): 1,
        ("dispatch", Behaviour.LOOKUP_FAILED): 1,
        ("benefits", Behaviour.LOOKUP_SKIPPED): 1,
        ("underwriting", Behaviour.LOOKUP_SKIPPED): 1,
        ("benefits", Behaviour.PROMPT_BLOATED): 3,
    }


@given(sizes, seeds)
def test_only_runs_on_duty_misbehave_and_of_the_last_ones_one(runs: int, seed: int) -> None:
    plans = planned(runs, seed)
    assert all(plan.on_duty for plan in plans if plan.behaviour is not Behaviour.AS_INTENDED)
    assert [PLANTED_AS[plan.behaviour] for plan in plans[-6:] if plan.behaviour in PLANTED_AS] == [
        "stale_tool_data"
    ]


@given(sizes, seeds)
def test_the_burst_is_neighbouring_runs_of_one_agent_in_its_last_third(runs: int, seed: int) -> None:
    of_agent = [plan for plan in planned(runs, seed) if plan.role == BENEFITS]
    burst = [index for index, plan in enumerate(of_agent) if plan.behaviour is Behaviour.PROMPT_BLOATED]
    assert burst == list(range(burst[0], burst[0] + 3))
    assert 2 * len(of_agent) / 3 <= burst[0]
    assert burst[-1] < len(of_agent) - 1


@given(st.integers(0, 200), seeds)
def test_a_healthy_fleet_of_any_size_plants_nothing(runs: int, seed: int) -> None:
    plans = planned(runs, seed, healthy=True)
    assert len(plans) == runs
    assert all(plan.behaviour not in PLANTED_AS for plan in plans)


def test_a_healthy_fleet_still_has_look_ups_that_need_a_second_try() -> None:
    assert sum(plan.behaviour is Behaviour.LOOKUP_RETRIED for plan in planned(60, healthy=True)) == 3


def test_agents_take_turns_and_two_runs_of_one_share_a_conversation() -> None:
    plans = planned(60)
    assert [plan.role for plan in plans] == list(ROLES) * 20
    assert [plan.conversation for plan in plans[:9]] == [0, 1, 2, 0, 1, 2, 3, 4, 5]


def test_the_seed_decides() -> None:
    assert planned(150, 7) == planned(150, 7)
    assert planned(150, 7) != planned(150, 8)


def test_a_fleet_too_small_to_misbehave_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 45 runs"):
        planned(SMALLEST_MISBEHAVING_FLEET - 1)
