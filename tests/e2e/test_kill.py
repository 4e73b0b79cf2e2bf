"""A host killed at every write of a tick: no finding is lost, and no card is repeated without need."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests

from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.canary.looking import DOCUMENT as SIGHT
from functions.canary.looking import sight_to_json
from functions.canary.sight import Sight
from functions.canary.telling import SIGHT_CHECK
from functions.checks.windows import window_start
from functions.configuration import SHIPPED, load_configuration
from functions.delivery.record import PREFIX as DELIVERIES
from local.serving import Service
from local.stack import Stack
from tests.checks.telemetry import Trace
from tests.e2e.passage import Moment, Passage

WATCHED = "skipped_lookup"
AGENTS = ("dispatch-assistant", "benefits-assistant")
INTENTS = ("shipment_status", "coverage_question")


@dataclass
class Scene:
    """A stack in which one check finds two alerts, with the passage before its writes."""

    stack: Stack
    passage: Passage

    def reset(self) -> None:
        """Put the checks back to before their first tick; only the watched one has anything to do."""
        container = self.stack.storage.blobs.get_container_client("state")
        for blob in container.list_blob_names():
            container.delete_blob(blob)
        documents = self.stack.documents()
        now = datetime.now(UTC)
        for check in load_configuration(SHIPPED).checks:
            ahead = timedelta(hours=-1) if check.id == WATCHED else timedelta(hours=2)
            state = CheckState(watermark=window_start(now + ahead, check.every))
            documents.write(PREFIX + check.id, state_to_json(state), version=None)
        # What can be seen was asked for just now: two writes less to be killed at.
        state = CheckState(watermark=now + timedelta(hours=2))
        documents.write(PREFIX + SIGHT_CHECK.id, state_to_json(state), version=None)
        documents.write(SIGHT, sight_to_json(Sight(now, {})), version=None)

    def let_the_lease_end(self) -> None:
        """Let the time pass for which the host that was killed has the destination to itself."""
        documents = self.stack.documents()
        for name in list(documents.names(DELIVERIES)):
            held = documents.read(name)
            assert held is not None
            documents.write(name, {**held.body, "lease": None}, version=held.version)

    def tick(self) -> bool:
        """Fire one tick; return whether the host lived through it."""
        try:
            self.stack.fire("watch_tick")
        except requests.ConnectionError:
            return False
        return True

    def alerts(self) -> list[tuple[str, int]]:
        """Each alert's agent and how many findings it has."""
        name = PREFIX + WATCHED
        held = self.stack.documents().read(name)
        assert held is not None
        state = state_from_json(name, held.body)
        return sorted((alert.key["Agent"], len(alert.findings)) for alert in state.alerts.values())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    environment: dict[str, str] = {}
    # Without evidence holds, whose jobs write whenever they come to it: the n-th write is the same each time.
    config = tmp_path_factory.mktemp("config")
    rules = (SHIPPED / "alerts.yaml").read_text().splitlines(keepends=True)
    kept = [line for line in rules if not line.startswith("evidence_hold:")]
    (config / "alerts.yaml").write_text("".join(kept))
    with Stack(tmp_path_factory.mktemp("kill"), config=config, host_environment=environment) as stack:
        for number, (agent, intent) in enumerate(zip(AGENTS, INTENTS, strict=True), start=1):
            trace = Trace(number, start=datetime.now(UTC) - timedelta(minutes=11))
            trace.agent(agent, trace.request(**{"app.intent": intent}))
            stack.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
        storage = urlsplit(stack.storage.blobs.url)
        passage = Passage(
            storage=f"{storage.scheme}://{storage.netloc}",
            webhook=stack.inbox_url,
            authority=str(stack.ca),
            kill=stack.kill_host,
        )
        with Service(passage, stack.certificates) as service:
            environment["STORAGE_BLOB_ENDPOINT"] = service.url + storage.path.rstrip("/")
            environment["TEAMS_WEBHOOK_URL"] = f"{service.url}/workflows/alerts?sig=made-up"
            yield Scene(stack, passage)


def told(scene: Scene, since: int) -> Counter[str]:
    """How often each idempotency key was accepted."""
    return Counter(post.headers["idempotency-key"] for post in scene.stack.posts()[since:])


def undisturbed_writes(scene: Scene) -> list[str]:
    scene.reset()
    before = len(scene.stack.posts())
    scene.stack.start_host()
    scene.passage.arm(None)
    assert scene.tick()
    scene.stack.stop_host()
    assert scene.alerts() == [(agent, 1) for agent in sorted(AGENTS)]
    assert list(told(scene, before).values()) == [1, 1]
    return scene.passage.writes


def test_a_kill_at_any_write_loses_no_finding_and_repeats_no_card_without_need(scene: Scene) -> None:
    writes = undisturbed_writes(scene)
    assert writes[0] == "PUT storage"
    assert writes.count("POST webhook") == len(AGENTS)
    assert killed_and_restarted(scene, 0, "before") == 0
    # To be killed before any other write is to be killed after the one that comes first.
    for at, write in enumerate(writes):
        repeats = killed_and_restarted(scene, at, "after")
        # Only where the inbox had accepted a card and its receipt was not yet committed.
        assert repeats == (1 if write == "POST webhook" else 0), (writes, at)


def killed_and_restarted(scene: Scene, at: int, moment: Moment) -> int:
    """Kill the host at one write, start it again, tick, and return how many cards came twice."""
    scene.reset()
    before = len(scene.stack.posts())
    scene.stack.start_host()
    scene.passage.arm(at, moment)
    assert not scene.tick(), (scene.passage.writes, at, moment)
    assert scene.passage.struck
    scene.passage.arm(None)
    scene.let_the_lease_end()
    scene.stack.start_host()
    assert scene.tick()
    scene.stack.stop_host()
    assert scene.alerts() == [(agent, 1) for agent in sorted(AGENTS)]
    counts = told(scene, before)
    assert len(counts) == len(AGENTS)
    return counts.total() - len(AGENTS)
