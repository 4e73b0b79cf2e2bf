"""Who sees alerts reads the sanitized traces of an alert, and no others."""

from dataclasses import replace
from typing import Any

import azure.functions as func
import orjson
import pytest

from functions.alerts.alert import alert_id
from functions.alerts.episode import opened
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.finding import Finding, Window
from functions.storage.documents import encode
from functions.triggers.http import serve
from functions.triggers.traces import ENDPOINTS
from functions.wiring import Services
from tests.unit.alerts.building import CHECK, EVERY
from tests.unit.evidence.material import ABSENT, OTHER, SECRET, TRACE
from tests.unit.evidence.rig import NOW, telemetry_source
from tests.unit.triggers.rig import NOON, Rig, body_of, make_rig, request
from tests.unit.triggers.test_openapi import OPENAPI, schema

KEY = {"Agent": "dispatcher"}
ALERT = alert_id(CHECK.id, KEY)
ENDPOINT = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "read_alert_trace")


@pytest.fixture
def rig() -> Rig:
    """Return a rig with one alert, of TRACE and of a trace that has no rows any more."""
    made = make_rig()
    names = (TRACE, ABSENT, "no trace id")
    found = Finding(CHECK.id, KEY, Window(NOON - EVERY, NOON), 9.0, 1.0, 1, names, {})
    body = state_to_json(CheckState(alerts={ALERT: opened(ALERT, None, found, CHECK)}))
    made.documents.write(PREFIX + CHECK.id, body, version=None)
    return made


def services(rig: Rig) -> Services:
    reading = replace(rig.services.reading, source=telemetry_source(), clock=lambda: NOW)
    return replace(rig.services, reading=reading)


def ask(rig: Rig, alert: str, trace: str, *roles: str) -> func.HttpResponse:
    asked = request(*roles, route={"alert_id": alert, "trace_id": trace})
    return serve(ENDPOINT, asked, lambda: services(rig))[0]


@pytest.mark.parametrize("trace", [TRACE, TRACE.upper()])
def test_the_alerts_own_trace_is_shown_without_content_and_written_down(rig: Rig, trace: str) -> None:
    response = ask(rig, ALERT, trace, "Alerts.Read")
    assert response.status_code == 200
    assert body_of(response)["trace_id"] == TRACE
    described = OPENAPI["components"]["responses"]["SanitizedTrace"]["content"]["application/json"]
    schema(described["schema"]).validate(body_of(response))
    assert [len(body_of(response)[kind]) for kind in ("spans", "events")] == [3, 4]
    assert SECRET.encode() not in response.get_body()
    (entry,) = rig.recorded()
    assert (entry["action"], entry["outcome"]) == ("alerts.read-trace", "served")
    assert entry["on"] == {"alert_id": ALERT, "trace_id": trace}


def test_it_is_what_somebody_who_may_read_all_traces_sees(rig: Rig) -> None:
    own = body_of(ask(rig, ALERT, TRACE, "Alerts.Read"))
    assert own == orjson.loads(encode(services(rig).reading.read(TRACE)))


def test_other_traces_unknown_alerts_and_traces_that_are_gone_have_one_answer(rig: Rig) -> None:
    asked = [(ALERT, OTHER), (ALERT, ABSENT), (ALERT, "0" * 32), ("f" * 16, TRACE), ("f" * 16, OTHER)]
    answers: list[dict[str, Any]] = []
    for alert, trace in asked:
        response = ask(rig, alert, trace, "Alerts.Read")
        assert response.status_code == 404
        answers.append(body_of(response) | {"instance": ""})
    assert all(answer == answers[0] for answer in answers)
    assert [entry["outcome"] for entry in rig.recorded()] == ["refused"] * len(asked)
    assert len({entry["reason"] for entry in rig.recorded()}) == 1


@pytest.mark.parametrize("trace", ["", "x" * 10_000, "' | union *", "../exports/a", "\x00", "%27", "nope"])
def test_what_is_no_trace_id_is_not_found(rig: Rig, trace: str) -> None:
    assert ask(rig, ALERT, trace, "Alerts.Read").status_code == 404


def test_a_trace_id_that_is_none_reaches_no_query_though_an_alert_names_it(rig: Rig) -> None:
    assert ask(rig, ALERT, "no trace id", "Alerts.Read").status_code == 400


@pytest.mark.parametrize("roles", [(), ("Traces.Read", "Evidence.Read", "Audit.Read", "Alerts.Manage")])
def test_without_the_role_nobody_sees_it(rig: Rig, roles: tuple[str, ...]) -> None:
    assert ask(rig, ALERT, TRACE, *roles).status_code == 403
    assert rig.recorded()[-1]["outcome"] == "denied"
