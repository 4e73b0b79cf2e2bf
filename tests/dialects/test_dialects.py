"""The views make one shape of what each framework's published instrumentation sends."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from functions.checks.finding import Finding
from functions.checks.runner import Evaluated, Runner
from functions.checks.windows import window_start
from functions.configuration import SHIPPED, load_configuration
from functions.traces.agents import Agent, Agents, Freshness, RequiredLookup
from functions.traces.kql import compose
from local.azure_monitor.ingestion import Telemetry
from tests.checks.bench import EngineSource
from tests.dialects.expected import EXPECTED, Expected, Fact
from tests.dialects.scenario import AGENT, DATA_AGE, MODEL, RUN_ATTRIBUTE, RUNS, TENANT, USER, Run

HERE = Path(__file__).parent
CONFIGURATION = load_configuration(SHIPPED)
CHECKS = {check.id: check for check in CONFIGURATION.checks}
PROMPT = timedelta(seconds=1)

Row = Mapping[str, Any]


@cache
def envelopes(name: str) -> list[dict[str, Any]]:
    lines = (HERE / name / "envelopes.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def workspace(names: Iterable[str]) -> Telemetry:
    # Inline, so that arguments can be told apart; where content lies is another test's matter.
    stored = Telemetry(content_routing="inline")
    for name in names:
        assert stored.ingest(envelopes(name), delay=PROMPT) == len(envelopes(name))
    return stored


def times(names: Iterable[str]) -> tuple[datetime, datetime]:
    seen = sorted(datetime.fromisoformat(each["time"]) for name in names for each in envelopes(name))
    return seen[0], seen[-1]


@cache
def everything(view: str) -> list[Row]:
    """All rows of a view over all fixtures: one question, since asking is what takes time."""
    first, last = times(EXPECTED)
    kql = compose(
        f"{view} | order by Time asc",
        attributes=CONFIGURATION.agents.attributes,
        tables=(),
        received_from=first,
        received_to=last + timedelta(hours=1),
        every=timedelta(minutes=5),
        lookback=timedelta(0),
        settle=timedelta(0),
    )
    answer = workspace(EXPECTED).query(kql, (first - timedelta(days=1), last + timedelta(days=1)))
    columns = [column for column, _ in answer.columns]
    return [dict(zip(columns, row, strict=True)) for row in answer.rows]


def rows(view: str, name: str) -> list[Row]:
    traces = {trace_of(name, run) for run in RUNS}
    return [row for row in everything(view) if row["TraceId"] in traces]


@cache
def trace_of(name: str, run: str) -> str:
    ids = {
        envelope["tags"]["ai.operation.id"]
        for envelope in envelopes(name)
        if envelope["data"]["baseData"].get("properties", {}).get(RUN_ATTRIBUTE) == run
    }
    return str(*ids)


def steps(name: str, run: str, operation: str) -> list[Row]:
    trace = trace_of(name, run)
    return [row for row in rows("spans", name) if row["TraceId"] == trace and row["Operation"] == operation]


def model_calls(expected: Expected, run: Run) -> int:
    """How often the model was called: a tool that raises ends the run, unless the framework goes on."""
    return len(run.usages) if run.tool != "raises" or expected.goes_on else 1


def carries(fact: Fact) -> list[str]:
    return [name for name, expected in EXPECTED.items() if fact not in expected.absent]


def lacks(fact: Fact) -> list[str]:
    return [name for name, expected in EXPECTED.items() if fact in expected.absent]


def each_run(names: list[str]) -> list[tuple[str, Run]]:
    return [(name, run) for name in names for run in RUNS.values()]


def label(value: object) -> str:
    return value.name if isinstance(value, Run) else str(value)


def test_every_dialect_has_a_fixture_and_every_fixture_a_dialect() -> None:
    assert {path.parent.name for path in HERE.glob("*/envelopes.jsonl")} == set(EXPECTED)


@pytest.mark.parametrize(("name", "run"), each_run([*EXPECTED]), ids=label)
def test_each_model_call_counts_once_with_its_tokens_and_model(name: str, run: Run) -> None:
    calls = [row for row in steps(name, run.name, "chat") if row["ModelCall"]]
    planted = run.usages[: model_calls(EXPECTED[name], run)]
    assert [(row["InputTokens"], row["OutputTokens"]) for row in calls] == [
        (usage.input, usage.output) for usage in planted
    ]
    assert {row["Model"] for row in calls} == {MODEL}
    assert {row["Provider"].lower() for row in calls} == {EXPECTED[name].provider}


@pytest.mark.parametrize(("name", "run"), each_run([*EXPECTED]), ids=label)
def test_a_model_call_says_why_it_ended(name: str, run: Run) -> None:
    calls = steps(name, run.name, "chat")
    # Traceloop calls it tool_call.
    reasons = ["tool_call", "stop"] if run.tool else ["stop"]
    planted = [""] * len(reasons) if "finish reason" in EXPECTED[name].absent else reasons
    assert [row["FinishReason"].removesuffix("s") for row in calls] == planted[: len(calls)]


@pytest.mark.parametrize(("name", "run"), each_run(carries("cached tokens")), ids=label)
def test_cached_tokens_are_read(name: str, run: Run) -> None:
    calls = [row for row in steps(name, run.name, "chat") if row["ModelCall"]]
    planted = run.usages[: model_calls(EXPECTED[name], run)]
    assert [row["CachedTokens"] for row in calls] == [usage.cached for usage in planted]


@pytest.mark.parametrize(("name", "run"), each_run([*EXPECTED]), ids=label)
def test_a_run_is_one_row_with_all_its_steps(name: str, run: Run) -> None:
    (found,) = (row for row in rows("runs", name) if row["TraceId"] == trace_of(name, run.name))
    expected = EXPECTED[name]
    planted = run.usages[: model_calls(expected, run)]
    tools = [expected.tool] if run.tool and "tool" not in expected.absent else []
    assert found["ModelCalls"] == len(planted)
    assert found["InputTokens"] == sum(usage.input for usage in planted)
    assert found["OutputTokens"] == sum(usage.output for usage in planted)
    assert json.loads(found["ToolsCalled"] or "[]") == tools
    assert json.loads(found["ToolsSucceeded"] or "[]") == (tools if run.tool == "answers" else [])
    assert found["Success"] == (run.tool != "raises" or expected.goes_on)
    assert (found["User"], found["Tenant"]) == (USER, TENANT)
    assert found["Agent"] == ("" if "agent" in expected.absent else AGENT)


@pytest.mark.parametrize(("name", "run"), each_run([*EXPECTED]), ids=label)
def test_a_run_is_the_agent_s_own_span_or_else_the_request(name: str, run: Run) -> None:
    (found,) = (row for row in rows("runs", name) if row["TraceId"] == trace_of(name, run.name))
    agents = [row["SpanId"] for row in steps(name, run.name, "invoke_agent")]
    (request,) = (
        row for row in rows("spans", name) if row["Kind"] == "request" and row["TraceId"] == found["TraceId"]
    )
    if "run" in EXPECTED[name].absent:
        assert (agents, found["RunId"], found["Dialect"]) == ([], request["SpanId"], "")
    else:
        assert (agents, found["Dialect"]) == ([found["RunId"]], EXPECTED[name].dialect)


@pytest.mark.parametrize(("name", "run"), each_run([*EXPECTED]), ids=label)
def test_every_step_has_its_agent_its_run_and_its_dialect(name: str, run: Run) -> None:
    expected = EXPECTED[name]
    found = [row for kind in ("invoke_agent", "chat", "execute_tool") for row in steps(name, run.name, kind)]
    assert {row["Agent"] for row in found} == {"" if "agent" in expected.absent else AGENT}
    assert len({row["RunId"] for row in found}) == 1
    dialects = {row["Dialect"] for row in found}
    assert expected.dialect in dialects <= {expected.dialect, "opentelemetry"}


@pytest.mark.parametrize(("name", "run"), each_run([*EXPECTED]), ids=label)
def test_every_step_has_the_conversation(name: str, run: Run) -> None:
    found = [row for kind in ("invoke_agent", "chat", "execute_tool") for row in steps(name, run.name, kind)]
    absent = "conversation" in EXPECTED[name].absent
    assert {row["Conversation"] for row in found} == {"" if absent else run.conversation}


@pytest.mark.parametrize(("name", "run"), each_run(carries("tool")), ids=label)
def test_a_tool_call_has_its_name_its_outcome_and_the_age_of_its_data(name: str, run: Run) -> None:
    expected = EXPECTED[name]
    calls = steps(name, run.name, "execute_tool")
    assert [row["Tool"] for row in calls] == ([expected.tool] if run.tool else [])
    for row in calls:
        assert row["Success"] == (run.tool == "answers" or "tool failure" in expected.absent)
        if "data as of" in expected.absent:
            assert row["DataAsOf"] is None
        else:
            age = datetime.fromisoformat(row["Time"]) - datetime.fromisoformat(row["DataAsOf"])
            assert abs(age - DATA_AGE) < timedelta(seconds=5)
        arguments = expected.arguments.format(run.shipment)
        assert row["ArgumentsHash"] == sha256(arguments.encode()).hexdigest()


@pytest.mark.parametrize("name", lacks("tool"))
def test_without_spans_of_tools_none_is_invented(name: str) -> None:
    assert [row for row in rows("spans", name) if row["Tool"] or row["Operation"] == "execute_tool"] == []


def findings(name: str, check_id: str) -> dict[str, list[Finding]]:
    """What a check finds in the fixture, by the run in whose trace it lies."""
    expected = EXPECTED[name]
    owed = Agent(
        AGENT,
        owner="dispatch",
        required_lookups=(RequiredLookup(expected.tool, ()),),
        freshness=(Freshness(expected.tool, 60),),
        content_allowed=False,
    )
    agents = Agents(CONFIGURATION.agents.attributes, {AGENT: owed})
    check = CHECKS[check_id]
    if check.minimum_runs:
        check = replace(check, minimum_runs=1)
    first, last = times([name])
    outcome = Runner(EngineSource(workspace([name])), agents, CONFIGURATION.prices).judge_due(
        check,
        watermark=window_start(first, check.every),
        now=last + 2 * check.every + check.settle,
    )
    assert isinstance(outcome, Evaluated), outcome
    found: dict[str, list[Finding]] = {run: [] for run in RUNS}
    for judged in outcome.judged:
        for finding in judged.findings:
            for run in RUNS:
                if trace_of(name, run) in finding.trace_ids:
                    found[run].append(finding)
    return found


@pytest.mark.parametrize("name", carries("run"))
def test_skipped_lookup_sees_the_run_that_called_no_tool(name: str) -> None:
    found = findings(name, "skipped_lookup")
    assert [bool(found[run]) for run in RUNS] == [False, EXPECTED[name].goes_on, True]


@pytest.mark.parametrize("name", carries("tool failure"))
def test_tool_failures_sees_the_tool_that_raised(name: str) -> None:
    found = findings(name, "tool_failures")
    assert [bool(found[run]) for run in RUNS] == [False, True, False]
    assert [(one.key["Tool"], one.value) for one in found["failed"]] == [(EXPECTED[name].tool, 50.0)]


@pytest.mark.parametrize("name", carries("data as of"))
def test_stale_tool_data_sees_the_age_of_what_the_tool_answered(name: str) -> None:
    found = findings(name, "stale_tool_data")
    assert [bool(found[run]) for run in RUNS] == [True, False, False]
    assert found["answered"][0].value == pytest.approx(DATA_AGE / timedelta(minutes=1), abs=0.1)
