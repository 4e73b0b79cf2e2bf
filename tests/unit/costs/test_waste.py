"""Hand-made runs go through the real query on the local engine; what they lost was worked out by hand."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.costs.costs import Costs
from functions.costs.prices import prices
from functions.costs.question import Period
from functions.costs.waste import Waste
from functions.errors import PartialResult
from functions.traces.agents import agents
from functions.traces.source import TraceSource
from local.azure_monitor.ingestion import Telemetry
from tests.checks.bench import EngineSource
from tests.checks.telemetry import Trace
from tests.fakes.source import ScriptedSource

START, END = datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
# A call of (1000, 10) tokens costs 0.01 + 0.001.
PRICES = prices(
    {
        "currency": "USD",
        "as_of": "2026-11-01",
        "source": "list",
        "models": [{"model": "large", "input": 10, "cached_input": 1, "output": 100}],
    }
)
AGENTS = agents(
    {
        "attributes": {
            "tenant": [],
            "intent": [],
            "prompt_version": [],
            "environment": [],
            "data_as_of": [],
            "document_count": [],
            "document_ids": [],
            "dimensions": {},
        },
        "agents": {},
    }
)
Step = tuple[str, str] | tuple[str, str, bool]


def costs_of(source: TraceSource) -> Costs:
    return Costs(source, AGENTS, PRICES, tenant_pseudonym=str, clock=lambda: END)


def run_of(agent: str, *steps: Step) -> Callable[[Trace], None]:
    """A run of steps a second apart: a model call's prompt, a tool with its success, a search's query."""

    def build(trace: Trace) -> None:
        run = trace.agent(agent)
        for second, (kind, name, *success) in enumerate(steps, start=1):
            if kind == "chat":
                usage = {"gen_ai.usage.input_tokens": name, "gen_ai.usage.output_tokens": "10"}
                trace.span("chat", run, after=second, **{"gen_ai.response.model": "large", **usage})
            elif kind == "tool":
                trace.tool(name, run, success=success == [True], after=second)
            else:
                query = {"gen_ai.retrieval.query.text": name} if name else {}
                trace.span("retrieval", run, after=second, **{"gen_ai.tool.name": "search", **query})

    return build


CHAT = ("chat", "1000")
DOWN, UP = ("tool", "lookup", False), ("tool", "lookup", True)
CASES: dict[str, tuple[tuple[Step, ...], dict[str, tuple[int, int, float]]]] = {
    # Kind to how often, model calls, and what they cost.
    "a tool that worked twice": ((CHAT, UP, CHAT, UP), {}),
    "a tool that failed and was left alone": ((CHAT, DOWN, CHAT), {}),
    "a retry": ((CHAT, DOWN, CHAT, UP, CHAT), {"retries": (1, 1, 0.011)}),
    "two retries": ((CHAT, DOWN, CHAT, DOWN, CHAT, UP, CHAT), {"retries": (2, 2, 0.022)}),
    "another tool after the failure": ((CHAT, DOWN, CHAT, ("tool", "other", True)), {}),
    "a retry without a model call": ((CHAT, DOWN, UP, CHAT), {"retries": (1, 0, 0.0)}),
    "of several calls before a retry the last": (
        (DOWN, ("chat", "5000"), CHAT, UP),
        {"retries": (1, 1, 0.011)},
    ),
    "after a success a call is no retry": ((CHAT, DOWN, CHAT, UP, CHAT, UP), {"retries": (1, 1, 0.011)}),
    "two searches": ((CHAT, ("search", "a"), CHAT, ("search", "b"), CHAT), {}),
    "a search made again": (
        (CHAT, ("search", "a"), CHAT, ("search", "a"), CHAT),
        {"duplicate_retrievals": (1, 1, 0.011)},
    ),
    "a search made three times": (
        (CHAT, ("search", "a"), CHAT, ("search", "a"), CHAT, ("search", "a")),
        {"duplicate_retrievals": (2, 2, 0.022)},
    ),
    "a retry whose call has no usage": (
        (DOWN, ("chat", "many"), UP),
        {"retries": (1, 1, 0.0)},
    ),
}


@pytest.fixture(scope="module")
def found() -> Waste:
    telemetry = Telemetry()
    for number, (name, (steps, _)) in enumerate(CASES.items(), start=1):
        ingest(telemetry, number, run_of(name, *steps))
    return costs_of(EngineSource(telemetry)).waste(Period(START, END))


def ingest(
    telemetry: Telemetry,
    number: int,
    build: Callable[[Trace], None],
    at: datetime = NOON,
    rate: float = 100.0,
) -> None:
    trace = Trace(number, start=at, sample_rate=rate)
    build(trace)
    telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))


@pytest.mark.parametrize("name", CASES)
def test_a_run_loses(found: Waste, name: str) -> None:
    losses = {
        kind: (one.times, one.calls, float(one.lost))
        for kind, of_kind in found.losses.items()
        for one in of_kind
        if one.agent == name
    }
    assert losses == CASES[name][1]


def test_a_loss_names_its_traces_tool_and_what_has_no_cost(found: Waste) -> None:
    (loss,) = [one for one in found.losses["retries"] if one.agent == "a retry whose call has no usage"]
    number = list(CASES).index(loss.agent) + 1
    assert (loss.tool, loss.trace_ids, loss.without_cost) == ("lookup", (f"{number:032x}",), 1)


def test_of_each_kind_there_is_the_sum_and_the_five_dearest(found: Waste) -> None:
    body = found.body()["retries"]
    assert (body["times"], body["lost"]) == (7, 0.055)
    assert [one["agent"] for one in body["top"][:2]] == ["two retries", "a retry"]
    assert len(body["top"]) == 5
    assert len(found.losses["retries"]) == 6


def test_sampled_runs_stand_for_others() -> None:
    telemetry = Telemetry()
    ingest(telemetry, 1, run_of("triage", CHAT, DOWN, CHAT, UP), rate=25.0)
    (loss,) = costs_of(EngineSource(telemetry)).waste(Period(START, END)).losses["retries"]
    assert (loss.times, loss.calls, float(loss.lost)) == (4, 4, 0.044)


def test_searches_of_unknown_arguments_are_blind_and_not_clean() -> None:
    telemetry = Telemetry()
    ingest(telemetry, 1, run_of("triage", CHAT, ("search", ""), CHAT, ("search", "")))
    found = costs_of(EngineSource(telemetry)).waste(Period(START, END))
    assert (found.losses["duplicate_retrievals"], found.blind_searches) == ((), 2)


def prompts(before: list[int], now: list[int], answers: tuple[int, int] = (10, 10)) -> dict[str, Any]:
    """Return the waste of an agent with prompts of these lengths before the period and within it."""
    telemetry = Telemetry()
    number = 0
    for lengths, at, answer in ((before, START - timedelta(hours=12), answers[0]), (now, NOON, answers[1])):
        for tokens in lengths:
            number += 1
            trace = Trace(number, start=at)
            trace.chat(trace.agent("triage"), (tokens, answer), model="large")
            telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    body: dict[str, Any] = costs_of(EngineSource(telemetry)).waste(Period(START, END)).body()
    return body


def test_what_prompts_have_grown_is_lost() -> None:
    body = prompts([1000] * 10, [1000, 3000])
    # 1,000 tokens above the usual in the mean of two calls, at 10 dollars a million.
    (loss,) = body["context_bloat"]["top"]
    assert (loss["agent"], loss["tool"], loss["calls"], loss["lost"]) == ("triage", None, 2, 0.02)
    assert loss["trace_ids"] == [f"{12:032x}"]  # the longer one


@pytest.mark.parametrize(
    ("before", "now", "answers", "without_usual"),
    [
        ([1000] * 10, [1090], (10, 10), 0),  # less than a tenth more
        ([1000] * 10, [2000], (10, 20), 0),  # the answer is twice as long as well
        ([2000] * 10, [1000], (10, 10), 0),
        ([1000] * 9, [5000], (10, 10), 1),  # too little to know what is usual
    ],
)
def test_prompts_are_not_bloated(
    before: list[int], now: list[int], answers: tuple[int, int], without_usual: int
) -> None:
    body = prompts(before, now, answers)
    assert (body["context_bloat"]["top"], body["agents_without_usual"]) == ([], without_usual)


def test_csv_has_every_loss_and_no_formula() -> None:
    telemetry = Telemetry()
    ingest(telemetry, 1, run_of("=1+1", CHAT, DOWN, CHAT, UP))
    table = costs_of(EngineSource(telemetry)).waste(Period(START, END)).csv().decode()
    (line,) = csv.DictReader(io.StringIO(table, newline=""), strict=True)
    assert (line["kind"], line["agent"], line["lost"]) == ("retries", "'=1+1", "0.011")
    assert line["traces"] == f"{1:032x}"


def test_part_of_an_answer_is_no_report() -> None:
    source = ScriptedSource([PartialResult("Cut.", next_step="Ask for less.")])
    with pytest.raises(PartialResult):
        costs_of(source).waste(Period(START, END))
    (asked,) = source.asked
    assert asked.since == START - timedelta(days=7, hours=1)
