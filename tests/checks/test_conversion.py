"""What a fixture's lines become in the workspace."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.checks.windows import window_start
from local.azure_monitor.ingestion import Telemetry
from tests.checks.bench import BEGINS
from tests.checks.conversion import traces_of
from tests.checks.telemetry import Trace


def built(trace: dict[str, Any]) -> list[Trace]:
    return list(traces_of(trace, begins=BEGINS, first=1, own=lambda agent: f"{agent}!"))


def rows(trace: dict[str, Any], kql: str) -> list[list[object]]:
    telemetry = Telemetry(content_routing="inline")
    for one in built(trace):
        for envelope, delay in zip(one.envelopes, one.delays, strict=True):
            assert telemetry.ingest([envelope], delay=delay) == 1
    return telemetry.query(kql).rows


@pytest.mark.parametrize(
    ("span", "table", "columns", "cells"),
    [
        ({"request": "GET /x", "code": "404"}, "AppRequests", "Success, ResultCode", [True, "404"]),
        ({"request": "GET /x", "success": False}, "AppRequests", "Success, ResultCode", [False, "500"]),
        ({"span": "step", "takes": "90m"}, "AppDependencies", "Name, DurationMs", ["step", 5_400_000.0]),
        ({"exception": "E", "message": "why"}, "AppExceptions", "ExceptionType, OuterMessage", ["E", "why"]),
        ({"log": "hello"}, "AppTraces", "Message", ["hello"]),
        ({"evaluation": "e", "as": "event"}, "AppEvents", "Name", ["gen_ai.evaluation.result"]),
        ({"span": "s", "sampled": 4}, "AppDependencies", "ItemCount", [4]),
        (
            {"span": "s", "release": "9", "user": "u"},
            "AppDependencies",
            "AppVersion, UserAuthenticatedId",
            ["9", "u"],
        ),
        ({"span": "s", "session": "c"}, "AppDependencies", "SessionId", ["c"]),
        ({"span": "s", "late": "7m"}, "AppDependencies", "ingestion_time() - TimeGenerated == 7m", [True]),
        ({"span": "s", "orphan": True}, "AppDependencies", "ParentId", ["f" * 16]),
    ],
)
def test_a_span_s_columns(span: dict[str, Any], table: str, columns: str, cells: list[object]) -> None:
    assert rows({"spans": [span]}, f"{table} | project {columns}") == [cells]


@pytest.mark.parametrize(
    ("span", "properties"),
    [
        ({"agent": "a"}, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a!"}),
        ({"agent": ""}, {"gen_ai.operation.name": "invoke_agent"}),
        ({"span": "s", "gen_ai.agent.name": "a"}, {"gen_ai.agent.name": "a!"}),
        (
            {"tool": "t", "arguments": "1", "after": "60s", "data_age": "2m"},
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "t",
                "gen_ai.tool.call.arguments": "1",
                "tool.data_as_of": "2026-11-20T10:00:00Z",
            },
        ),
        (
            {"chat": "m", "tokens": [7, 8], "cached": 3, "finish": "stop"},
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "m",
                "gen_ai.response.model": "m",
                "gen_ai.usage.input_tokens": "7",
                "gen_ai.usage.output_tokens": "8",
                "gen_ai.usage.cache_read.input_tokens": "3",
                "gen_ai.response.finish_reasons": '["stop"]',
            },
        ),
        # A call that failed got no answer, and so no answering model.
        (
            {"embeddings": "m", "success": False},
            {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "m"},
        ),
        (
            {"retrieval": "kb", "documents": 0},
            {
                "gen_ai.operation.name": "retrieval",
                "gen_ai.data_source.id": "kb",
                "retrieval.document_count": "0",
            },
        ),
        (
            {"evaluation": "e", "score": 0.4, "label": "fail"},
            {
                "gen_ai.evaluation.name": "e",
                "gen_ai.evaluation.score.value": "0.4",
                "gen_ai.evaluation.score.label": "fail",
            },
        ),
        ({"log": "hello", "a.b": {"text": "xy", "times": 3}}, {"a.b": "xyxyxy"}),
        ({"request": "r", "conversation": "c", "a.b": 1}, {"gen_ai.conversation.id": "c", "a.b": "1"}),
    ],
)
def test_a_span_s_properties(span: dict[str, Any], properties: dict[str, str]) -> None:
    ((cell,),) = rows({"spans": [span]}, "union AppRequests, AppDependencies, AppTraces | project Properties")
    assert json.loads(str(cell)) == properties


def test_a_trace_of_an_agent_is_a_request_with_its_run_and_what_is_under_it() -> None:
    trace = {"agent": "a", "request": {"app.intent": "x"}, "spans": [{"span": "s", "spans": [{"tool": "t"}]}]}
    chain = rows(
        trace,
        "union AppRequests, AppDependencies | order by TimeGenerated asc | project Name, Id, ParentId",
    )
    assert [row[0] for row in chain] == ["POST /ask", "invoke_agent a", "s", "execute_tool t"]
    assert [row[2] for row in chain] == ["", *(row[1] for row in chain[:-1])]


def test_a_row_received_twice_is_there_twice() -> None:
    assert len(rows({"spans": [{"span": "s", "twice": True}]}, "AppDependencies | distinct Id")) == 1
    assert rows({"spans": [{"span": "s", "twice": True}]}, "AppDependencies | count") == [[2]]


def test_repeated_spans_are_so_far_apart() -> None:
    repeated = {"spans": [{"span": "s", "repeat": 3, "every": "20s"}]}
    times = [
        datetime.fromisoformat(str(row[0]))
        for row in rows(repeated, "AppDependencies | project TimeGenerated")
    ]
    assert [time - min(times) for time in sorted(times)] == [n * timedelta(seconds=20) for n in range(3)]


def test_repeated_traces_are_traces_of_their_own_so_far_apart() -> None:
    traces = built({"agent": "a", "at": "-2h", "repeat": 3, "every": "1h"})
    assert [trace.number for trace in traces] == [1, 2, 3]
    assert [trace.start - BEGINS for trace in traces] == [n * timedelta(hours=1) for n in (-2, -1, 0)]


def test_the_judged_hour_begins_where_windows_of_every_width_up_to_an_hour_do() -> None:
    assert all(
        window_start(BEGINS, timedelta(minutes=width)) == BEGINS for width in (1, 5, 10, 15, 20, 30, 60)
    )
