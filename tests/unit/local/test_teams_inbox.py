import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from local.teams_inbox import CARD_TYPE, LARGEST_MESSAGE_BYTES, TeamsInbox

CARD = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "stale"}]}
MESSAGE = {
    "type": "message",
    "attachments": [{"contentType": CARD_TYPE, "contentUrl": None, "content": CARD}],
}
WEBHOOK = "/workflows/1f/triggers/manual/paths/invoke?api-version=2016-06-01&sig=secret"


@pytest.fixture
def inbox(tmp_path: Path) -> TeamsInbox:
    return TeamsInbox(tmp_path / "posts.jsonl")


def test_a_card_is_accepted_with_an_empty_202_and_kept(inbox: TeamsInbox, tmp_path: Path) -> None:
    answer = Client(inbox).post(
        WEBHOOK, json=MESSAGE, headers={"Idempotency-Key": "k1", "Authorization": "c"}
    )
    assert (answer.status_code, answer.data) == (202, b"")
    (post,) = inbox.posts()
    assert post.body == MESSAGE
    assert post.headers["idempotency-key"] == "k1"
    assert "authorization" not in post.headers
    assert post.delivered
    listed = Client(inbox).get("/local/posts").json
    assert listed == [json.loads((tmp_path / "posts.jsonl").read_text())]
    assert "secret" not in json.dumps(listed)


@pytest.mark.parametrize(
    "body",
    [
        CARD,
        {**MESSAGE, "type": "event"},
        {**MESSAGE, "attachments": []},
        {**MESSAGE, "attachments": {}},
        {**MESSAGE, "attachments": [{"contentType": "text/html", "content": CARD}]},
        {**MESSAGE, "attachments": [{"contentType": CARD_TYPE, "content": json.dumps(CARD)}]},
        {**MESSAGE, "attachments": [{"contentType": CARD_TYPE, "content": {"type": "Container"}}]},
        [MESSAGE],
        "text",
    ],
)
def test_what_would_post_nothing_is_refused(inbox: TeamsInbox, body: Any) -> None:
    assert Client(inbox).post(WEBHOOK, json=body).status_code == 400
    assert inbox.posts() == []


def test_a_body_that_is_no_json_is_refused(inbox: TeamsInbox) -> None:
    assert Client(inbox).post(WEBHOOK, data=b"{").status_code == 400


def test_a_post_without_the_signature_is_refused(inbox: TeamsInbox) -> None:
    assert Client(inbox).post("/workflows/1f", json=MESSAGE).status_code == 401
    assert inbox.posts() == []


def test_a_message_that_is_too_large_is_accepted_and_lost(inbox: TeamsInbox) -> None:
    large = {**MESSAGE, "summary": "x" * LARGEST_MESSAGE_BYTES}
    assert Client(inbox).post(WEBHOOK, json=large).status_code == 202
    assert [post.delivered for post in inbox.posts()] == [False]


def test_faults_are_met_as_often_as_asked_for(inbox: TeamsInbox) -> None:
    client = Client(inbox)
    client.post("/local/faults", json={"status": 429, "retry_after": 2, "times": 2})
    answers = [client.post(WEBHOOK, json=MESSAGE) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 202]
    assert answers[0].headers["Retry-After"] == "2"
    assert len(inbox.posts()) == 1


@pytest.mark.parametrize("path", ["/", "/inbox.js", "/inbox.css", "/adaptivecards.js", "/markdown-it.js"])
def test_the_page_and_all_it_needs_come_from_here(inbox: TeamsInbox, path: str) -> None:
    answer = Client(inbox).get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    answer.close()


def test_nothing_else_is_served(inbox: TeamsInbox) -> None:
    assert Client(inbox).get("/../serving.py").status_code == 404
