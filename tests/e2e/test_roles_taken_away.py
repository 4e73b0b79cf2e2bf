"""Each role of the app's identity is taken away, on the real runtime: what breaks, goes on, and is told.

docs/security.md has the same table in words. `pytest -s` prints what the operator read.
"""

import shutil
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
import requests

from functions.access.heads import FOLDER, JWS, Head, name
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.windows import window_start
from functions.configuration import SHIPPED, load_configuration
from functions.evidence.exports import progress
from functions.evidence.exports.sweeping import STALLED_AFTER
from functions.storage.append_log import START as START_OF_LEDGER
from functions.storage.blob import BlobObjects
from functions.storage.documents import encode
from local.processes import ChildError
from local.roles import (
    BLOBS,
    CONTENT,
    QUEUES,
    READING,
    READING_COMPONENT,
    SECRETS,
    SENDING,
    SIGNING,
    TABLES,
    Roles,
)
from local.stack import Stack
from tests.checks.telemetry import Trace

START = window_start(datetime.now(UTC) - timedelta(minutes=40), timedelta(minutes=15))
AGENT = "broker"
NEEDS_CONTENT, NEEDS_SPANS = "duplicate_retrieval", "stale_tool_data"
COMPONENT = (
    "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-agents"
    "/providers/microsoft.insights/components/appi-agents"
)
WHY = {"reason": "a claim is disputed", "ticket": "CASE-7"}
SAME = {"gen_ai.tool.call.arguments": '{"q": "late"}'}


@dataclass
class Bench:
    """The running stack, its roles, and one person who may do everything."""

    stack: Stack
    roles: Roles
    person: requests.Session

    @contextmanager
    def without(self, *roles: str) -> Iterator[None]:
        """Take roles away for the time of the block."""
        self.roles.lack(*roles)
        try:
            yield
        finally:
            self.roles.lack()

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Send a request as the person."""
        return self.person.request(method, f"{self.stack.host_url}/{path}", json=body, timeout=60)

    def search(self) -> requests.Response:
        """Look for traces, which the ledger must hold before anybody sees them."""
        return self.ask("POST", "api/v1/traces/search", {"conversation_id": "conv-1", **WHY})

    def request_export(self, profile: str = "metadata") -> requests.Response:
        """Ask for an export of all there is."""
        until = START + timedelta(minutes=15)
        window = {"start": START.isoformat(), "end": until.isoformat()}
        body = {"selector": {"window": window}, "profile": profile, **WHY}
        return self.ask("POST", "api/v1/exports", body)

    def ended(self, export_id: str) -> Mapping[str, Any]:
        """Wait until an export is over."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            export: dict[str, Any] = self.ask("GET", f"api/v1/exports/{export_id}").json()
            if export["state"] in {"done", "failed", "expired"}:
                return export
            time.sleep(0.2)
        raise AssertionError(export)

    def export(self, profile: str = "metadata") -> Mapping[str, Any]:
        """Ask for an export, and wait for its end."""
        answer = self.request_export(profile)
        assert answer.status_code == 202, answer.text
        return self.ended(answer.json()["id"])

    def fails(self, function_name: str) -> str:
        """Run a timer function that must fail; return what the log has of it."""
        before = len(self.log())
        with pytest.raises(ChildError):
            self.stack.fire(function_name)
        return self.log()[before:]

    def runs(self, function_name: str) -> str:
        """Run a timer function that must succeed; return what the log has of it."""
        before = len(self.log())
        self.stack.fire(function_name)
        return self.log()[before:]

    def log(self) -> str:
        """What the host has logged."""
        return (self.stack.folder / "host.log").read_text()

    def begin(self) -> None:
        """Let two checks begin anew, and no others be due."""
        container = self.stack.storage.blobs.get_container_client("state")
        for blob in container.list_blob_names(name_starts_with=PREFIX):
            container.delete_blob(blob)
        for check in load_configuration(SHIPPED).checks:
            mine = check.id in {NEEDS_CONTENT, NEEDS_SPANS}
            began = START if mine else window_start(START, check.every) + timedelta(days=1)
            state = state_to_json(CheckState(watermark=began))
            self.stack.documents().write(PREFIX + check.id, state, version=None)

    def checks(self) -> Mapping[str, Any]:
        """What is known of each check."""
        return {check["id"]: check for check in self.ask("GET", "api/v1/checks").json()["checks"]}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder, roles = tmp_path_factory.mktemp("roles"), Roles()
    with Stack(folder, canaries=True, roles=roles) as stack:
        trace = Trace(1, start=START + timedelta(minutes=5))
        run = trace.agent(AGENT, trace.request())
        for _ in range(2):
            trace.span("retrieval", trace.tool("search", run, **SAME))
        stack.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
        stack.start_host()
        with stack.sign_in("engineer") as person:
            yield Bench(stack, roles, person)
    shutil.rmtree(folder, ignore_errors=True)


def told(role: str, text: str, *, scope: str) -> None:
    """Hold a message to its role and scope, and print the sentence."""
    sentences = [part for part in text.replace("\\n", "\n").splitlines() if role in part]
    assert sentences, text[-2000:]
    assert scope in sentences[0], sentences[0]
    print(f"\n{role}: {sentences[0].strip()}")  # noqa: T201 - pytest -s shows it


def all_is_well(bench: Bench) -> str:
    """What must go on where the role has nothing to do with it; return what a tick logs."""
    log = bench.runs("watch_tick")
    assert bench.ask("GET", "api/v1/health").status_code == 200
    assert bench.search().status_code == 200
    assert bench.ask("GET", "api/v1/access-log").status_code == 200
    return log


def test_with_all_roles_all_works(bench: Bench) -> None:
    bench.begin()
    bench.runs("send_canary")
    all_is_well(bench)


def test_without_storage_blob_data_owner_nothing_is_judged_or_served(bench: Bench) -> None:
    with bench.without(BLOBS):
        told(BLOBS, bench.fails("watch_tick"), scope="the storage account that STORAGE_BLOB_ENDPOINT names")
        for answer in (bench.ask("GET", "api/v1/health"), bench.search(), bench.request_export()):
            assert answer.status_code == 503, answer.text
            assert BLOBS in answer.json()["next_step"]
        assert bench.ask("GET", "portal").status_code == 200
    all_is_well(bench)


def test_without_storage_queue_data_contributor_no_export_begins_and_none_is_lost(bench: Bench) -> None:
    with bench.without(QUEUES):
        assert bench.request_export().status_code == 500
        [waiting] = [
            one for one in bench.ask("GET", "api/v1/exports").json()["exports"] if one["state"] == "queued"
        ]
        all_is_well(bench)
        age(bench, waiting["id"])
        told(QUEUES, bench.fails("sweep_exports"), scope="on the storage account")
    age(bench, waiting["id"])
    bench.runs("sweep_exports")
    assert bench.ended(waiting["id"])["state"] == "done"


def age(bench: Bench, export_id: str) -> None:
    """Let an export have waited so long that it is looked after."""
    documents = bench.stack.documents()
    held = documents.read(f"exports/{export_id}")
    assert held is not None
    long_ago = datetime.now(UTC) - STALLED_AFTER - timedelta(minutes=1)
    documents.write(held.name, {**held.body, "requested_at": long_ago.isoformat()}, version=held.version)
    container = bench.stack.storage.blobs.get_container_client("state")
    for blob in container.list_blob_names(name_starts_with=progress.PREFIX + export_id):
        container.delete_blob(blob)


def test_without_monitoring_metrics_publisher_no_marker_run_and_no_tick_is_counted(bench: Bench) -> None:
    scope = "the component that CANARY_CONNECTION_STRING names"
    with bench.without(SENDING):
        told(SENDING, bench.fails("send_canary"), scope=scope)
        told(SENDING, all_is_well(bench), scope=scope)
    assert SENDING not in bench.runs("watch_tick")


def test_without_log_analytics_data_reader_no_check_passes_and_no_trace_is_read(bench: Bench) -> None:
    scope = "on the workspace that"
    bench.begin()
    posts = len(bench.stack.posts())
    with bench.without(READING):
        for _ in range(3):
            bench.runs("watch_tick")
        after = bench.checks()
        for check_id in (NEEDS_CONTENT, NEEDS_SPANS):
            assert after[check_id]["state"] == "failing"
            assert datetime.fromisoformat(after[check_id]["evaluated_until"]) == START
        card = "".join(str(post.body) for post in bench.stack.posts()[posts:])
        told(READING, card[card.index("Look at the error") :][:400], scope=scope)
        answer = bench.search()
        assert answer.status_code == 502
        told(READING, answer.json()["next_step"], scope=scope)
        export = bench.export()
        assert export["state"] == "failed"
        told(READING, export["failure"], scope=scope)
        assert bench.ask("GET", "api/v1/health").status_code == 200
        assert bench.ask("GET", "api/v1/access-log").status_code == 200
    all_is_well(bench)
    assert bench.checks()[NEEDS_SPANS]["state"] == "ok"


def test_without_privileged_monitoring_data_reader_content_is_missed_and_never_empty(bench: Bench) -> None:
    bench.begin()
    posts = len(bench.stack.posts())
    with bench.without(CONTENT):
        for _ in range(3):
            bench.runs("watch_tick")
        after = bench.checks()
        assert after[NEEDS_CONTENT]["error"] == "SourceBlind"
        assert datetime.fromisoformat(after[NEEDS_CONTENT]["evaluated_until"]) == START
        assert after[NEEDS_SPANS]["state"] == "ok"
        card = "".join(str(post.body) for post in bench.stack.posts()[posts:])
        told(CONTENT, card[card.index("Give the app's identity") :][:200], scope="on the workspace")
        hidden = exported_content(bench)
        assert hidden["counts"]["complete"] is False
        assert hidden["bundle"]["object_name"].endswith("-INCOMPLETE.zip")
        answer = bench.ask("GET", f"api/v1/exports/{hidden['id']}/bundle")
        assert answer.headers["Tracekeeper-Complete"] == "false"
        with zipfile.ZipFile(BytesIO(answer.content)) as bag:
            [report] = [path for path in bag.namelist() if path.endswith("report.html")]
            page = bag.read(report).decode()
        told(CONTENT, page[page.index("content in AppGenAIContent") :][:400], scope="on the workspace")
    assert exported_content(bench)["counts"]["complete"] is True
    bench.runs("watch_tick")
    assert bench.checks()[NEEDS_CONTENT]["state"] == "ok"


def exported_content(bench: Bench) -> Mapping[str, Any]:
    """Ask for content, let a second person approve, and wait for its end."""
    asked = bench.request_export("content").json()
    with bench.stack.sign_in("reviewer") as reviewer:
        reviewer.post(
            f"{bench.stack.host_url}/api/v1/exports/{asked['id']}/approve",
            json={"approved": True, "reason": "It is needed."},
            timeout=60,
        ).raise_for_status()
    return bench.ended(asked["id"])


def test_without_key_vault_crypto_user_no_bundle_is_made_and_no_head_signed(bench: Bench) -> None:
    scope = "on the key that SIGNING_KEY names"
    today = datetime.now(UTC).date()
    head = Head(today - timedelta(days=1), START_OF_LEDGER)  # else the app looks back for 400 days
    objects = BlobObjects(bench.stack.storage.blobs.get_container_client("evidence"))
    objects.put(name(head.day), BytesIO(encode(head.body())))
    with bench.without(SIGNING):
        export = bench.export()
        assert (export["state"], export["bundle"]) == ("failed", None)
        told(SIGNING, export["failure"], scope=scope)
        told(SIGNING, bench.fails("note_head"), scope="SIGNING_KEY names a key")
        all_is_well(bench)
        assert not signed_heads(bench)
    bench.runs("note_head")
    assert len(signed_heads(bench)) == 1


def signed_heads(bench: Bench) -> list[str]:
    """Return the signatures of the ledger's heads."""
    container = bench.stack.storage.blobs.get_container_client("evidence")
    return [one for one in container.list_blob_names(name_starts_with=FOLDER) if one.endswith(JWS)]


def test_without_storage_table_data_contributor_the_app_misses_nothing(bench: Bench) -> None:
    with bench.without(TABLES):
        all_is_well(bench)
    # Not here, and in none of the tests before.
    assert bench.stack.gates[TABLES].asked == 0
    assert all(gate.asked for role, gate in bench.stack.gates.items() if role != TABLES)


def test_without_key_vault_secrets_user_the_app_starts_nothing(bench: Bench) -> None:
    bench.stack.stop_host()
    with bench.without(SECRETS):
        bench.stack.start_host()
        log = bench.fails("watch_tick")
        told(SECRETS, log, scope="on the vault")
        assert "@Microsoft" not in log
        with bench.stack.sign_in("engineer") as bench.person:
            for path in ("api/v1/health", "api/v1/checks", "api/v1/access-log", "api/v1/me"):
                assert bench.ask("GET", path).status_code == 500, path
            assert bench.ask("GET", "portal").status_code == 200  # a page without data tells of it


def test_a_component_is_read_with_a_role_on_it_and_none_on_the_workspace(bench: Bench) -> None:
    bench.stack.stop_host()
    bench.begin()
    bench.stack.settings |= {"LOGS_WORKSPACE_ID": "", "LOGS_RESOURCE_ID": COMPONENT}
    bench.stack.start_host()
    with bench.stack.sign_in("engineer") as bench.person:
        with bench.without(READING, CONTENT):
            all_is_well(bench)
            assert bench.export()["counts"]["complete"] is True  # it shows no content
        with bench.without(READING_COMPONENT):
            answer = bench.search()
            assert answer.status_code == 502
            told(READING_COMPONENT, answer.json()["next_step"], scope="where that is a component")
