"""Stands between the host and what it writes to, and kills the host at a chosen write."""

import threading
from collections.abc import Callable, Iterable
from typing import Literal

import requests
from werkzeug.wrappers import Request, Response

Moment = Literal["before", "after"]

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length", "host"}


class Passage:
    """A WSGI app that forwards every request, to the webhook's origin or to storage's.

    Attributes:
        writes: "PUT storage" or "POST webhook" for each write since it was armed.
        struck: Whether the host was killed.
    """

    def __init__(self, *, storage: str, webhook: str, authority: str, kill: Callable[[], None]) -> None:
        self._origins = {"storage": storage, "webhook": webhook}
        self._authority = authority
        self._kill = kill
        self._lock = threading.Lock()
        self.arm(None)

    def arm(self, at: int | None, moment: Moment = "before") -> None:
        """Kill the host before or after the write number `at` (from 0) is carried out; None: never."""
        self._at, self._moment = at, moment
        self.writes: list[str] = []
        self.struck = False

    @Request.application
    def __call__(self, request: Request) -> Response:
        kind = "webhook" if request.path.startswith("/workflows/") else "storage"
        chosen = request.method not in {"GET", "HEAD"} and self._is_chosen(request, kind)
        if chosen and self._moment == "before":
            self._strike()
            return Response(status=503)
        answer = requests.request(
            request.method,
            self._origins[kind] + request.full_path.rstrip("?"),
            data=request.get_data(),
            headers={
                name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP
            },
            verify=self._authority,
            allow_redirects=False,
            timeout=30,
        )
        if chosen:
            self._strike()
        response = Response(answer.content, answer.status_code, _end_to_end(answer.headers.items()))
        if request.method == "HEAD":  # the length is that of what is not sent: how large a blob is
            response.automatically_set_content_length = False
            response.headers["Content-Length"] = answer.headers.get("Content-Length", "0")
        return response

    def _is_chosen(self, request: Request, kind: str) -> bool:
        with self._lock:
            self.writes.append(f"{request.method} {kind}")
            return len(self.writes) - 1 == self._at

    def _strike(self) -> None:
        self.struck = True
        self._kill()


def _end_to_end(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _HOP_BY_HOP}
