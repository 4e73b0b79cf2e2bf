"""A protected table answers with no rows and no error: no check that needs it may call that a pass."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.windows import window_start
from functions.configuration import SHIPPED, load_configuration
from local.app_settings import IDENTITY_CLIENT_ID, WORKSPACE_ID
from local.azure_monitor.faults import Lasting
from local.stack import Stack
from tests.checks.telemetry import Trace

READ_CONTENT = {"duplicate_retrieval", "repeated_search"}
READS_SPANS = "stale_tool_data"
AHEAD = timedelta(days=1)
SAME = {"gen_ai.tool.call.arguments": '{"q": "late"}'}
GRANT = (
    f"az role assignment create --assignee {IDENTITY_CLIENT_ID} "
    '--role "Privileged Monitoring Data Reader" '
    '--scope "$(az monitor log-analytics workspace list '
    f'--query "[?customerId==\'{WORKSPACE_ID}\'].id" -o tsv)"'
)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a second check that needs content."""
    folder = tmp_path_factory.mktemp("config")
    (folder / "checks").mkdir()
    text = (SHIPPED / "checks/duplicate_retrieval.yaml").read_text()
    (folder / "checks/repeated_search.yaml").write_text(
        text.replace("id: duplicate_retrieval", "id: repeated_search", 1)
    )
    return folder


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, config: Path) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("sight")
    with Stack(folder, canaries=True, config=config) as stack:
        stack.start_host()
        yield stack
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Iterator[requests.Session]:
    with stack.sign_in("operator") as session:
        yield session


def get(stack: Stack, operator: requests.Session, path: str) -> Any:
    answer = operator.get(f"{stack.host_url}/api/v1/{path}", timeout=30)
    answer.raise_for_status()
    return answer.json()


def checks(stack: Stack, operator: requests.Session) -> dict[str, Any]:
    return {check["id"]: check for check in get(stack, operator, "checks")["checks"]}


def search_twice(stack: Stack, at: datetime) -> str:
    """Let an agent ask the same twice in one run, with its arguments moved; return the trace."""
    trace = Trace(1, start=at)
    run = trace.agent("broker")
    for _ in range(2):
        trace.span("retrieval", trace.tool("search", run, **SAME))
    stack.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    return trace.trace_id


def begin(stack: Stack, config: Path, start: datetime) -> None:
    """Let these checks begin at an instant, and no others be due."""
    for check in load_configuration(SHIPPED, config).checks:
        concerned = check.id in READ_CONTENT | {READS_SPANS}
        began = start if concerned else window_start(start, check.every) + AHEAD
        stack.documents().write(PREFIX + check.id, state_to_json(CheckState(watermark=began)), version=None)


def test_a_reader_without_the_role_is_told_so_once_and_no_check_passes_until_it_has_it(
    stack: Stack, operator: requests.Session, config: Path
) -> None:
    # So long ago that its window has settled, and not so long that the alert is over.
    start = window_start(datetime.now(UTC) - timedelta(minutes=40), timedelta(minutes=15))
    trace_id = search_twice(stack, start + timedelta(minutes=5))
    begin(stack, config, start)
    stack.faults.lasting = Lasting(protected=True)
    stack.fire("send_canary")
    for _ in range(3):
        stack.fire("watch_tick")

    told = checks(stack, operator)
    for check_id in READ_CONTENT:
        assert told[check_id]["last_evaluation"]["ok"] is False
        assert told[check_id]["error"] == "SourceBlind"
        assert datetime.fromisoformat(told[check_id]["evaluated_until"]) == start
        assert get(stack, operator, f"checks/{check_id}/coverage")["intervals"] == []
    assert told[READS_SPANS]["state"] == "ok"
    alerts = get(stack, operator, "alerts")["alerts"]
    assert [(alert["check_id"], alert["key"]) for alert in alerts] == [
        ("source_blind", {"Path": "AppGenAIContent"})
    ]
    [card] = [str(post.body) for post in stack.posts()]
    assert "Privileged Monitoring Data Reader" in card
    assert repr(GRANT)[1:-1] in card

    stack.faults.lasting = Lasting()
    stack.fire("watch_tick")

    told = checks(stack, operator)
    assert all(told[check_id]["state"] == "ok" for check_id in READ_CONTENT)
    states = {alert["check_id"]: alert for alert in get(stack, operator, "alerts")["alerts"]}
    assert {check_id: alert["state"] for check_id, alert in states.items()} == {
        "source_blind": "resolved",
        **dict.fromkeys(READ_CONTENT, "open"),
    }
    for check_id in READ_CONTENT:
        [finding] = get(stack, operator, f"alerts/{states[check_id]['id']}")["findings"]
        assert finding["trace_ids"] == [trace_id]
