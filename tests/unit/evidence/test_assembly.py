import gzip
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from functions.errors import RedactionFailure, ResultTooLarge
from functions.evidence import assembly
from functions.evidence.assembly import build_bundle, describe_rows, gather_rows, queries_hmac
from functions.evidence.detectors import Detector, Detectors
from functions.evidence.policy import redaction_policy
from functions.traces.rows import Scope, read_slices, traces_in_window
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import (
    ABSENT,
    NOON,
    ROWS,
    SECRET,
    TRACE,
    bundle,
    gathered,
    protection,
    row,
    selection,
    slices,
)

SCOPE = Scope((TRACE,), (), 0, NOON, NOON + timedelta(days=1))
CAPTURES = Path(__file__).parents[3] / "../shared/captures/agent-framework"


def files_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_same_request_and_telemetry_give_the_same_bytes_in_whatever_order_rows_come() -> None:
    assert bundle(*ROWS) == bundle(*reversed(ROWS))


def test_equal_rows_stay_apart() -> None:
    assert gathered(row(), row()).counts.rows == 2


def test_nothing_of_a_prompt_a_name_or_a_message_is_in_the_bundle() -> None:
    data = bundle()
    everything = b"".join(files_of(data).values()) + data
    assert not [word for word in SECRET.split() if len(word) > 3 and word.encode() in everything]


def test_complete_means_that_two_answers_of_the_source_agree() -> None:
    completeness = gathered(*ROWS).completeness
    assert (completeness["complete"], completeness["rows_at_source"], completeness["rows_here"]) == (
        True,
        4,
        4,
    )
    short = gathered(*ROWS, more_at_source=2).completeness
    assert (short["complete"], short["rows_at_source"], short["rows_here"]) == (False, 6, 4)
    assert [part["complete"] for part in short["slices"]] == [False, True, True, True, True]


def test_a_trace_without_rows_is_named_and_makes_the_export_incomplete() -> None:
    found = gathered(*ROWS, missing=(ABSENT,))
    assert found.completeness["missing_trace_ids"] == [ABSENT]
    assert found.counts.complete is False


def test_sampled_rows_are_counted_with_what_they_stand_for() -> None:
    sampled = gathered(row(columns={"ItemCount": 10}), row("AppTraces", columns={})).completeness
    assert sampled["sampling"] == {"rows_standing_for_more": 1, "rows_before_sampling": 11}


def test_request_json_holds_every_query_with_a_keyed_digest() -> None:
    found = gathered(*ROWS)
    request = orjson.loads(
        files_of(build_bundle(selection(), found, protection()))["bundle/data/request.json"]
    )
    assert request["selector"] == {"trace_ids": [TRACE]}
    assert [query["kql"].split("\n")[0] for query in request["queries"]] == [
        part.slice.table for part in slices(*ROWS)
    ]
    pseudonyms = protection().pseudonyms
    assert all(
        query["hmac_sha256"] == pseudonyms.hex_id("query", query["kql"], 64) for query in request["queries"]
    )
    assert request["queries_hmac_sha256"] == queries_hmac(found, pseudonyms)


def test_too_many_rows_are_refused_before_they_fill_the_memory() -> None:
    part = slices(row())[1]
    crowd = replace(part, rows=part.rows * (assembly.MAX_ROWS + 1))
    with pytest.raises(ResultTooLarge):
        gather_rows(SCOPE, [crowd], protection())


def test_a_hit_in_the_finished_files_withholds_the_bundle() -> None:
    careless = replace(protection(), detectors=Detectors([Detector("agent", "dispatcher", "dispatcher")]))
    with pytest.raises(RedactionFailure):
        build_bundle(selection(), gathered(*ROWS), careless)


def test_a_policy_that_keeps_too_much_is_caught_by_the_detectors() -> None:
    loose = redaction_policy({"version": 1, "columns": {}, "properties": {"card": {"keep": "integer"}}})
    kept = gather_rows(
        SCOPE, slices(row(properties={"card": "378282246310005"})), replace(protection(), policy=loose)
    )
    assert b"378282246310005" not in b"".join(
        files_of(build_bundle(selection(), kept, protection())).values()
    )


def test_a_trace_is_described_with_its_spans_and_events_apart() -> None:
    described = describe_rows(gathered(*ROWS))
    assert [span["table"] for span in described["spans"]] == ["AppRequests", "AppDependencies"]
    assert [event["name"] for event in described["events"]] == ["log", "exception"]
    assert described["redactions"]["removed"]["drop:Message"] == 1
    assert SECRET.encode() not in orjson.dumps(described)


@pytest.mark.skipif(
    not CAPTURES.exists(), reason="the captured telemetry lies beside the repository, not in it"
)
@pytest.mark.parametrize("routing", ["table", "inline"])
def test_no_planted_value_of_captured_telemetry_is_in_the_bundle(routing: str) -> None:
    telemetry = Telemetry(content_routing=routing)  # type: ignore[arg-type]  # one of its two literals
    with gzip.open(CAPTURES / "envelopes.jsonl.gz") as lines:
        telemetry.ingest(map(orjson.loads, lines), delay=timedelta(seconds=2))
    source = TelemetrySource(telemetry)
    day = datetime(2026, 11, 22, tzinfo=UTC)
    scope = traces_in_window(
        source, start=day, end=day + timedelta(days=1), agent=None, release=None, names={}
    )
    found = gather_rows(scope, read_slices(source, scope), protection())
    data = build_bundle(selection(), found, protection())
    assert (found.counts.traces, found.counts.rows, found.counts.complete) == (120, 3674, True)
    everything = b"\n".join([*files_of(data).values(), *map(str.encode, files_of(data)), data])
    with gzip.open(CAPTURES / "canaries.jsonl.gz") as lines:
        planted = [orjson.loads(line)["value"] for line in lines]
    assert len(planted) > 1000
    assert (
        found_in(everything, {*map(str.encode, planted), *(orjson.dumps(value)[1:-1] for value in planted)})
        == []
    )


def test_the_search_for_planted_values_finds_them() -> None:
    assert found_in(b"a planted value, another", {b"planted value", b"absent value"}) == [b"planted value"]


def found_in(data: bytes, values: set[bytes]) -> list[bytes]:
    """Search for all values in one pass: thousands of passes over megabytes take a minute."""
    shortest = min(map(len, values))
    by_start: dict[bytes, list[bytes]] = {}
    for value in values:
        by_start.setdefault(value[:shortest], []).append(value)
    starts = (start for start in range(len(data)) if data[start : start + shortest] in by_start)
    return [
        value
        for start in starts
        for value in by_start[data[start : start + shortest]]
        if data.startswith(value, start)
    ]
