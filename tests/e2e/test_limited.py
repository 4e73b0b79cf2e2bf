"""Somebody whose roles reach one agent, on the running host: other agents are as if they were not there."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

import pytest
import requests

from functions.configuration import SHIPPED
from local.host.people import PEOPLE
from local.stack import Stack
from tests.checks.telemetry import Trace

NOW = datetime.now(UTC).replace(microsecond=0)
OWN, OTHERS = (Trace(number, start=NOW - timedelta(minutes=40)) for number in (1, 2))
WHY = {"reason": "a claim is disputed", "ticket": "CASE-7"}
WINDOW = {"start": (NOW - timedelta(hours=1)).isoformat(), "end": NOW.isoformat()}
AUDITOR = PEOPLE["auditor"].object_id
ACCESS = f"""
access:
  entries:
    - {{role: Traces.Read, id: {AUDITOR}, agents: [dispatcher]}}
    - {{role: Evidence.Read, id: {AUDITOR}, agents: [dispatcher]}}
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    site = tmp_path_factory.mktemp("site")
    (site / "agents.yaml").write_text((SHIPPED / "agents.yaml").read_text() + ACCESS)
    with Stack(tmp_path_factory.mktemp("limited"), config=site) as stack:
        for trace, agent in ((OWN, "dispatcher"), (OTHERS, "benefits-assistant")):
            trace.chat(trace.agent(agent, trace.request()), (100, 10), model="gpt-4o")
            stack.telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
        stack.start_host()
        yield stack


def ask(stack: Stack, person: str, method: str, path: str, body: object = None) -> requests.Response:
    with stack.sign_in(person) as session:
        return session.request(method, f"{stack.host_url}/api/v1/{path}", json=body, timeout=60)


def export(stack: Stack, person: str) -> Mapping[str, Any]:
    """Ask for all of the window, and return the export once it is over."""
    body = {"selector": {"window": WINDOW}, "profile": "metadata", **WHY}
    answer = ask(stack, person, "POST", "exports", body)
    assert answer.status_code == 202
    path = f"exports/{answer.json()['id']}"
    while (state := ask(stack, person, "GET", path).json())["state"] in {"queued", "running"}:
        sleep(0.2)
    found: Mapping[str, Any] = state
    return found


def test_a_trace_of_another_agent_is_not_there(stack: Stack) -> None:
    assert ask(stack, "auditor", "GET", f"traces/{OWN.trace_id}").status_code == 200
    answers = [ask(stack, "auditor", "GET", f"traces/{one}") for one in (OTHERS.trace_id, "f" * 32)]
    assert [answer.status_code for answer in answers] == [404, 404]
    hidden, absent = ({**answer.json(), "instance": ""} for answer in answers)
    assert hidden == absent
    assert ask(stack, "engineer", "GET", f"traces/{OTHERS.trace_id}").status_code == 200


def test_a_search_finds_none_of_another_agent(stack: Stack) -> None:
    body = {"agent": "benefits-assistant", **WINDOW, **WHY}
    assert ask(stack, "auditor", "POST", "traces/search", body).json()["traces"] == []
    (found,) = ask(stack, "engineer", "POST", "traces/search", body).json()["traces"]
    assert found["trace_id"] == OTHERS.trace_id


def test_an_export_holds_what_its_requester_may_see_and_is_seen_by_whoever_may(stack: Stack) -> None:
    own, whole = export(stack, "auditor"), export(stack, "engineer")
    assert (own["state"], own["counts"]["traces"]) == ("done", 1)
    assert (whole["state"], whole["counts"]["traces"]) == ("done", 2)
    assert own["limited_to"] == {"agents": ["dispatcher"], "tenants": None}
    assert ask(stack, "engineer", "GET", f"exports/{own['id']}/bundle").status_code == 200
    assert ask(stack, "auditor", "GET", f"exports/{whole['id']}/bundle").status_code == 404
    listed = ask(stack, "auditor", "GET", "exports").json()["exports"]
    assert [one["id"] for one in listed] == [own["id"]]
