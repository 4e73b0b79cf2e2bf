import csv
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.evidence.table import COLUMNS, encode_table
from functions.spreadsheet import guarded
from functions.traces.model import TraceRow
from tests.unit.evidence.material import TOOL, TRACE, row

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def read(*rows: TraceRow) -> list[dict[str, str]]:
    text = encode_table(rows).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_every_row_is_a_line_with_the_same_columns() -> None:
    records = read(row("AppRequests"), row("AppTraces"), row())
    assert [record["table"] for record in records] == ["AppRequests", "AppTraces", "AppDependencies"]
    assert all(tuple(record) == COLUMNS for record in records)


def test_lines_end_as_rfc_4180_wants() -> None:
    assert encode_table([row()]).count(b"\r\n") == 2


def test_a_span_is_readable_at_a_glance() -> None:
    properties = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": "330",
        "gen_ai.usage.output_tokens": "37",
    }
    (record,) = read(
        row(properties=properties, columns={"DurationMs": 64.5, "Success": True, "ItemCount": 1})
    )
    shown = {
        name: record[name]
        for name in ("trace_id", "span_id", "name", "input_tokens", "duration_ms", "success")
    }
    assert shown == {
        "trace_id": TRACE,
        "span_id": TOOL,
        "name": "chat gpt-4o",
        "input_tokens": "330",
        "duration_ms": "64.5",
        "success": "true",
    }
    assert orjson.loads(record["attributes"]) == properties | {"azure_monitor.ItemCount": 1}


@pytest.mark.parametrize("start", FORMULA_STARTS)
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u3000 "])
def test_text_that_a_spreadsheet_takes_for_a_formula_is_guarded(start: str, before: str) -> None:
    text = f"{before}{start}cmd|' /C calc'!A0"
    assert guarded(text) == f"'{text}"
    (record,) = read(row(columns={"AppRoleName": text}))
    assert record["service"] == f"'{text}"


@pytest.mark.parametrize("text", ["dispatcher", "a=b", "3", "", " plain", "'quoted"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text


def test_negative_numbers_stay_numbers_and_negative_texts_are_guarded() -> None:
    (record,) = read(
        row(
            columns={"DurationMs": -1.5},
            properties={"gen_ai.usage.input_tokens": "-5", "gen_ai.agent.name": "-5"},
        )
    )
    assert (record["duration_ms"], record["input_tokens"], record["agent"]) == ("-1.5", "'-5", "'-5")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_cell_begins_a_formula_and_every_text_comes_back(text: str) -> None:
    (record,) = read(row(columns={"AppRoleName": text}, properties={"gen_ai.tool.name": text}))
    for cell in (record["service"], record["tool"]):
        assert cell.removeprefix("'") == text.removeprefix("'")
        assert not cell.lstrip().startswith(FORMULA_STARTS)
        assert not cell.startswith(FORMULA_STARTS)
