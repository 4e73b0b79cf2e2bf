"""Made-up traces go through the real questions on the local engine; what was planted in them is known."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from functions.configuration import SHIPPED, load_configuration
from functions.errors import ResultTooLarge
from functions.evidence.controls.verdicts import Control, Result
from functions.release.compare import compare
from functions.release.compare_facts import Run, read_runs
from functions.release.compare_measures import Called
from functions.traces.agents import RequiredLookup
from functions.traces.source import Rows
from tests.checks.bench import BEGINS, EngineSource
from tests.fakes.source import ScriptedSource
from tests.unit.evidence.judged import dispatcher, played

CONFIGURATION = load_configuration(SHIPPED)
AGENTS = dispatcher(
    approved_tools=("find_rules", "quote"),
    required_lookups=(RequiredLookup("find_rules", intents=()),),
    approved_documents=("POL-17", "POL-22"),
)
OLD, NEW = "1.0", "1.1"
MODEL = "gpt-4o"
FOUND: Mapping[str, Any] = {"retrieval": "rules", "documents": 1, "retrieval.document_ids": "POL-17"}
LOOKED_UP: Mapping[str, Any] = {"tool": "find_rules", "spans": [FOUND]}
QUOTED: Mapping[str, Any] = {"tool": "quote"}
ANSWER: Mapping[str, Any] = {"chat": MODEL, "tokens": [1000, 100], "cached": 250, "after": "1s"}


def run(release: str, *spans: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {"agent": "dispatcher", "release": release, "takes": "2s", "spans": list(spans), **changes}


def read(*bodies: Mapping[str, Any], agent: str = "") -> list[Run]:
    return read_runs(
        EngineSource(played(*bodies)),
        AGENTS,
        CONFIGURATION.prices,
        (OLD, NEW),
        since=BEGINS - timedelta(days=1),
        until=BEGINS + timedelta(days=1),
        agent=agent,
    )


@cache
def ordinary() -> Run:
    (only,) = read(run(OLD, LOOKED_UP, QUOTED, ANSWER, **{"prompt.version": "p7"}))
    return only


def test_a_run_is_read_with_all_that_is_compared() -> None:
    its = ordinary()
    assert (its.agent, its.release, its.prompt_version) == ("dispatcher", OLD, "p7")
    assert (its.success, its.duration_ms, its.whole, its.sampled) == (True, 2000, True, False)
    assert (its.tools, its.made) == ({"find_rules", "quote"}, {"find_rules"})
    assert (its.tool_failed, its.retried, its.retrieved) == (False, False, True)
    assert (its.models, its.model_calls, its.without_usage) == ({MODEL}, 1, 0)
    assert (its.input_tokens, its.cached_tokens, its.output_tokens) == (1000, 250, 100)
    price = next(one for one in CONFIGURATION.prices.models if one.model == MODEL)
    by_hand = 750 * price.input + 250 * price.cached_input + 100 * price.output
    assert its.cost == pytest.approx(Decimal(str(by_hand)) / 1_000_000)
    kept = {Control.REQUIRED_LOOKUPS, Control.APPROVED_TOOLS, Control.APPROVED_DOCUMENTS}
    assert {its.verdicts[control] for control in kept} == {Result.PASS}


WAYS: Mapping[str, tuple[tuple[Mapping[str, Any], ...], Mapping[str, Any]]] = {
    "a search after the answer": (
        ({**ANSWER, "after": "100ms"}, {**FOUND, "after": "1s"}),
        {"retrieved": False},
    ),
    "a search that found nothing": (
        ({"retrieval": "rules", "documents": 0}, ANSWER),
        {"retrieved": False},
    ),
    "a search that does not say": (({"retrieval": "rules"}, ANSWER), {"retrieved": None}),
    "a search that failed": (({**FOUND, "success": False}, ANSWER), {"retrieved": False}),
    "no search": ((ANSWER,), {"retrieved": False}),
    "a tool that failed": (
        ({"tool": "quote", "success": False}, ANSWER),
        {"tool_failed": True, "retried": False, "made": frozenset()},
    ),
    "a tool that failed and was called again": (
        ({"tool": "quote", "success": False}, {"tool": "quote", "after": "500ms"}, ANSWER),
        {"tool_failed": True, "retried": True},
    ),
    "another tool called after one that failed": (
        ({"tool": "quote", "success": False}, {"tool": "find_rules", "after": "500ms"}, ANSWER),
        {"tool_failed": True, "retried": False},
    ),
    "a look-up that failed": (
        ({"tool": "find_rules", "success": False}, ANSWER),
        {"made": frozenset(), "tools": frozenset({"find_rules"})},
    ),
    "a call without usage": (
        ({"chat": MODEL, "after": "1s"},),
        {"without_usage": 1, "cost": None},
    ),
    "a call that failed has none to miss": (
        ({"chat": MODEL, "success": False}, ANSWER),
        {"without_usage": 0, "model_calls": 2, "input_tokens": 1000},
    ),
    "a model without a price": (
        ({"chat": "nobody-s", "tokens": [10, 1]},),
        {"cost": None, "without_usage": 0},
    ),
    "rows that stand for others": ((LOOKED_UP, {**ANSWER, "sampled": 4}), {"sampled": True, "whole": False}),
    "a step whose parent is gone": ((LOOKED_UP, {**ANSWER, "orphan": True}), {"whole": False}),
    "a row received twice": (
        (LOOKED_UP, {**ANSWER, "twice": True}),
        {"model_calls": 1, "input_tokens": 1000},
    ),
}


@cache
def several() -> Mapping[str, Run]:
    bodies = [run(OLD, *spans, **{"prompt.version": what}) for what, (spans, _) in WAYS.items()]
    return {one.prompt_version: one for one in read(*bodies)}


@pytest.mark.parametrize("what", WAYS)
def test_what_is_read_of_a_run(what: str) -> None:
    its = several()[what]
    assert {name: getattr(its, name) for name in WAYS[what][1]} == WAYS[what][1]


def test_only_the_releases_and_the_agent_asked_for_are_read() -> None:
    bodies = [
        run(OLD, ANSWER),
        run("0.9", ANSWER),
        # What stands before the agent is of a release that was asked for; its run is not.
        run("0.9", ANSWER, request={"release": OLD}),
        run(NEW, ANSWER),
        {**run(NEW, ANSWER), "agent": "other"},
    ]
    assert sorted((one.release, one.agent) for one in read(*bodies)) == [
        (OLD, "dispatcher"),
        (NEW, "dispatcher"),
        (NEW, "other"),
    ]
    assert [one.agent for one in read(*bodies, agent="other")] == ["other"]


def test_two_releases_with_known_differences() -> None:
    """The new one drops a look-up and its search, calls a new tool, is slower, dearer and fails more."""
    # Durations and tokens that vary, so that none of it is certain by itself.
    old = [
        run(
            OLD,
            LOOKED_UP,
            QUOTED,
            {**ANSWER, "tokens": [1000 + n, 100]},
            repeat=12,
            takes=f"{2000 + 10 * n}ms",
        )
        for n in range(5)
    ]
    new = [
        run(
            NEW,
            QUOTED,
            {"tool": "delete_customer"},
            {**ANSWER, "tokens": [3000 + n, 100]},
            repeat=12,
            takes=f"{4000 + 10 * n}ms",
            success=n > 1,
        )
        for n in range(5)
    ]
    (its,) = compare(read(*old, *new), AGENTS, OLD, NEW)
    assert {one.measure: one.called for one in its.differences} == {
        "lookup_gone": Called.WORSE,
        "new_tool": Called.WORSE,
        "lookups_kept": Called.WORSE,
        "documents_retrieved": Called.DIFFERENT,
        "tools_approved": Called.WORSE,
        "runs_failed": Called.WORSE,
        "duration_mean": Called.WORSE,
        "tokens": Called.WORSE,
        "cost": Called.WORSE,
        "cached": Called.WORSE,  # 250 of 3,000 and not of 1,000
        "tool:find_rules": Called.DIFFERENT,
    }
    assert {one.name for one in its.kinds} == {"find_rules", "delete_customer"}


def test_two_equal_releases_differ_in_nothing() -> None:
    bodies = [
        run(release, LOOKED_UP, QUOTED, {**ANSWER, "tokens": [1000 + n, 100]}, repeat=8)
        for release in (OLD, NEW)
        for n in range(5)
    ]
    (its,) = compare(read(*bodies), AGENTS, OLD, NEW)
    assert (its.differences, its.old.runs, its.new.runs) == ((), 40, 40)


def test_what_is_too_much_for_one_answer_is_asked_in_halves() -> None:
    whole = EngineSource(played(run(OLD, LOOKED_UP, ANSWER), run(NEW, LOOKED_UP, ANSWER)))
    asked = 0

    class Small:
        def query(self, kql: str, **bounds: Any) -> Rows:
            nonlocal asked
            asked += 1
            if asked <= 2:
                raise ResultTooLarge("too much", next_step="less")
            return whole.query(kql, **bounds)

    bounds = {"since": BEGINS - timedelta(days=1), "until": BEGINS + timedelta(days=1)}
    at_once = read_runs(whole, AGENTS, CONFIGURATION.prices, (OLD, NEW), **bounds)
    in_halves = read_runs(Small(), AGENTS, CONFIGURATION.prices, (OLD, NEW), **bounds)
    assert len(at_once) == 2
    assert sorted(in_halves, key=lambda one: one.release) == sorted(at_once, key=lambda one: one.release)
    assert asked > 2


def test_a_comparison_is_the_same_whoever_reads_it_again() -> None:
    assert replace(ordinary(), prompt_version="") == replace(
        read(run(OLD, LOOKED_UP, QUOTED, ANSWER))[0], prompt_version=""
    )


def test_no_run_is_no_answer_that_could_be_compared() -> None:
    bounds = {"since": BEGINS - timedelta(days=1), "until": BEGINS}
    source = ScriptedSource(lambda _: Rows((), ()))
    assert read_runs(source, AGENTS, CONFIGURATION.prices, (OLD, NEW), **bounds) == []
