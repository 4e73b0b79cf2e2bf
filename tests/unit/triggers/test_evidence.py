import hashlib
import io
from datetime import timedelta
from typing import Any

import azure.functions as func
import orjson
import pytest

from functions.errors import TracekeeperError
from functions.evidence.export import BundleFacts, Export, State, stored_export
from functions.evidence.selection import Selection, TraceIds
from functions.triggers.evidence import ENDPOINTS, REQUEST, export_id_of
from functions.triggers.http import serve
from functions.triggers.ranges import RANGE_BYTES, WHOLE_BYTES
from tests.unit.triggers.rig import NOON, Rig, body_of, make_rig, request

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
    endpoint = next(endpoint for endpoint in (REQUEST, *ENDPOINTS) if endpoint.name == name)
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
    rig.documents.write(f"exports/{EXPORT}", export.body(), version=None)
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
    assert export_id_of(message.encode()) == export_id
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
    assert stored_export(body_of(response)) == export


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
    rig.documents.write(document.name, export.body() | {"state": "running"}, version=document.version)
    assert download(rig).status_code == 409


def test_a_small_bundle_is_given_whole_under_our_own_name() -> None:
    rig = make_rig()
    done(rig, b"zip" * 1000)
    response = download(rig)
    assert response.status_code == 200
    assert response.get_body() == b"zip" * 1000
    assert response.mimetype == "application/zip"
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="tracekeeper-{EXPORT}-metadata.zip"'
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


def test_an_export_runs_from_its_message_to_its_bundle() -> None:
    rig = make_rig()
    _, message = post(rig, ASKED)
    assert message is not None
    rig.services.exports.run(export_id_of(message.encode()))
    export = rig.services.exports.get(export_id_of(message.encode()))
    assert export.state is State.DONE


@pytest.mark.parametrize("message", [b"", b"{}", b"[]", b"x", b'"x"', b"\xff"])
def test_a_foreign_message_names_no_export(message: bytes) -> None:
    with pytest.raises(TracekeeperError, match="names no export"):
        export_id_of(message)
