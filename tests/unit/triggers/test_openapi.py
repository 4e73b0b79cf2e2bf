"""Holds docs/openapi.yaml, the endpoints and the app's own index together."""

import json
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import azure.functions as func
import orjson
import pytest
import yaml
from jsonschema import Draft202012Validator

from functions.access.roles import Role
from functions.triggers import alerts, costs, evidence, operations, portal, traces
from functions.triggers.http import Endpoint, Page, serve
from functions.triggers.loading import endpoint as loaded
from functions.triggers.routes import ROUTES
from tests.unit.triggers.rig import Rig, make_rig, request

ROOT = Path(__file__).parents[3]
OPENAPI: dict[str, Any] = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
ENDPOINTS: tuple[Endpoint | Page, ...] = (
    *evidence.ENDPOINTS,
    *traces.ENDPOINTS,
    *costs.ENDPOINTS,
    *alerts.ENDPOINTS,
    *operations.ENDPOINTS,
    *portal.ENDPOINTS,
)
EXPORT_REQUEST = {
    "selector": {"trace_ids": ["0af7651916cd43dd8448eb211c80319c"]},
    "profile": "metadata",
    "reason": "a claim is disputed",
    "ticket": "CASE-7",
}


def described() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path.removeprefix("/")): operation
        for path, methods in OPENAPI["paths"].items()
        for method, operation in methods.items()
    }


@cache
def index() -> dict[str, list[dict[str, Any]]]:
    """Return the bindings of each function by its name, as the host gets to know them."""
    app = runpy.run_path(str(ROOT / "function_app.py"))["app"]  # a new one: an app can be indexed only once
    found = [(str(function.get_function_name()), function) for function in app.get_functions()]
    return {name: json.loads(function.get_function_json())["bindings"] for name, function in found}


def bindings(kind: str) -> dict[str, dict[str, Any]]:
    """Return the binding of this kind of each function that has one."""
    return {name: one for name, all_of_it in index().items() for one in all_of_it if one["type"] == kind}


def test_the_app_serves_what_is_described_and_nothing_else() -> None:
    served = {(one["methods"][0], one["route"]): name for name, one in bindings("httpTrigger").items()}
    assert served == {key: operation["operationId"] for key, operation in described().items()}


@pytest.mark.parametrize("name", ROUTES)
def test_each_route_is_served_by_its_endpoint(name: str) -> None:
    assert loaded(name) in ENDPOINTS
    assert loaded(name).name == name


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_a_route_needs_the_role_that_is_described(endpoint: Endpoint | Page) -> None:
    (scheme,) = described()[endpoint.method, endpoint.path]["security"] or [{"signIn": []}]
    assert scheme["signIn"] == ([endpoint.role.value] if endpoint.role else [])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_a_route_knows_the_parameters_that_are_described(endpoint: Endpoint | Page) -> None:
    named = described()[endpoint.method, endpoint.path].get("parameters", [])
    named = [one if "in" in one else resolved(one["$ref"]) for one in named]
    assert {one["name"] for one in named if one["in"] == "query"} == endpoint.query
    assert {f"{{{one['name']}}}" for one in named if one["in"] == "path"} == {
        part for part in endpoint.path.split("/") if part.startswith("{")
    }


def test_evidence_traces_and_the_access_log_are_always_written_down() -> None:
    quiet = {endpoint.role for endpoint in ENDPOINTS if not endpoint.recorded}
    assert quiet == {None, Role.ALERTS_READ}


def test_only_health_and_the_pages_without_data_are_open() -> None:
    open_ones = [endpoint.name for endpoint in ENDPOINTS if endpoint.open]
    assert [key for key, operation in described().items() if operation["security"] == []] == [
        (endpoint.method, endpoint.path) for endpoint in ENDPOINTS if endpoint.open
    ]
    assert open_ones == ["show_health", "show_portal", "show_portal_file"]


def test_the_functions_are_those_of_the_two_flows() -> None:
    assert bindings("timerTrigger")["watch_tick"]["schedule"] == "0 * * * * *"
    assert bindings("timerTrigger")["watch_tick"]["runOnStartup"] is False
    queues = {name: binding["queueName"] for name, binding in bindings("queueTrigger").items()}
    assert queues == {"run_export": "exports", "export_poisoned": "exports-poison"}
    assert {name: binding["queueName"] for name, binding in bindings("queue").items()} == {
        "request_export": "exports",
        "approve_export": "exports",
        "run_export": "exports",
        "export_poisoned": "exports",
        "sweep_exports": "exports",
        "watch_tick": "exports",
    }


def test_the_host_adds_no_prefix_to_routes() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    assert host["extensions"]["http"]["routePrefix"] == ""
    assert host["extensions"]["queues"]["maxDequeueCount"] == 5


def resolved(reference: str) -> dict[str, Any]:
    found: dict[str, Any] = OPENAPI
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def schema(part: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({"components": OPENAPI["components"], **part})


def sent(endpoint: Endpoint | Page, rig: Rig) -> func.HttpRequest:
    """Return a request that is served or, where it needs a trace or an alert, refused."""
    role = endpoint.role.value if endpoint.role else ""
    route = {"check_id": "cost_spike", "alert_id": "0" * 16, "trace_id": "a" * 32}
    if endpoint.path.startswith("api/v1/exports/"):
        export = rig.services.exports.request(rig.services.exports.parse(EXPORT_REQUEST), requester="ada")
        queue = [] if endpoint.name == "cancel_export" else [evidence.message_for(export.id)]
        while queue:
            queue += rig.services.worker.run(queue.pop(0))
        route["export_id"] = export.id
    query = {"start": "2026-11-01", "end": "2026-12-01", "by": "agent"} if "by" in endpoint.query else {}
    headers = {"Content-Type": "application/json"}
    return request(role, route=route, query=query, body=orjson.dumps(EXPORT_REQUEST), headers=headers)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_an_answer_looks_as_described(endpoint: Endpoint | Page) -> None:
    rig = make_rig()
    response, _ = serve(endpoint, sent(endpoint, rig), lambda: rig.services)
    answers = described()[endpoint.method, endpoint.path]["responses"]
    answer = answers[str(response.status_code)]
    answer = resolved(answer["$ref"]) if "$ref" in answer else answer
    assert response.mimetype in answer["content"]
    if "json" in response.mimetype:
        schema(answer["content"][response.mimetype]["schema"]).validate(json.loads(response.get_body()))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_a_route_describes_each_denial_by_itself(endpoint: Endpoint | Page) -> None:
    answers = described()[endpoint.method, endpoint.path]["responses"].keys()
    denials = {"401", "403", "429"} if endpoint.role else set() if endpoint.open else {"401", "429"}
    assert answers & {"401", "403", "429", "default"} == denials
    assert answers >= {"400", "500", "503"}


def test_sight_looks_as_described() -> None:
    rig = make_rig()
    rig.services.sight.tick()
    held = rig.documents.read("canary/sight")
    assert held is not None
    schema(OPENAPI["components"]["schemas"]["Sight"]).validate(held.body)


def test_a_request_that_is_described_is_taken() -> None:
    schema(OPENAPI["components"]["schemas"]["ExportRequest"]).validate(EXPORT_REQUEST)
    assert make_rig().services.exports.parse(EXPORT_REQUEST).ticket == "CASE-7"
