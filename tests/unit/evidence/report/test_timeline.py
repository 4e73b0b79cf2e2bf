"""Steps are read out of rows in any dialect, each once, a step before those below it; retries are told."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.costs.prices import ModelPrice, Prices, Provisioned, Rates
from functions.evidence.report.step_cost import step_cost, trace_cost
from functions.evidence.report.timeline import Step, Timeline, shortened, timeline
from functions.traces.model import TraceRow
from tests.unit.evidence.reporting import ATTRIBUTES, NOON, PRICES, TRACE, agent, chat, span, tool


def read(*rows: TraceRow) -> Timeline:
    return timeline(TRACE, rows, ATTRIBUTES)


def steps(*rows: TraceRow) -> tuple[Step, ...]:
    return read(*rows).steps


def event(table: str, above: int, **properties: str) -> TraceRow:
    columns = {"ExceptionType": "TimeoutError"} if table == "AppExceptions" else {}
    row = span(50, above, table=table, span_id="", properties=properties)
    return replace(row, columns=columns)


@pytest.mark.parametrize(
    ("properties", "kind", "name"),
    [
        ({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}, "chat", "m"),
        ({"gen_ai.operation.name": "text_completion", "gen_ai.response.model": "m-2024-08-06"}, "chat", "m"),
        ({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}, "invoke_agent", "a"),
        ({"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "microsoft.foundry"}, "chat", ""),
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"}, "execute_tool", "t"),
        ({"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "kb"}, "retrieval", "kb"),
        ({"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e"}, "embeddings", "e"),
        ({"gen_ai.operation.name": "create_agent"}, "other", "create_agent"),
        ({"openinference.span.kind": "LLM", "llm.model_name": "m"}, "chat", "m"),
        ({"openinference.span.kind": "TOOL", "tool.name": "t"}, "execute_tool", "t"),
        ({"openinference.span.kind": "RETRIEVER"}, "retrieval", ""),
        ({"openinference.span.kind": "CHAIN"}, "other", "span"),
        ({"traceloop.span.kind": "tool", "traceloop.entity.name": "t"}, "execute_tool", "t"),
        ({"traceloop.span.kind": "agent", "traceloop.entity.name": "a"}, "invoke_agent", "a"),
        ({"llm.request.type": "chat", "gen_ai.request.model": "m"}, "chat", "m"),
        ({}, "other", "span"),
    ],
)
def test_kind_and_name_are_read_in_each_dialect(properties: dict[str, str], kind: str, name: str) -> None:
    (step,) = steps(span(0, properties=properties))
    assert (step.kind, step.name) == (kind, name)


def test_a_step_stands_before_those_below_it_and_as_deep() -> None:
    rows = (agent(0), tool(1, 0, "a"), tool(2, 0, "b"), span(3, 1), span(4, 2))
    assert [(one.name, one.depth) for one in steps(*rows)] == [
        ("dispatcher", 0),
        ("a", 1),
        ("span", 2),
        ("b", 1),
        ("span", 2),
    ]


def test_spans_in_a_ring_or_without_their_parent_are_steps_too() -> None:
    rows = (span(1, 2), span(2, 1), span(3, 3), span(4, 99))
    assert len(steps(*rows)) == 4


def test_a_call_after_a_failed_call_of_the_same_tool_is_a_retry() -> None:
    rows = (tool(0, Success=False), tool(1, Success=False), tool(2), tool(3), tool(4, None, "other_tool"))
    assert [(one.retry, one.call, one.calls) for one in steps(*rows)] == [
        (False, 1, 4),
        (True, 2, 4),
        (True, 3, 4),
        (False, 4, 4),
        (False, 1, 1),
    ]


def test_a_row_that_was_ingested_twice_is_one_step() -> None:
    assert len(steps(tool(0), tool(0), tool(1))) == 2


def test_a_model_span_around_a_model_span_is_no_second_call() -> None:
    outer, inner = steps(chat(0), chat(1, 0))
    assert (outer.metered, inner.metered) == (False, True)
    assert trace_cost((outer, inner), PRICES).calls == 1


@pytest.mark.parametrize(
    ("row", "note"),
    [
        (span(0, properties={"error.type": "TimeoutError"}), "error TimeoutError"),
        (span(0, Success=False, ResultCode="429"), "result code 429"),
        (
            span(0, properties={"gen_ai.response.finish_reasons": "stop,content_filter"}),
            "ended by content_filter",
        ),
        (span(0, properties={"retrieval.document_count": "0"}), "no document found"),
        (span(0, properties={"retrieval.document_count": "3"}), "documents: 3"),
        (
            span(0, properties={"retrieval.document_ids": ",".join(f"P-{n}" for n in range(8))}),
            "P-0, P-1, P-2, P-3, P-4, P-5 and 2 more",
        ),
        (span(0, properties={"tool.data_as_of": "2026-11-22T02:57:00Z"}), "data 9 h 3 min old"),
        (span(0, properties={"tool.data_as_of": "2026-11-22T11:57:00Z"}), "data 3 min old"),
        (span(0, properties={"tool.data_as_of": "2026-11-22T13:00:00Z"}), "data newer than the call"),
    ],
)
def test_what_else_a_span_tells_is_noted(row: TraceRow, note: str) -> None:
    (step,) = steps(row)
    assert step.notes == (note,)


def test_exceptions_and_evaluations_are_noted_at_their_span_or_at_the_outermost() -> None:
    evaluation = {"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.label": "pass"}
    rows = (agent(0), tool(1, 0), event("AppExceptions", 1), event("AppTraces", 99, **evaluation))
    outer, inner = steps(*rows)
    assert outer.notes == ("evaluation tone pass",)
    assert inner.notes == ("exception TimeoutError",)


def test_a_trace_without_spans_has_a_timeline_without_steps() -> None:
    line = read(event("AppTraces", 1))
    assert (line.steps, line.rows, line.length_ms) == ((), 1, 0.0)


def test_what_is_not_recorded_is_not_known() -> None:
    (step,) = steps(replace(span(0), columns={}))
    assert (step.succeeded, step.failed, step.duration_ms) == (None, False, 0.0)


def test_a_shortened_timeline_keeps_agents_models_and_tools() -> None:
    line = read(*(span(number) for number in range(5)), tool(6))
    short = shortened(line, 2)
    assert [(one.name, one.start_ms) for one in short.steps] == [("span", 0.0), ("get_status", 60.0)]
    assert (short.left_out, short.length_ms) == (4, line.length_ms)


def test_facts_of_the_trace_are_told_once() -> None:
    facts = {"tenant.id": "abc", "app.intent": "status", "app.warehouse": "WH-A"}
    line = read(span(0, AppVersion="2.0", properties=facts), span(1, AppVersion="2.0"))
    assert line.facts == (("intent", "status"), ("tenant", "abc"), ("warehouse", "WH-A"), ("release", "2.0"))


CACHED = {"gen_ai.usage.cache_read.input_tokens": "400"}
DEAR = Prices(
    "USD",
    NOON.date(),
    "a list",
    (ModelPrice("gpt-4o", 2.5, 1.25, 10.0, batch=Rates(1.0, 1.0, 5.0)),),
    batch_deployments=("nightly",),
    provisioned=(Provisioned("reserved", 50.0, NOON.date()),),
)


@pytest.mark.parametrize(
    ("row", "cost"),
    [
        (chat(0), "0.0035"),  # 1,000 * 2.5 + 100 * 10, a million each
        (chat(0, properties=CACHED), "0.003"),  # 600 * 2.5 + 400 * 1.25 + 100 * 10
        (chat(0, ItemCount=4), "0.014"),
        (chat(0, properties={"gen_ai.request.model": "nightly"}), "0.0015"),
        (chat(0, properties={"gen_ai.request.model": "reserved"}), "0"),
        (chat(0, properties={"gen_ai.response.model": "house-model"}), None),
        (chat(0, properties={"gen_ai.usage.output_tokens": ""}), None),
        (tool(0), None),
        (agent(0), None),
    ],
)
def test_a_call_costs_what_the_price_list_says(row: TraceRow, cost: str | None) -> None:
    (step,) = steps(row)
    assert step_cost(step, DEAR) == (None if cost is None else Decimal(cost))


spans = st.lists(
    st.builds(
        span,
        st.integers(0, 6),
        st.none() | st.integers(0, 6),
        Success=st.booleans(),
        DurationMs=st.floats() | st.integers() | st.text(),
    ),
    min_size=1,
    max_size=12,
)


@given(spans)
def test_every_span_is_one_step_however_they_hang_together(rows: list[TraceRow]) -> None:
    line = read(*rows)
    assert len(line.steps) == len({row.span_id for row in rows})
    assert all(one.start_ms >= 0 and 0 <= one.duration_ms <= 1e12 for one in line.steps)
    assert all(1 <= one.call <= one.calls for one in line.steps)
