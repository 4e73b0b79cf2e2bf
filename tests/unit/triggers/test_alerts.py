"""Seeing alerts, taking them on and silencing them over HTTP: who may, and what is written down of it."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import azure.functions as func
import orjson
import pytest

from functions.access.ledger import fingerprint
from functions.alerts.alert import Alert, alert_id
from functions.alerts.hidden import hide
from functions.alerts.lifecycle import opened
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.triggers.alerts import ENDPOINTS
from functions.triggers.http import serve
from tests.unit.alerts.building import CHECK, finding
from tests.unit.triggers.rig import Rig, body_of, make_rig, principal, request
from tests.unit.triggers.test_openapi import OPENAPI, schema

HOSTILE = ["nope", "", "x" * 10_000, "../exports/a", "' | union *", "\x00"]
JSON = {"Content-Type": "application/json"}
SILENCE: dict[str, Any] = {
    "reason": "The stock service moves.",
    "matchers": {"agent": ["dispatcher"]},
    "ends_at": "2026-11-24T16:00:00Z",
}


def ask(rig: Rig, name: str, asked: func.HttpRequest) -> func.HttpResponse:
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.name == name)
    return serve(endpoint, asked, lambda: rig.services)[0]


def an_alert(agent: str, **changes: Any) -> Alert:
    key = {"Agent": agent, "Tool": "get_stock"}
    return replace(opened(alert_id(CHECK.id, key), None, finding(0, key), CHECK), **changes)


def hold(rig: Rig, *alerts: Alert) -> None:
    """Keep these alerts in the check's document, each hidden by what it says keeps it quiet."""
    state = CheckState(alerts={one.id: one for one in alerts}, hidden=hide((), alerts, CHECK))
    rig.documents.write(PREFIX + CHECK.id, state_to_json(state), version=None)


def listed(rig: Rig, query: Mapping[str, str]) -> list[str]:
    found = body_of(ask(rig, "list_alerts", request("Alerts.Read", query=query)))["alerts"]
    return sorted(one["key"]["Agent"] for one in found)


def acknowledge(
    rig: Rig, alert: str, *roles: str, header: str | None = None, body: bytes = b"{}"
) -> func.HttpResponse:
    asked = request(*roles, header=header, method="POST", route={"alert_id": alert}, body=body, headers=JSON)
    return ask(rig, "acknowledge_alert", asked)


def add(rig: Rig, body: object, *roles: str) -> func.HttpResponse:
    return ask(rig, "add_silence", request(*roles, method="POST", body=orjson.dumps(body), headers=JSON))


@pytest.mark.parametrize("alert", HOSTILE)
def test_an_unknown_alert_is_not_found(alert: str) -> None:
    rig = make_rig()
    hold(rig, an_alert("a"))
    assert ask(rig, "show_alert", request("Alerts.Read", route={"alert_id": alert})).status_code == 404
    assert acknowledge(rig, alert, "Alerts.Manage").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["a", "b", "c", "d"]),
        ({"state": "open"}, ["a", "b"]),
        ({"state": "acknowledged"}, ["b"]),
        ({"state": "resolved"}, ["c"]),
        ({"state": "pending"}, ["d"]),
        ({"severity": "critical"}, ["b"]),
        ({"agent": "c"}, ["c"]),
        ({"agent": "A"}, []),
        ({"check": CHECK.id}, ["a", "b", "c", "d"]),
        ({"check": "check_failed"}, []),
        ({"owner": "platform", "state": "open"}, ["a", "b"]),
        ({"owner": "desk"}, []),
    ],
)
def test_alerts_are_found_by_what_they_are(query: Mapping[str, str], expected: list[str]) -> None:
    rig = make_rig()
    hold(
        rig,
        an_alert("a"),
        an_alert("b", state="acknowledged", severity="critical"),
        an_alert("c", state="resolved"),
        an_alert("d", state="pending"),
    )
    assert listed(rig, query) == expected


@pytest.mark.parametrize("state", ["closed", "OPEN", "", "x" * 10_000, "' | union *"])
def test_an_unknown_state_or_severity_is_refused(state: str) -> None:
    for name in ("state", "severity"):
        response = ask(make_rig(), "list_alerts", request("Alerts.Read", query={name: state}))
        assert response.status_code == 400


def test_an_alert_says_what_keeps_it_quiet_and_what_was_not_told() -> None:
    rig = make_rig()
    quiet = an_alert("a", quieted_by=("agent gone",))
    hold(rig, quiet)
    shown = body_of(ask(rig, "show_alert", request("Alerts.Read", route={"alert_id": quiet.id})))
    assert (shown["quieted_by"], shown["announced"]) == (["agent gone"], None)
    assert [one["silence"] for one in shown["hidden"]] == ["agent gone"]
    schema(OPENAPI["components"]["schemas"]["Alert"]).validate(shown)


def test_the_list_says_when_the_watch_last_looked() -> None:
    rig = make_rig()
    asked = request("Alerts.Read")
    assert body_of(ask(rig, "list_alerts", asked))["last_tick"] is None
    rig.services.heart.beat(())
    assert body_of(ask(rig, "list_alerts", asked))["last_tick"] == "2026-11-24T12:00:00Z"


def test_an_alert_is_told_by_its_checks_words() -> None:
    rig = make_rig()
    alert = an_alert("a")
    hold(rig, alert)
    (check,) = (one for one in rig.services.configuration.checks if one.id == CHECK.id)
    (listed,) = body_of(ask(rig, "list_alerts", request("Alerts.Read")))["alerts"]
    assert (listed["title"], listed["unit"]) == (check.title, check.unit)
    shown = body_of(ask(rig, "show_alert", request("Alerts.Read", route={"alert_id": alert.id})))
    assert (shown["title"], shown["unit"]) == (check.title, check.unit)
    assert (shown["triage"], shown["false_positives"]) == (check.triage, check.false_positives)


def test_who_took_an_alert_on_is_told_that_it_was_they() -> None:
    rig = make_rig()
    alert = an_alert("a")
    hold(rig, alert)
    route = {"alert_id": alert.id}

    def mine(header: str | None = None) -> bool:
        asked = request("Alerts.Read", header=header, route=route)
        return bool(body_of(ask(rig, "show_alert", asked))["acknowledged_by_you"])

    assert not mine()
    acknowledge(rig, alert.id, "Alerts.Manage")
    other = base64.b64decode(principal("Alerts.Read")).decode().replace("person-1", "person-2")
    assert mine()
    assert not mine(base64.b64encode(other.encode()).decode())


def test_who_takes_an_alert_on_is_named_and_written_down() -> None:
    rig = make_rig()
    alert = an_alert("a")
    hold(rig, alert)
    answer = acknowledge(rig, alert.id, "Alerts.Manage")
    assert answer.status_code == 200
    shown = body_of(answer)
    assert (shown["state"], shown["acknowledged_by"]) == ("acknowledged", "person-1")
    assert shown["acknowledged_at"] == "2026-11-24T12:00:00Z"
    schema(OPENAPI["components"]["schemas"]["Alert"]).validate(shown)
    (entry,) = rig.recorded()
    assert (entry["action"], entry["outcome"]) == ("alerts.acknowledge", "served")
    assert entry["on"] == {"alert_id": alert.id, "episode": "1"}
    assert entry["who"]["object_id"] == "person-1"


def test_taking_it_on_once_more_changes_nothing() -> None:
    rig = make_rig()
    alert = an_alert("a")
    hold(rig, alert)
    acknowledge(rig, alert.id, "Alerts.Manage")
    before = rig.documents.read(PREFIX + CHECK.id)
    again = acknowledge(rig, alert.id, header=another_person())
    assert body_of(again)["acknowledged_by"] == "person-1"
    assert rig.documents.read(PREFIX + CHECK.id) == before


def another_person() -> str:
    """Return the header of Bob."""
    text = base64.b64decode(principal("Alerts.Manage")).decode()
    return base64.b64encode(text.replace("person-1", "person-2").replace("Ada", "Bob").encode()).decode()


@pytest.mark.parametrize("state", ["resolved", "pending"])
def test_what_is_not_open_cannot_be_taken_on(state: str) -> None:
    rig = make_rig()
    alert = an_alert("a", state=state)
    hold(rig, alert)
    assert acknowledge(rig, alert.id, "Alerts.Manage").status_code == 409


def test_a_form_of_another_site_takes_nothing_on() -> None:
    rig = make_rig()
    alert = an_alert("a")
    hold(rig, alert)
    for headers in ({}, {"Content-Type": "text/plain"}):
        asked = request(
            "Alerts.Manage", method="POST", route={"alert_id": alert.id}, body=b"{}", headers=headers
        )
        assert ask(rig, "acknowledge_alert", asked).status_code == 400
    assert listed(rig, {"state": "acknowledged"}) == []


@pytest.mark.parametrize("body", [b'{"by": "Bob"}', b"[]", b"", b"null"])
def test_who_takes_it_on_is_never_in_the_body(body: bytes) -> None:
    rig = make_rig()
    alert = an_alert("a")
    hold(rig, alert)
    assert acknowledge(rig, alert.id, "Alerts.Manage", body=body).status_code == 400


def test_a_silence_is_under_the_name_of_who_is_signed_in() -> None:
    rig = make_rig()
    answer = add(rig, SILENCE, "Alerts.Manage")
    assert answer.status_code == 201
    shown = body_of(answer)
    assert (shown["author"], shown["author_id"], shown["state"]) == ("Ada", "person-1", "in_force")
    schema(OPENAPI["components"]["schemas"]["Silence"]).validate(shown)
    (entry,) = rig.recorded()
    assert entry["on"] == {
        "silence_id": shown["id"],
        "until": "2026-11-24T16:00:00+00:00",
        "reason_sha256": fingerprint(SILENCE["reason"]),
    }


@pytest.mark.parametrize(
    "changes", [{"author": "Bob"}, {"author_id": "person-2"}, {"made_at": "x"}, {"id": "x"}]
)
def test_whose_a_silence_is_cannot_be_claimed(changes: dict[str, str]) -> None:
    rig = make_rig()
    assert add(rig, SILENCE | changes, "Alerts.Manage").status_code == 400
    assert body_of(ask(rig, "list_silences", request("Alerts.Read")))["silences"] == []


def test_each_silence_shows_what_it_hides_now() -> None:
    rig = make_rig()
    silence = body_of(add(rig, SILENCE, "Alerts.Manage"))
    name = f"{silence['id']}@2026-11-24T12:00:00Z"
    hold(rig, an_alert("a", quieted_by=(name,)), an_alert("b", quieted_by=("other",)))
    shown = body_of(ask(rig, "list_silences", request("Alerts.Read")))
    (one,) = shown["silences"]
    assert (one["hides"]["count"], one["hides"]["open"]) == (1, 1)
    assert [hidden["key"]["Agent"] for hidden in one["hides"]["hidden"]] == ["a"]
    described = OPENAPI["paths"]["/api/v1/silences"]["get"]["responses"]["200"]
    schema(described["content"]["application/json"]["schema"]).validate(shown)


def test_a_recurring_silence_is_shown_as_it_was_asked_for() -> None:
    rig = make_rig()
    nightly = {"weekdays": ["tue", "wed"], "from": "22:00", "to": "06:00", "zone": "Europe/Berlin"}
    body = SILENCE | {"recurrence": nightly, "ends_at": "2026-12-20T00:00:00Z"}
    schema(OPENAPI["components"]["schemas"]["SilenceRequest"]).validate(body)
    shown = body_of(add(rig, body, "Alerts.Manage"))
    assert (shown["recurrence"], shown["state"]) == (nightly, "between")
    (one,) = body_of(ask(rig, "list_silences", request("Alerts.Read")))["silences"]
    assert one["hides"] is None


def test_a_silence_can_be_ended_by_another_and_ending_it_twice_changes_nothing() -> None:
    rig = make_rig()
    silence = body_of(add(rig, SILENCE, "Alerts.Manage"))
    route = {"silence_id": silence["id"]}
    first = ask(rig, "end_silence", request(header=another_person(), method="DELETE", route=route))
    again = ask(rig, "end_silence", request("Alerts.Manage", method="DELETE", route=route))
    for answer in map(body_of, (first, again)):
        assert (answer["state"], answer["ended_by"]) == ("ended", "person-2")
    assert [entry["action"] for entry in rig.recorded()][-2:] == ["silences.end"] * 2


@pytest.mark.parametrize("silence_id", HOSTILE)
def test_an_unknown_silence_is_not_found(silence_id: str) -> None:
    asked = request("Alerts.Manage", method="DELETE", route={"silence_id": silence_id})
    assert ask(make_rig(), "end_silence", asked).status_code == 404


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
def test_each_route_needs_its_role_and_a_denial_is_written_down(endpoint: Any) -> None:
    others = {"Alerts.Read", "Alerts.Manage", "Audit.Read", "Evidence.Read", "Traces.Read"}
    rig = make_rig()
    assert ask(rig, endpoint.name, request(*(others - {endpoint.role.value}))).status_code == 403
    assert [entry["outcome"] for entry in rig.recorded()] == ["denied"]
