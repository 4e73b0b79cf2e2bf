"""Who may not see is refused over HTTP, and the ledger has it."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import orjson
import pytest
import requests

from local.app_settings import AUTH_CLIENT_ID, TENANT_ID
from local.stack import Stack
from tests.checks.telemetry import Trace

INJECTION = "\"] | union AppTraces // '; drop"
QUOTED = quote(INJECTION, safe="")
UNKNOWN = "f" * 32


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("access")) as stack:
        trace = Trace(1, start=datetime.now(UTC) - timedelta(minutes=30))
        trace.agent("dispatch-assistant", trace.request(**{"app.intent": "shipment_status"}))
        stack.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
        stack.start_host()
        yield stack


def ledger(stack: Stack) -> list[dict[str, Any]]:
    """The accesses on record, newest first, read by the one who may."""
    with stack.sign_in("officer") as officer:
        answer = officer.get(f"{stack.host_url}/api/v1/access-log?count=50", timeout=30)
    answer.raise_for_status()
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


def problem(answer: requests.Response) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    return body


@pytest.mark.parametrize("person", ["visitor", "operator"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"traces/{UNKNOWN}"),
        ("GET", "exports"),
        ("POST", "exports"),
        ("GET", f"exports/{UNKNOWN}/bundle"),
        ("GET", "access-log"),
    ],
)
def test_without_the_role_the_answer_is_no_and_on_record(
    stack: Stack, person: str, method: str, path: str
) -> None:
    with stack.sign_in(person) as session:
        answer = session.request(method, f"{stack.host_url}/api/v1/{path}", json={}, timeout=30)
    assert answer.status_code == 403
    correlation = problem(answer)["instance"]
    entry = next(entry for entry in ledger(stack) if entry["correlation_id"] in correlation)
    assert entry["outcome"] == "denied"


def test_nobody_gets_past_the_sign_in(stack: Stack) -> None:
    forged = {"X-MS-CLIENT-PRINCIPAL": forged_principal()}
    answer = requests.get(
        f"{stack.host_url}/api/v1/traces/{UNKNOWN}", headers=forged, verify=str(stack.ca), timeout=30
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("traces/" + "a" * 10_000, 400),
        (f"traces/{QUOTED}", 400),
        (f"traces/{UNKNOWN}", 404),
        (f"exports/{QUOTED}", 404),
        (f"exports/{UNKNOWN}", 404),
        (f"exports/{UNKNOWN}/bundle", 404),
        (f"alerts/{QUOTED}", 404),
        (f"checks/{QUOTED}/coverage", 404),
        (f"alerts?state={QUOTED}", 400),
        (f"access-log?count={QUOTED}", 400),
    ],
)
def test_a_bad_or_unknown_name_is_a_problem_document(stack: Stack, path: str, status: int) -> None:
    with stack.sign_in("engineer") as engineer:
        answer = engineer.get(f"{stack.host_url}/api/v1/{path}", timeout=30)
    assert answer.status_code == status
    assert "AppTraces" not in orjson.dumps(problem(answer)).decode()


@pytest.mark.parametrize(
    "selector",
    [
        {"trace_ids": ["a" * 10_000]},
        {"trace_ids": [INJECTION]},
        {"alert_id": INJECTION},
        {"window": {"start": INJECTION, "end": INJECTION}},
        {"window": {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z", "agent": INJECTION * 50}},
        {"query": "AppTraces"},
    ],
)
def test_an_export_of_something_unusable_is_refused_with_the_rule(
    stack: Stack, selector: dict[str, Any]
) -> None:
    body = {"selector": selector, "profile": "metadata", "reason": "audit", "ticket": "T-1"}
    with stack.sign_in("auditor") as auditor:
        answer = auditor.post(f"{stack.host_url}/api/v1/exports", json=body, timeout=30)
    assert answer.status_code == 400
    assert "selector" in problem(answer)["detail"]
    assert "AppTraces" not in answer.text


def test_a_hostile_agent_name_selects_nothing_but_itself(stack: Stack) -> None:
    """It passes as a filter, quoted; were it to end its literal, the query would fail or find the trace."""
    now = datetime.now(UTC)
    window = {"start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat(), "agent": INJECTION}
    body = {"selector": {"window": window}, "profile": "metadata", "reason": "audit", "ticket": "T-1"}
    with stack.sign_in("auditor") as auditor:
        answer = auditor.post(f"{stack.host_url}/api/v1/exports", json=body, timeout=30)
        if answer.status_code == 400:
            return
        location = stack.host_url + answer.headers["Location"]
        while (export := auditor.get(location, timeout=30).json())["state"] in {"queued", "running"}:
            pass
    assert export["counts"]["traces"] == 0


def forged_principal() -> str:
    claims = {"tid": TENANT_ID, "aud": AUTH_CLIENT_ID, "oid": "0", "roles": "Evidence.Read"}
    claims_list = [{"typ": name, "val": value} for name, value in claims.items()]
    claims_list.append({"typ": "roles", "val": "Traces.Read"})
    return base64.b64encode(
        orjson.dumps({"auth_typ": "aad", "claims": claims_list, "name_typ": "name", "role_typ": "roles"})
    ).decode()


def test_a_forged_header_is_refused_and_on_record_where_the_sign_in_is_off(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("open")
    with Stack(folder, easy_auth=False) as stack:
        stack.start_host()
        answer = requests.get(
            f"{stack.host_url}/api/v1/traces/{UNKNOWN}",
            headers={"X-MS-CLIENT-PRINCIPAL": forged_principal()},
            verify=str(stack.ca),
            timeout=30,
        )
    assert answer.status_code == 401
    problem(answer)
    with Stack(folder) as stack:
        stack.start_host()
        entry = ledger(stack)[-1]
    assert (entry["outcome"], entry["action"]) == ("denied", "traces.read")
