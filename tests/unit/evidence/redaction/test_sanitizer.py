import dataclasses
import re
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.errors import RedactionFailure
from functions.evidence.detectors import standard_detectors
from functions.evidence.redaction.policy import redaction_policy
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.sanitizer import SanitizedRow, Sanitizer
from functions.traces.model import Scalar, TraceRow

NOW = datetime(2026, 11, 22, 9, 56, 15, tzinfo=UTC)
PSEUDONYMS = Pseudonyms(bytes(32), "keyA")
POLICY = redaction_policy(
    {
        "version": 1,
        "columns": {
            "Success": {"keep": "boolean"},
            "DurationMs": {"keep": "number"},
            "ItemCount": {"keep": "integer"},
            "UserId": {"pseudonymize": "user"},
            "SessionId": {"pseudonymize": "conversation"},
            "Name": "drop",
        },
        "properties": {
            "gen_ai.agent.name": {"keep": "name"},
            "gen_ai.tool.name": {"keep": "name"},
            "gen_ai.usage.input_tokens": {"keep": "integer"},
            "gen_ai.response.finish_reasons": {"keep": {"each_of": ["stop", "length"]}},
            "gen_ai.conversation.id": {"pseudonymize": "conversation"},
            "gen_ai.input.messages": "drop",
        },
        "tables": {"AppEvents": {"columns": {"Name": {"keep": {"one_of": ["gen_ai.evaluation.result"]}}}}},
    }
)
SANITIZER = Sanitizer(POLICY, PSEUDONYMS, standard_detectors())

HOSTILE_NAMES = [
    "Alice Smith",
    "<script>alert(1)</script>",
    "a\nb",
    "a\x00b",
    "=HYPERLINK(1)",
    "alice@example.com",
    "415-555-0132",
    "078-05-1120",
    "078051120",
    "4111111111111111",
    "4111-1111-1111-1111",
    "198.51.100.7",
    "GB82WEST12345698765432",
    "AKIAIOSFODNN7EXAMPLE",
    "sk-proj-TDqm0TXOgbHuIAO864FekqwxlSY0jpebVCjecAFi",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTYifQ.sig",
    "dob:1987-05-23",
    "a" * 65,
    "",
]


def a_row(
    *,
    table: str = "AppDependencies",
    trace_id: str = "4bf92f3577b34da6a3ce929d0e0e4736",
    span_id: str = "00f067aa0ba902b7",
    parent_id: str = "",
    columns: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
) -> TraceRow:
    return TraceRow(table, trace_id, span_id, parent_id, NOW, NOW, columns or {}, properties or {})


def sanitized(**fields: Any) -> SanitizedRow:
    return SANITIZER.sanitize(a_row(**fields))


def test_a_named_value_of_its_shape_is_kept() -> None:
    result = sanitized(
        columns={"Success": True, "DurationMs": 12.5, "ItemCount": 1},
        properties={"gen_ai.agent.name": "dispatcher", "gen_ai.usage.input_tokens": "513"},
    )
    assert result.row.columns == {"Success": True, "DurationMs": 12.5, "ItemCount": 1}
    assert result.row.properties == {"gen_ai.agent.name": "dispatcher", "gen_ai.usage.input_tokens": "513"}
    assert result.removed == {}


def test_what_the_policy_does_not_name_is_dropped_and_its_name_hidden() -> None:
    result = sanitized(columns={"Custom_CF": 1}, properties={"alice@example.com": "x"})
    assert result.row.columns == {}
    assert result.row.properties == {}
    assert result.removed == {"unknown": 2}
    assert result.unknown == {PSEUDONYMS.of("attribute", name) for name in ("Custom_CF", "alice@example.com")}


def test_a_dropped_value_is_counted_under_its_rule() -> None:
    result = sanitized(columns={"Name": "POST /x"}, properties={"gen_ai.input.messages": "[]"})
    assert result.row.columns == {}
    assert result.row.properties == {}
    assert result.removed == {"drop:Name": 1, "drop:gen_ai.input.messages": 1}


@pytest.mark.parametrize("value", HOSTILE_NAMES)
def test_a_hostile_value_under_a_kept_name_is_dropped(value: str) -> None:
    result = sanitized(properties={"gen_ai.agent.name": value})
    assert result.row.properties == {}
    (reason,) = result.removed
    assert reason == "misfit:gen_ai.agent.name" or reason.startswith("detector:")


def test_a_detector_hit_is_counted_under_the_detector() -> None:
    assert sanitized(properties={"gen_ai.tool.name": "ask-415-555-0132"}).removed == {"detector:phone": 1}


@pytest.mark.parametrize("value", ["4111111111111111", "513 tokens", "", None, ["513"], {"a": 1}])
def test_a_count_that_is_none_is_a_misfit(value: Any) -> None:
    result = sanitized(properties={"gen_ai.usage.input_tokens": value})
    assert result.row.properties == {}
    assert result.removed == {"misfit:gen_ai.usage.input_tokens": 1}


@pytest.mark.parametrize("number", ["378282246310005", "078051120", "15035550132"])
def test_a_number_of_somebody_posing_as_a_count_is_dropped(number: str) -> None:
    result = sanitized(properties={"gen_ai.usage.input_tokens": number})
    assert result.row.properties == {}
    assert result.removed == {"misfit:gen_ai.usage.input_tokens": 1}


@pytest.mark.parametrize(("value", "kept"), [(True, True), (1, None), ("True", "True")])
def test_equal_values_of_different_types_are_told_apart(value: Scalar, kept: Scalar | None) -> None:
    sanitized(columns={"Success": True})
    assert sanitized(columns={"Success": value}).row.columns.get("Success") is kept


def test_one_conversation_has_one_pseudonym_wherever_it_stands() -> None:
    result = sanitized(columns={"SessionId": "conv-1"}, properties={"gen_ai.conversation.id": "conv-1"})
    pseudonym = PSEUDONYMS.of("conversation", "conv-1")
    assert result.row.columns == {"SessionId": pseudonym}
    assert result.row.properties == {"gen_ai.conversation.id": pseudonym}
    assert result.removed == {"pseudonymize:SessionId": 1, "pseudonymize:gen_ai.conversation.id": 1}


@pytest.mark.parametrize("value", ["", None, ["conv-1"]])
def test_what_is_no_identifier_gets_no_pseudonym(value: Any) -> None:
    result = sanitized(properties={"gen_ai.conversation.id": value})
    assert result.row.properties == {}
    assert result.removed == {"misfit:gen_ai.conversation.id": 1}


def test_a_rule_for_one_table_holds_there_only() -> None:
    event = sanitized(table="AppEvents", columns={"Name": "gen_ai.evaluation.result"})
    assert event.row.columns == {"Name": "gen_ai.evaluation.result"}
    assert sanitized(table="AppEvents", columns={"Name": "Alice"}).removed == {"misfit:AppEvents.Name": 1}
    assert sanitized(columns={"Name": "gen_ai.evaluation.result"}).row.columns == {}


def test_a_list_is_kept_as_plain_text() -> None:
    result = sanitized(properties={"gen_ai.response.finish_reasons": "('stop',)"})
    assert result.row.properties == {"gen_ai.response.finish_reasons": "stop"}


def test_times_and_table_stay() -> None:
    result = sanitized(table="AppTraces", span_id="", parent_id="00f067aa0ba902b7")
    expected = a_row(table="AppTraces", span_id="", parent_id="00f067aa0ba902b7")
    assert result.row == expected


@pytest.mark.parametrize(
    "value", ["|abc.1.", "alice@example.com", "00F067AA0BA902B7", "00f067aa0ba902b7\n", "x" * 10_000]
)
def test_an_id_that_is_no_hex_is_replaced_and_still_links(value: str) -> None:
    child, parent = sanitized(parent_id=value), sanitized(span_id=value)
    assert child.row.parent_id == parent.row.span_id == PSEUDONYMS.hex_id("span", value, 16)
    assert child.removed == {"misfit:parent_id": 1}
    assert parent.removed == {"misfit:span_id": 1}


def test_a_trace_id_that_is_no_hex_is_replaced() -> None:
    result = sanitized(trace_id="4bf92f35")
    assert result.row.trace_id == PSEUDONYMS.hex_id("trace", "4bf92f35", 32)
    assert result.removed == {"misfit:trace_id": 1}


def test_an_id_that_looks_like_a_card_is_replaced_and_still_links_its_rows() -> None:
    span, child = sanitized(span_id="4111111111111111"), sanitized(parent_id="4111111111111111")
    assert span.row.span_id == child.row.parent_id != "4111111111111111"
    assert re.fullmatch(r"[0-9a-f]{16}", span.row.span_id)
    assert span.removed == {"misfit:span_id": 1}
    assert sanitized(span_id="4111111111111112").row.span_id == "4111111111111112"


def test_a_row_of_an_unknown_table_is_refused() -> None:
    with pytest.raises(RedactionFailure):
        sanitized(table="AppGenAIContent")


def test_the_given_row_is_left_as_it_was() -> None:
    row = a_row(columns={"UserId": "alice"}, properties={"gen_ai.agent.name": "a b"})
    before = dataclasses.asdict(row)
    SANITIZER.sanitize(row)
    assert dataclasses.asdict(row) == before


def test_of_a_name_that_only_a_prefix_knows_the_rest_is_hidden() -> None:
    body = {
        "app.queue.*": {"keep": "integer"},
        "app.of.*": {"pseudonymize": "user"},
        "app.queue.old.*": "drop",
    }
    policy = redaction_policy({"version": 1, "columns": {"Ext_*": {"keep": "number"}}, "properties": body})
    result = Sanitizer(policy, PSEUDONYMS, standard_detectors()).sanitize(
        a_row(
            columns={"Ext_Lovelace": 1.5},
            properties={
                "app.queue.Lovelace": "5",
                "app.of.Lovelace": "Ada",
                "app.queue.old.Lovelace": "5",
                "app.queue": "5",
            },
        )
    )
    rest = PSEUDONYMS.of("attribute", "Lovelace")
    assert result.row.columns == {f"Ext_{rest}": 1.5}
    assert result.row.properties == {
        f"app.queue.{rest}": "5",
        f"app.of.{rest}": PSEUDONYMS.of("user", "Ada"),
    }
    assert result.removed == {"pseudonymize:app.of.*": 1, "drop:app.queue.old.*": 1, "unknown": 1}


def test_a_flood_of_names_and_values_is_forgotten_and_changes_nothing() -> None:
    sanitizer = Sanitizer(POLICY, PSEUDONYMS, standard_detectors())
    user = f"alice-{len(POLICY.hash)}"
    first = a_row(properties={"gen_ai.agent.name": "dispatcher"}, columns={"UserId": user})
    unheld = sys.getrefcount(user)
    before = sanitizer.sanitize(first)
    assert sys.getrefcount(user) > unheld
    for number in range(20_000):
        flood = {"gen_ai.conversation.id": f"c-{number}", f"name-{number % 2_500}": "x"}
        sanitizer.sanitize(
            a_row(properties=flood, columns={"UserId": f"u-{number}", "SessionId": f"s-{number}"})
        )
    assert sys.getrefcount(user) == unheld
    assert sanitizer.sanitize(first) == before
