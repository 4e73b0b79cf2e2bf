"""What becomes a line of content.jsonl, and what stands in it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from functions.errors import SourceError
from functions.evidence.detectors import Detector, Detectors, standard_detectors
from functions.evidence.redaction.content import (
    CONTENT_COLUMNS,
    NAMES_STAY,
    POINTER,
    ContentPart,
    ContentReader,
    content_line,
    content_of,
    encode_content,
    points_to_content,
)
from functions.evidence.redaction.policy import redaction_policy
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.redactions import Redactions
from functions.evidence.redaction.rescan import rescan
from functions.traces.model import TraceRow
from functions.traces.source import Cell
from local.azure_monitor.content import COLUMN_OF_CONTENT

BODY = yaml.safe_load((Path(__file__).parents[4] / "config/redaction.yaml").read_bytes())
POLICY = redaction_policy(BODY, "content")
DETECTORS = standard_detectors()
PSEUDONYMS = Pseudonyms(bytes(32), "keyA")
READER = ContentReader(POLICY, PSEUDONYMS, DETECTORS)
STRUCTURE = ContentReader(POLICY, PSEUDONYMS, DETECTORS, structure_only=True)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRACE, SPAN, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "b7ad6b7169203331"
MAIL = "ada@example.com"


def row(table: str = "AppDependencies", *, columns: Any = None, **properties: str) -> TraceRow:
    named = {name.replace("__", "."): value for name, value in properties.items()}
    span = SPAN if table in {"AppDependencies", "AppRequests"} else ""
    return TraceRow(table, TRACE, span, PARENT, NOON, NOON, columns or {}, named)


def record(**cells: Cell) -> Mapping[str, Cell]:
    empty: dict[str, Cell] = dict.fromkeys(CONTENT_COLUMNS, "")
    return empty | {"TimeGenerated": NOON, "TraceId": TRACE, "SpanId": SPAN} | cells


def told(parts: Any) -> list[tuple[str, str, str, str | None]]:
    return [(part.role, part.part, part.tool, part.text) for part in parts]


def test_the_columns_are_those_that_azure_moves() -> None:
    assert {column: name for name, column in COLUMN_OF_CONTENT.items()} == dict(CONTENT_COLUMNS)


CONVERSATION = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": f"I am {MAIL}"}], "name": "Ada"},
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "look it up"},
            {"type": "tool_call", "id": "c1", "name": "get_status", "arguments": {"who": MAIL}},
        ],
        "finish_reason": "tool_call",
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": '{"to": "x"}'}]},
    {"role": "Ada", "parts": [{"type": "blob", "data": "aGVsbG8="}, {"type": "novel", "x": 1}]},
]
LINES = [
    ("system", "text", "", "Be brief."),
    ("user", "text", "", "I am <email>"),
    ("assistant", "reasoning", "", "look it up"),
    ("assistant", "tool_call", "get_status", '{"who":"<email>"}'),
    ("tool", "tool_call_response", "", '{"to":"x"}'),
    ("other", "blob", "", None),
    ("other", "other", "", '{"type":"novel","x":1}'),
]


def test_messages_become_a_line_a_part_in_either_place() -> None:
    text = json.dumps(CONVERSATION)
    inline = list(READER.inline(row(gen_ai__input__messages=text)))
    moved = list(READER.moved(record(InputMessages=text)))
    assert told(inline) == LINES
    assert inline == moved
    assert [part.number for part in inline] == list(range(7))
    assert {(part.kind, part.trace_id, part.span_id, part.time) for part in inline} == {
        ("gen_ai.input.messages", TRACE, SPAN, "2026-11-22T12:00:00.000000Z")
    }
    assert inline[1].found == {"email": 1}
    assert inline[1].characters == len(f"I am {MAIL}")


def test_the_structure_alone_has_roles_lengths_and_tools_and_no_text() -> None:
    parts = list(STRUCTURE.inline(row(gen_ai__input__messages=json.dumps(CONVERSATION))))
    assert told(parts) == [(role, part, tool, None) for role, part, tool, _ in LINES]
    assert {part.shown for part in parts} == {"structure"}
    assert parts[0].characters == 9


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("gen_ai.system_instructions", '[{"type":"text","content":"Hi"}]', [("system", "text", "", "Hi")]),
        ("gen_ai.system_instructions", "Hi", [("system", "text", "", "Hi")]),
        (
            "gen_ai.tool.definitions",
            '[{"type":"function","name":"f","description":"d"},{"function":{"name":"g"}}]',
            [
                ("", "tool_definition", "f", '{"type":"function","name":"f","description":"d"}'),
                ("", "tool_definition", "g", '{"name":"g"}'),
            ],
        ),
        ("gen_ai.tool.call.arguments", '{"a":1}', [("", "other", "", '{"a":1}')]),
        ("gen_ai.tool.call.result", "done", [("", "text", "", "done")]),
        ("gen_ai.evaluation.explanation", "good", [("", "text", "", "good")]),
        (
            "gen_ai.output.messages",
            '[{"role":"assistant","content":"Hi","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}]',
            [("assistant", "text", "", "Hi"), ("assistant", "tool_call", "f", "{}")],
        ),
        (
            "gen_ai.input.messages",
            '[{"role":"user","parts":[{"type":"text","cont',
            [("", "text", "", '[{"role":"user","parts":[{"type":"text","cont')],
        ),
        ("gen_ai.input.messages", "[]", [("", "other", "", "[]")]),
    ],
)
def test_each_kind_of_content_is_read(name: str, text: str, expected: list[Any]) -> None:
    assert (
        told(READER.inline(TraceRow("AppEvents", TRACE, "", PARENT, NOON, NOON, {}, {name: text})))
        == expected
    )


def test_content_of_an_event_stands_under_its_span() -> None:
    (part,) = READER.inline(row("AppEvents", gen_ai__evaluation__explanation="good"))
    assert part.span_id == PARENT


def test_a_pointer_is_no_content_but_says_that_there_is_some() -> None:
    pointing = TraceRow(
        "AppDependencies", TRACE, SPAN, "", NOON, NOON, {},
        {"gen_ai.input.messages": "AppGenAIContent:1", POINTER: "1", "gen_ai.prompt": "Hi"},
    )  # fmt: skip
    assert [part.kind for part in READER.inline(pointing)] == ["gen_ai.prompt"]
    assert points_to_content(pointing)
    assert not points_to_content(row(gen_ai__input__messages="Hi"))


def test_only_what_the_policy_masks_is_taken() -> None:
    rest = row(columns={"Message": "m", "Url": "u", "Name": "n"}, customer__note="x", gen_ai__tool__name="f")
    assert list(READER.inline(rest)) == []
    (part,) = READER.inline(row("AppTraces", columns={"Message": "hello"}))
    assert (part.kind, part.text) == ("AppTraces.Message", "hello")
    metadata = ContentReader(redaction_policy(BODY), PSEUDONYMS, DETECTORS)
    assert list(metadata.inline(row(gen_ai__input__messages="Hi"))) == []
    assert list(metadata.moved(record(InputMessages="Hi"))) == []


@pytest.mark.parametrize("name", ["Ada Lovelace", MAIL, "4111111111111111", "x" * 65])
def test_a_tool_name_that_is_none_is_not_shown(name: str) -> None:
    text = json.dumps(
        [{"role": "assistant", "parts": [{"type": "tool_call", "name": name, "arguments": {}}]}]
    )
    for reader in (READER, STRUCTURE):
        (part,) = reader.inline(row(gen_ai__output__messages=text))
        assert part.tool == ""
        assert name.encode() not in encode_content(part)


def test_ids_that_are_none_are_replaced() -> None:
    (part,) = READER.moved(record(InputMessages="Hi", TraceId="Ada", SpanId="4111111111111111"))
    assert part.trace_id == PSEUDONYMS.hex_id("trace", "Ada", 32)
    assert part.span_id == PSEUDONYMS.hex_id("span", "4111111111111111", 16)


def test_a_row_without_a_time_is_refused() -> None:
    with pytest.raises(SourceError, match="TimeGenerated"):
        list(READER.moved(record(TimeGenerated="noon", InputMessages="Hi")))


def test_a_line_survives_being_stored() -> None:
    for part in READER.inline(row(gen_ai__input__messages=json.dumps(CONVERSATION))):
        assert content_of(content_line(part)) == part
        assert content_line(part)[2:34].decode() == part.trace_id


def test_lines_have_one_order() -> None:
    parts = list(READER.inline(row(gen_ai__input__messages=json.dumps(CONVERSATION), gen_ai__prompt="Hi")))
    ordered = sorted(parts, key=lambda part: part.order)
    assert sorted(map(content_line, parts)) == list(map(content_line, ordered))
    assert len({part.order for part in parts}) == len(parts)


def test_redactions_count_what_was_masked_and_say_what_can_not_be_found() -> None:
    total = Redactions(POLICY, PSEUDONYMS)
    for part in READER.inline(row(gen_ai__input__messages=json.dumps(CONVERSATION))):
        total.add_content(part)
    again = Redactions(POLICY, PSEUDONYMS)
    again.add_account(orjson.loads(orjson.dumps(total.account())))
    assert again.body(rescanned=[]) == total.body(rescanned=[])
    assert total.body(rescanned=[])["content"] == {
        "parts": 7,
        "structure_only": 0,
        "withheld": 1,
        "masked": {"email": 2},
        "notice": NAMES_STAY,
    }


def test_a_line_in_which_something_is_found_after_all_leaves_without_its_text() -> None:
    odd = Detectors([Detector("odd", '"text":"Hi', '"text":"Hi')])  # is in the line, and not in the text
    (part,) = ContentReader(POLICY, PSEUDONYMS, odd).inline(row(gen_ai__prompt="Hi"))
    assert (part.shown, part.text) == ("withheld", None)
    rescan(encode_content(part), odd)


hostile = st.one_of(
    st.text(st.characters(exclude_categories=[])),
    st.text('{}[]"\\:,aé0-9@.n u'),
    st.sampled_from(CONVERSATION).map(json.dumps),
    st.lists(st.sampled_from([*CONVERSATION, 1, None, [], {}])).map(json.dumps),
)


@given(st.sampled_from(sorted(CONTENT_COLUMNS.values())), hostile)
def test_whatever_content_holds_its_lines_pass_the_rescan(name: str, text: str) -> None:
    sent = TraceRow("AppEvents", TRACE, "", PARENT, NOON, NOON, {}, {name: text})
    parts: list[ContentPart] = [*READER.inline(sent), *STRUCTURE.inline(sent)]
    for part in parts:
        line = encode_content(part)
        assert line.count(b"\n") == 1
        assert orjson.loads(line)["trace_id"] == TRACE
    rescan(b"".join(map(encode_content, parts)), DETECTORS)
