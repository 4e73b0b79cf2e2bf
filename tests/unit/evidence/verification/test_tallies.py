import csv
import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import batched
from pathlib import Path

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.errors import BundleInvalid
from functions.evidence.controls.verdicts import HEADER, Control
from functions.evidence.packing.bundle import CONTROLS, TABLE, TOP, TRACES
from functions.evidence.packing.otlp import SPAN_TABLES, encode_traces
from functions.evidence.packing.table import COLUMNS, encode_table
from functions.evidence.verification.container import Member, open_container
from functions.evidence.verification.readings import Readings
from functions.evidence.verification.tallies import Judged, Tally, judged_by, tally_table, tally_traces
from tests.unit.evidence.material import AGENT, OTHER, TRACE, row
from tests.unit.evidence.sound import files_of, sound_bundle, unpacked

CELL = st.text(alphabet='",\r\n aä1', max_size=4)
FAULTS = (BundleInvalid, KeyError, TypeError, ValueError, AttributeError, csv.Error)


def blocks(data: bytes, lines: int = 3) -> Iterator[bytes]:
    """Give a file a few lines at a time."""
    assert data.endswith(b"\n")
    return map(b"".join, batched(io.BytesIO(data), lines, strict=False))


def table(*records: tuple[str, ...]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows((COLUMNS, *records))
    return out.getvalue().encode()


def as_a_reader_of_csv_counts(data: bytes) -> Tally:
    tally: Tally = {}
    for record in csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True):
        is_span = record["table"] in SPAN_TABLES
        spans, events = tally.get(record["trace_id"], (0, 0))
        tally[record["trace_id"]] = (spans + is_span, events + (not is_span))
    return tally


@pytest.mark.parametrize("name", ["plain", 'a "name", with all', "over\r\ntwo lines", "ä", "", "'=1+1"])
def test_a_row_counts_whatever_its_cells_hold(name: str) -> None:
    properties = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
    rows = (
        row(span_id=AGENT, properties=properties),
        row(trace_id=OTHER, properties=properties),
        row("AppTraces", columns={}),
        row("AppTraces", columns={}),
    )
    counted = {TRACE: (1, 2), OTHER: (1, 0)}
    assert tally_table(blocks(encode_table(rows))) == counted


@given(st.lists(st.tuples(*[CELL] * len(COLUMNS)), max_size=4))
def test_any_table_counts_as_a_reader_of_csv_counts_it(records: list[tuple[str, ...]]) -> None:
    data = table(*records)
    assert tally_table(blocks(data)) == as_a_reader_of_csv_counts(data)


@given(st.integers(min_value=0), st.sampled_from([b'"', b",", b"\r", b"\n", b"a", b'""', b"\r\n", b""]))
@example(0, b'"')
def test_what_is_counted_of_a_damaged_table_is_what_a_reader_of_csv_counts(at: int, put: bytes) -> None:
    plain = (*["a"] * (len(COLUMNS) - 1), '{"a":"b"}')
    begin = len(table())
    data = bytearray(table(plain, ('a,"b"\r\n', *plain[1:]), plain))
    place = begin + at % (len(data) - begin - 1)
    data[place : place + 1] = put
    try:
        counted = tally_table(blocks(bytes(data)))
    except FAULTS:
        return
    assert counted == as_a_reader_of_csv_counts(bytes(data))


@pytest.mark.parametrize("agent", ["plain", 'a, "b"', "ä"])
def test_lines_as_our_own_writer_leaves_them_are_not_read_one_by_one(
    agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    properties = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent}
    data = encode_table([row(properties=properties), row("AppTraces", columns={})])
    monkeypatch.setattr(csv, "reader", None)
    assert tally_table(blocks(data)) == {TRACE: (1, 1)}


def test_a_quote_that_is_not_doubled_is_refused() -> None:
    data = table((*["a"] * (len(COLUMNS) - 1), '{"a":"b"}')).replace(b'a"":', b'a":')
    with pytest.raises(csv.Error):
        tally_table(blocks(data))


@pytest.mark.parametrize("sound", [True, False])
def test_what_is_no_utf_8_is_refused(sound: bool) -> None:
    cells = ["a"] * (len(COLUMNS) - 1)
    data = table((*cells, "é")).replace("é".encode(), "é".encode() if sound else b"\xe9")
    with nullcontext() if sound else pytest.raises(UnicodeDecodeError):
        assert tally_table(blocks(data)) == {"a": (0, 1)}


@pytest.mark.parametrize(
    "ids",
    [
        ("a" * 15, "b" * 17),
        ("a" * 14, "b" * 18),
        ("a" * 16, "B" * 16),
        ("a" * 16, "b" * 15 + " "),
        ("a" * 16 + " " + "b" * 16, "c" * 16),
        ("a" * 16, "b" * 15 + "g"),
        ("a" * 16, "b" * 15 + "\u0663"),
        ("a" * 16, "b" * 14),
        ("a" * 16, "b" * 14 + "\n\n"),
    ],
)
def test_span_ids_that_are_none_are_refused(ids: tuple[str, str]) -> None:
    spans = [{"traceId": TRACE, "spanId": span_id, "attributes": []} for span_id in ids]
    line = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    with pytest.raises(BundleInvalid, match="span id"):
        tally_traces(blocks(orjson.dumps(line) + b"\n"))
    for span, span_id in zip(spans, ("a" * 16, "0123456789abcdef"), strict=True):
        span["spanId"] = span_id
    assert tally_traces(blocks(orjson.dumps(line) + b"\n")) == {TRACE: (2, 0)}


@pytest.mark.parametrize("trace_id", [TRACE.upper()[:-1] + "A", TRACE[1:], "=" + TRACE[1:], ""])
def test_a_trace_id_that_is_none_is_refused(trace_id: str) -> None:
    data = encode_traces([row(span_id=AGENT)]).data.replace(TRACE.encode(), trace_id.encode())
    with pytest.raises(BundleInvalid, match="trace id"):
        tally_traces(blocks(data))


def test_a_span_that_no_row_stands_behind_counts_for_none() -> None:
    data = encode_traces([row("AppTraces", columns={}), row("AppTraces", columns={})]).data
    assert tally_traces(blocks(data)) == {TRACE: (0, 2)}
    escaped = data.replace(b"placeholder", b"\\u0070laceholder")
    assert escaped != data
    assert tally_traces(blocks(escaped)) == {TRACE: (0, 2)}


@pytest.mark.parametrize("reason", ["", '""'])
@pytest.mark.parametrize("result", ["fail", "not evaluable"])
def test_a_verdict_without_a_reason_is_refused(result: str, reason: str) -> None:
    cells = [f"{TRACE},{AGENT},,a,1,{control.value},{result},{reason},,," for control in Control]
    data = "\r\n".join((",".join(HEADER), *cells, "")).encode()
    with pytest.raises(BundleInvalid, match="without a reason"):
        judged_by(blocks(data))


def test_a_line_too_long_for_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = table(("a" * 200_000, *["a"] * (len(COLUMNS) - 1)))
    members = {TABLE: Member(len(data), lambda: io.BytesIO(data))}
    with Readings(Path("nowhere"), members) as readings:
        assert readings.tally(TABLE) == {"a" * 200_000: (0, 1)}
    monkeypatch.setattr("functions.evidence.verification.readings._LONGEST_LINE", 100_000)
    with Readings(Path("nowhere"), members) as readings, pytest.raises(BundleInvalid, match="longer than"):
        readings.tally(TABLE)


def test_a_run_is_judged_whatever_the_cells_hold() -> None:
    out = io.StringIO(newline="")
    cells = (TRACE, AGENT, "", 'an "agent"', "1,0")
    verdicts = [(*cells, control.value, "fail", "so,\r\nit is", "", "", "") for control in Control]
    csv.writer(out, lineterminator="\r\n").writerows((HEADER, *verdicts))
    counted = {"pass": 0, "fail": len(Control), "not evaluable": 0}
    assert judged_by(blocks(out.getvalue().encode())) == Judged(frozenset({TRACE}), 1, counted)


def test_a_file_of_several_chunks_counts_wherever_they_are_cut() -> None:
    plain = (*["a" * 40] * (len(COLUMNS) - 1), '{"a":"b"}')
    odd = ('b,"\r\n', *plain[1:-1], "ä" * 40)
    data = table(*(odd if number % 911 == 7 else plain for number in range(8_000)))
    assert len(data) > 3 << 20
    members = {TABLE: Member(len(data), lambda: io.BytesIO(data))}
    with Readings(Path("nowhere"), members) as readings:
        assert readings.sha256s((TABLE,)) == {TABLE: hashlib.sha256(data).hexdigest()}
        assert readings.tally(TABLE) == as_a_reader_of_csv_counts(data)


APART = """
import resource, sys
from pathlib import Path
from functions.evidence.packing.bundle import TRACES
from functions.evidence.verification import readings
from functions.evidence.verification.container import open_container
path = Path(sys.argv[1])
with open_container(path) as members, readings.Readings(path, members, apart_from=1) as apart:
    (digest,) = apart.sha256s((TRACES,)).values()
    print(digest, sorted(apart.tally(TRACES).items()))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0)
"""


def test_a_long_file_is_read_by_another_process_with_the_same_outcome(tmp_path: Path) -> None:
    folder = unpacked(files_of(sound_bundle()), tmp_path / "bundle")
    with open_container(folder) as members, Readings(folder, members) as readings:
        digests = readings.sha256s((TRACES, TABLE, CONTROLS))
        counted = sorted(readings.tally(TRACES).items())
    ran = subprocess.run(
        [sys.executable, "-c", APART, str(folder)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split(maxsplit=1) == [digests[TRACES], f"{counted}\nTrue\n"]


KILLED = """
import sys
from pathlib import Path
from functions.evidence.packing.bundle import TRACES
from functions.evidence.verification import readings
from functions.evidence.verification.container import open_container
path = Path(sys.argv[1])
with open_container(path) as members, readings.Readings(path, members, apart_from=1) as apart:
    readings._read_apart = sys.exit
    (digest,) = apart.sha256s((TRACES,)).values()
    print(digest)
"""


def test_a_file_is_read_all_the_same_if_the_other_process_is_ended(tmp_path: Path) -> None:
    files = files_of(sound_bundle())
    folder = unpacked(files, tmp_path / "bundle")
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == hashlib.sha256(files[TRACES]).hexdigest()


DAMAGED = """
import sys
from pathlib import Path
from functions.errors import BundleInvalid
from functions.evidence.packing.bundle import TRACES
from functions.evidence.verification import readings
from functions.evidence.verification.container import open_container
path = Path(sys.argv[1])
try:
    with open_container(path) as members, readings.Readings(path, members, apart_from=1) as apart:
        apart.sha256s((TRACES,))
except BundleInvalid as error:
    print(error.message)
"""


def test_damage_that_the_other_process_meets_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(sound_bundle())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(f"{TOP}/{TRACES}")
    data = bytearray(path.read_bytes())
    data[entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2] ^= 0xFF
    path.write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-c", DAMAGED, str(path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "The zip is damaged.\n"
