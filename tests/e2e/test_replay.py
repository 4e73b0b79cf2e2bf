"""Telemetry of a real agent framework: the checks name what its labels name, and nothing planted gets out."""

import csv
import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
CAPTURES = REPOSITORY.parent / "shared" / "captures" / "agent-framework"

pytestmark = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason="the captured telemetry is not here; test_demo.py makes its own"
)


@pytest.fixture(scope="module", params=["table", "inline"])
def replayed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp(request.param)
    command = ["replay", str(CAPTURES / "envelopes.jsonl.gz"), "--over", "24h", "--out", str(out)]
    subprocess.run(
        [sys.executable, "-m", "local", *command, "--content-routing", request.param],
        cwd=REPOSITORY,
        check=True,
    )
    return out


def labels() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CAPTURES / "labels.jsonl").read_text().splitlines()]


def named(replayed: Path, check: str) -> set[str]:
    findings = [json.loads(line) for line in (replayed / "findings.jsonl").read_text().splitlines()]
    return {trace for finding in findings if finding["check_id"] == check for trace in finding["trace_ids"]}


@pytest.mark.parametrize(
    ("check", "label"),
    [
        ("skipped_lookup", "skipped_lookup"),
        ("stale_tool_data", "stale_tool_data"),
        ("unapproved_tool", "unapproved_tool"),
        ("tool_retry_storm", "retry_storm"),
        ("empty_retrieval", "empty_retrieval"),
        ("slow_step", "slow_step"),
        ("broken_correlation", "missing_correlation"),
    ],
)
def test_the_check_names_exactly_the_labelled_traces(replayed: Path, check: str, label: str) -> None:
    assert named(replayed, check) == {truth["trace_id"] for truth in labels() if truth[label]}


def test_a_repeated_search_is_named_where_its_arguments_were_recorded(replayed: Path) -> None:
    recorded = [label for label in labels() if label["arguments_recorded"]]
    repeated = {label["trace_id"] for label in recorded if label["duplicate_retrieval"]}
    assert len(repeated) == 8
    assert named(replayed, "duplicate_retrieval") == repeated


@pytest.mark.parametrize(
    ("control", "label"),
    [
        ("required_lookups", "skipped_lookup"),
        ("data_fresh", "stale_tool_data"),
        ("approved_tools", "unapproved_tool"),
        ("correlation", "missing_correlation"),
    ],
)
def test_the_bundle_s_controls_are_what_the_labels_say(replayed: Path, control: str, label: str) -> None:
    with zipfile.ZipFile(replayed / "bundle-metadata.zip") as bundle:
        lines = csv.DictReader(io.StringIO(bundle.read("bundle/data/controls.csv").decode(), newline=""))
        found = {line["trace_id"]: line["result"] for line in lines if line["control"] == control}
    assert found == {truth["trace_id"]: "fail" if truth[label] else "pass" for truth in labels()}


def test_every_token_burst_is_found_and_nothing_outside_one(replayed: Path) -> None:
    found = named(replayed, "cost_spike")
    bursts: dict[str, set[str]] = {}
    for label in labels():
        if label["token_spike"]:
            bursts.setdefault(label["mode"], set()).add(label["trace_id"])
    assert len(bursts) == 3
    assert all(found & burst for burst in bursts.values())
    assert found <= set().union(*bursts.values())


def test_no_planted_value_is_in_any_byte_that_came_out(replayed: Path) -> None:
    with gzip.open(CAPTURES / "canaries.jsonl.gz", "rt") as lines:
        planted = [json.loads(line)["value"] for line in lines]
    bundle = replayed / "bundle-metadata.zip"
    texts = [bundle.read_bytes(), *(file.read_bytes() for file in replayed.glob("*.json*"))]
    texts += [(replayed / "stack" / name).read_bytes() for name in ("host.log", "posts.jsonl")]
    with zipfile.ZipFile(bundle) as unpacked:
        texts += [unpacked.read(name) + name.encode() for name in unpacked.namelist()]
    everything = b"\n".join(texts).lower()
    assert len(planted) > 5_000
    assert [value for value in planted if value.lower().encode() in everything] == []


def test_content_is_in_its_own_bundle_without_the_kinds_that_are_claimed(replayed: Path) -> None:
    """Telephone numbers are claimed by their recall alone; names, streets and made-up words by nothing."""
    with gzip.open(CAPTURES / "canaries.jsonl.gz", "rt") as lines:
        planted = [json.loads(line) for line in lines]
    with zipfile.ZipFile(replayed / "bundle-content.zip") as bundle:
        everything = b"\n".join(bundle.read(name) + name.encode() for name in bundle.namelist())
        said = bundle.read("bundle/data/content.jsonl")
    assert said.count(b"\n") > 500
    unclaimed = {"canary", "name", "street_address", "phone"}
    leaked = Counter(one["kind"] for one in planted if one["value"].encode() in everything)
    assert leaked.keys() <= unclaimed
    assert leaked["name"] > 0, "the test would not see what stays"
    phones = sum(one["kind"] == "phone" for one in planted)
    assert leaked["phone"] <= 0.15 * phones


def test_every_window_of_the_day_was_evaluated(replayed: Path) -> None:
    coverage = json.loads((replayed / "coverage.json").read_text())
    assert coverage.keys() >= {"skipped_lookup", "stale_tool_data", "cost_spike"}
    assert all(covered["gaps"] == [] for covered in coverage.values())


def test_each_check_knows_what_its_questions_took(replayed: Path) -> None:
    for check_id, coverage in json.loads((replayed / "coverage.json").read_text()).items():
        for day in coverage["asking"]:
            assert day["timed"] == day["measured"] == day["queries"] > 0, check_id
            assert day["seconds"] > 0
            assert day["bytes_read"] > 0
        assert coverage["asking"], check_id
