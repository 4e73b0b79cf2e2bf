"""The report of a bundle that a job made says what the bundle's other files say."""

import base64
import io
import zipfile
from datetime import timedelta
from functools import cache
from typing import Any

import orjson

from functions.evidence.packing.bundle import COMPLETENESS, REPORT, REQUEST, TOP
from tests.unit.evidence.material import ABSENT, NOON, TRACE, assembled, row
from tests.unit.evidence.material import REQUEST as REQUEST_SPAN
from tests.unit.evidence.reporting import Page
from tests.unit.evidence.rig import Rig, report_builder

WINDOW = {
    "start": (NOON - timedelta(minutes=5)).isoformat(),
    "end": (NOON + timedelta(minutes=5)).isoformat(),
}


@cache
def files(kind: str) -> dict[str, bytes]:
    """Have a job make a bundle; return its files by their path from the bag's root."""
    selectors: dict[str, dict[str, Any]] = {
        "traces": {"trace_ids": [TRACE]},
        "missing": {"trace_ids": [TRACE, ABSENT]},
        "sample": {"sample": WINDOW | {"size": 1}},
    }
    rig = Rig()
    export_id = rig.requested(selectors[kind])
    rig.run(export_id)
    with zipfile.ZipFile(io.BytesIO(rig.bundle(export_id))) as archive:
        return {name.removeprefix(f"{TOP}/"): archive.read(name) for name in archive.namelist()}


def page(kind: str) -> Page:
    return Page(files(kind)[REPORT])


def test_it_is_sound_and_counts_what_the_other_files_hold() -> None:
    completeness = orjson.loads(files("traces")[COMPLETENESS])
    assert completeness["complete"] is True
    assert f"holds 1 trace with {completeness['rows_here']} rows of telemetry" in page("traces").words
    assert "INCOMPLETE" not in page("traces").text
    assert f"Trace 1: {TRACE}" in page("traces").headings


def test_it_shows_the_steps_of_the_trace() -> None:
    steps = page("traces").table("Step", "Began after")
    assert [row[0] for row in steps] == ["request", "agent dispatcher", "tool get_shipment_status"]
    assert steps[2][3] == "✕ failed"
    assert "exception TimeoutError" in steps[2][6]


def test_a_trace_that_is_missing_makes_it_say_incomplete_and_names_the_trace() -> None:
    assert page("missing").headings[0].startswith("INCOMPLETE: ")
    assert f"1 trace that was asked for: no row: {ABSENT}" in page("missing").words


def test_a_sample_says_how_it_was_drawn() -> None:
    sample = orjson.loads(files("sample")[REQUEST])["resolved"]["sample"]
    runs = sample["population"]["runs"]
    assert f"It is a sample: 1 of {runs} runs" in page("sample").words
    assert sample["seed"] in page("sample").text
    assert "data/population.txt the runs that the sample was drawn from" in page("sample").words


def test_it_names_the_thumbprint_of_the_key_that_signed() -> None:
    header = files("traces")["signatures/tagmanifest.jws"].split(b".")[0]
    kid = orjson.loads(base64.urlsafe_b64decode(header + b"=" * (-len(header) % 4)))["kid"]
    assert f"The key that signs has the thumbprint (RFC 7638) {kid}." in page("traces").words


def test_of_a_trace_with_very_many_rows_it_counts_all_and_reads_the_first() -> None:
    logs = [
        row("AppTraces", time=NOON + timedelta(milliseconds=n), parent_id=REQUEST_SPAN) for n in range(5_100)
    ]
    made = assembled(row("AppRequests", span_id=REQUEST_SPAN), *logs, report=report_builder())
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        words = Page(archive.read(f"{TOP}/{REPORT}")).words
    assert "1 trace with 5,101 rows of telemetry" in words
    assert "Only its first 5,000 rows were read for this drawing and its cost." in words
