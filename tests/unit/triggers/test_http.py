import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

import azure.functions as func
import pytest

from functions.access.ledger import fingerprint
from functions.access.limits import Limits
from functions.access.roles import Role
from functions.access.scope import Scope
from functions.errors import (
    ConfigurationError,
    DocumentConflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    NotReady,
    RedactionFailure,
    ResultTooLarge,
    SettingsError,
    SourceRefused,
    SourceThrottled,
    StorageError,
    TracekeeperError,
)
from functions.triggers.http import Answer, Endpoint, Request, serve
from functions.wiring import Services
from tests.fakes.storage import MemoryAppendLog
from tests.unit.triggers.rig import (
    AUDIENCE,
    TENANT,
    Rig,
    body_of,
    make_rig,
    principal,
    request,
    with_access,
)

SECRET = "sesame"


def answer_secret(services: Services, request: Request) -> Answer:
    return Answer({"secret": SECRET}, on={"ticket": "T-1"}, message="queued")


READ = Endpoint(
    name="read_thing",
    action="things.read",
    role=Role.EVIDENCE_READ,
    recorded=True,
    handle=answer_secret,
    query=frozenset({"page"}),
)


def raising(error: Exception) -> Endpoint:
    def fail(services: Services, request: Request) -> Answer:
        raise error

    return dataclasses.replace(READ, handle=fail)


def ask(rig: Rig, asked: func.HttpRequest, endpoint: Endpoint = READ) -> func.HttpResponse:
    return serve(endpoint, asked, lambda: rig.services)[0]


def last(rig: Rig) -> Mapping[str, Any]:
    return rig.recorded()[-1]


class FailingLog(MemoryAppendLog):
    def append(self, entry: Mapping[str, Any]) -> str:  # noqa: ARG002 - the interface's parameter
        raise StorageError("The ledger is away.", next_step="Wait.")


class BrokenLog(MemoryAppendLog):
    def append(self, entry: Mapping[str, Any]) -> str:  # noqa: ARG002 - the interface's parameter
        raise RuntimeError(SECRET)


def test_who_has_the_role_is_served_and_written_down() -> None:
    rig = make_rig()
    response, message = serve(READ, request("Evidence.Read", route={"thing_id": "a1"}), lambda: rig.services)
    assert (response.status_code, body_of(response), message) == (200, {"secret": SECRET}, "queued")
    entry = last(rig)
    assert entry["who"] == {"object_id": "person-1", "name": "Ada"}
    assert entry["action"] == "things.read"
    assert entry["on"] == {"thing_id": "a1", "ticket": "T-1"}
    assert entry["outcome"] == "served"
    assert entry["correlation_id"] == response.headers["X-Correlation-Id"]


@pytest.mark.parametrize(
    ("header", "status", "known", "reason"),
    [
        (principal(), 403, True, "needs the role Evidence.Read"),
        (principal("Alerts.Read", "Audit.Read"), 403, True, "needs the role Evidence.Read"),
        (principal("Evidence.Read", tenant=AUDIENCE), 401, False, "another tenant"),
        (principal("Evidence.Read", audience=TENANT), 401, False, "another application"),
        ("", 401, False, "Nobody is signed in"),
        ("{}", 401, False, "can't be read"),
    ],
    ids=["no role", "wrong role", "wrong tenant", "wrong audience", "nobody", "unreadable"],
)
def test_a_denial_shows_nothing_and_is_written_down(
    header: str, status: int, known: bool, reason: str
) -> None:
    rig = make_rig()
    response, message = serve(READ, request(header=header), lambda: rig.services)
    assert response.status_code == status
    assert message is None
    assert SECRET.encode() not in response.get_body()
    assert last(rig)["outcome"] == "denied"
    assert reason in last(rig)["reason"]
    assert bool(last(rig)["who"]) == known


def test_a_forged_header_is_worthless_while_sign_in_is_off() -> None:
    rig = make_rig(sign_in_enabled=False)
    response = ask(rig, request("Evidence.Read"))
    assert response.status_code == 401
    assert SECRET.encode() not in response.get_body()
    assert "Sign-in is off" in last(rig)["reason"]


def test_a_denial_is_written_down_where_requests_are_not() -> None:
    rig = make_rig()
    quiet = dataclasses.replace(READ, recorded=False)
    ask(rig, request("Evidence.Read"), quiet)
    assert rig.recorded() == []
    ask(rig, request(), quiet)
    assert last(rig)["outcome"] == "denied"


def test_an_open_endpoint_asks_nobody() -> None:
    rig = make_rig(sign_in_enabled=False)
    response = ask(rig, request(header=""), dataclasses.replace(READ, role=None, recorded=False))
    assert response.status_code == 200


@pytest.mark.parametrize("log", [FailingLog(), BrokenLog()])
@pytest.mark.parametrize("roles", [("Evidence.Read",), ()])
def test_what_cannot_be_written_down_is_not_served(log: MemoryAppendLog, roles: tuple[str, ...]) -> None:
    rig = make_rig(log=log)
    response, message = serve(READ, request(*roles), lambda: rig.services)
    assert response.status_code in {500, 503}
    assert SECRET.encode() not in response.get_body()
    assert message is None


def test_a_ledger_that_is_away_is_a_503() -> None:
    assert ask(make_rig(log=FailingLog()), request("Evidence.Read")).status_code == 503


@pytest.mark.parametrize(
    ("error", "status", "kind", "outcome"),
    [
        (InvalidRequest("No.", next_step="So."), 400, "invalid-request", "refused"),
        (Forbidden("No.", next_step="So."), 403, "forbidden", "denied"),
        (NotFound("No.", next_step="So."), 404, "not-found", "refused"),
        (NotReady("No.", next_step="So."), 409, "not-ready", "refused"),
        (DocumentConflict("No.", next_step="So."), 409, "document-conflict", "failed"),
        (ResultTooLarge("No.", next_step="So."), 422, "result-too-large", "failed"),
        (RedactionFailure("No.", next_step="So."), 500, "redaction-failure", "failed"),
        (SourceRefused("No.", next_step="So."), 502, "source-refused", "failed"),
        (SourceThrottled("No.", next_step="So."), 503, "source-throttled", "failed"),
        (StorageError("No.", next_step="So."), 503, "storage-error", "failed"),
    ],
)
def test_an_error_is_a_problem_document(
    error: TracekeeperError, status: int, kind: str, outcome: str
) -> None:
    rig = make_rig()
    response = ask(rig, request("Evidence.Read"), raising(error))
    told = body_of(response)
    assert response.status_code == told["status"] == status
    assert response.mimetype == response.headers["Content-Type"] == "application/problem+json"
    assert told["type"] == f"urn:tracekeeper:problem:{kind}"
    assert (told["detail"], told["next_step"]) == ("No.", "So.")
    assert told["instance"] == f"urn:uuid:{response.headers['X-Correlation-Id']}"
    assert last(rig)["outcome"] == outcome


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SECRET),
        KeyError(SECRET),
        SettingsError(SECRET, next_step="So."),
        ConfigurationError(SECRET, next_step="So."),
    ],
)
def test_any_other_exception_tells_nothing(error: Exception) -> None:
    rig = make_rig()
    response = ask(rig, request("Evidence.Read"), raising(error))
    assert response.status_code == 500
    assert SECRET.encode() not in response.get_body()
    assert body_of(response)["type"] == "urn:tracekeeper:problem:internal-error"
    assert SECRET not in str(last(rig))


def test_a_foreign_exceptions_text_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        response = ask(make_rig(), request("Evidence.Read"), raising(ValueError(SECRET)))
    assert "ValueError" in caplog.text
    assert response.headers["X-Correlation-Id"] in caplog.text
    assert SECRET not in caplog.text


def test_an_app_that_cannot_start_says_so_without_details() -> None:
    def provide() -> Services:
        raise SettingsError(SECRET, next_step="So.")

    response, _ = serve(READ, request("Evidence.Read"), provide)
    assert response.status_code == 500
    assert SECRET.encode() not in response.get_body()


def test_every_answer_forbids_keeping_and_guessing() -> None:
    for roles in ((), ("Evidence.Read",)):
        headers = ask(make_rig(), request(*roles)).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_an_unknown_query_parameter_is_refused_without_its_name() -> None:
    response = ask(make_rig(), request("Evidence.Read", query={"page": "1", SECRET: "1"}))
    assert response.status_code == 400
    assert SECRET.encode() not in response.get_body()


@pytest.mark.parametrize("value", ["x" * 10_000, "'; drop table", "a\nb", "../state"])
def test_foreign_text_is_in_the_ledger_as_its_hash(value: str) -> None:
    rig = make_rig()
    ask(rig, request("Evidence.Read", route={"thing_id": value}))
    assert last(rig)["on"]["thing_id"] == f"sha256:{fingerprint(value)}"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("", b"{}"),
        ("text/plain", b"{}"),
        ("application/x-www-form-urlencoded", b"{}"),
        ("application/json", b""),
        ("application/json", b"{"),
        ("application/json", b"\xff"),
        ("application/json", b"[" * 100_000),
        ("application/json", b" " * 300_000 + b"{}"),
    ],
)
def test_a_body_that_is_not_json_is_refused(kind: str, body: bytes) -> None:
    def read_body(services: Services, request: Request) -> Answer:
        return Answer(request.json())

    endpoint = dataclasses.replace(READ, handle=read_body)
    asked = request("Evidence.Read", body=body, headers={"Content-Type": kind})
    assert ask(make_rig(), asked, endpoint).status_code == 400


FEW = Limits(requests_per_minute=3, exports_per_hour=1)


def test_who_asks_too_often_is_told_when_to_ask_again_and_written_down_once() -> None:
    rig = make_rig(limits=FEW)
    answers = [ask(rig, request("Evidence.Read")) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 7
    assert {answer.headers["Retry-After"] for answer in answers[3:]} == {"60"}
    assert body_of(answers[-1])["type"] == "urn:tracekeeper:problem:too-many-requests"
    outcomes = [entry["outcome"] for entry in rig.recorded()]
    assert outcomes == ["served"] * 3 + ["denied"]
    assert last(rig)["who"] == {"object_id": "person-1", "name": "Ada"}


@pytest.mark.parametrize("header", [principal(), "", "{}"], ids=["no role", "nobody", "unreadable"])
def test_denials_do_not_fill_the_ledger_either(header: str) -> None:
    rig = make_rig(limits=FEW)
    statuses = {ask(rig, request(header=header)).status_code for _ in range(10)}
    assert statuses in ({403, 429}, {401, 429})
    assert len(rig.recorded()) == 4


def test_what_is_rationed_counts_as_an_export_too() -> None:
    rig = make_rig(limits=FEW)
    rationed = dataclasses.replace(READ, rationed=True)
    assert [ask(rig, request("Evidence.Read"), rationed).status_code for _ in range(2)] == [200, 429]
    assert ask(rig, request("Evidence.Read")).status_code == 200


def test_how_far_a_role_reaches_is_handed_on_and_who_is_not_named_is_kept_out() -> None:
    seen: list[Scope] = []

    def handle(services: Services, request: Request) -> Answer:
        seen.append(request.scope)
        request.noted["ticket"] = "T-2"
        raise NotFound("No.", next_step="So.")

    rig = make_rig()
    endpoint = dataclasses.replace(READ, handle=handle)
    entries = [{"role": "Evidence.Read", "id": "person-1", "agents": ["dispatcher"]}]
    limited = with_access(rig, {"entries": entries})
    assert serve(endpoint, request("Evidence.Read"), lambda: limited)[0].status_code == 404
    assert seen == [Scope(frozenset({"dispatcher"}))]
    assert last(rig)["on"] == {"ticket": "T-2"}
    closed = with_access(rig, {"default": "none", "entries": [{**entries[0], "id": "person-2"}]})
    assert serve(endpoint, request("Evidence.Read"), lambda: closed)[0].status_code == 403
    assert last(rig)["outcome"] == "denied"
