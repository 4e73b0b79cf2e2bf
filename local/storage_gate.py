"""Stands before one service of the storage account, and answers 403 where the app's identity lacks the role.

The answers are those of Azure Storage:
https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
"""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from threading import local
from wsgiref.types import StartResponse, WSGIEnvironment

import requests
from werkzeug.wrappers import Request, Response

from local.roles import Roles

CODE = "AuthorizationPermissionMismatch"
_SENTENCE = "This request is not authorized to perform this operation using this permission."
_DEADLINE_SECONDS = 60
_OF_THE_CONNECTION = {
    "connection",
    "content-encoding",
    "content-length",
    "host",
    "keep-alive",
    "transfer-encoding",
}


class StorageGate:
    """WSGI app: passes every request on to the emulator, or refuses it.

    Args:
        origin: Scheme, host and port of the emulator's service.
        role: What its requests need.
        roles: What the app's identity has.
        authority: Whose certificates to trust, PEM.

    Attributes:
        asked: How many requests came, refused ones too.
        refused: How many were refused.
    """

    def __init__(self, origin: str, role: str, roles: Roles, authority: Path) -> None:
        self._origin = origin
        self._role = role
        self._roles = roles
        self._authority = str(authority)
        self._sessions = local()
        self.asked = 0
        self.refused = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        self.asked += 1
        if self._roles.has(self._role):
            return self._pass_on(request)(environ, start_response)
        self.refused += 1
        return _refuse()(environ, start_response)

    def _pass_on(self, request: Request) -> Response:
        answer = self._session().request(
            request.method,
            self._origin + request.full_path.rstrip("?"),
            data=request.get_data(),
            headers=_end_to_end(request.headers.items()),
            allow_redirects=False,
            timeout=_DEADLINE_SECONDS,
        )
        response = Response(answer.content, answer.status_code, _end_to_end(answer.headers.items()))
        if request.method == "HEAD":  # the length is that of what is not sent: how large a blob is
            response.automatically_set_content_length = False
            response.headers["Content-Length"] = answer.headers.get("Content-Length", "0")
        return response

    def _session(self) -> requests.Session:
        """One a thread: a thread serves one connection."""
        found: requests.Session | None = getattr(self._sessions, "session", None)
        if found is None:
            found = self._sessions.session = requests.Session()
            found.verify = self._authority
            found.trust_env = False  # the environment's bundle would go before `verify`
        return found


def _refuse() -> Response:
    request_id, now = str(uuid.uuid4()), datetime.now(UTC).isoformat()
    text = f"{_SENTENCE}\nRequestId:{request_id}\nTime:{now}"
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{CODE}</Code><Message>{text}</Message></Error>'
    )
    headers = {"x-ms-error-code": CODE, "x-ms-request-id": request_id}
    return Response(body, 403, headers, content_type="application/xml")


def _end_to_end(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _OF_THE_CONNECTION}
