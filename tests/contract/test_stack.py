"""Azure on a laptop as one: what it leaves in its folder stays, what it started ends with it."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from local.processes import answers
from local.stack import Stack

APP = Path(__file__).parent / "sample_app"
REPOSITORY = Path(__file__).parents[2]
SETTINGS = {"TICK_SCHEDULE": "0 0 0 1 1 *"}
HOLD = """
import signal, sys, time
from pathlib import Path
from local.stack import Stack
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
settings = {"TICK_SCHEDULE": "0 0 0 1 1 *"}
with Stack(Path(sys.argv[1]), app=Path(sys.argv[2]), host_environment=settings) as stack:
    stack.start_host()
    print(stack.host_url, stack.storage.blobs.url, flush=True)
    time.sleep(120)
"""


def all_silent_within(ports: list[int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(answers, ports)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_child_outlives_its_parent(tmp_path: Path, end: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path, APP],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        ports = [urlsplit(url).port or 0 for url in parent.stdout.readline().split()]
        assert [answers(port) for port in ports] == [True, True]
        parent.send_signal(end)
        assert all_silent_within(ports, seconds=30)


def test_a_killed_host_comes_back_with_its_state_and_its_address(tmp_path: Path) -> None:
    with Stack(tmp_path, app=APP, host_environment=SETTINGS) as stack:
        stack.documents().write("checks/one", {"watermark": 1}, version=None)
        stack.start_host()
        address = stack.host_url
        stack.kill_host()
        with pytest.raises(requests.ConnectionError):
            stack.fire("tick")
        stack.start_host()
        stack.fire("tick")
        assert stack.host_url == address
    with Stack(tmp_path, app=APP) as later:
        found = later.documents().read("checks/one")
        assert found is not None
        assert found.body == {"watermark": 1}
