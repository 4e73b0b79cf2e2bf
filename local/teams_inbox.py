"""A Teams channel on a laptop: takes what a Workflows webhook takes, and shows the cards as Teams would.

Like the real webhook it answers 202 with an empty body before it posts anything: accepted, not delivered.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from local.node import find_module_file

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
LARGEST_MESSAGE_BYTES = 28 * 1024
"""A larger message is accepted and then lost inside the flow:
https://learn.microsoft.com/microsoftteams/limits-specifications-teams#chat"""

_PAGE = Path(__file__).parent / "inbox"
_FILES = {
    "/": (_PAGE / "index.html", "text/html"),
    "/inbox.js": (_PAGE / "inbox.js", "text/javascript"),
    "/inbox.css": (_PAGE / "inbox.css", "text/css"),
}
_LIBRARIES = {
    "/adaptivecards.js": "adaptivecards/dist/adaptivecards.min.js",
    "/markdown-it.js": "markdown-it/dist/browser/markdown-it.umd.min.js",
}
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'"
# Of a request that is kept, what tells one post from another; the query holds the webhook's secret.
_KEPT_HEADERS = frozenset({"content-type", "idempotency-key", "user-agent", "x-ms-client-request-id"})


@dataclass(frozen=True, slots=True)
class Post:
    """One message that was accepted.

    Attributes:
        received: When; aware.
        headers: Lower-case names; those that tell one post from another.
        size_bytes: Of the body as sent.
        delivered: Whether Teams would show it; false for one that is too large.
        body: The message.
    """

    received: datetime
    headers: Mapping[str, str]
    size_bytes: int
    delivered: bool
    body: Mapping[str, Any]


class TeamsInbox:
    """WSGI app: the webhook, the page that shows what came, and `/local/` for those who test.

    Args:
        journal: A file that gets one JSON line for each post; None keeps them in memory only.
    """

    def __init__(self, journal: Path | None) -> None:
        self._journal = journal
        self._posts: list[Post] = []
        self._faults: list[Response] = []
        self._lock = threading.Lock()

    def posts(self) -> list[Post]:
        """What was accepted, oldest first."""
        with self._lock:
            return list(self._posts)

    def fail_next(self, status: int, *, times: int = 1, retry_after: int | None = None) -> None:
        """Answer the next `times` posts with `status`, and with Retry-After (seconds) unless it is None."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        with self._lock:
            self._faults += [Response(status=status, headers=headers) for _ in range(times)]

    def accept(self, message: Mapping[str, Any], headers: Mapping[str, str], size_bytes: int) -> None:
        """Keep a message."""
        delivered = size_bytes <= LARGEST_MESSAGE_BYTES
        post = Post(datetime.now(UTC), headers, size_bytes, delivered, message)
        with self._lock:
            self._posts.append(post)
            if self._journal is not None:
                with self._journal.open("ab") as lines:
                    lines.write(orjson.dumps(asdict(post), option=orjson.OPT_APPEND_NEWLINE))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        answer = self._post(request) if request.method == "POST" else self._show(request)
        return answer(environ, start_response)

    def _post(self, request: Request) -> Response:
        if request.path == "/local/faults":
            self.fail_next(**request.get_json())
            return Response(status=204)
        if not request.path.startswith("/workflows/") or not request.args.get("sig"):
            return Response(status=401)
        with self._lock:
            if self._faults:
                return self._faults.pop(0)
        body = request.get_data()
        message = read_message(body)
        if message is None:
            return Response("The message holds no Adaptive Card.", status=400)
        kept = {name.lower(): value for name, value in request.headers if name.lower() in _KEPT_HEADERS}
        self.accept(message, kept, len(body))
        return Response(status=202)

    def _show(self, request: Request) -> Response:
        if request.path == "/local/posts":
            posts = orjson.dumps([asdict(post) for post in self.posts()])
            return Response(posts, mimetype="application/json")
        if request.path in _FILES:
            file, kind = _FILES[request.path]
        elif request.path in _LIBRARIES:
            file, kind = find_module_file(_LIBRARIES[request.path]), "text/javascript"
        else:
            return Response(status=404)
        answer = send_file(file, request.environ, mimetype=kind)
        answer.headers["Content-Security-Policy"] = _POLICY
        return answer


def read_message(body: bytes) -> Mapping[str, Any] | None:
    """The message of a webhook's body; None where it has another shape and would post nothing.

    Source: https://support.microsoft.com/office/8ae491c7-0394-4861-ba59-055e33f75498
    """
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(message, dict) or message.get("type") != "message":
        return None
    attachments = message.get("attachments")
    if not isinstance(attachments, list) or not attachments:
        return None
    return message if all(map(_is_card, attachments)) else None


def _is_card(attachment: object) -> bool:
    if not isinstance(attachment, dict) or attachment.get("contentType") != CARD_TYPE:
        return False
    content = attachment.get("content")
    return isinstance(content, dict) and content.get("type") == "AdaptiveCard"
