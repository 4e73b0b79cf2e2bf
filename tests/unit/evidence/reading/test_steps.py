"""What a trace did is told step by step: each with the place of its span, its cost and the data's age."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from functions.evidence.detectors import standard_detectors
from functions.evidence.reading.steps import describe_steps
from functions.evidence.redaction.rescan import rescan
from functions.traces.model import TraceRow
from tests.unit.evidence.reporting import ATTRIBUTES, PRICES, TRACE, agent, chat, span, tool


def described(*rows: TraceRow) -> dict[str, Any]:
    return describe_steps(TRACE, rows, ATTRIBUTES, PRICES)


def test_steps_point_to_their_spans_though_their_order_is_another() -> None:
    rows = (agent(0), tool(1, 0, "a"), tool(2, 0, "b"), span(3, 1))
    steps = described(*rows)["steps"]
    assert [(one["span"], one["kind"], one["name"], one["depth"]) for one in steps] == [
        (0, "invoke_agent", "dispatcher", 0),
        (1, "execute_tool", "a", 1),
        (3, "other", "span", 2),
        (2, "execute_tool", "b", 1),
    ]


def test_a_span_that_was_ingested_twice_is_one_step_of_the_first() -> None:
    assert [one["span"] for one in described(tool(0), tool(0), tool(1))["steps"]] == [0, 2]


def test_a_step_may_lie_as_deep_as_it_does() -> None:
    steps = described(*(span(number, number - 1 if number else None) for number in range(2_000)))["steps"]
    assert [one["depth"] for one in steps] == list(range(2_000))


def test_a_model_call_has_its_tokens_and_its_price() -> None:
    (step,) = described(chat(0))["steps"]
    assert (step["input_tokens"], step["output_tokens"], step["cost"]) == (1000, 100, 0.0035)


def test_what_the_calls_cost_together_says_how_many_have_no_price() -> None:
    rows = (chat(0), chat(1, properties={"gen_ai.response.model": "house-model"}), tool(2))
    assert described(*rows)["cost"] == {
        "amount": 0.0035,
        "currency": "USD",
        "calls": 2,
        "priced": 1,
        "without_usage": 0,
        "without_price": 1,
    }


def test_the_age_of_data_stands_apart_from_the_notes() -> None:
    facts = {"tool.data_as_of": "2026-11-22T02:57:00Z", "retrieval.document_count": "3"}
    (step,) = described(tool(0, properties=facts))["steps"]
    assert (step["data_age"], step["notes"]) == ("data 9 h 3 min old", ["documents: 3"])
    assert described(tool(0))["steps"][0]["data_age"] is None


def test_a_call_after_a_failed_one_says_so() -> None:
    steps = described(tool(0, Success=False), tool(1))["steps"]
    assert [(one["call"], one["calls"], one["retry"]) for one in steps] == [(1, 2, False), (2, 2, True)]


@given(st.integers(0, 9_999_999), st.integers(0, 9_999_999))
def test_no_price_looks_like_anything_of_somebody(given: int, got: int) -> None:
    tokens = {"gen_ai.usage.input_tokens": str(given), "gen_ai.usage.output_tokens": str(got)}
    rescan(orjson.dumps(described(chat(0, properties=tokens))), standard_detectors())
