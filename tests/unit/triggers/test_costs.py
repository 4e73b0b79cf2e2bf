import json
from dataclasses import replace

import azure.functions as func
import pytest

from functions.access.roles import Role
from functions.costs.costs import Costs
from functions.errors import ResultTooLarge
from functions.evidence.redaction.policy import Pseudonymize
from functions.triggers.costs import ENDPOINTS
from functions.triggers.http import serve
from functions.wiring import TENANT
from tests.fakes.source import ScriptedSource
from tests.unit.triggers.rig import NOON, Rig, body_of, make_rig, request, shipped
from tests.unit.triggers.test_openapi import schema

QUERY = {"start": "2026-11-01", "end": "2026-12-01", "by": "tenant"}

SCHEMAS = {"waste": "Waste", "telemetry": "TelemetryVolume"}


def ask(rig: Rig, sent: func.HttpRequest) -> func.HttpResponse:
    return serve(ENDPOINTS[0], sent, lambda: rig.services)[0]


def test_without_the_role_the_answer_is_no_and_on_record() -> None:
    rig = make_rig()
    others = set(Role) - {Role.COSTS_READ}
    assert ask(rig, request(*others, query=QUERY)).status_code == 403
    assert rig.source.asked == []
    (entry,) = rig.recorded()
    assert (entry["action"], entry["outcome"]) == ("costs.read", "denied")


def test_who_may_gets_json_and_is_on_record_with_the_question() -> None:
    rig = make_rig()
    response = ask(rig, request("Costs.Read", query=QUERY))
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert body_of(response)["currency"] == "USD"
    (entry,) = rig.recorded()
    assert entry["outcome"] == "served"
    assert entry["on"] == {
        "start": "2026-11-01T00:00:00+00:00",
        "end": "2026-12-01T00:00:00+00:00",
        "by": "tenant",
    }


def test_tenants_have_the_pseudonyms_of_exports() -> None:
    configuration, protection = shipped()
    rules = [
        protection.policy.rule_for_property("AppRequests", name)
        for name in configuration.agents.attributes.tenant
    ]
    assert [rule and rule.action for rule in rules] == [Pseudonymize(TENANT)]


def test_csv_is_a_download() -> None:
    response = ask(make_rig(), request("Costs.Read", query=QUERY | {"format": "csv"}))
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    name = "costs-2026-11-01-2026-12-01-tenant.csv"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response.get_body().startswith(b"tenant,calls,runs,")


@pytest.mark.parametrize("kind", ["waste", "telemetry"])
def test_the_other_reports_are_served_as_described_and_on_record(kind: str) -> None:
    rig = make_rig()
    query = {"start": "2026-11-01", "end": "2026-12-01", "report": kind}
    response = ask(rig, request("Costs.Read", query=query))
    schema({"$ref": f"#/components/schemas/{SCHEMAS[kind]}"}).validate(json.loads(response.get_body()))
    table = ask(rig, request("Costs.Read", query=query | {"format": "csv"}))
    name = f"costs-2026-11-01-2026-12-01-{kind}.csv"
    assert table.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert [entry["on"]["report"] for entry in rig.recorded()] == [kind, kind]


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "xlsx"},
        {"format": ""},
        {"by": "user"},
        {"end": "2027-01-01"},
        {"start": "x"},
        {"agent": "a"},
        {"report": "all"},
        {"report": "waste"},  # of which there is no breakdown
    ],
)
def test_what_breaks_a_rule_is_a_problem_and_asks_nothing(wrong: dict[str, str]) -> None:
    rig = make_rig()
    response = ask(rig, request("Costs.Read", query=QUERY | wrong))
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert rig.source.asked == []
    assert [entry["outcome"] for entry in rig.recorded()] == ["refused"]


def test_an_answer_that_was_cut_is_no_report() -> None:
    rig = make_rig()
    source = ScriptedSource([ResultTooLarge("The answer was cut.", next_step="Ask for less.")])
    configuration = rig.services.configuration
    costs = Costs(
        source, configuration.agents, configuration.prices, tenant_pseudonym=str, clock=lambda: NOON
    )
    response = serve(
        ENDPOINTS[0], request("Costs.Read", query=QUERY), lambda: replace(rig.services, costs=costs)
    )[0]
    assert response.status_code == 422
