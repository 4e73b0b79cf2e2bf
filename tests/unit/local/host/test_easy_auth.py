import base64
import json
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.test import Client

from local.host.easy_auth import COOKIE, EasyAuth
from local.host.people import PEOPLE

TENANT = "ab1f708d-50f6-404c-a006-d71b2ac7a606"
CLIENT = "3f7c2a10-5d0e-4b55-9c3e-2b8a4f6d1e00"
LOGIN = "/.auth/login/aad"
FORGED = {
    "X-MS-CLIENT-PRINCIPAL": "forged",
    "x-ms-client-principal-id": "forged",
    "X-Ms-Client-Principal-Name": "forged",
    "X-MS-CLIENT-PRINCIPAL-IDP": "forged",
}


def show_identity(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    seen = {name: value for name, value in environ.items() if name.startswith("HTTP_X_MS_")}
    return [json.dumps(seen).encode()]


@pytest.fixture
def client() -> Client:
    excluded = ("/api/v1/health", "/portal", "/admin")
    return Client(EasyAuth(show_identity, tenant_id=TENANT, client_id=CLIENT, excluded=excluded))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/exports", 401),
        ("/", 401),
        ("/api/v1/healthy", 401),
        ("/portals", 401),
        ("/api/v1/health", 200),
        ("/portal", 200),
        ("/portal/app.js", 200),
        ("/admin/host/status", 200),
        ("/.auth/me", 401),
    ],
)
def test_a_stranger_meets_401_but_on_excluded_paths(client: Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


@pytest.mark.parametrize("path", ["/api/v1/health", "/portal", "/admin/functions/x"])
def test_forged_identity_headers_are_stripped_on_excluded_paths_too(client: Client, path: str) -> None:
    assert client.get(path, headers=FORGED).json == {}


def test_forged_identity_headers_open_nothing(client: Client) -> None:
    assert client.get("/api/v1/exports", headers=FORGED).status_code == 401


@pytest.mark.parametrize("name", PEOPLE)
def test_who_signed_in_comes_with_the_claims_of_the_tenant(client: Client, name: str) -> None:
    assert client.post(LOGIN, data={"user": name}).status_code == 302
    seen = client.get("/api/v1/exports", headers=FORGED).json
    assert seen is not None
    principal = json.loads(base64.b64decode(seen["HTTP_X_MS_CLIENT_PRINCIPAL"]))
    claims = [(claim["typ"], claim["val"]) for claim in principal["claims"]]
    assert principal["auth_typ"] == "aad"
    assert dict(claims)["tid"] == TENANT
    assert dict(claims)["http://schemas.microsoft.com/identity/claims/tenantid"] == TENANT
    assert dict(claims)["aud"] == CLIENT
    assert dict(claims)["oid"] == seen["HTTP_X_MS_CLIENT_PRINCIPAL_ID"] == PEOPLE[name].object_id
    assert tuple(value for kind, value in claims if kind == "roles") == PEOPLE[name].roles
    assert "forged" not in seen.values()


def test_the_sign_in_page_offers_everyone(client: Client) -> None:
    page = client.get(LOGIN).text
    assert all(f'value="{name}"' in page for name in PEOPLE)


def test_nobody_of_an_unknown_name_gets_in(client: Client) -> None:
    assert client.post(LOGIN, data={"user": "mallory"}).status_code == 401
    assert client.get("/api/v1/exports").status_code == 401


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client: Client) -> None:
    cookie = client.post(LOGIN, data={"user": "auditor"}).headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_a_made_up_session_is_none(client: Client) -> None:
    client.set_cookie(COOKIE, "made-up")
    assert client.get("/api/v1/exports").status_code == 401


def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(client: Client) -> None:
    client.post(LOGIN, data={"user": "auditor"})
    kept = client.get_cookie(COOKIE)
    assert kept is not None
    client.get("/.auth/logout")
    client.set_cookie(COOKIE, kept.value)
    assert client.get("/api/v1/exports").status_code == 401


@pytest.mark.parametrize(
    ("target", "status", "location"),
    [
        ("/portal?x=1", 302, "/portal?x=1"),
        ("https://evil.example/", 400, None),
        ("//evil.example/", 400, None),
        ("/\\evil.example/", 400, None),
    ],
)
def test_signing_in_leads_on_within_this_host_only(
    client: Client, target: str, status: int, location: str | None
) -> None:
    answer = client.post(LOGIN, query_string={"post_login_redirect_uri": target}, data={"user": "auditor"})
    assert (answer.status_code, answer.headers.get("Location")) == (status, location)


def test_a_session_may_come_as_a_bearer_token(client: Client) -> None:
    client.post(LOGIN, data={"user": "auditor"})
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    client.delete_cookie(COOKIE)
    answers = [
        client.get("/api/v1/exports", headers={"Authorization": f"Bearer {token}"}).status_code
        for token in (cookie.value, "made-up", "")
    ]
    assert answers == [200, 401, 401]
