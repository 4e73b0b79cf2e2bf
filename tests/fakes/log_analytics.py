"""A Log Analytics endpoint with scripted answers in the query API's JSON; it remembers what it was asked.

API: https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format
"""

import contextlib
import json
import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `breaks_after` cuts the connection after so many bytes of the body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    breaks_after: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One question as it arrived."""

    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: dict[str, Any]


def table(columns: Mapping[str, str], rows: Sequence[object]) -> dict[str, Any]:
    return {
        "name": "PrimaryResult",
        "columns": [{"name": name, "type": kind} for name, kind in columns.items()],
        "rows": rows,
    }


def answer(columns: Mapping[str, str], rows: Sequence[object], **more: object) -> Reply:
    return Reply(200, json.dumps({"tables": [table(columns, rows)], **more}).encode())


def refusal(status: int, code: str, *, inner: str = "", text: str = "", **headers: str) -> Reply:
    error: dict[str, Any] = {"code": code, "message": text}
    if inner:
        error["innererror"] = {"code": inner, "message": text}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps({"error": error}).encode(), names)


class LogAnalyticsService:
    """A WSGI app: the next reply of a list, the last one for ever.

    Attributes:
        requests: Every question so far, in order.
        most_at_once: The largest number of questions that were under way together.
    """

    def __init__(self, replies: Iterable[Reply], *, hold_seconds: float = 0) -> None:
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._replies = list(replies)
        self._under_way = 0
        self._hold = threading.Event()
        self._hold_seconds = hold_seconds
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        headers = {
            key[5:].replace("_", "-").title(): environ[key] for key in environ if key.startswith("HTTP_")
        }
        query = parse_qs(environ["QUERY_STRING"])
        with self._lock:
            self.requests.append(Request(environ["PATH_INFO"], query, headers, json.loads(body)))
            reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        self._hold.wait(self._hold_seconds)
        with self._lock:
            self._under_way -= 1
        start_response(
            f"{reply.status} Scripted",
            [
                ("Content-Type", reply.content_type),
                ("Content-Length", str(len(reply.body))),
                *reply.headers.items(),
            ],
        )
        if reply.breaks_after is None:
            return [reply.body]
        return _broken(environ["werkzeug.socket"], reply.body[: reply.breaks_after])


def _broken(connection: socket.socket, sent: bytes) -> Iterable[bytes]:
    if sent:
        yield sent
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError
