"""What is read of runs, over telemetry of our own, on the local engine."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest

from functions.errors import ResultTooLarge, SourceError
from functions.evidence.controls.facts import RunFacts
from functions.evidence.controls.run_facts import MOST_FACTS, facts_kql, read_facts
from functions.evidence.controls.verdicts import Control, Result, RunVerdicts, Verdict
from functions.traces.agents import Freshness, RequiredLookup
from functions.traces.membership import Membership
from functions.traces.source import Rows
from tests.checks.bench import BEGINS, EngineSource
from tests.fakes.source import ScriptedSource
from tests.unit.evidence.judged import DAY, controls, dispatcher, of, played, trace_id

AGENTS = dispatcher(
    required_lookups=(RequiredLookup("lookup", ()),),
    freshness=(Freshness("lookup", 60),),
    approved_tools=("lookup", "search"),
    approved_documents=("POL-1@2026", "TERMS-*"),
    content_allowed=False,
    run_p95_ms=1000,
    id_format="^conv-[0-9]+$",
    required_fields=("conversation",),
)
GOOD: Mapping[str, Any] = {
    "agent": "dispatcher",
    "conversation": "conv-1",
    "spans": [{"tool": "lookup", "data_age": "5m"}, {"chat": "large", "tokens": [10, 2], "finish": "stop"}],
}


def with_spans(*spans: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes, "spans": [*GOOD["spans"], *spans]}


def verdicts(body: Mapping[str, Any], *, routing: str = "table") -> Mapping[Control, Verdict]:
    (run,) = controls(played(body, routing=routing), AGENTS).judge(DAY, cutoff=DAY.received_until)
    return {one.control: one for one in run.verdicts}


def facts(*bodies: Mapping[str, Any]) -> dict[str, list[RunFacts]]:
    found: dict[str, list[RunFacts]] = {}
    source = EngineSource(played(*bodies))
    for one in read_facts(source, DAY, AGENTS, [(None, None)], cutoff=DAY.received_until):
        found.setdefault(one.trace_id, []).append(one)
    return found


def test_a_run_in_order_passes_every_control() -> None:
    found = verdicts(GOOD)
    assert {control: one.result for control, one in found.items()} == dict.fromkeys(Control, Result.PASS)


SEARCH = {"retrieval": "kb", "documents": 1, "retrieval.document_ids": "POL-1@2026"}

CASES: list[tuple[str, dict[str, Any], Control, Result, str]] = [
    (
        "another tool",
        with_spans({"tool": "delete"}),
        Control.APPROVED_TOOLS,
        Result.FAIL,
        "called without approval: delete",
    ),
    (
        "another tool that fails",
        with_spans({"tool": "delete", "success": False}),
        Control.APPROVED_TOOLS,
        Result.FAIL,
        "called without approval: delete",
    ),
    (
        "a tool without a name",
        with_spans({"span": "x", "gen_ai.operation.name": "execute_tool"}),
        Control.APPROVED_TOOLS,
        Result.NOT_EVALUABLE,
        "a tool was called whose name is not recorded",
    ),
    (
        "no look-up",
        {**GOOD, "spans": [{"tool": "search"}]},
        Control.REQUIRED_LOOKUPS,
        Result.FAIL,
        "look-up lookup not called",
    ),
    (
        "a look-up that failed",
        {**GOOD, "spans": [{"tool": "lookup", "success": False}]},
        Control.REQUIRED_LOOKUPS,
        Result.FAIL,
        "look-up lookup called, but failed",
    ),
    (
        "no look-up in a run that failed",
        {**GOOD, "success": False, "spans": []},
        Control.REQUIRED_LOOKUPS,
        Result.PASS,
        "the run failed, and so gave no answer",
    ),
    (
        "a tool asked for and not recorded",
        {**GOOD, "spans": [{"chat": "large", "finish": "tool_calls"}]},
        Control.REQUIRED_LOOKUPS,
        Result.NOT_EVALUABLE,
        "the model asked for tools 1 time, and 0 calls of a tool were recorded",
    ),
    (
        "old data",
        {**GOOD, "spans": [{"tool": "lookup", "data_age": "9h"}]},
        Control.DATA_FRESH,
        Result.FAIL,
        "data of tool lookup 9 h old (at most 60 min)",
    ),
    (
        "old data in one call of two",
        with_spans({"tool": "lookup", "data_age": "61m"}),
        Control.DATA_FRESH,
        Result.FAIL,
        "data of tool lookup 61 min old (at most 60 min)",
    ),
    (
        "old data in one call, undated in the other",
        {**GOOD, "spans": [{"tool": "lookup", "data_age": "9h"}, {"tool": "lookup"}]},
        Control.DATA_FRESH,
        Result.FAIL,
        "data of tool lookup 9 h old (at most 60 min)",
    ),
    (
        "undated data",
        {**GOOD, "spans": [{"tool": "lookup"}]},
        Control.DATA_FRESH,
        Result.NOT_EVALUABLE,
        "lookup did not say how old its data is",
    ),
    (
        "an age that is no instant",
        {**GOOD, "spans": [{"tool": "lookup", "tool.data_as_of": "yesterday"}]},
        Control.DATA_FRESH,
        Result.NOT_EVALUABLE,
        "lookup did not say how old its data is",
    ),
    (
        "data from the future",
        {**GOOD, "spans": [{"tool": "lookup", "data_age": "-1h"}]},
        Control.DATA_FRESH,
        Result.NOT_EVALUABLE,
        "data of tool lookup is dated after the call",
    ),
    (
        "old data of a call that failed",
        with_spans({"tool": "lookup", "success": False, "data_age": "9h"}),
        Control.DATA_FRESH,
        Result.PASS,
        "data of tool lookup 5 min old",
    ),
    (
        "an edition that is approved",
        with_spans(SEARCH),
        Control.APPROVED_DOCUMENTS,
        Result.PASS,
        "1 document",
    ),
    (
        "an approved beginning",
        with_spans({**SEARCH, "retrieval.document_ids": '["TERMS-7", "POL-1@2026"]'}),
        Control.APPROVED_DOCUMENTS,
        Result.PASS,
        "2 documents",
    ),
    (
        "an edition that is not approved",
        with_spans({**SEARCH, "retrieval.document_ids": "POL-1@2026,POL-1@2025"}),
        Control.APPROVED_DOCUMENTS,
        Result.FAIL,
        "used without approval: ",
    ),
    (
        "a search that found nothing",
        with_spans({"retrieval": "kb", "documents": 0}),
        Control.APPROVED_DOCUMENTS,
        Result.PASS,
        "no document was found",
    ),
    (
        "a search that does not say what it found",
        with_spans({"retrieval": "kb", "documents": 2}),
        Control.APPROVED_DOCUMENTS,
        Result.NOT_EVALUABLE,
        "a search did not say which documents it found",
    ),
    (
        "a search that says nothing at all",
        with_spans({"retrieval": "kb"}),
        Control.APPROVED_DOCUMENTS,
        Result.NOT_EVALUABLE,
        "a search did not say which documents it found",
    ),
    (
        "a search within a search that says it",
        with_spans({"retrieval": "outer", "spans": [SEARCH]}),
        Control.APPROVED_DOCUMENTS,
        Result.PASS,
        "1 document",
    ),
    (
        "a slow run",
        {**GOOD, "takes": "1.2s"},
        Control.LATENCY,
        Result.FAIL,
        "took 1.2 s, the objective is 1 s",
    ),
    (
        "arguments that are recorded",
        with_spans({"tool": "search", "arguments": "{}"}),
        Control.NOTHING_EXPOSED,
        Result.FAIL,
        "gen_ai.tool.call.arguments in 1 row",
    ),
    (
        "a prompt in a log line of the older conventions",
        with_spans({"log": '{"content": "hello"}', "gen_ai.system": "openai"}),
        Control.NOTHING_EXPOSED,
        Result.FAIL,
        "AppTraces.Message in 1 row",
    ),
    (
        "no conversation",
        {key: value for key, value in GOOD.items() if key != "conversation"},
        Control.CORRELATION,
        Result.FAIL,
        "no conversation is recorded",
    ),
    (
        "a conversation of another form",
        {**GOOD, "conversation": "c-1"},
        Control.CORRELATION,
        Result.FAIL,
        "the conversation id does not have the form agreed",
    ),
    (
        "a step whose parent is missing",
        with_spans({"chat": "large", "orphan": True}),
        Control.CORRELATION,
        Result.FAIL,
        "the span above 1 step is missing",
    ),
    (
        "a step whose parent is missing hides others",
        with_spans({"chat": "large", "orphan": True}),
        Control.APPROVED_TOOLS,
        Result.NOT_EVALUABLE,
        "1 step of the trace lack the span above: others may be missing",
    ),
    (
        "a sampled trace",
        {**GOOD, "sampled": 2},
        Control.APPROVED_TOOLS,
        Result.NOT_EVALUABLE,
        "rows of the trace were sampled, so that others may be missing",
    ),
    (
        "a sampled trace whose tool was recorded",
        with_spans({"tool": "delete"}, sampled=2),
        Control.APPROVED_TOOLS,
        Result.FAIL,
        "called without approval: delete",
    ),
]


@cache
def judged_cases() -> Mapping[str, RunVerdicts]:
    """All cases in one workspace, each a trace: one question, since asking is what takes time."""
    asked = controls(played(*(body for _, body, *_ in CASES)), AGENTS)
    return {run.trace_id: run for run in asked.judge(DAY, cutoff=DAY.received_until)}


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[0] for case in CASES])
def test_what_a_run_did_decides(number: int) -> None:
    _, _, control, result, reason = CASES[number]
    run = judged_cases()[trace_id(number + 1)]
    (found,) = (one for one in run.verdicts if one.control is control)
    assert (found.result, found.reason[: len(reason)]) == (result, reason)


@pytest.mark.parametrize("routing", ["table", "inline"])
def test_content_counts_wherever_the_service_puts_it(routing: str) -> None:
    body = with_spans({"tool": "search", "arguments": "{}", "result": "42"})
    found = verdicts(body, routing=routing)[Control.NOTHING_EXPOSED]
    assert found.reason == "gen_ai.tool.call.arguments in 1 row; gen_ai.tool.call.result in 1 row"


def test_each_run_of_a_trace_is_judged_by_its_own_calls() -> None:
    body = {
        "conversation": "conv-1",
        "spans": [
            {
                "request": "POST /ask",
                "spans": [
                    {"agent": "dispatcher", "spans": [{"tool": "lookup", "data_age": "5m"}]},
                    {"agent": "dispatcher", "spans": [{"tool": "delete"}]},
                ],
            }
        ],
    }
    runs = controls(played(body), AGENTS).judge(DAY, cutoff=DAY.received_until)
    results = [{one.control: one.result for one in run.verdicts} for run in runs]
    assert [each[Control.APPROVED_TOOLS] for each in results] == [Result.PASS, Result.FAIL]
    assert [each[Control.REQUIRED_LOOKUPS] for each in results] == [Result.PASS, Result.FAIL]


def test_a_call_that_belongs_to_no_run_known_keeps_all_runs_of_its_trace_from_passing() -> None:
    deep = {"span": "a", "spans": [{"span": "b", "spans": [{"span": "c", "spans": [{"tool": "delete"}]}]}]}
    body = {
        "conversation": "conv-1",
        "spans": [
            {
                "request": "POST /ask",
                "spans": [{"agent": "dispatcher", "spans": [deep]}, {"agent": "dispatcher"}],
            }
        ],
    }
    runs = controls(played(body), AGENTS).judge(DAY, cutoff=DAY.received_until)
    found = [one for run in runs for one in run.verdicts if one.control is Control.APPROVED_TOOLS]
    assert {one.result for one in found} == {Result.NOT_EVALUABLE}
    assert {one.reason for one in found} == {"1 step of the trace belong to no run known"}


def test_a_tool_whose_name_looks_like_json_is_a_tool_like_any_other() -> None:
    found = verdicts(with_spans({"tool": '["lookup"]'}))[Control.APPROVED_TOOLS]
    assert found.result is Result.FAIL


def test_a_row_that_came_twice_counts_once() -> None:
    (once,), (twice,) = facts(GOOD, {**GOOD, "twice": True}).values()
    assert [calls.calls for calls in twice.tools] == [calls.calls for calls in once.tools] == [1]


def test_what_is_no_agent_s_is_no_run() -> None:
    web = {"spans": [{"request": "GET /", "spans": [{"span": "SELECT"}]}]}
    assert facts(web, GOOD).keys() == {trace_id(2)}


def test_calls_without_token_counts_are_noted() -> None:
    body = {**GOOD, "spans": [*GOOD["spans"], {"chat": "large", "finish": "stop"}]}
    (run,) = controls(played(body), AGENTS).judge(DAY, cutoff=DAY.received_until)
    assert run.notes == ("1 of 2 model calls without token counts",)


def test_only_the_traces_of_the_membership_are_judged() -> None:
    part = replace(DAY, membership=Membership("", f'where OperationId in ("{trace_id(2)}")'))
    runs = controls(played(GOOD, GOOD), AGENTS).judge(part, cutoff=DAY.received_until)
    assert [run.trace_id for run in runs] == [trace_id(2)]


def test_slices_by_ingestion_time_judge_each_run_once_and_alike_however_they_are_cut() -> None:
    bodies = [
        {**GOOD, "at": f"{minute}m", "spans": [{"tool": tool, "data_age": "5m", "late": "20m"}]}
        for minute, tool in enumerate(("lookup", "delete", "search", "lookup"), start=1)
    ]
    asked = controls(played(*bodies), AGENTS)
    expected = asked.judge(DAY, cutoff=DAY.received_until)
    assert len(expected) == 4
    for minutes in (2, 3, 15):
        edge = BEGINS + timedelta(minutes=minutes)
        halves = (replace(DAY, received_until=edge), replace(DAY, received_from=edge))
        found = [run for half in halves for run in asked.judge(half, cutoff=DAY.received_until)]
        assert sorted(found, key=lambda run: run.order) == expected


@dataclass(frozen=True)
class NarrowSource:
    """Answers with so many rows at most, as the service does."""

    source: EngineSource
    most: int

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        answer = self.source.query(kql, since=since, until=until)
        if len(answer.rows) > self.most:
            raise ResultTooLarge("too many", next_step="less")
        return answer


def test_a_slice_with_too_many_facts_is_halved_and_says_the_same() -> None:
    bodies = [{**GOOD, "at": f"{hour}h"} for hour in (1, 9)]
    telemetry = played(*bodies)
    asked = controls(telemetry, AGENTS)
    expected = asked.judge(DAY, cutoff=DAY.received_until)
    narrow = replace(asked, source=NarrowSource(EngineSource(telemetry), 3))
    assert len(expected) == 2
    assert narrow.judge(DAY, cutoff=DAY.received_until) == expected


def test_a_slice_may_be_cut_in_the_time_of_the_runs_too() -> None:
    asked = controls(played(with_spans(SEARCH), {**GOOD, "at": "9m"}), AGENTS)
    expected = asked.judge(DAY, cutoff=DAY.received_until)
    # Between a run's own span and the steps that it made, and between the two runs.
    for edge in (BEGINS + timedelta(minutes=1, milliseconds=150), BEGINS + timedelta(minutes=5)):
        halves = (replace(DAY, until=edge), replace(DAY, since=edge))
        assert [run for half in halves for run in asked.judge(half, cutoff=DAY.received_until)] == expected


def test_a_millisecond_with_too_many_facts_is_refused() -> None:
    narrow = replace(controls(played(GOOD), AGENTS), source=NarrowSource(EngineSource(played(GOOD)), 0))
    moment = BEGINS + timedelta(minutes=1, milliseconds=100)
    part = replace(
        DAY,
        since=moment,
        until=moment + timedelta(milliseconds=1),
        received_from=moment + timedelta(seconds=1),
        received_until=moment + timedelta(seconds=1, milliseconds=1),
    )
    with pytest.raises(ResultTooLarge):
        narrow.judge(part, cutoff=DAY.received_until)


def test_a_run_that_has_just_arrived_may_still_lack_rows() -> None:
    # Its own span was received at 10:01:01.1.
    soon, later = BEGINS + timedelta(minutes=6), BEGINS + timedelta(minutes=7)
    asked = controls(played(GOOD), AGENTS)
    found = [of(asked.judge(DAY, cutoff=cutoff), Control.APPROVED_TOOLS) for cutoff in (soon, later)]
    assert [each[trace_id(1)].result for each in found] == [Result.NOT_EVALUABLE, Result.PASS]


def test_rows_received_after_the_cutoff_are_not_read() -> None:
    asked = controls(played({**GOOD, "spans": [{"tool": "lookup", "data_age": "5m", "late": "30m"}]}), AGENTS)
    cutoff = BEGINS + timedelta(minutes=20)
    part = replace(DAY, received_until=cutoff)
    assert of(asked.judge(part, cutoff=cutoff), Control.REQUIRED_LOOKUPS)[trace_id(1)].result is Result.FAIL


def test_one_run_can_t_send_more_facts_than_a_slice_may_have() -> None:
    spans = [{"tool": f"tool-{n}"} for n in range(300)]
    spans += [{"retrieval": "kb", "retrieval.document_ids": f"TERMS-{n}"} for n in range(150)]
    ((run,),) = facts({**GOOD, "spans": spans}).values()
    (calls,) = run.tools
    assert (calls.calls, calls.known, len(calls.names), len(run.documents.lists)) == (300, False, 50, 101)


def test_too_many_facts_are_refused_rather_than_cut() -> None:
    columns = ("Fact", "TraceId", "RunId")
    source = ScriptedSource(lambda _: Rows(columns, (("run", "t", "r"),) * (MOST_FACTS + 1)))
    with pytest.raises(ResultTooLarge):
        read_facts(source, DAY, AGENTS, [(None, None)], cutoff=DAY.received_until)


def test_a_failure_of_the_source_is_no_verdict() -> None:
    def fail(_: Any) -> Rows:
        raise SourceError("down", next_step="wait")

    with pytest.raises(SourceError):
        read_facts(ScriptedSource(fail), DAY, AGENTS, [(None, None)], cutoff=DAY.received_until)


def test_the_question_is_the_same_whenever_it_is_asked() -> None:
    asked = {facts_kql(DAY, AGENTS, [(None, BEGINS)], cutoff=DAY.received_until) for _ in range(2)}
    assert len(asked) == 1
