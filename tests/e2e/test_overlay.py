"""A site's own files on the whole stack: pushed and in force at the next tick, or refused and told of."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.windows import window_start
from functions.clients import named_by
from functions.configuration import SHIPPED, ConfigText, Layer, load_configuration, read_folder
from functions.overlay.store import OverlayStore, overlay_hash
from functions.storage.blob import BlobDocuments, BlobObjects
from local.stack import REPOSITORY, Stack
from tests.checks.telemetry import Trace
from tests.unit import site_of_mistakes

WATCHED, REFUSED = "slow_run", "config_refused"
AHEAD = timedelta(days=1)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("overlay")
    with Stack(folder) as stack:
        stack.start_host()
        yield stack
    shutil.rmtree(folder, ignore_errors=True)


class Site:
    """Someone who looks after a site: has its files, pushes them and looks at what follows."""

    def __init__(self, stack: Stack, folder: Path, operator: requests.Session) -> None:
        self.stack = stack
        self.folder = folder
        # So long ago that its window has settled, and not so long that what is found there is over.
        self.start = window_start(datetime.now(UTC) - timedelta(minutes=15), timedelta(minutes=5))
        self._operator = operator
        container = stack.storage.blobs.get_container_client("config")
        self._container = container
        self.store = OverlayStore(BlobDocuments(container), BlobObjects(container))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `tracekeeper`, signed in as the identity that this stack knows."""
        return subprocess.run(
            [sys.executable, "-m", "functions.cli", *arguments],
            cwd=REPOSITORY,
            env={**self.stack.settings, **self.stack.trust()},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def push(self, limit_ms: int) -> str:
        """Push agents.yaml with this objective for the dispatcher's runs; return the overlay's hash."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "agents.yaml").write_text(agents(limit_ms), "utf-8")
        ran = self.run("config", "push", str(self.folder), "--reason", "a slower week")
        assert ran.returncode == 0, ran.stderr
        overlay = overlay_hash(read_folder(self.folder))
        assert overlay in ran.stdout
        return overlay

    def stored(self) -> dict[str, str]:
        """Return what lies in the container: each blob with its ETag."""
        return {blob.name: str(blob.etag) for blob in self._container.list_blobs()}

    def judge(self) -> None:
        """Let the watched check judge the same time again, by what is in force now."""
        documents = self.stack.documents()
        for check in load_configuration(SHIPPED).checks:
            ahead = window_start(self.start, check.every) + AHEAD
            held = documents.read(PREFIX + check.id)
            state = CheckState(watermark=self.start if check.id == WATCHED else ahead)
            documents.write(PREFIX + check.id, state_to_json(state), version=held.version if held else None)
        self.stack.fire("watch_tick")

    def get(self, path: str) -> Any:
        answer = self._operator.get(f"{self.stack.host_url}/api/v1/{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def alerts(self) -> dict[str, str]:
        """Return the state of each alert by its check."""
        return {alert["check_id"]: alert["state"] for alert in self.get("alerts")["alerts"]}

    def cards(self, title: str) -> list[str]:
        return [text for text in (str(post.body) for post in self.stack.posts()) if title in text]


@pytest.fixture(scope="module")
def site(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with stack.sign_in("operator") as operator:
        yield Site(stack, tmp_path_factory.mktemp("site") / "config", operator)


def agents(limit_ms: int) -> str:
    shipped = (SHIPPED / "agents.yaml").read_text("utf-8")
    assert "      run_p95_ms: 2000" in shipped
    return shipped.replace("      run_p95_ms: 2000", f"      run_p95_ms: {limit_ms}", 1)


def broken() -> Layer:
    """Return files whose fourth line breaks a rule."""
    text = (SHIPPED / "alerts.yaml").read_text("utf-8").replace("after: 3 ", "after: none ", 1)
    assert text.splitlines()[3].startswith("report_failure_after: none")
    return {"alerts.yaml": ConfigText(Path("alerts.yaml"), text.encode())}


def test_what_is_pushed_counts_at_the_next_tick_and_what_is_broken_never_does(site: Site) -> None:
    trace = Trace(1, start=site.start + timedelta(minutes=1))
    trace.agent("dispatcher")  # for 100 ms
    site.stack.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))

    # What is shipped allows two seconds.
    site.judge()
    assert site.alerts() == {}
    assert site.get("configuration")["in_force"]["overlay"] is None

    # A push counts with no restart.
    strict = site.push(limit_ms=50)
    site.judge()
    assert site.alerts() == {WATCHED: "open"}
    assert site.get("configuration")["in_force"]["overlay"] == strict
    pushed = site.store.current()
    assert pushed is not None
    assert (pushed.pushed_by, pushed.reason) == (
        named_by(site.stack.storage.get_token().token),
        "a slower week",
    )
    assert pushed.pushed_by != "unknown"

    # Twenty mistakes never leave the laptop.
    before = site.stored()
    mistakes = site.folder.parent / "mistakes"
    site_of_mistakes.write_site(mistakes)
    ran = site.run("config", "push", str(mistakes))
    told = (ran.stdout + ran.stderr).splitlines()
    assert (ran.returncode, len(told)) == (1, len(site_of_mistakes.MISTAKES))
    for mistake in site_of_mistakes.MISTAKES:
        begins = site_of_mistakes.expected(mistakes, mistake)
        assert [line for line in told if begins in line and mistake.fix in line], mistake
    assert site.stored() == before

    # What someone writes past the check is refused: the strict limit stays.
    forced = site.store.push(broken(), replacing=pushed, by="?", at=datetime.now(UTC), reason="")
    for _ in range(3):
        site.judge()
        assert site.alerts() == {WATCHED: "open", REFUSED: "open"}
    answer = site.get("configuration")
    assert answer["in_force"]["overlay"] == strict
    assert answer["refused"]["overlay"] == forced
    [mistake] = answer["refused"]["mistakes"]
    assert (mistake["file"], mistake["line"]) == ("alerts.yaml", 4)
    [card] = site.cards("The pushed configuration is refused")
    assert "report_failure_after" in card
    assert "HIGH" in card

    # A good push ends it.
    mild = site.push(limit_ms=1000)
    site.judge()
    assert site.alerts() == {REFUSED: "resolved"}
    answer = site.get("configuration")
    assert (answer["in_force"]["overlay"], answer["refused"]) == (mild, None)
    assert [one["overlay"] for one in answer["history"]] == [mild, strict, None]
    assert len(site.cards("The pushed configuration is refused")) == 2
