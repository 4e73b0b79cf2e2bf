"""Where stale_tool_data fires and where it must stay quiet."""

from datetime import timedelta

import pytest

from functions.checks.finding import Finding
from tests.checks.bench import findings
from tests.checks.telemetry import START, Trace


def as_of(minutes: float) -> dict[str, str]:
    """Data that was `minutes` old when the tool span began."""
    moment = START + timedelta(seconds=0.2) - timedelta(minutes=minutes)
    return {"tool.data_as_of": moment.isoformat().replace("+00:00", "Z")}


def run(number: int = 1, agent: str = "broker") -> tuple[Trace, str]:
    trace = Trace(number)
    return trace, trace.agent(agent, trace.request())


def stale(*traces: Trace) -> list[Finding]:
    return findings("stale_tool_data", traces)


def test_old_data_is_found_with_its_age_and_the_limit() -> None:
    trace, agent = run()
    trace.tool("lookup", agent, **as_of(90))
    (found,) = stale(trace)
    assert found.key == {"Agent": "broker", "Tool": "lookup"}
    assert found.value == pytest.approx(90)
    assert found.threshold == 60
    assert found.trace_ids == (trace.trace_id,)


def test_the_worst_age_and_all_traces_of_a_window_are_named() -> None:
    traces = []
    for number, minutes in enumerate((61, 400, 59), start=1):
        trace, agent = run(number)
        trace.tool("lookup", agent, **as_of(minutes))
        traces.append(trace)
    (found,) = stale(*traces)
    assert found.value == pytest.approx(400)
    assert found.violations == 2
    assert set(found.trace_ids) == {traces[0].trace_id, traces[1].trace_id}


def test_the_age_may_be_on_a_span_below_the_tool() -> None:
    trace, agent = run()
    trace.span("", trace.tool("lookup", agent), **as_of(90))
    assert [found.trace_ids for found in stale(trace)] == [(trace.trace_id,)]


@pytest.mark.parametrize(
    ("agent", "tool", "age", "success"),
    [
        ("broker", "lookup", 60, True),  # at the limit
        ("broker", "lookup", -5, True),  # a source whose clock is ahead
        ("broker", "lookup", 90, False),  # a failed call answered with nothing
        ("broker", "other", 90, True),  # a tool without a rule
        ("stranger", "lookup", 90, True),  # an agent without a rule
    ],
)
def test_what_breaks_no_rule_is_quiet(agent: str, tool: str, age: float, success: bool) -> None:
    trace, parent = run(agent=agent)
    trace.tool(tool, parent, success=success, **as_of(age))
    assert stale(trace) == []


@pytest.mark.parametrize("age", ["", "yesterday", "0001-13-01"])
def test_an_age_that_is_no_instant_is_quiet(age: str) -> None:
    trace, agent = run()
    trace.tool("lookup", agent, **{"tool.data_as_of": age})
    assert stale(trace) == []
