"""What a plan makes of a run: how the look-up goes and how many tokens the model calls use."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from local.agents.people import make_up_person
from local.agents.plan import Behaviour, Role, RunPlan
from local.agents.script import DATA_AS_OF, Assignment, BackendUnavailableError, ToolCall

CALL = ToolCall("look_up", {})


def assigned(behaviour: Behaviour, *, seed: int = 0, dated: bool = True) -> Assignment:
    plan = RunPlan(0, Role("agent", ("duty",), (), data_dated=dated), "duty", 0, behaviour)
    return Assignment(plan, make_up_person(0, Random(0)), Random(seed))


@pytest.mark.parametrize(
    ("behaviour", "outcomes"),
    [
        (Behaviour.AS_INTENDED, [True]),
        (Behaviour.DATA_STALE, [True]),
        (Behaviour.PROMPT_BLOATED, [True]),
        (Behaviour.LOOKUP_RETRIED, [False, True]),
        (Behaviour.LOOKUP_FAILED, [False, False]),
        (Behaviour.LOOKUP_SKIPPED, []),
    ],
)
def test_the_look_up_is_called_and_answers_as_planned(behaviour: Behaviour, outcomes: list[bool]) -> None:
    assignment = assigned(behaviour)
    look_up = assignment.lookup_backend()
    assert assignment.lookups(CALL) == (CALL,) * len(outcomes)
    for succeeds in outcomes:
        if succeeds:
            look_up()
        else:
            with pytest.raises(BackendUnavailableError):
                look_up()


def age_told(assignment: Assignment) -> timedelta:
    with TracerProvider().get_tracer("test").start_as_current_span("execute_tool look_up") as span:
        assignment.lookup_backend()()
    assert isinstance(span, ReadableSpan)
    told = (span.attributes or {})[DATA_AS_OF]
    return datetime.now(UTC) - datetime.fromisoformat(str(told))


@pytest.mark.parametrize("seed", range(20))
def test_stale_data_is_hours_old_and_other_data_minutes(seed: int) -> None:
    stale = age_told(assigned(Behaviour.DATA_STALE, seed=seed))
    fresh = age_told(assigned(Behaviour.AS_INTENDED, seed=seed))
    assert timedelta(hours=7) <= stale <= timedelta(hours=30, seconds=5)
    assert timedelta(minutes=1) <= fresh <= timedelta(minutes=20, seconds=5)


def test_a_look_up_without_dated_data_tells_no_age() -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("execute_tool look_up") as span:
        assigned(Behaviour.AS_INTENDED, dated=False).lookup_backend()()
    assert isinstance(span, ReadableSpan)
    assert DATA_AS_OF not in (span.attributes or {})


@pytest.mark.parametrize("calls", [1, 2, 3, 4])
@pytest.mark.parametrize(("behaviour", "times"), [(Behaviour.AS_INTENDED, 1), (Behaviour.PROMPT_BLOATED, 20)])
def test_tokens_stay_near_the_typical_unless_the_prompt_is_bloated(
    behaviour: Behaviour, times: int, calls: int
) -> None:
    for seed in range(20):
        usages = assigned(behaviour, seed=seed).usages(prompt=1000, completion=100, model_calls=calls)
        assert len(usages) == calls
        assert 740 * times <= sum(usage.prompt for usage in usages) <= 1260 * times
        assert 70 <= sum(usage.completion for usage in usages) <= 130
        assert usages[0].cached == 0
        assert all(0 < usage.cached < usage.prompt for usage in usages[1:])


def test_a_bloated_prompt_really_is_long() -> None:
    assert assigned(Behaviour.PROMPT_BLOATED).bloated("policy").count("policy") == 20
    assert assigned(Behaviour.AS_INTENDED).bloated("policy") == "policy"
