"""App Service Authentication for the local host: signs people in, keeps strangers out, says who is calling.

As on Azure, the identity headers that a client sends are removed only while it is on: an app that trusts
them while it is off can be told anything.
"""

import base64
import json
import secrets
import time
from collections.abc import Iterable, Sequence
from html import escape
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from local.host.people import PEOPLE, Person

COOKIE = "AppServiceAuthSession"
_SESSION_SECONDS = 8 * 3600  # App Service's default
_LOGIN = "/.auth/login/aad"
_FAREWELLS = {"/.auth/login/done": "You are signed in.", "/.auth/logout/complete": "You are signed out."}
_HEADERS = "HTTP_X_MS_CLIENT_PRINCIPAL"
_CLAIMS = "http://schemas.microsoft.com/identity/claims"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in</title>
<style>body{{font:16px/1.5 system-ui;max-width:26rem;margin:3rem auto;padding:0 1rem}}
button{{font:inherit;display:block;width:100%;margin:.5rem 0;padding:.6rem 1rem;text-align:left}}</style>
<h1>Who are you?</h1><form method="post">{buttons}</form></html>"""


class EasyAuth:
    """WSGI middleware around the host's app, for one tenant.

    Sessions live in memory: whoever was signed in before a restart signs in again.

    Args:
        app: What is protected.
        tenant_id: The only tenant whose people may come in.
        client_id: The app registration: the audience of their tokens.
        excluded: Paths that need no session; each stands for all below it too.
    """

    def __init__(
        self, app: WSGIApplication, *, tenant_id: str, client_id: str, excluded: Sequence[str]
    ) -> None:
        self._app = app
        self._tenant_id = tenant_id
        self._client_id = client_id
        self._excluded = tuple(excluded)
        self._sessions: dict[str, tuple[Person, float]] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the sign-in pages, refuse strangers, and let the rest through with their claims."""
        for name in [name for name in environ if name.startswith(_HEADERS)]:
            del environ[name]
        request = Request(environ)
        if request.path == _LOGIN:
            return self._sign_in(request)(environ, start_response)
        if request.path == "/.auth/logout":
            return self._sign_out(request)(environ, start_response)
        if request.path in _FAREWELLS:
            return Response(_FAREWELLS[request.path])(environ, start_response)
        person, expires = self._sessions.get(_session_of(request), (None, 0.0))
        if person is not None and time.time() < expires:
            environ.update(self._identity_headers(person, expires))
        elif not self._is_excluded(request.path):
            return Response(status=401)(environ, start_response)
        return self._app(environ, start_response)

    def _is_excluded(self, path: str) -> bool:
        return any(path == open_path or path.startswith(f"{open_path}/") for open_path in self._excluded)

    def _sign_in(self, request: Request) -> Response:
        if request.method != "POST":
            buttons = "".join(
                f'<button name="user" value="{escape(person.name)}">'
                f"<b>{escape(person.name)}</b> {escape(person.purpose)}</button>"
                for person in PEOPLE.values()
            )
            return Response(_PAGE.format(buttons=buttons), mimetype="text/html")
        person = PEOPLE.get(request.form.get("user", ""))
        if person is None:
            return Response("Nobody of that name is in the tenant.", status=401)
        session = secrets.token_urlsafe(32)
        self._sessions[session] = (person, time.time() + _SESSION_SECONDS)
        answer = _go_to(request.args.get("post_login_redirect_uri", "/.auth/login/done"))
        answer.set_cookie(COOKIE, session, httponly=True, secure=True, samesite="Lax")
        return answer

    def _sign_out(self, request: Request) -> Response:
        self._sessions.pop(request.cookies.get(COOKIE, ""), None)
        answer = _go_to(request.args.get("post_logout_redirect_uri", "/.auth/logout/complete"))
        answer.delete_cookie(COOKIE, httponly=True, secure=True, samesite="Lax")
        return answer

    def _identity_headers(self, person: Person, expires: float) -> dict[str, str]:
        principal = {
            "auth_typ": "aad",
            "claims": [{"typ": kind, "val": value} for kind, value in self._claims(person, expires)],
            "name_typ": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
            "role_typ": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
        }
        return {
            _HEADERS: base64.b64encode(json.dumps(principal).encode()).decode(),
            f"{_HEADERS}_ID": person.object_id,
            f"{_HEADERS}_NAME": person.email,
            f"{_HEADERS}_IDP": "aad",
        }

    def _claims(self, person: Person, expires: float) -> list[tuple[str, str]]:
        """The claims as App Service passes them on: some under their short, some under their long names."""
        return [
            ("aud", self._client_id),
            ("iss", f"https://login.microsoftonline.com/{self._tenant_id}/v2.0"),
            ("exp", str(int(expires))),
            (f"{_CLAIMS}/tenantid", self._tenant_id),
            ("tid", self._tenant_id),
            (f"{_CLAIMS}/objectidentifier", person.object_id),
            ("oid", person.object_id),
            ("name", person.name),
            ("preferred_username", person.email),
            *(("roles", role) for role in person.roles),
        ]


def _session_of(request: Request) -> str:
    """Return what the caller shows: the cookie, or a bearer token, which here is the session's own name.

    On Azure it is a token that the tenant issued for the app.
    """
    authorization = request.authorization
    bearer = authorization.token if authorization and authorization.type == "bearer" else None
    return request.cookies.get(COOKIE) or bearer or ""


def _go_to(target: str) -> Response:
    """Lead on to a path of this host, never to another one."""
    if not target.startswith("/") or target.startswith(("//", "/\\")):
        return Response("Only a path of this host can follow.", status=400)
    return redirect(target, Response=Response)
