import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import orjson

from functions.evidence.controls.verdicts import (
    HEADER,
    TITLES,
    Basis,
    Control,
    Result,
    RunVerdicts,
    Verdict,
    encode_controls,
)

RUN = RunVerdicts(
    "a" * 32,
    "b" * 16,
    datetime(2026, 11, 22, 12, 0, 0, 5000, tzinfo=UTC),
    "dispatcher",
    "2.0",
    "c0ffee",
    Basis.STATED,
    tuple(Verdict(control, Result.FAIL, f"because of {control}") for control in Control),
    ("one note", "another"),
)


def lines(*runs: RunVerdicts) -> list[list[str]]:
    data = b"".join(encode_controls(runs))
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def test_a_run_survives_its_way_through_a_part() -> None:
    body = orjson.loads(orjson.dumps(RUN.body(), option=orjson.OPT_UTC_Z))
    assert RunVerdicts.from_body(body) == RUN


def test_the_file_has_one_line_for_each_run_and_control() -> None:
    found = lines(RUN, replace(RUN, run_id="d" * 16))
    assert found[0] == list(HEADER)
    assert [(line[1], line[5]) for line in found[1:]] == [
        (run_id, control.value) for run_id in ("b" * 16, "d" * 16) for control in Control
    ]
    assert found[1] == [
        "a" * 32,
        "b" * 16,
        "2026-11-22T12:00:00.005Z",
        "dispatcher",
        "2.0",
        "approved_tools",
        "fail",
        "because of approved_tools",
        "c0ffee",
        "stated",
        "one note; another",
    ]


def test_no_cell_is_a_formula() -> None:
    hostile = replace(
        RUN,
        agent="=1+1",
        release="+2",
        verdicts=(Verdict(Control.LATENCY, Result.FAIL, "@SUM(A1)"),),
        notes=("-3",),
    )
    (line,) = lines(hostile)[1:]
    assert [line[3], line[4], line[7], line[10]] == ["'=1+1", "'+2", "'@SUM(A1)", "'-3"]


def test_without_runs_the_file_has_its_header() -> None:
    assert lines() == [list(HEADER)]


def test_blocks_are_whole_lines() -> None:
    blocks = list(encode_controls([RUN] * 1200))
    assert len(blocks) == 4
    assert all(block.endswith(b"\r\n") for block in blocks)


def test_every_control_has_a_title() -> None:
    assert list(TITLES) == list(Control)
