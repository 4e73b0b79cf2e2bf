"""On the real runtime, queue and store: a week's export comes and is told by itself; a sample is drawn."""

import re
import subprocess
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.windows import window_start
from functions.configuration import SHIPPED, load_configuration
from functions.evidence.exports.schedules import DOCUMENT, Progress, bounds_of, held_json, read_held
from functions.weeks import latest_day
from local.stack import Stack
from tests.checks.telemetry import Trace

NOW = datetime.now(UTC).replace(microsecond=0)
(REVIEW,) = load_configuration(SHIPPED).exports.schedules
DUE = latest_day(REVIEW, NOW)
START, END = bounds_of(REVIEW, DUE)
DOCS = Path(__file__).parents[2] / "docs" / "exports.md"
TRACES = 12


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return a stack with a dozen runs in the week that the review is of; the schedule was seen before it."""
    with Stack(tmp_path_factory.mktemp("scheduled")) as running:
        for number in range(1, TRACES + 1):
            trace = Trace(number, start=START + number * timedelta(hours=7))
            trace.agent("dispatcher" if number % 3 else "benefits-assistant", trace.request())
            running.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
        # The checks begin now, so that the tick has little to judge.
        for check in load_configuration(SHIPPED).checks:
            begun = state_to_json(CheckState(watermark=window_start(NOW, check.every)))
            running.documents().write(PREFIX + check.id, begun, version=None)
        seen = {REVIEW.name: Progress(DUE - timedelta(days=7))}
        running.documents().write(DOCUMENT, held_json(seen), version=None)
        running.start_host()
        yield running


def finished(stack: Stack, export_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    with stack.sign_in("auditor") as session:
        while time.monotonic() < deadline:
            answer = session.get(f"{stack.host_url}/api/v1/exports/{export_id}", timeout=60)
            export: dict[str, Any] = answer.json()
            if export["state"] in {"done", "failed"}:
                return export
            time.sleep(0.5)
    raise AssertionError(export["state"])


def waiting(stack: Stack) -> list[str]:
    document = stack.documents().read(DOCUMENT)
    assert document is not None
    return [due.export_id for due in read_held(document.body)[REVIEW.name].waiting]


def test_the_week_s_export_is_made_and_announced_by_itself(stack: Stack) -> None:
    stack.fire("watch_tick")
    (export_id,) = waiting(stack)
    export = finished(stack, export_id)
    assert (export["state"], export["requester"]) == ("done", "tracekeeper:schedule")
    assert export["counts"]["traces"] == TRACES
    stack.fire("watch_tick")
    stack.fire("watch_tick")
    assert waiting(stack) == []
    cards = [orjson.dumps(post.body).decode() for post in stack.posts()]
    (card,) = [card for card in cards if export_id in card]
    assert f"weekly-operations-review · {TRACES} traces" in card
    assert f"/portal?view=exports&export={export_id}" in card


def test_a_sample_is_drawn_downloaded_and_drawn_again_from_the_bundle_alone(
    stack: Stack, tmp_path: Path
) -> None:
    sample = {"start": START, "end": END, "size": 4, "stratum": "agent"}
    body = {"selector": {"sample": sample}, "profile": "metadata", "reason": "Audit", "ticket": "AUDIT-4"}
    with stack.sign_in("auditor") as session:
        asked = session.post(
            f"{stack.host_url}/api/v1/exports",
            data=orjson.dumps(body),
            headers={"Content-Type": "application/json"},
            timeout=60,
        )
        assert asked.status_code == 202, asked.text
        export = finished(stack, asked.json()["id"])
        assert (export["state"], export["counts"]["traces"]) == ("done", 4)
        bundle = session.get(f"{stack.host_url}/api/v1/exports/{export['id']}/bundle", timeout=60)
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle.content)
    with zipfile.ZipFile(path) as unpacked:
        unpacked.extractall(tmp_path)
    (data,) = tmp_path.rglob("data")
    recipe = re.search(r"<!-- redraw -->\n```sh\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert recipe
    command = ["bash", "-euo", "pipefail", "-c", recipe[1]]
    again = subprocess.run(command, cwd=data.parent, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    told = orjson.loads((data / "request.json").read_bytes())["resolved"]["sample"]
    assert told["population"]["runs"] == TRACES
    shares = {one["name"]: len(one["drawn"]) for one in told["strata"]}
    assert shares == {"dispatcher": 3, "benefits-assistant": 1}


def test_a_sample_with_a_chosen_seed_is_refused_and_the_ledger_tells_of_it(stack: Stack) -> None:
    sample = {"start": START, "end": END, "size": 4, "seed": "5eed" * 16}
    body = {"selector": {"sample": sample}, "profile": "metadata", "reason": "Audit", "ticket": "AUDIT-4"}
    with stack.sign_in("auditor") as session:
        refused = session.post(
            f"{stack.host_url}/api/v1/exports",
            data=orjson.dumps(body),
            headers={"Content-Type": "application/json"},
            timeout=60,
        )
    assert refused.status_code == 400
    assert "nobody chooses which runs are drawn" in refused.json()["detail"]
    with stack.sign_in("officer") as session:
        log = session.get(f"{stack.host_url}/api/v1/access-log", timeout=60).json()
    entries = [one for one in log["entries"] if "selector.sample.seed" in one["reason"]]
    assert [(one["action"], one["outcome"]) for one in entries] == [("exports.request", "refused")]
    assert "5eed" not in orjson.dumps(log).decode()
