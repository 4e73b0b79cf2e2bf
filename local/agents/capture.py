"""Takes what the Application Insights exporter posts and keeps the envelopes as they came."""

import gzip
import threading
import zlib
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.wrappers import Request, Response

Envelope = dict[str, Any]


class Capture:
    """A WSGI app with the one route `POST /v2.1/track` (also `/v2/track`), for several posters at once."""

    def __init__(self) -> None:
        self._envelopes: list[Envelope] = []
        self._lock = threading.Lock()

    @property
    def envelopes(self) -> list[Envelope]:
        """All envelopes so far, in the order posted."""
        with self._lock:
            return list(self._envelopes)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Accept all of a post or, where it can't be read, none of it."""
        try:
            response = self._track(Request(environ))
        except HTTPException as refusal:
            return refusal(environ, start_response)
        return response(environ, start_response)

    def _track(self, request: Request) -> Response:
        if request.method != "POST" or request.path not in ("/v2.1/track", "/v2/track"):
            raise NotFound
        posted = _decode(request)
        with self._lock:
            self._envelopes.extend(posted)
        answer = {"itemsReceived": len(posted), "itemsAccepted": len(posted), "errors": []}
        return Response(orjson.dumps(answer), mimetype="application/json")


def _decode(request: Request) -> list[Envelope]:
    body = request.get_data()
    try:
        posted = orjson.loads(gzip.decompress(body) if request.content_encoding == "gzip" else body)
    except (orjson.JSONDecodeError, OSError, EOFError, zlib.error) as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(posted, list) or not all(isinstance(envelope, dict) for envelope in posted):
        raise BadRequest("the body is not a list of envelopes")
    return posted
