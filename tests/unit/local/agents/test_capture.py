"""The capture takes what an exporter posts, or says why not."""

import gzip
import threading

import orjson
import pytest
from werkzeug.test import Client

from local.agents.capture import Capture

POSTED = [{"time": "2026-03-01T00:00:00.000000Z", "tags": {}}, {"time": "2026-03-01T00:00:01.000000Z"}]


@pytest.mark.parametrize("path", ["/v2.1/track", "/v2/track"])
@pytest.mark.parametrize("packed", [True, False])
def test_what_is_posted_is_kept_and_counted(path: str, packed: bool) -> None:
    capture, body = Capture(), orjson.dumps(POSTED)
    headers = {"Content-Encoding": "gzip"} if packed else {}
    answer = Client(capture).post(
        path, data=gzip.compress(body, mtime=0) if packed else body, headers=headers
    )
    assert answer.status_code == 200
    assert answer.json == {"itemsReceived": 2, "itemsAccepted": 2, "errors": []}
    assert capture.envelopes == POSTED


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"", ""),
        (b"{", ""),
        (b'{"time": 1}', ""),
        (b"[1]", ""),
        (b"[]", "gzip"),
        (gzip.compress(b"[]", mtime=0)[:-9], "gzip"),
        (gzip.compress(b"[]", mtime=0)[:10] + b"\xff" * 20, "gzip"),
    ],
)
def test_what_is_no_list_of_envelopes_is_refused_whole(body: bytes, encoding: str) -> None:
    capture = Capture()
    answer = Client(capture).post("/v2.1/track", data=body, headers={"Content-Encoding": encoding})
    assert answer.status_code == 400
    assert capture.envelopes == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/v2.1/track"), ("POST", "/other")])
def test_any_other_route_is_not_found(method: str, path: str) -> None:
    assert Client(Capture()).open(path, method=method, data=b"[]").status_code == 404


def test_several_posters_lose_nothing() -> None:
    capture = Capture()

    def post() -> None:
        for _ in range(50):
            Client(capture).post("/v2.1/track", data=orjson.dumps(POSTED))

    posters = [threading.Thread(target=post) for _ in range(4)]
    for poster in posters:
        poster.start()
    for poster in posters:
        poster.join()
    assert len(capture.envelopes) == 4 * 50 * 2


def test_the_list_is_the_readers_own() -> None:
    capture = Capture()
    capture.envelopes.append({})
    assert capture.envelopes == []
