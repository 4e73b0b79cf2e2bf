"""An export whose host is killed at ten points gives the bytes of an undisturbed one, outside signatures/."""

import io
import random
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from functions.evidence.exports.steps import Step
from functions.evidence.packing.bundle import SIGNATURES, TOP
from functions.evidence.verification.verification import Verified, verify_bundle
from functions.signing.signatures import read_public_key
from local.serving import Service
from local.stack import Stack
from tests.checks.telemetry import Trace
from tests.e2e.passage import Passage

KILLS = 10
TRACES = 1_100
"""More than two lists of ids hold, so that there are enough slices to be killed in."""

AGENT = "dispatch-assistant"
START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=2)
SECONDS = 60


@dataclass
class Scene:
    """A stack whose host writes through a passage."""

    stack: Stack
    passage: Passage

    def ask(self) -> str:
        """Ask for the export of an agent's hour, and return its id."""
        window = {
            "start": text(START),
            "end": text(START + timedelta(hours=1)),
            "agent": "dispatch-assistant",
        }
        body = {"selector": {"window": window}, "profile": "metadata", "reason": "a drill", "ticket": "E2E-5"}
        with self.stack.sign_in("auditor") as person:
            answer = person.post(f"{self.stack.host_url}/api/v1/exports", json=body, timeout=SECONDS)
            assert answer.status_code == 202, answer.text
            return str(answer.json()["id"])

    def push(self, export_id: str) -> None:
        """Put the first step into the queue again: what a dead host had taken is hidden for half a minute."""
        self.stack.storage.queues.put("exports", Step(export_id).message().encode())

    def over(self, export_id: str) -> bool:
        """Return whether the export is over."""
        held = self.stack.documents().read(f"exports/{export_id}")
        assert held is not None
        return held.body["state"] not in {"queued", "running"}

    def wait(self, export_id: str) -> bool:
        """Wait until the host was killed or the export is over; return whether it was killed."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if self.passage.struck or self.over(export_id):
                return self.passage.struck
            time.sleep(0.1)
        raise AssertionError(self.passage.writes)

    def bundle(self, export_id: str) -> tuple[dict[str, Any], bytes]:
        """Return the export and its bundle."""
        with self.stack.sign_in("auditor") as person:
            url = f"{self.stack.host_url}/api/v1/exports/{export_id}"
            export: dict[str, Any] = person.get(url, timeout=SECONDS).json()
            return export, person.get(f"{url}/bundle", timeout=SECONDS).content


def text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@pytest.fixture
def scene(tmp_path: Any) -> Iterator[Scene]:
    environment: dict[str, str] = {}
    with Stack(tmp_path, host_environment=environment) as stack:
        envelopes = []
        for number in range(1, TRACES + 1):
            trace = Trace(number, start=START + number * timedelta(seconds=3))
            trace.agent(AGENT, trace.request(**{"app.intent": "shipment_status"}))
            envelopes += trace.envelopes
        stack.telemetry.ingest(envelopes, delay=timedelta(seconds=1))
        storage = urlsplit(stack.storage.blobs.url)
        passage = Passage(
            storage=f"{storage.scheme}://{storage.netloc}",
            webhook=stack.inbox_url,
            authority=str(stack.ca),
            kill=stack.kill_host,
        )
        with Service(passage, stack.certificates) as service:
            environment["STORAGE_BLOB_ENDPOINT"] = service.url + storage.path.rstrip("/")
            yield Scene(stack, passage)


def outside_signatures(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        left_out = {f"{TOP}/{name}" for name in SIGNATURES}
        return {name: archive.read(name) for name in archive.namelist() if name not in left_out}


def test_an_export_killed_at_ten_points_gives_the_same_bytes(scene: Scene, tmp_path: Any) -> None:
    stack, passage = scene.stack, scene.passage
    stack.start_host()
    undisturbed = scene.ask()
    assert not scene.wait(undisturbed)
    _, expected = scene.bundle(undisturbed)
    chance = random.Random(5)
    export_id = scene.ask()
    for _ in range(KILLS):
        passage.arm(chance.randrange(1, 5), chance.choice(("before", "after")))
        scene.push(export_id)
        assert scene.wait(export_id), "it was over before it could be killed so often"
        passage.arm(None)
        stack.start_host()
    scene.push(export_id)
    assert not scene.wait(export_id)
    export, data = scene.bundle(export_id)
    assert export["state"] == "done", export
    assert (export["counts"]["traces"], export["counts"]["complete"]) == (TRACES, True)
    assert outside_signatures(data) == outside_signatures(expected)
    assert data != expected, "each signature is another"
    (tmp_path / "bundle.zip").write_bytes(data)
    key = read_public_key(stack.public_key.read_bytes())
    assert isinstance(verify_bundle(tmp_path / "bundle.zip", key=key), Verified)
    evidence = stack.storage.blobs.get_container_client("evidence")
    assert [name for name in evidence.list_blob_names() if name.startswith(export_id)] == [
        export["bundle"]["object_name"]
    ]
