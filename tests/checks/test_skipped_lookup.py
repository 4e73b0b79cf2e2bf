"""Where skipped_lookup fires and where it must stay quiet."""

from datetime import timedelta

import pytest

from functions.checks.finding import Finding
from tests.checks.bench import findings
from tests.checks.telemetry import Trace


def run(
    number: int = 1, *, agent: str = "broker", intent: str = "status", success: bool = True
) -> tuple[Trace, str]:
    trace = Trace(number)
    request = trace.request(**{"app.intent": intent})
    return trace, trace.agent(agent, request, success=success)


def skipped(*traces: Trace) -> list[Finding]:
    return findings("skipped_lookup", traces)


def test_an_answer_without_the_call_is_found() -> None:
    trace, agent = run()
    trace.tool("other", agent)
    (found,) = skipped(trace)
    assert found.key == {"Agent": "broker", "Tool": "lookup"}
    assert found.trace_ids == (trace.trace_id,)
    assert (found.value, found.violations) == (1, 1)
    assert (found.shows["NotCalled"], found.shows["CalledButFailed"]) == (1, 0)


def test_a_call_that_failed_is_told_apart_from_no_call() -> None:
    trace, agent = run()
    trace.tool("lookup", agent, success=False)
    (found,) = skipped(trace)
    assert (found.shows["NotCalled"], found.shows["CalledButFailed"]) == (0, 1)


def test_a_call_that_succeeded_after_failing_is_enough() -> None:
    trace, agent = run()
    trace.tool("lookup", agent, success=False)
    trace.tool("lookup", agent)
    assert skipped(trace) == []


def test_a_call_below_a_step_of_the_run_counts() -> None:
    trace, agent = run()
    step = trace.span("", agent)
    trace.tool("lookup", trace.span("", step))
    assert skipped(trace) == []


@pytest.mark.parametrize(
    ("agent", "intent", "success"),
    [
        ("broker", "smalltalk", True),  # an intent that does not require it
        ("broker", "", True),  # an intent that nobody knows
        ("stranger", "status", True),  # an agent that owes nothing
        ("broker", "status", False),  # a run that gave no answer
    ],
)
def test_a_run_that_owed_nothing_is_quiet(agent: str, intent: str, success: bool) -> None:
    trace, _ = run(agent=agent, intent=intent, success=success)
    assert skipped(trace) == []


@pytest.mark.parametrize("intent", ["status", "smalltalk", ""])
def test_a_look_up_without_intents_is_always_owed(intent: str) -> None:
    trace, _ = run(agent="assessor", intent=intent)
    (found,) = skipped(trace)
    assert found.key == {"Agent": "assessor", "Tool": "rules"}


def test_one_run_s_call_does_not_excuse_another_run_of_the_trace() -> None:
    trace, agent = run()
    trace.tool("lookup", agent)
    trace.agent("broker")
    (found,) = skipped(trace)
    assert found.violations == 1


def test_a_call_received_after_the_run_but_within_settle_counts() -> None:
    trace, agent = run()
    late = Trace(1)
    late.envelopes.extend([{}] * len(trace.envelopes))  # so that its span ids go on where the trace's end
    late.tool("lookup", agent)
    del late.envelopes[: len(trace.envelopes)]
    assert findings("skipped_lookup", [trace], late=[(late, timedelta(minutes=6))]) == []


def test_a_sampled_run_counts_for_those_it_stands_for() -> None:
    trace = Trace(1, sample_rate=25.0)
    trace.agent("broker", trace.request(**{"app.intent": "status"}))
    (found,) = skipped(trace)
    assert (found.value, found.violations, found.shows["NotCalled"]) == (4, 4, 4)


def test_hostile_names_arrive_as_they_are() -> None:
    name = 'broker"] | take 0 //'
    trace, _ = run(agent=name)
    trace.tool("lookup", trace.agent("broker", trace.request(**{"app.intent": name})))
    assert skipped(trace) == []
