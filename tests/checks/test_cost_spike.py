"""Where cost_spike fires, where it must stay quiet, and how it counts."""

from datetime import timedelta

import pytest

from functions.checks.finding import Finding
from tests.checks.bench import findings
from tests.checks.telemetry import START, Trace

USUAL = (1_000, 100)  # 0.01 + 0.01 = 0.02 USD at the price of "large"


def hourly(hours: int, tokens: tuple[int, int] = USUAL, first: int = 1) -> list[Trace]:
    """One run of "broker" an hour, the last one an hour before START."""
    return [answer(first + n, tokens, START - timedelta(hours=hours - n)) for n in range(hours)]


def answer(number: int, tokens: tuple[int, int] | None, start: object = START, **properties: str) -> Trace:
    trace = Trace(number, start=start)  # type: ignore[arg-type]  # a datetime; object keeps the default short
    trace.chat(trace.agent("broker", trace.request()), tokens, model="large-2026-01-01", **properties)
    return trace


def spikes(*traces: Trace) -> list[Finding]:
    return findings("cost_spike", traces)


def test_a_burst_is_found_with_its_cost_and_what_is_usual() -> None:
    burst = answer(100, (20_000, 100))
    (found,) = spikes(*hourly(6), burst)
    assert found.key == {"Agent": "broker", "Model": "large"}
    assert found.value == pytest.approx(0.21)
    assert found.threshold == pytest.approx(0.06)
    assert found.trace_ids == (burst.trace_id,)


def test_only_the_costly_traces_of_a_window_are_named() -> None:
    burst = [answer(100, (20_000, 100)), answer(101, (15_000, 100))]
    (found,) = spikes(*hourly(6), answer(99, USUAL), *burst)
    assert set(found.trace_ids) == {trace.trace_id for trace in burst}


def test_more_traffic_of_the_usual_kind_is_a_spike_too() -> None:
    crowd = [answer(100 + n, USUAL) for n in range(10)]
    (found,) = spikes(*hourly(6), *crowd)
    assert found.value == pytest.approx(0.2)
    assert set(found.trace_ids) == {trace.trace_id for trace in crowd}


@pytest.mark.parametrize("tokens", [USUAL, (1_500, 150), (0, 0)])
def test_the_usual_is_quiet(tokens: tuple[int, int]) -> None:
    assert spikes(*hourly(6), answer(100, tokens)) == []


def test_a_burst_without_enough_history_is_not_judged() -> None:
    assert spikes(*hourly(3), answer(100, (20_000, 100))) == []


def test_what_is_too_small_to_matter_is_quiet() -> None:
    assert spikes(*hourly(6, (10, 0)), answer(100, (99, 0))) == []


def cost_of(trace: Trace) -> Finding:
    (found,) = spikes(*hourly(6, (1, 0)), trace)
    return found


def test_cached_tokens_have_their_own_price() -> None:
    trace = answer(100, (10_000, 100), **{"gen_ai.usage.cache_read.input_tokens": "4000"})
    found = cost_of(trace)
    assert found.value == pytest.approx(0.06 + 0.004 + 0.01)
    assert found.shows["CachedTokens"] == 4_000


def test_the_sum_on_the_agent_span_is_not_counted_again() -> None:
    trace = Trace(100)
    agent = trace.agent(
        "broker",
        trace.request(),
        **{
            "gen_ai.usage.input_tokens": "10000",
            "gen_ai.usage.output_tokens": "100",
            "gen_ai.response.model": "large",
        },
    )
    trace.chat(agent, (10_000, 100), model="large")
    assert cost_of(trace).value == pytest.approx(0.11)


def test_a_model_span_around_a_model_span_is_one_call() -> None:
    trace = Trace(100)
    outer = trace.chat(trace.agent("broker", trace.request()), (10_000, 100), model="large")
    trace.chat(outer, (10_000, 100), model="large")
    found = cost_of(trace)
    assert found.value == pytest.approx(0.11)
    assert found.shows["Calls"] == 1


def test_a_row_that_arrived_twice_is_one_call() -> None:
    trace = answer(100, (10_000, 100))
    trace.envelopes.append(trace.envelopes[-1])
    assert cost_of(trace).value == pytest.approx(0.11)


def test_a_sampled_call_counts_for_those_it_stands_for() -> None:
    trace = answer(100, (10_000, 100))
    for envelope in trace.envelopes:
        envelope["sampleRate"] = 50.0
    found = cost_of(trace)
    assert found.value == pytest.approx(0.22)
    assert (found.violations, found.shows["InputTokens"]) == (2, 20_000)


def test_calls_without_usage_or_price_are_counted_and_shown() -> None:
    trace = answer(100, (10_000, 100))
    trace.chat(trace.agent("broker"), None, model="large")
    found = cost_of(trace)
    assert found.value == pytest.approx(0.11)
    assert (found.shows["CallsWithoutUsage"], found.shows["CallsWithoutPrice"]) == (1, 0)
