"""`tracekeeper doctor` and `inventory` run as processes, against the local Azure and an `az` on PATH."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.alerts.state import PREFIX
from functions.configuration import SHIPPED, load_configuration
from local.stack import Stack
from tests.checks.telemetry import Trace
from tests.fakes.azure_cli import write_program
from tests.unit.release import azure

OK = "OK         "
PROBLEM = "PROBLEM    "
CANT_TELL = "CAN'T TELL "
QUESTIONS = 9


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The local Azure after a tick over one healthy run, with the app stopped."""
    with Stack(tmp_path_factory.mktemp("doctor"), canaries=True) as stack:
        stack.start_host()
        stack.fire("send_canary")
        trace = Trace(1, start=datetime.now(UTC) - timedelta(minutes=3))
        trace.tool("search", trace.agent("broker"))
        stack.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=5))
        test = [sys.executable, "-m", "functions.cli", "alerts", "test", "teams", "--wait", "2"]
        with subprocess.Popen(test, env=person(stack), stdout=subprocess.PIPE, text=True) as asking:
            assert asking.stdout is not None
            asking.stdout.readline()
            stack.fire("watch_tick")
            assert asking.wait() == 0
        stack.stop_host()
        yield stack


def person(stack: Stack, **environment: str) -> dict[str, str]:
    """Return the environment of a person who is signed in as the stand-in's identity."""
    return {**os.environ, **stack.settings, **stack.trust(), **environment}


def run(stack: Stack, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as that person."""
    return subprocess.run(
        [sys.executable, "-m", "functions.cli", *arguments],
        env=person(stack, **environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_healthy_service_and_what_breaks_it(stack: Stack, tmp_path: Path) -> None:
    healthy = run(stack, "doctor")
    assert healthy.stderr == ""
    assert healthy.stdout.count(OK) == QUESTIONS, healthy.stdout
    assert healthy.returncode == 0

    first = PREFIX + load_configuration(SHIPPED).checks[0].id
    held = stack.documents().read(first)
    assert held is not None
    stack.documents().write(first, {**held.body, "format": 99}, version=held.version)
    broken = run(stack, "doctor", LOGS_WORKSPACE_ID="", LOGS_RESOURCE_ID="")
    assert broken.returncode == 1
    assert f"{PROBLEM}checks run" in broken.stdout
    assert f"{CANT_TELL}traces arrive       The app setting LOGS_WORKSPACE_ID" in broken.stdout
    assert f"{OK}storage and clock" in broken.stdout


def test_an_inventory_is_taken_signed_and_verified(stack: Stack, tmp_path: Path) -> None:
    write_program(tmp_path, azure.answers())
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    taken = run(stack, "inventory", "--out", str(tmp_path), PATH=path)
    assert (taken.returncode, taken.stderr) == (0, "")
    (bundle,) = tmp_path.glob("inventory-*.zip")
    verified = run(stack, "verify", str(bundle), "--key", str(stack.public_key))
    assert verified.returncode == 0
    assert "an inventory of 5 Azure resources" in verified.stdout
