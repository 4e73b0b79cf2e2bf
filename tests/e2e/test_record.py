"""A day is sealed, a trace vanishes, an export says so, the ledger holds: on the real runtime and store."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

import pytest
import requests

from functions.evidence.seals.sealing import SETTLE
from functions.traces.model import TABLES
from local.stack import REPOSITORY, Stack
from tests.checks.telemetry import Trace

DAY = (datetime.now(UTC) - SETTLE).date() - timedelta(days=1)
NOON = datetime.combine(DAY, time_of_day(12), UTC)
KEPT, VANISHING = (Trace(number, start=NOON) for number in (1, 2))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("record")) as running:
        for trace in (KEPT, VANISHING):
            trace.tool("get_shipment_status", trace.agent("dispatcher", trace.request()))
            running.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
        running.start_host()
        yield running


def exported(stack: Stack) -> dict[str, Any]:
    window = {"start": f"{DAY}T11:00:00Z", "end": f"{DAY}T13:00:00Z"}
    asked = {
        "selector": {"window": window},
        "profile": "metadata",
        "reason": "weekly review",
        "ticket": "OPS-1",
    }
    with stack.sign_in("engineer") as session:
        answer = session.post(f"{stack.host_url}/api/v1/exports", json=asked, timeout=60)
        answer.raise_for_status()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            export: dict[str, Any] = session.get(
                f"{stack.host_url}/api/v1/exports/{answer.json()['id']}", timeout=60
            ).json()
            if export["state"] in {"done", "failed"}:
                return export
            time.sleep(0.5)
    raise AssertionError(export["state"])


def ledger(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "functions.cli", "ledger", *words],
        cwd=REPOSITORY,
        env={**stack.settings, **stack.trust()},
        capture_output=True,
        text=True,
        check=False,
    )


def actions(stack: Stack) -> list[str]:
    with stack.sign_in("officer") as session:
        answer: requests.Response = session.get(f"{stack.host_url}/api/v1/access-log", timeout=60)
    return [entry["action"] for entry in answer.json()["entries"]]


def test_a_trace_that_vanished_after_its_seal_is_missed_and_the_ledger_holds(stack: Stack) -> None:
    for timer in ("check_clock", "seal_days", "note_head"):
        stack.fire(timer)
    export = exported(stack)
    assert (export["state"], export["counts"]["traces"], export["counts"]["complete"]) == ("done", 2, True)
    for table in TABLES:
        stack.telemetry._database.execute(  # noqa: SLF001 - nothing of ours can do it
            f'DELETE FROM "{table}" WHERE "OperationId" = $trace_id', {"trace_id": VANISHING.trace_id}
        )
    export = exported(stack)
    assert (export["state"], export["counts"]["traces"], export["counts"]["complete"]) == ("done", 1, False)
    assert export["bundle"]["object_name"].endswith("-INCOMPLETE.zip")
    told = actions(stack)
    assert {"seals.agent", "seals.day", "seals.vanished"} <= set(told)
    assert "clock.off" not in told
    verified = ledger(stack, "verify", "--key", str(stack.public_key))
    assert (verified.returncode, verified.stdout.splitlines()[0]) == (0, "THE LEDGER HOLDS"), verified
    assert "1 of the heads are signed with your key" in verified.stdout
    assert "it has the seals of 1 days; those of 1 lie in the store as they were" in verified.stdout


def test_the_ledger_is_written_out_for_others(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    assert ledger(stack, "export", str(file)).returncode == 0
    assert ledger(stack, "verify", "--from", str(file)).returncode == 0
    assert ledger(stack, "export", str(file)).returncode == 2
