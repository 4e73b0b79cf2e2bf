"""docs/openapi.yaml against the running host: no 5xx, and no answer that is not described.

Schemathesis makes requests that fit the description and requests that don't; half of those about one thing
are about a thing that there is. `pytest -s` says how many there were.
"""

import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from functions.alerts.alert import alert_id
from functions.alerts.episode import opened
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.finding import Finding, Window
from functions.watch.heartbeat import Heart
from local.host.people import PEOPLE
from local.stack import Stack
from tests.checks.telemetry import Trace
from tests.unit.alerts.building import CHECK

DESCRIBED = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs/openapi.yaml")
OPERATIONS = {
    found.ok().definition.raw["operationId"]: found.ok() for found in DESCRIBED.get_all_operations()
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 4
"""Of each way, by the person who may do everything."""

FITS_ANYTHING = {"show_portal_file"}
"""Any name of a file fits."""

START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=40)
TRACE = Trace(1, start=START)
KEY = {"Agent": "dispatcher", "Tool": "get_shipment_status"}
ALERT = alert_id(CHECK.id, KEY)
WHY = {"reason": "a claim is disputed", "ticket": "CASE-7"}
SOON = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
TODAY = datetime.now(UTC).date()
RIGHT: Mapping[str, Mapping[str, Any]] = {
    "acknowledge_alert": {},
    "add_silence": {"reason": "It moves.", "matchers": {"agent": ["courier"]}, "ends_at": SOON},
    "approve_export": {"approved": True, "reason": "It is needed."},
    "request_export": {"selector": {"alert_id": ALERT}, "profile": "metadata", **WHY},
    "search_traces": {"conversation_id": "conv-1", **WHY},
    "report_costs": {"start": str(TODAY), "end": str(TODAY + timedelta(days=1)), "by": "agent"},
}
"""What fits, by route: the body, or the query of what is got."""


@dataclass
class World:
    """The running stack, the people's sessions, what there is, which exports wait, and what was sent."""

    stack: Stack
    sessions: Mapping[str, requests.Session]
    there: dict[str, str]
    waiting: dict[str, str] = field(default_factory=dict)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)

    def there_for(self, name: str) -> Mapping[str, str]:
        """Return the ids of what there is, by parameter, for one route."""
        return {**self.there, "export_id": self.waiting.get(name, self.there["export_id"])}

    def send(self, person: str, case: schemathesis.Case) -> schemathesis.Response:
        """Send one request and hold the answer to the description."""
        response = case.call(
            base_url=self.stack.host_url,
            session=self.sessions[person],
            timeout=60,
            verify=str(self.stack.ca),
        )
        self.statuses[case.operation.label, response.status_code] += 1
        case.validate_response(response, checks=CHECKS)
        return response


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Stack(tmp_path_factory.mktemp("described")) as stack:
        TRACE.chat(TRACE.agent("dispatcher", TRACE.request()), (100, 10), model="gpt-4o")
        stack.telemetry.ingest(TRACE.envelopes, delay=timedelta(seconds=1))
        found = Finding(
            CHECK.id, KEY, Window(START, START + timedelta(minutes=5)), 9.0, 1.0, 1, (TRACE.trace_id,), {}
        )
        state = CheckState(alerts={ALERT: opened(ALERT, None, found, CHECK)})
        stack.start_host()
        stack.documents().write(PREFIX + CHECK.id, state_to_json(state), version=None)
        Heart(stack.documents(), None, clock=lambda: datetime.now(UTC)).beat(())
        sessions = {name: stack.sign_in(name) for name in PEOPLE}
        made = World(stack, sessions, {"alert_id": ALERT, "trace_id": TRACE.trace_id, "check_id": CHECK.id})
        made.there |= {"export_id": done_export(made), "silence_id": silence(made), "file": "portal.js"}
        made.waiting |= {name: waiting_export(made) for name in ("approve_export", "cancel_export")}
        yield made
        for session in sessions.values():
            session.close()
        report(made.statuses)


def done_export(world: World) -> str:
    """Ask for an export, and return its id once it is over."""
    selector = {"trace_ids": [TRACE.trace_id]}
    asked = {"selector": selector, "profile": "metadata", "reason": "a claim is disputed", "ticket": "CASE-7"}
    auditor, url = world.sessions["auditor"], f"{world.stack.host_url}/api/v1/exports"
    export = auditor.post(url, json=asked, timeout=30).json()
    while export["state"] in {"queued", "running"}:
        time.sleep(0.2)
        export = auditor.get(f"{url}/{export['id']}", timeout=30).json()
    assert export["state"] == "done"
    return str(export["id"])


def waiting_export(world: World) -> str:
    """Write down an export that somebody else must approve, like the one that is done, and return its id."""
    documents, export_id = world.stack.documents(), secrets.token_hex(16)
    held = documents.read(f"exports/{world.there['export_id']}")
    assert held is not None
    waits = {
        "id": export_id,
        "state": "awaiting_approval",
        "finished_at": None,
        "bundle": None,
        "counts": None,
    }
    documents.write(f"exports/{export_id}", {**held.body, **waits, "id": export_id}, version=None)
    return export_id


def silence(world: World) -> str:
    url = f"{world.stack.host_url}/api/v1/silences"
    return str(world.sessions["operator"].post(url, json=RIGHT["add_silence"], timeout=30).json()["id"])


def report(statuses: Counter[tuple[str, int]]) -> None:
    """Say what was sent; shown by `pytest -s`."""
    by_status: Counter[int] = Counter()
    for (_, status), count in statuses.items():
        by_status[status] += count
    print(  # noqa: T201 - for people
        f"\n{by_status.total()} requests to {len(OPERATIONS)} routes: {dict(sorted(by_status.items()))}"
    )


def cases(name: str, mode: GenerationMode, there: Mapping[str, str]) -> st.SearchStrategy[schemathesis.Case]:
    """Return requests to one route; half of them about what there is."""

    def about(case: schemathesis.Case, known: bool) -> schemathesis.Case:
        if known and case.path_parameters:
            case.path_parameters |= {one: there[one] for one in case.path_parameters}
        return case

    return st.builds(about, OPERATIONS[name].as_strategy(generation_mode=mode), st.booleans())


def exercise(world: World, person: str, name: str, mode: GenerationMode, examples: int) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(name, mode, world.there_for(name)))
    def sends(case: schemathesis.Case) -> None:
        world.send(person, case)

    sends()


@pytest.mark.parametrize("name", OPERATIONS)
def test_who_asks_rightly_is_served(world: World, name: str) -> None:
    """First, while there is an export to approve and one to cancel."""
    operation, there = OPERATIONS[name], world.there_for(name)
    case = operation.Case(
        path_parameters={one.name: there[one.name] for one in operation.path_parameters},
        query=dict(RIGHT.get(name, {})) if operation.method == "get" else {},
        **({"body": RIGHT[name], "media_type": "application/json"} if operation.body else {}),
    )
    assert world.send("engineer", case).status_code in {200, 201, 202}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_described(world: World, name: str, mode: GenerationMode) -> None:
    has_input = OPERATIONS[name].body or any(
        True for part in (OPERATIONS[name].path_parameters, OPERATIONS[name].query) for _ in part
    )
    if mode is GenerationMode.NEGATIVE and (not has_input or name in FITS_ANYTHING):
        pytest.skip("nothing can be sent that does not fit")
    exercise(world, "engineer", name, mode, EXAMPLES)


@pytest.mark.parametrize("person", sorted(PEOPLE.keys() - {"engineer"}))
def test_every_person_is_answered_as_their_roles_say(world: World, person: str) -> None:
    for name, operation in OPERATIONS.items():
        known = {one.name: world.there[one.name] for one in operation.path_parameters}
        case = operation.Case(path_parameters=known)
        response = world.send(person, case)
        (scheme,) = operation.definition.raw["security"] or [{"signIn": []}]
        allowed = set(scheme["signIn"]) <= set(PEOPLE[person].roles)
        assert (response.status_code != 403) == allowed, name
