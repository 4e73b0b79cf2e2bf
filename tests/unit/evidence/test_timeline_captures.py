"""Timelines of real traces hold what the script that played model and tools says that it did."""

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from functions.evidence.reading.gathering import gather_rows
from functions.evidence.report.timeline import Step, timeline
from functions.traces.rows import find_traces, read_slices
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import protection
from tests.unit.evidence.reporting import ATTRIBUTES

CAPTURES = Path(__file__).parents[3] / "../shared/captures/agent-framework"

pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason="the captures lie outside the repository")


@pytest.fixture(scope="module")
def traces() -> Mapping[str, tuple[Step, ...]]:
    with gzip.open(CAPTURES / "envelopes.jsonl.gz", "rt") as lines:
        envelopes = [json.loads(line) for line in lines]
    telemetry = Telemetry()
    telemetry.ingest(envelopes, delay=timedelta(seconds=2))
    source = TelemetrySource(telemetry)
    scope = find_traces(source, [one["trace_id"] for one in labels()], now=datetime(2026, 11, 23, tzinfo=UTC))
    rows = gather_rows(scope, read_slices(source, scope), protection()).rows
    return {
        trace_id: timeline(trace_id, tuple(its), ATTRIBUTES).steps
        for trace_id, its in groupby(rows, key=lambda row: row.trace_id)
    }


def labels() -> Iterator[Mapping[str, Any]]:
    with (CAPTURES / "labels.jsonl").open() as lines:
        yield from map(json.loads, lines)


def in_time(steps: tuple[Step, ...], kind: str) -> list[Step]:
    return sorted((one for one in steps if one.kind == kind), key=lambda one: one.at)


def test_tools_models_and_retrievals_are_those_that_ran(traces: Mapping[str, tuple[Step, ...]]) -> None:
    assert len(traces) == 120
    for label in labels():
        steps = traces[label["trace_id"]]
        assert [one.name for one in in_time(steps, "execute_tool")] == label["tools"]
        assert [one.failed for one in in_time(steps, "execute_tool")] == [
            not one["ok"] for one in label["tool_calls"]
        ]
        calls = in_time(steps, "chat")
        assert len(calls) == label["model_calls"]
        assert sum(one.input_tokens or 0 for one in calls) == label["input_tokens"]
        assert sum(one.output_tokens or 0 for one in calls) == label["output_tokens"]
        found = [f"documents: {n}" if n else "no document found" for n in label["retrievals"]]
        assert [one.notes[0] for one in in_time(steps, "retrieval")] == found


def test_retries_are_told_where_a_failed_tool_was_called_again(
    traces: Mapping[str, tuple[Step, ...]],
) -> None:
    told = 0
    for label in labels():
        failed: set[str] = set()
        expected = []
        for call in label["tool_calls"]:
            expected.append(call["name"] in failed)
            failed = failed - {call["name"]} if call["ok"] else failed | {call["name"]}
        shown = [one.retry for one in in_time(traces[label["trace_id"]], "execute_tool")]
        assert shown == expected
        told += sum(shown)
    assert told > 0
