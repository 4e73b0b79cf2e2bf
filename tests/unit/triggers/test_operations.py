from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest

from functions.access.chain import chain_body
from functions.access.heads import Head, NewestHead, Signed
from functions.access.ledger import Latest
from functions.access.principal import Principal
from functions.access.scope import Scope
from functions.errors import NotFound
from functions.storage.append_log import START
from functions.triggers.http import Request, serve
from functions.triggers.operations import ENDPOINTS, show_configuration
from tests.unit.triggers.rig import NOON, Rig, body_of, make_rig, request

HOSTILE = ["nope", "", "x" * 10_000, "../exports/a", "' | union *", "\x00"]


def ask(rig: Rig, name: str, asked: func.HttpRequest) -> func.HttpResponse:
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.name == name)
    return serve(endpoint, asked, lambda: rig.services)[0]


def test_health_says_only_that_it_is_well() -> None:
    rig = make_rig(sign_in_enabled=False)
    rig.services.heart.beat(())
    assert body_of(ask(rig, "show_health", request(header=""))) == {"status": "ok"}
    assert rig.recorded() == []


def test_health_fails_before_the_first_tick_and_says_no_more() -> None:
    response = ask(make_rig(sign_in_enabled=False), "show_health", request(header=""))
    assert (response.status_code, response.mimetype) == (503, "application/problem+json")
    assert body_of(response) | {"instance": ""} == {
        "type": "urn:tracekeeper:problem:watch-stopped",
        "title": "The watch has stopped",
        "status": 503,
        "detail": "No tick of the watch was completed in the last 5 minutes.",
        "next_step": "Look for the function watch_tick in the app's log.",
        "instance": "",
    }


def test_every_check_is_listed() -> None:
    rig = make_rig()
    listed = body_of(ask(rig, "list_checks", request("Alerts.Read")))["checks"]
    assert [check["id"] for check in listed] == [check.id for check in rig.services.configuration.checks]


def test_what_can_be_seen_is_shown_with_the_checks() -> None:
    rig = make_rig()
    assert body_of(ask(rig, "list_checks", request("Alerts.Read")))["sight"] is None
    rig.services.sight.tick()
    noon = "2026-11-24T12:00:00Z"
    assert body_of(ask(rig, "list_checks", request("Alerts.Read")))["sight"] == {
        "asked_at": noon,
        "needs": {"content": {"answer": "pass", "why": "", "since": noon}},
    }


def test_the_files_of_a_configuration_are_shown_by_its_hash() -> None:
    rig, name = make_rig(), "a" * 64
    files = {"b.yaml": "b: 1\n", "a.yaml": "a: 1\n"}
    rig.documents.write(f"configurations/{name}", {"files": files}, version=None)
    shown = ask(rig, "show_configuration", request("Alerts.Read", query={"hash": name}))
    assert body_of(shown) == {"configuration": name, "files": files}


@pytest.mark.parametrize("name", [*HOSTILE, "b" * 64, "a" * 63])
def test_a_configuration_that_is_not_kept_is_not_found(name: str) -> None:
    response = ask(make_rig(), "show_configuration", request("Alerts.Read", query={"hash": name}))
    assert (response.status_code, body_of(response)["detail"]) == (
        404,
        "There is no such configuration that you may see.",
    )


def test_whose_role_is_limited_is_shown_no_files_for_they_name_all_agents() -> None:
    rig, name = make_rig(), "a" * 64
    rig.documents.write(f"configurations/{name}", {"files": {"a.yaml": "a: 1\n"}}, version=None)
    caller = Principal("someone", "Someone", frozenset({"Alerts.Read"}))
    asked = Request(caller, {}, {"hash": name}, {}, b"")
    assert show_configuration(rig.services, asked).body["configuration"] == name
    with pytest.raises(NotFound):
        show_configuration(rig.services, replace(asked, scope=Scope(agents=frozenset({"dispatcher"}))))


def test_coverage_is_shown_by_check() -> None:
    asked = request("Alerts.Read", route={"check_id": "cost_spike"})
    assert body_of(ask(make_rig(), "show_coverage", asked))["check_id"] == "cost_spike"


def test_the_coverage_of_all_checks_is_shown_at_once() -> None:
    rig = make_rig()
    told = body_of(ask(rig, "show_coverage_map", request("Alerts.Read", query={"days": "35"})))
    assert [one["id"] for one in told["checks"]] == [one.id for one in rig.services.configuration.checks]
    assert {len(one["cells"]) for one in told["checks"]} == {35 * 4}


@pytest.mark.parametrize("days", ["0", "-1", "36", "x", "7.0"])
def test_days_out_of_bounds_are_refused(days: str) -> None:
    response = ask(make_rig(), "show_coverage_map", request("Alerts.Read", query={"days": days}))
    assert response.status_code == 400


@pytest.mark.parametrize("check_id", HOSTILE)
def test_an_unknown_check_is_not_found(check_id: str) -> None:
    asked = request("Alerts.Read", route={"check_id": check_id})
    assert ask(make_rig(), "show_coverage", asked).status_code == 404


def test_the_access_log_shows_the_latest_first_and_each_look_at_it() -> None:
    rig = make_rig()
    ask(rig, "list_checks", request())
    ask(rig, "list_accesses", request("Audit.Read"))
    entries: list[dict[str, Any]] = body_of(ask(rig, "list_accesses", request("Audit.Read")))["entries"]
    assert [entry["action"] for entry in entries] == ["access-log.read", "checks.list"]
    assert [entry["outcome"] for entry in entries] == ["served", "denied"]


@pytest.mark.parametrize("count", ["0", "-1", "1001", "²", "1e3", "x" * 10_000])
def test_a_count_out_of_bounds_is_refused(count: str) -> None:
    response = ask(make_rig(), "list_accesses", request("Audit.Read", query={"count": count}))
    assert response.status_code == 400


def test_the_access_log_says_what_was_checked_of_its_chain() -> None:
    rig = make_rig()
    for _ in range(2):
        ask(rig, "list_checks", request())
    rig.services.record.heads.tick()
    ask(rig, "list_checks", request())
    chain = body_of(ask(rig, "list_accesses", request("Audit.Read", query={"count": "1"})))["chain"]
    assert chain["hash"].encode() in rig.log.lines[2]
    assert chain | {"hash": ""} == {
        "state": "holds",
        "lines": 3,
        "checked": 1,
        "hash": "",
        "head": {"day": "2026-11-24", "lines": 2, "signature": "unchecked"},
    }


def test_a_chain_without_a_head_is_checked_from_its_beginning() -> None:
    rig = make_rig()
    ask(rig, "list_checks", request())
    chain = body_of(ask(rig, "list_accesses", request("Audit.Read")))["chain"]
    assert (chain["checked"], chain["lines"], chain["head"]) == (1, 1, None)


@pytest.mark.parametrize(("signed", "state"), [(Signed.BROKEN, "broken"), (Signed.OTHER_KEY, "holds")])
def test_a_signature_that_does_not_fit_the_key_it_names_breaks_the_chain(signed: Signed, state: str) -> None:
    head = Head(NOON.date(), START)
    assert chain_body(Latest([], START, START), NewestHead(head, signed))["state"] == state


def test_a_ledger_that_was_touched_is_not_shown() -> None:
    rig = make_rig()
    for _ in range(3):
        ask(rig, "list_accesses", request("Audit.Read"))
    del rig.log.lines[1]
    response = ask(rig, "list_accesses", request("Audit.Read"))
    assert response.status_code == 503
    assert body_of(response)["type"] == "urn:tracekeeper:problem:chain-broken"
    assert body_of(response)["title"] == "The ledger does not hold"
    assert "broken at line 2" in body_of(response)["detail"]


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.role], ids=lambda one: one.name)
def test_no_route_but_health_is_open(endpoint: Any) -> None:
    others = {"Alerts.Read", "Audit.Read", "Evidence.Read", "Traces.Read"} - {endpoint.role.value}
    assert ask(make_rig(), endpoint.name, request(*others)).status_code == 403
