import hashlib
import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import orjson
import pytest

from functions.access.principal import Principal
from functions.access.scope import EVERYTHING, Scope
from functions.alerts.episode import opened
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.finding import Finding, Window
from functions.errors import InvalidRequest, NotFound
from functions.evidence.exports.export import BundleFacts, Counts, Export, State
from functions.evidence.exports.steps import ASSEMBLE, SLICE, Step, read_step
from functions.evidence.selection.selection import Selection, TraceIds
from functions.triggers.evidence import ENDPOINTS, list_exports, show_export
from functions.triggers.http import Request, serve
from functions.triggers.jobs import run_step
from functions.triggers.ranges import RANGE_BYTES, WHOLE_BYTES
from tests.unit.alerts.building import CHECK
from tests.unit.triggers.rig import NOON, Rig, body_of, make_rig, principal, request

PERSON = Principal("person-1", "Ada", frozenset({"Evidence.Read"}))
TRACE = "0af7651916cd43dd8448eb211c80319c"
EXPORT = "00112233445566778899aabbccddeeff"
INJECTIONS = (
    "'",
    '"',
    "' or true | union *",
    f"{TRACE}' | project Properties //",
    "x\n| take 1",
    "%27",
    "'; drop",
    "]] //",
    "\x00",
)
ASKED: dict[str, Any] = {
    "selector": {"trace_ids": [TRACE]},
    "profile": "metadata",
    "reason": "a claim is disputed",
    "ticket": "CASE-7",
}


def ask(rig: Rig, name: str, asked: func.HttpRequest) -> tuple[func.HttpResponse, str | None]:
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.name == name)
    return serve(endpoint, asked, lambda: rig.services)


def post(rig: Rig, body: object) -> tuple[func.HttpResponse, str | None]:
    sent = request(
        "Evidence.Read", body=orjson.dumps(body), headers={"Content-Type": "application/json; charset=utf-8"}
    )
    return ask(rig, "request_export", sent)


def done(rig: Rig, content: bytes) -> Export:
    """Put a finished export there."""
    name, digest = f"{EXPORT}/bundle-metadata.zip", hashlib.sha256(content).hexdigest()
    rig.objects.put(name, io.BytesIO(content))
    return put(rig, State.DONE, BundleFacts(name, len(content), digest, "0" * 64))


def put(rig: Rig, state: State, bundle: BundleFacts | None = None) -> Export:
    selection = Selection(TraceIds((TRACE,)), "metadata", "a claim is disputed", "CASE-7")
    export = Export(EXPORT, state, selection, "person-1", NOON - timedelta(hours=1), bundle=bundle)
    rig.documents.write(f"exports/{EXPORT}", export.stored(), version=None)
    return export


def download(rig: Rig, **headers: str) -> func.HttpResponse:
    asked = request("Evidence.Read", route={"export_id": EXPORT}, headers=headers)
    return ask(rig, "download_bundle", asked)[0]


def test_a_request_is_taken_queued_and_written_down() -> None:
    rig = make_rig()
    response, message = post(rig, ASKED)
    export_id = body_of(response)["id"]
    assert response.status_code == 202
    assert response.headers["Location"] == f"/api/v1/exports/{export_id}"
    assert message is not None
    assert read_step(message) == Step(export_id)
    assert rig.services.exports.get(export_id).requester == "person-1"
    entry = rig.recorded()[-1]
    assert entry["on"]["export_id"] == export_id
    assert entry["on"]["ticket"] == "CASE-7"
    assert entry["on"]["reason_sha256"] == hashlib.sha256(b"a claim is disputed").hexdigest()


@pytest.mark.parametrize("injected", INJECTIONS)
@pytest.mark.parametrize(
    "place",
    [
        lambda text: {"selector": {"trace_ids": [text]}},
        lambda text: {"selector": {"trace_ids": [TRACE, text]}},
        lambda text: {"selector": {"alert_id": text}},
        lambda text: {"selector": {text: [TRACE]}},
        lambda text: {"selector": {"window": {"start": text, "end": "2026-11-02T00:00:00Z"}}},
        lambda text: {"selector": {"window": window(agent=text)}},
        lambda text: {"selector": {"window": window(release=text)}},
        lambda text: {"profile": text},
        lambda text: {text: "more"},
    ],
)
def test_an_injection_in_any_field_is_refused(place: Any, injected: str) -> None:
    rig = make_rig()
    response, message = post(rig, ASKED | place(injected))
    assert 400 <= response.status_code < 500
    assert response.mimetype == "application/problem+json"
    assert message is None
    assert rig.source.asked == []
    assert list(rig.documents.names("exports/")) == []


def window(**filters: str) -> dict[str, str]:
    return {"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z", **filters}


@pytest.mark.parametrize("body", [None, [], "x", {}, {"selector": {}}, ASKED | {"ticket": ""}])
def test_a_request_that_lacks_something_is_refused(body: object) -> None:
    rig = make_rig()
    assert post(rig, body)[0].status_code == 400
    assert rig.recorded()[-1]["outcome"] == "refused"


def test_an_alert_that_does_not_exist_cannot_be_exported() -> None:
    assert post(make_rig(), ASKED | {"selector": {"alert_id": "0" * 16}})[0].status_code == 404


@pytest.mark.parametrize("name", ["show_export", "download_bundle"])
@pytest.mark.parametrize("export_id", [EXPORT, "x" * 10_000, "../checks/cost_spike", "", *INJECTIONS])
def test_an_export_that_does_not_exist_is_not_found(name: str, export_id: str) -> None:
    rig = make_rig()
    rig.documents.write("checks/cost_spike", {}, version=None)
    response, _ = ask(rig, name, request("Evidence.Read", route={"export_id": export_id}))
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"
    assert rig.recorded()[-1]["outcome"] == "refused"


def test_exports_are_listed() -> None:
    rig = make_rig()
    put(rig, State.QUEUED)
    response, _ = ask(rig, "list_exports", request("Evidence.Read"))
    assert [export["id"] for export in body_of(response)["exports"]] == [EXPORT]


def test_an_export_is_shown() -> None:
    rig = make_rig()
    export = put(rig, State.RUNNING)
    response, _ = ask(rig, "show_export", request("Evidence.Read", route={"export_id": EXPORT}))
    shown = body_of(response)
    assert (shown["id"], shown["state"], shown["selector"]) == (EXPORT, "running", {"trace_ids": [TRACE]})
    assert shown["progress"] == {"slices": 0, "done": 0}
    assert shown["requested_at"] == export.requested_at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.FAILED])
def test_a_bundle_that_is_not_done_is_not_given(state: State) -> None:
    rig = make_rig()
    put(rig, state)
    assert download(rig).status_code == 409


def test_a_bundle_that_is_built_but_not_done_is_not_given() -> None:
    rig = make_rig()
    export = done(rig, b"zip")
    document = rig.documents.read(f"exports/{EXPORT}")
    assert document is not None
    rig.documents.write(document.name, export.stored() | {"state": "running"}, version=document.version)
    assert download(rig).status_code == 409


def test_a_small_bundle_is_given_whole_under_our_own_name() -> None:
    rig = make_rig()
    done(rig, b"zip" * 1000)
    response = download(rig)
    assert response.status_code == 200
    assert response.get_body() == b"zip" * 1000
    assert response.mimetype == "application/zip"
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="tracekeeper-{EXPORT}-bundle-metadata.zip"'
    )
    assert response.headers["ETag"] == f'"{hashlib.sha256(b"zip" * 1000).hexdigest()}"'


def test_a_download_is_written_down_with_what_was_taken() -> None:
    rig = make_rig()
    done(rig, b"zip" * 1000)
    download(rig, Range="bytes=10-19")
    entry = rig.recorded()[-1]
    assert entry["action"] == "exports.download"
    assert entry["outcome"] == "served"
    assert entry["on"]["range"] == "bytes 10-19/3000"
    assert entry["on"]["sha256"] == hashlib.sha256(b"zip" * 1000).hexdigest()


def test_a_large_bundle_is_put_together_from_parts() -> None:
    rig = make_rig()
    content = bytes(WHOLE_BYTES + 1000)
    done(rig, content)
    assert download(rig).status_code == 400
    taken = b""
    while len(taken) < len(content):
        response = download(rig, Range=f"bytes={len(taken)}-")
        assert response.status_code == 206
        assert len(response.get_body()) <= RANGE_BYTES
        taken += response.get_body()
    assert hashlib.sha256(taken).hexdigest() == hashlib.sha256(content).hexdigest()


def test_an_export_runs_from_its_messages_to_its_bundle() -> None:
    rig = make_rig()
    _, message = post(rig, ASKED)
    assert message is not None
    queue = [message]
    while queue:
        run_step(rig.services, queue.pop(0).encode(), queue.extend)
    assert rig.services.exports.get(read_step(message).export_id).state is State.DONE


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{}",
        b"[]",
        b"x",
        b'"x"',
        b"\xff",
        b'{"export_id": 1}',
        b'{"export_id": "a", "step": "x"}',
        b'{"export_id": "a", "step": "slice"}',
        b'{"export_id": "a", "step": "slice", "slice": -1}',
    ],
)
def test_a_foreign_message_names_no_step(message: bytes) -> None:
    with pytest.raises(InvalidRequest, match="names no step"):
        run_step(make_rig().services, message, lambda _: None)


@pytest.mark.parametrize(
    "step", [Step("a" * 32), Step("a" * 32, SLICE, 0), Step("a" * 32, SLICE, 17), Step("a" * 32, ASSEMBLE)]
)
def test_a_step_is_read_back_from_its_message(step: Step) -> None:
    assert read_step(step.message()) == step


def test_an_incomplete_bundle_says_so_in_its_name_and_in_the_answer() -> None:
    rig = make_rig()
    done(rig, b"zip")
    held = rig.services.exports.records.get(EXPORT)
    short = replace(held.export, counts=Counts(traces=1, spans=1, rows=1, complete=False))
    rig.services.exports.records.write(held, short)
    response = download(rig)
    assert "INCOMPLETE" in response.headers["Content-Disposition"]
    assert response.headers["Tracekeeper-Complete"] == "false"


def test_an_export_says_whose_it_is_when_it_is_given_up_and_what_it_is_saved_as() -> None:
    rig = make_rig()
    asked = request("Evidence.Read", route={"export_id": EXPORT})
    put(rig, State.QUEUED)
    shown = body_of(ask(rig, "show_export", asked)[0])
    assert (shown["asked_by_you"], shown["expires_at"]) == (True, "2026-12-01T11:00:00Z")
    assert shown["public_key_url"] is None
    other = request(header=principal("Evidence.Read", person="person-2"), route={"export_id": EXPORT})
    assert body_of(ask(rig, "show_export", other)[0])["asked_by_you"] is False


def test_a_finished_export_names_its_file_as_the_download_does() -> None:
    rig = make_rig()
    done(rig, b"zip")
    shown = body_of(ask(rig, "list_exports", request("Evidence.Read"))[0])["exports"][0]
    assert shown["expires_at"] is None
    assert f'filename="{shown["bundle"]["name"]}"' in download(rig).headers["Content-Disposition"]


def test_where_the_public_key_is_published_is_said() -> None:
    rig = make_rig()
    put(rig, State.QUEUED)
    published = replace(rig.services.worker, published="https://example.org/keys")
    asked = request("Evidence.Read", route={"export_id": EXPORT})
    response = show_export(
        replace(rig.services, worker=published), Request(PERSON, asked.route_params, {}, {}, b"")
    )
    assert response.body["public_key_url"] == "https://example.org/keys"


def asking(rig: Rig, scope: Scope = EVERYTHING) -> Any:
    return list_exports(rig.services, Request(PERSON, {}, {}, {}, b"", scope)).body["asking"]


def test_what_can_be_asked_by_is_said() -> None:
    rig = make_rig()
    told, configured = asking(rig), rig.services.configuration
    assert told["agents"] == sorted(configured.agents.by_name)
    assert told["dimensions"] == sorted(configured.agents.attributes.dimensions)
    assert (told["cases"], told["content_approval"]) == (True, True)


@pytest.mark.parametrize(
    ("scope", "agents"),
    [
        (Scope(agents=frozenset({"dispatcher"})), ["dispatcher"]),
        (Scope(tenants=frozenset({"customer-17"})), []),
    ],
)
def test_whose_role_is_limited_is_told_of_no_other_agents(scope: Scope, agents: list[str]) -> None:
    assert asking(make_rig(), scope)["agents"] == agents


def decide(rig: Rig, body: object, *, by: str = "person-2") -> tuple[func.HttpResponse, str | None]:
    asked = request(
        header=principal("Evidence.Approve", person=by),
        method="POST",
        route={"export_id": EXPORT},
        body=orjson.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    return ask(rig, "approve_export", asked)


def test_a_second_person_approves_and_the_job_begins() -> None:
    rig = make_rig()
    put(rig, State.AWAITING_APPROVAL)
    response, message = decide(rig, {"approved": True, "reason": "the claim is real"})
    assert (response.status_code, body_of(response)["state"]) == (200, "queued")
    assert body_of(response)["decision"]["by"] == "person-2"
    assert message is not None
    assert read_step(message) == Step(EXPORT)
    assert [entry["action"] for entry in rig.recorded()] == ["exports.approved", "exports.approve"]
    assert rig.recorded()[0]["who"] == {"object_id": "person-2"}


def test_a_second_person_refuses_and_nothing_begins() -> None:
    rig = make_rig()
    put(rig, State.AWAITING_APPROVAL)
    response, message = decide(rig, {"approved": False, "reason": "no need"})
    assert (response.status_code, body_of(response)["state"], message) == (200, "refused", None)
    assert [entry["action"] for entry in rig.recorded()] == ["exports.refused", "exports.approve"]


def test_an_approval_by_the_requester_is_refused_and_in_the_ledger() -> None:
    rig = make_rig()
    export = put(rig, State.AWAITING_APPROVAL)
    response, message = decide(rig, {"approved": True, "reason": "me too"}, by=export.requester)
    assert (response.status_code, message) == (403, None)
    assert rig.services.exports.get(EXPORT).state is State.AWAITING_APPROVAL
    (entry,) = rig.recorded()
    assert (entry["action"], entry["outcome"]) == ("exports.approve", "denied")
    assert (entry["who"]["object_id"], entry["on"]["export_id"]) == (export.requester, EXPORT)
    assert "can't approve it" in entry["reason"]


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.DONE, State.REFUSED, State.CANCELLED])
def test_what_waits_for_no_approval_can_not_be_approved(state: State) -> None:
    rig = make_rig()
    put(rig, state)
    assert decide(rig, {"approved": True, "reason": "fine"})[0].status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"approved": "yes", "reason": "fine"},
        {"approved": True},
        {"approved": True, "reason": ""},
        {"approved": True, "reason": "fine", "more": 1},
        {"approved": True, "reason": "mail ada@example.org"},
    ],
)
def test_a_decision_of_another_shape_is_refused(body: object) -> None:
    rig = make_rig()
    put(rig, State.AWAITING_APPROVAL)
    assert decide(rig, body)[0].status_code == 400
    assert rig.services.exports.get(EXPORT).state is State.AWAITING_APPROVAL


def test_an_export_is_cancelled_and_its_steps_do_nothing() -> None:
    rig = make_rig()
    put(rig, State.RUNNING)
    asked = request("Evidence.Read", method="POST", route={"export_id": EXPORT})
    response, _ = ask(rig, "cancel_export", asked)
    assert (response.status_code, body_of(response)["state"]) == (200, "cancelled")
    assert rig.services.worker.run(Step(EXPORT, SLICE, 3).message()) == []
    assert rig.source.asked == []
    assert ask(rig, "cancel_export", asked)[0].status_code == 409
    assert [entry["action"] for entry in rig.recorded()][:2] == ["exports.cancelled", "exports.cancel"]


def test_the_content_profile_is_downloaded_with_its_own_role_only() -> None:
    rig = make_rig()
    export = done(rig, b"zip")
    held = rig.services.exports.records.get(EXPORT)
    content = replace(export, selection=replace(export.selection, profile="content"))
    rig.services.exports.records.write(held, content)
    assert download(rig).status_code == 403
    assert rig.recorded()[-1]["outcome"] == "denied"
    asked = request("Evidence.Read", "Evidence.ReadContent", route={"export_id": EXPORT})
    assert ask(rig, "download_bundle", asked)[0].status_code == 200


def test_a_sample_with_a_chosen_seed_is_refused_and_the_ledger_has_it() -> None:
    rig = make_rig()
    seed = "5eed" * 16
    sample = {"start": "2026-11-16T00:00:00Z", "end": "2026-11-23T00:00:00Z", "size": 25, "seed": seed}
    response, message = post(rig, ASKED | {"selector": {"sample": sample}})
    assert (response.status_code, message) == (400, None)
    assert "nobody chooses which runs are drawn" in body_of(response)["detail"]
    entry = rig.recorded()[-1]
    assert (entry["action"], entry["outcome"]) == ("exports.request", "refused")
    assert entry["who"]["object_id"] == "person-1"
    assert "selector.sample.seed must not be given" in entry["reason"]
    assert seed not in orjson.dumps(entry).decode()
    assert not list(rig.services.exports.list())


@pytest.mark.parametrize(
    "selector",
    [
        {"conversation_id": "conv-of-a-person"},
        {
            "window": {
                "start": "2026-11-16T00:00:00Z",
                "end": "2026-11-23T00:00:00Z",
                "tenant": "conv-of-a-person",
            }
        },
    ],
)
def test_what_somebody_is_found_by_is_in_no_answer_and_not_in_the_ledger(selector: dict[str, Any]) -> None:
    rig = make_rig()
    response, _ = post(rig, ASKED | {"selector": selector})
    assert response.status_code == 202
    shown = ask(rig, "list_exports", request("Evidence.Read"))[0].get_body()
    ledger = orjson.dumps(rig.recorded())
    assert b"conv-of-a-person" not in response.get_body() + shown + ledger


DOCS = Path(__file__).parents[3] / "docs" / "exports.md"
BODIES = [
    orjson.loads(body)
    for body in re.findall(r"^```json\n(.*?)^```", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL)
]


def put_alert(rig: Rig, alert_id: str, agent: str = "dispatcher") -> None:
    """Put an alert of an agent there, with one trace."""
    window = Window(NOON - timedelta(minutes=5), NOON)
    found = Finding(CHECK.id, {"Agent": agent}, window, 9.0, 1.0, 1, (TRACE,), {})
    body = state_to_json(CheckState(alerts={alert_id: opened(alert_id, None, found, CHECK)}))
    rig.documents.write(PREFIX + CHECK.id, body, version=None)


def test_an_alert_of_an_agent_beyond_one_s_role_is_not_there() -> None:
    rig = make_rig()
    put_alert(rig, "0" * 16, "benefits")
    scope = Scope(agents=frozenset({"dispatcher"}))
    asked = ASKED | {"selector": {"alert_id": "0" * 16}}
    with pytest.raises(NotFound):
        rig.services.exports.parse(asked, scope=scope)
    assert rig.services.exports.parse(asked, scope=EVERYTHING)


def test_the_docs_have_a_body_for_every_selector() -> None:
    kinds = {kind for body in BODIES for kind in body["selector"]}
    assert kinds == {"trace_ids", "alert_id", "conversation_id", "window", "cases", "sample"}


@pytest.mark.parametrize("body", BODIES, ids=lambda body: next(iter(body["selector"])))
def test_a_body_of_the_docs_is_taken_as_it_stands(body: dict[str, Any]) -> None:
    rig = make_rig()
    alert_id = body["selector"].get("alert_id")
    if alert_id is not None:
        put_alert(rig, alert_id)
    response, message = post(rig, body)
    assert response.status_code == 202, body_of(response)
    assert message is not None
    assert body_of(response)["ticket"] == body["ticket"]
