"""The rules of controls: what they say of facts, and that a missing fact never passes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.evidence.controls.controls import SETTLE, judge, notes
from functions.evidence.controls.facts import MOST_LISTS, Documents, RunFacts, ToolCalls, TraceFacts
from functions.evidence.controls.verdicts import NO_RULE, Control, Result, Verdict
from functions.traces.agents import Agent, Freshness, RequiredLookup

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
AGENT = Agent(
    "desk",
    owner="desk",
    required_lookups=(RequiredLookup("lookup", ("status",)),),
    freshness=(Freshness("lookup", 60),),
    approved_tools=("lookup", "quote"),
    approved_documents=("POL-1",),
    run_p95_ms=1000,
    content_allowed=False,
    required_fields=("conversation",),
)


def calls(tool: str = "lookup", **changes: object) -> ToolCalls:
    made = ToolCalls((tool,), tool in {"lookup", "quote"}, 1, 1, 0, 0, 5.0, 5.0)
    return replace(made, **changes)  # type: ignore[arg-type]


GOOD = RunFacts(
    "t",
    "r",
    NOON,
    NOON,
    "desk",
    intent="status",
    duration_ms=500.0,
    carried=frozenset({"conversation"}),
    model_calls=1,
    tools=(calls(),),
    documents=Documents(0, ("POL-1",)),
)


def verdicts(facts: RunFacts, agent: Agent | None = AGENT) -> dict[Control, Verdict]:
    found = judge(facts, agent, lambda _, name: name, cutoff=LATER)
    assert [one.control for one in found] == list(Control)
    return {one.control: one for one in found}


def test_a_run_in_order_passes_all() -> None:
    assert {one.result for one in verdicts(GOOD).values()} == {Result.PASS}


@pytest.mark.parametrize(
    ("agent", "facts", "reason"),
    [
        (None, GOOD, "agents.yaml does not name this agent"),
        (None, replace(GOOD, agent=""), "which agent ran is not recorded"),
    ],
)
def test_a_run_of_no_agent_known_is_not_evaluable(agent: None, facts: RunFacts, reason: str) -> None:
    assert {(one.result, one.reason) for one in verdicts(facts, agent).values()} == {
        (Result.NOT_EVALUABLE, reason)
    }


@pytest.mark.parametrize(
    ("control", "agent", "key"),
    [
        (Control.APPROVED_TOOLS, replace(AGENT, approved_tools=None), "approved_tools"),
        (Control.REQUIRED_LOOKUPS, replace(AGENT, required_lookups=()), "required_lookups"),
        (Control.DATA_FRESH, replace(AGENT, freshness=()), "freshness"),
        (Control.APPROVED_DOCUMENTS, replace(AGENT, approved_documents=None), "approved_documents"),
        (Control.LATENCY, replace(AGENT, run_p95_ms=None), "objectives.run_p95_ms"),
        (Control.NOTHING_EXPOSED, replace(AGENT, content_allowed=True), "content_allowed"),
    ],
)
def test_without_a_rule_nothing_passes_and_the_key_is_named(control: Control, agent: Agent, key: str) -> None:
    found = verdicts(GOOD, agent)[control]
    assert found.result is Result.NOT_EVALUABLE
    assert found.reason.startswith(f"{NO_RULE}{key} ")
    assert {one.result for other, one in verdicts(GOOD, agent).items() if other != control} == {Result.PASS}


def test_an_agent_that_may_call_nothing_has_a_rule() -> None:
    nothing = replace(AGENT, approved_tools=(), required_lookups=(), freshness=())
    assert verdicts(GOOD, nothing)[Control.APPROVED_TOOLS].result is Result.FAIL
    assert verdicts(replace(GOOD, tools=()), nothing)[Control.APPROVED_TOOLS].result is Result.PASS


LOOKUP = Control.REQUIRED_LOOKUPS
NONE = replace(GOOD, tools=())


def owing(**conditions: object) -> Agent:
    lookup = replace(RequiredLookup("lookup", ()), **conditions)  # type: ignore[arg-type]
    return replace(AGENT, required_lookups=(lookup,))


@pytest.mark.parametrize(
    ("facts", "agent", "result", "reason"),
    [
        (NONE, owing(), Result.FAIL, "look-up lookup not called"),
        (NONE, owing(intents=("status",)), Result.FAIL, "look-up lookup not called"),
        (NONE, owing(intents=("smalltalk",)), Result.PASS, "none was owed"),
        (
            replace(NONE, intent=""),
            owing(intents=("status",)),
            Result.NOT_EVALUABLE,
            "the intent is not recorded",
        ),
        (replace(GOOD, intent=""), owing(intents=("status",)), Result.PASS, "made: lookup"),
        (NONE, owing(routes=("POST /a",)), Result.NOT_EVALUABLE, "the request's name is not recorded"),
        (replace(NONE, route="POST /b"), owing(routes=("POST /a",)), Result.PASS, "none was owed"),
        (
            NONE,
            owing(dimension="carrier", values=("DHL",)),
            Result.NOT_EVALUABLE,
            "the dimension carrier is not recorded",
        ),
        (
            replace(NONE, dimensions={"carrier": "UPS"}),
            owing(dimension="carrier", values=("DHL",)),
            Result.PASS,
            "none was owed",
        ),
        (
            replace(NONE, dimensions={"carrier": "DHL"}),
            owing(dimension="carrier", values=("DHL",)),
            Result.FAIL,
            "look-up lookup not called",
        ),
        (
            replace(NONE, intent="", route="POST /b"),
            owing(intents=("status",), routes=("POST /a",)),
            Result.PASS,
            "none was owed",
        ),
        (NONE, owing(after_tool="quote"), Result.PASS, "none was owed"),
        (
            replace(NONE, tools=(calls("quote"),)),
            owing(after_tool="quote"),
            Result.FAIL,
            "look-up lookup not",
        ),
        (
            replace(NONE, tool_requests=1),
            owing(after_tool="quote"),
            Result.NOT_EVALUABLE,
            "the model asked for tools 1 time, and 0 calls",
        ),
        (replace(NONE, success=None), owing(), Result.NOT_EVALUABLE, "whether the run gave an answer is not"),
        (
            replace(GOOD, tools=(calls(succeeded=0, unsaid=1),)),
            owing(),
            Result.NOT_EVALUABLE,
            "whether lookup succeeded is not recorded",
        ),
        (
            replace(GOOD, tools=(calls(succeeded=0),)),
            owing(),
            Result.FAIL,
            "look-up lookup called, but failed",
        ),
        (
            replace(NONE, dialect="azure_ai"),
            owing(),
            Result.NOT_EVALUABLE,
            "telemetry of this kind does not record calls of tools",
        ),
    ],
)
def test_a_look_up_is_owed_as_its_conditions_say(
    facts: RunFacts, agent: Agent, result: Result, reason: str
) -> None:
    found = verdicts(facts, agent)[LOOKUP]
    assert (found.result, found.reason[: len(reason)]) == (result, reason)


def test_one_look_up_that_is_missing_fails_whatever_is_unknown_of_another() -> None:
    both = replace(AGENT, required_lookups=(RequiredLookup("lookup", ()), RequiredLookup("quote", ("x",))))
    assert verdicts(replace(NONE, intent=""), both)[LOOKUP].result is Result.FAIL


@pytest.mark.parametrize(
    ("facts", "control", "reason"),
    [
        (replace(GOOD, duration_ms=None), Control.LATENCY, "how long it took is not recorded"),
        (
            replace(GOOD, trace=TraceFacts(tops=0)),
            Control.CORRELATION,
            "the first span of the trace is missing",
        ),
        (
            replace(GOOD, trace=TraceFacts(exposed={"input.value": 1})),
            Control.NOTHING_EXPOSED,
            "content lies in rows of the trace that belong to no run known",
        ),
        (
            replace(GOOD, documents=Documents(0, ("POL-1",) * (MOST_LISTS + 1))),
            Control.APPROVED_DOCUMENTS,
            f"more than {MOST_LISTS} lists of documents were found",
        ),
        (
            replace(GOOD, tools=(calls(succeeded=0, unsaid=1, oldest_minutes=None, newest_minutes=None),)),
            Control.DATA_FRESH,
            "whether lookup succeeded is not recorded",
        ),
    ],
)
def test_what_is_not_recorded_is_named(facts: RunFacts, control: Control, reason: str) -> None:
    found = verdicts(facts)[control]
    assert (found.result, found.reason) == (Result.NOT_EVALUABLE, reason)


def test_exactly_the_limit_passes() -> None:
    at_limit = replace(GOOD, duration_ms=1000.0, tools=(calls(oldest_minutes=60.0),))
    assert {one.result for one in verdicts(at_limit).values()} == {Result.PASS}
    beyond = replace(GOOD, duration_ms=1000.1, tools=(calls(oldest_minutes=60.1),))
    found = verdicts(beyond)
    assert found[Control.LATENCY].result is found[Control.DATA_FRESH].result is Result.FAIL


def test_many_names_are_counted() -> None:
    others = ToolCalls(tuple(f"t{n}" for n in range(8)), False, 8, 8, 0, 0, None, None)
    found = verdicts(replace(GOOD, tools=(calls(), others)))[Control.APPROVED_TOOLS]
    assert found.reason == "called without approval: t0, t1, t2, t3, t4 and 3 more"


def test_what_no_control_needs_is_noted() -> None:
    facts = replace(GOOD, model_calls=3, usage_missing=2, trace=TraceFacts(sampled=4))
    assert notes(facts) == (
        "2 of 3 model calls without token counts",
        "sampled: 4 rows of the trace for more than one each",
    )
    assert notes(GOOD) == ()


GAPS = st.sampled_from(
    [
        {"trace": TraceFacts(sampled=1)},
        {"trace": TraceFacts(orphans=1)},
        {"trace": TraceFacts(loose=1)},
        {"received": LATER - SETTLE + timedelta(seconds=1)},
    ]
)
ANY_RUN = st.builds(
    lambda tools, lists, exposed, success, intent, took: replace(
        GOOD,
        tools=tools,
        documents=Documents(0, lists),
        exposed=exposed,
        success=success,
        intent=intent,
        duration_ms=took,
    ),
    st.lists(
        st.sampled_from([calls(), calls("quote"), calls("other"), calls("")]),
        max_size=3,
        unique_by=lambda c: c.names,
    ).map(tuple),
    st.lists(st.sampled_from(["POL-1", "POL-2", ""]), max_size=2).map(tuple),
    st.sampled_from([{}, {"input.value": 1}]),
    st.sampled_from([True, False, None]),
    st.sampled_from(["status", "smalltalk", ""]),
    st.sampled_from([1.0, 5000.0, None]),
)


@given(ANY_RUN, GAPS)
def test_where_rows_may_be_missing_nothing_passes_but_what_its_own_span_says(
    facts: RunFacts, gap: dict[str, object]
) -> None:
    found = verdicts(replace(facts, **gap))  # type: ignore[arg-type]
    passed = {control for control, one in found.items() if one.result is Result.PASS}
    assert passed <= {Control.LATENCY}


@given(ANY_RUN, GAPS)
def test_a_gap_turns_no_pass_into_a_failure_but_of_what_it_is_itself(
    facts: RunFacts, gap: dict[str, object]
) -> None:
    before = verdicts(facts)
    after = verdicts(replace(facts, **gap))  # type: ignore[arg-type]
    failed = {control for control, one in after.items() if one.result is Result.FAIL}
    assert failed - {Control.CORRELATION} <= {c for c, one in before.items() if one.result is Result.FAIL}
