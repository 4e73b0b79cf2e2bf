import csv
import io
import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.evidence.packing.otlp import row_attributes, row_name
from functions.evidence.packing.table import COLUMNS, encode_table
from functions.spreadsheet import encode_csv, guarded
from functions.traces.model import Scalar, TraceRow
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


texts = st.one_of(
    st.text(), st.text("=+-@;,\"'\r\n\t a1{"), st.sampled_from(["chat", "513", "007", "gpt-4o"])
)
values = st.one_of(texts, st.integers(-(2**53), 2**53), st.floats(), st.booleans())
OWN_CELLS = [
    "gen_ai.operation.name",
    "gen_ai.agent.name",
    "gen_ai.usage.input_tokens",
    "gen_ai.request.model",
]


@given(
    st.dictionaries(st.one_of(texts, st.sampled_from(OWN_CELLS)), texts, max_size=6),
    st.dictionaries(st.sampled_from(["DurationMs", "Success", "ItemCount", "AppRoleName", "Other"]), values),
    texts,
)
def test_a_line_is_what_a_general_writer_of_csv_writes(
    properties: dict[str, str], columns: dict[str, Scalar], odd_id: str
) -> None:
    sent = row(properties=properties, columns=columns, parent_id=odd_id)
    own, count = properties.get, properties.get("gen_ai.usage.input_tokens", "")
    cells: list[Scalar] = [
        TRACE,
        "AppDependencies",
        TOOL,
        odd_id,
        "2026-11-22T12:00:00.000000Z",
        "2026-11-22T12:00:02.000000Z",
        row_name(sent),
        own("gen_ai.operation.name", ""),
        own("gen_ai.agent.name", ""),
        "",
        own("gen_ai.request.model", ""),
        int(count) if re.fullmatch("[0-9]{1,15}", count) else count,
        "",
        columns.get("DurationMs", ""),
        columns.get("Success", ""),
        "",
        columns.get("ItemCount", ""),
        columns.get("AppRoleName", ""),
        "",
        orjson.dumps(row_attributes(sent)).decode(),
    ]
    assert encode_table([sent]) == encode_csv(COLUMNS, [cells])
