"""A severe alert opens, and the timer alone has its traces exported: on the real runtime, queue and store."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from functions.alerts.alert import alert_id
from functions.alerts.lifecycle import opened
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.finding import Finding, Window
from functions.checks.windows import window_start
from functions.configuration import SHIPPED, load_configuration
from local.stack import Stack
from tests.checks.telemetry import Trace
from tests.unit.alerts.building import CHECK, EVERY

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
OWN, FOREIGN = (Trace(number, start=NOW - timedelta(minutes=30)) for number in (1, 2))
KEYS = tuple({"Agent": name, "Tool": "get_shipment_status"} for name in ("dispatcher", "benefits"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return a stack whose watch has two open alerts, one of them of a trace that has no rows any more."""
    with Stack(tmp_path_factory.mktemp("hold")) as running:
        for trace in (OWN, FOREIGN):
            trace.agent("dispatcher", trace.request(**{"app.intent": "shipment_status"}))
            running.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
        window = Window(NOW - timedelta(minutes=30), NOW - timedelta(minutes=25))
        alerts = [
            opened(
                alert_id(CHECK.id, key),
                None,
                Finding(CHECK.id, key, window, 95.0, 30.0, 1, (trace,), {}),
                CHECK,
            )
            for key, trace in zip(KEYS, (OWN.trace_id, "f" * 32), strict=True)
        ]
        # The other checks begin now, so that the tick has little to judge.
        for check in load_configuration(SHIPPED).checks:
            if check.id != CHECK.id:
                begun = state_to_json(CheckState(watermark=window_start(NOW, check.every)))
                running.documents().write(PREFIX + check.id, begun, version=None)
        state = CheckState(watermark=NOW - EVERY, alerts={alert.id: alert for alert in alerts})
        running.documents().write(PREFIX + CHECK.id, state_to_json(state), version=None)
        running.start_host()
        yield running


def get(stack: Stack, path: str, person: str = "engineer") -> requests.Response:
    with stack.sign_in(person) as session:
        return session.get(f"{stack.host_url}/api/v1/{path}", timeout=60)


def finished(stack: Stack, export_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        export: dict[str, Any] = get(stack, f"exports/{export_id}").json()
        if export["state"] in {"done", "failed"}:
            return export
        time.sleep(0.5)
    raise AssertionError(export["state"])


def test_each_severe_alert_is_held_and_the_watch_is_well_from_then_on(stack: Stack) -> None:
    health = {"url": f"{stack.host_url}/api/v1/health", "verify": str(stack.ca), "timeout": 30}
    assert requests.get(**health).status_code == 503
    stack.fire("watch_tick")
    assert requests.get(**health).json() == {"status": "ok"}
    exports = []
    for key in KEYS:
        alert = get(stack, f"alerts/{alert_id(CHECK.id, key)}").json()
        assert alert["evidence_hold"]["state"] == "held"
        exports.append(finished(stack, alert["evidence_export_id"]))
    assert [export["state"] for export in exports] == ["done", "done"]
    assert [export["requester"] for export in exports] == ["tracekeeper:evidence-hold"] * 2
    assert [export["counts"]["traces"] for export in exports] == [1, 0]
    bundle = get(stack, f"exports/{exports[0]['id']}/bundle")
    assert bundle.content.startswith(b"PK")


def test_who_sees_alerts_reads_their_traces_and_no_others(stack: Stack) -> None:
    alert = alert_id(CHECK.id, KEYS[0])
    own = get(stack, f"alerts/{alert}/traces/{OWN.trace_id}", "operator")
    assert (own.status_code, own.json()["trace_id"]) == (200, OWN.trace_id)
    assert get(stack, f"alerts/{alert}/traces/{FOREIGN.trace_id}", "operator").status_code == 404
    assert get(stack, f"traces/{OWN.trace_id}", "operator").status_code == 403
    assert get(stack, f"alerts/{alert}/traces/{OWN.trace_id}", "auditor").status_code == 403
