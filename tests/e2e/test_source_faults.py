"""Where Azure Monitor throttles, times out or answers in part, a check is retried or reported failed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.windows import window_start
from functions.configuration import SHIPPED, load_configuration
from local.azure_monitor.faults import Kind
from local.stack import Stack
from tests.checks.telemetry import Trace

FAULTED = "skipped_lookup"
MARK = "required_lookups"  # of those that are due only the faulted check's query names this table
AHEAD = timedelta(days=1)
OTHERS = {"cost_spike", "stale_tool_data"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("faults")) as stack:
        trace = Trace(1, start=datetime.now(UTC) - timedelta(minutes=11))
        trace.agent("dispatch-assistant", trace.request(**{"app.intent": "shipment_status"}))
        stack.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
        stack.start_host()
        yield stack


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Iterator[requests.Session]:
    with stack.sign_in("operator") as session:
        yield session


def start_over(stack: Stack) -> datetime:
    """Let the faulted check and the others begin an hour ago, and no more be due; return that instant."""
    container = stack.storage.blobs.get_container_client("state")
    for blob in container.list_blob_names():
        container.delete_blob(blob)
    start = window_start(datetime.now(UTC) - timedelta(hours=1), timedelta(minutes=10))
    for check in load_configuration(SHIPPED).checks:
        began = start if check.id in OTHERS | {FAULTED} else window_start(start, check.every) + AHEAD
        stack.documents().write(PREFIX + check.id, state_to_json(CheckState(watermark=began)), version=None)
    return start


def checks(stack: Stack, operator: requests.Session) -> dict[str, dict[str, Any]]:
    answer = operator.get(f"{stack.host_url}/api/v1/checks", timeout=30)
    answer.raise_for_status()
    return {check["id"]: check for check in answer.json()["checks"]}


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("throttled", "SourceThrottled"),
        ("timeout", "SourceUnavailable"),
        ("unavailable", "SourceUnavailable"),
        ("partial", "PartialResult"),
        ("refused", "SourceRefused"),
    ],
)
def test_a_lasting_fault_fails_its_check_alone_and_loses_no_finding(
    stack: Stack, operator: requests.Session, kind: Kind, error: str
) -> None:
    start = start_over(stack)
    posts = len(stack.posts())
    stack.faults.add(kind, times=20, matching=MARK, retry_after=0 if kind == "throttled" else None)
    stack.fire("watch_tick")
    after = checks(stack, operator)
    assert after[FAULTED]["state"] == "failing"
    assert after[FAULTED]["error"] == error
    assert datetime.fromisoformat(after[FAULTED]["evaluated_until"]) == start
    assert {check for check, state in after.items() if state["state"] == "ok"} == OTHERS
    assert len(stack.posts()) == posts

    while stack.faults.take(MARK):
        pass  # the service recovers
    stack.fire("watch_tick")
    assert checks(stack, operator)[FAULTED]["state"] == "ok"
    assert len(stack.posts()) == posts + 1


def test_a_passing_throttle_is_waited_for_and_the_check_runs(
    stack: Stack, operator: requests.Session
) -> None:
    start_over(stack)
    posts = len(stack.posts())
    stack.faults.add("throttled", matching=MARK, retry_after=1)
    stack.fire("watch_tick")
    assert stack.faults.take(MARK) is None
    assert checks(stack, operator)[FAULTED]["state"] == "ok"
    assert len(stack.posts()) == posts + 1


def test_a_check_that_keeps_failing_is_itself_an_alert(stack: Stack, operator: requests.Session) -> None:
    start_over(stack)
    posts = len(stack.posts())
    stack.faults.add("partial", times=3, matching=MARK)
    for _ in range(3):
        stack.fire("watch_tick")
    alerts = operator.get(f"{stack.host_url}/api/v1/alerts?state=open", timeout=30).json()["alerts"]
    assert [(alert["check_id"], alert["key"]) for alert in alerts] == [("check_failed", {"Check": FAULTED})]
    assert len(stack.posts()) == posts + 1

    stack.fire("watch_tick")
    states = {
        alert["check_id"]: alert["state"]
        for alert in operator.get(f"{stack.host_url}/api/v1/alerts", timeout=30).json()["alerts"]
    }
    assert states == {"check_failed": "resolved", FAULTED: "open"}
