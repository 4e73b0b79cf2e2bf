"""The files of a bundle out of parts."""

import gzip
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.errors import RedactionFailure
from functions.evidence.detectors import Detector, Detectors
from functions.evidence.redaction.policy import redaction_policy
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import ABSENT, ROWS, SECRET, TRACE, assembled, bundle, protection, row
from tests.unit.evidence.rig import Rig

CAPTURES = Path(__file__).parents[4] / "../shared/captures/agent-framework"


def files_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def body_of(data: bytes, name: str) -> Any:
    return orjson.loads(files_of(data)[f"bundle/data/{name}.json"])


def test_the_same_request_and_telemetry_give_the_same_bytes_in_whatever_order_rows_come() -> None:
    assert bundle(*ROWS) == bundle(*reversed(ROWS))


def test_equal_rows_stay_apart() -> None:
    assert body_of(bundle(row(), row()), "completeness")["rows_here"] == 2
    assert files_of(bundle(row(), row()))["bundle/data/spans.csv"].count(TRACE.encode()) == 2


def test_nothing_of_a_prompt_a_name_or_a_message_is_in_the_bundle() -> None:
    data = bundle()
    everything = b"".join(files_of(data).values()) + data
    assert not [word for word in SECRET.split() if len(word) > 3 and word.encode() in everything]


def test_complete_means_that_two_answers_of_the_source_agree() -> None:
    completeness = body_of(assembled(*ROWS), "completeness")
    assert (completeness["complete"], completeness["rows_at_source"], completeness["rows_here"]) == (
        True,
        4,
        4,
    )
    short = body_of(assembled(*ROWS, more_at_source=2), "completeness")
    assert (short["complete"], short["rows_at_source"], short["rows_here"]) == (False, 6, 4)
    assert [part["complete"] for part in short["slices"]] == [False, True, True, True, True]


def test_a_trace_without_rows_is_named_and_makes_the_export_incomplete() -> None:
    completeness = body_of(assembled(*ROWS, missing=(ABSENT,)), "completeness")
    assert completeness["missing_trace_ids"] == [ABSENT]
    assert completeness["complete"] is False


def test_a_trace_asked_for_of_which_no_row_came_is_missing() -> None:
    completeness = body_of(assembled(row(trace_id="0" * 31 + "1")), "completeness")
    assert completeness["missing_trace_ids"] == [TRACE]
    assert completeness["complete"] is False


def test_a_sealed_trace_that_vanished_makes_the_export_incomplete() -> None:
    completeness = body_of(assembled(*ROWS, seals={"vanished": 1, "complete": False}), "completeness")
    assert completeness["seals"] == {"vanished": 1, "complete": False}
    assert completeness["complete"] is False


def test_sampled_rows_are_counted_with_what_they_stand_for() -> None:
    sampled = assembled(row(columns={"ItemCount": 10}), row("AppTraces", columns={}))
    assert body_of(sampled, "completeness")["sampling"] == {
        "rows_standing_for_more": 1,
        "rows_before_sampling": 11,
    }


def test_request_json_holds_every_query_with_a_keyed_digest() -> None:
    request = body_of(assembled(*ROWS), "request")
    assert request["selector"] == {"trace_ids": [TRACE]}
    tables = ["AppRequests", "AppDependencies", "AppTraces", "AppExceptions", "AppEvents"]
    assert [query["kql"].split("\n")[0] for query in request["queries"]] == tables
    pseudonyms = protection().pseudonyms
    assert all(
        query["hmac_sha256"] == pseudonyms.hex_id("query", query["kql"], 64) for query in request["queries"]
    )
    exact = "\n".join(query["kql"] for query in request["queries"])
    assert request["queries_hmac_sha256"] == pseudonyms.hex_id("query", exact, 64)


def test_a_hit_in_the_finished_files_withholds_the_bundle() -> None:
    careless = replace(protection(), detectors=Detectors([Detector("agent", "dispatcher", "dispatcher")]))
    keeping = assembled(*ROWS)
    assert b"dispatcher" in b"".join(files_of(keeping).values())
    with pytest.raises(RedactionFailure):
        assembled(*ROWS, by=careless, keep_parts=protection())


def test_a_policy_that_keeps_too_much_is_caught_by_the_detectors() -> None:
    loose = redaction_policy({"version": 1, "columns": {}, "properties": {"card": {"keep": "integer"}}})
    kept = assembled(row(properties={"card": "378282246310005"}), by=replace(protection(), policy=loose))
    assert b"378282246310005" not in b"".join(files_of(kept).values())


@pytest.mark.skipif(
    not CAPTURES.exists(), reason="the captured telemetry lies beside the repository, not in it"
)
@pytest.mark.parametrize("routing", ["table", "inline"])
def test_no_planted_value_of_captured_telemetry_is_in_the_bundle(routing: str) -> None:
    telemetry = Telemetry(content_routing=routing)  # type: ignore[arg-type]  # one of its two literals
    with gzip.open(CAPTURES / "envelopes.jsonl.gz") as lines:
        telemetry.ingest(map(orjson.loads, lines), delay=timedelta(seconds=2))
    rig = Rig()
    rig.source, rig.now = TelemetrySource(telemetry), datetime(2026, 11, 24, tzinfo=UTC)
    day = {"start": "2026-11-22T00:00:00Z", "end": "2026-11-23T00:00:00Z"}
    export_id = rig.requested({"window": day})
    rig.run(export_id)
    counts = rig.exports.get(export_id).counts
    assert counts is not None
    assert (counts.traces, counts.rows, counts.complete) == (120, 3674, True)
    data = rig.bundle(export_id)
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
