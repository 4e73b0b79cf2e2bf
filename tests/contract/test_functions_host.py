"""The local host against what the Functions host documents, with a small app: one function of each kind.

The host is a process of its own, as one process holds one app.
"""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from local.processes import ChildError
from local.stack import Stack

APP = Path(__file__).parent / "sample_app"
REPOSITORY = Path(__file__).parents[2]
FORGED = {"X-MS-CLIENT-PRINCIPAL": "forged", "X-MS-CLIENT-PRINCIPAL-ID": "forged"}
DEADLINE_SECONDS = 30.0
YEARLY = "0 0 0 1 1 *"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    environment = {"TICK_SCHEDULE": "* * * * * *"}
    with Stack(
        tmp_path_factory.mktemp("stack"), app=APP, timers=True, host_environment=environment
    ) as running:
        running.start_host()
        yield running


@pytest.fixture(scope="module")
def person(stack: Stack) -> Iterator[requests.Session]:
    with stack.sign_in("engineer") as session:
        yield session


def get(person: requests.Session, stack: Stack, path: str, **options: Any) -> requests.Response:
    return person.get(f"{stack.host_url}{path}", timeout=10, **options)


def eventually(find: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.1)
    return pytest.fail("it did not happen in time")


def seen(person: requests.Session, stack: Stack) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = get(person, stack, "/seen").json()
    return found


def take_all(stack: Stack, queue: str) -> list[str]:
    """Take what is on a queue now, for good."""
    queues = stack.storage.queues
    messages = queues.take(queue, at_most=32, hidden=timedelta(seconds=60))
    for message in messages:
        queues.delete(queue, message)
    return [(message.body() or b"").decode() for message in messages]


def test_a_request_reaches_the_function_as_it_was_sent(stack: Stack, person: requests.Session) -> None:
    answer = person.post(f"{stack.host_url}/things/a%20b?x=1&x=2&empty=", data="körper".encode(), timeout=10)
    assert answer.status_code == 200
    assert answer.headers["X-Kept"] == "yes"
    echo = answer.json()
    assert (echo["method"], echo["id"], echo["body"]) == ("POST", "a b", "körper")
    assert echo["query"] == {"x": "1,2"}


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/files/a/b%20c.txt", 200, "a/b c.txt"),
        ("/things/known", 203, "the literal route"),
        ("/locked", 401, ""),
        ("/orders", 404, ""),
        ("/nowhere", 404, ""),
    ],
)
def test_a_path_is_answered_with(
    stack: Stack, person: requests.Session, path: str, status: int, text: str
) -> None:
    answer = get(person, stack, path)
    assert (answer.status_code, answer.text) == (status, text)


def test_a_raising_function_gives_an_empty_500_and_the_host_lives(
    stack: Stack, person: requests.Session
) -> None:
    answer = get(person, stack, "/broken")
    assert (answer.status_code, answer.text) == (500, "")
    assert get(person, stack, "/things/1").status_code == 200


def test_a_message_that_fails_five_times_is_put_aside_intact_and_the_next_is_served(
    stack: Stack, person: requests.Session
) -> None:
    for body in ("poison ☠ <&>", "two"):
        assert person.post(f"{stack.host_url}/orders", data=body.encode(), timeout=10).status_code == 202
    assert eventually(lambda: take_all(stack, "orders-poison")) == ["poison ☠ <&>"]
    assert eventually(lambda: take_all(stack, "receipts")) == ["receipt for two"]
    work = seen(person, stack)["work"]
    poison = [entry for entry in work if "poison" in entry["body"]]
    assert [entry["dequeue_count"] for entry in poison] == [1, 2, 3, 4, 5]
    assert len({entry["id"] for entry in poison}) == 1
    assert all(entry["receipt"] for entry in work)
    assert [entry["body"] for entry in work if "poison" not in entry["body"]] == ["two"]


def test_a_message_that_is_not_encoded_as_the_host_expects_is_put_aside_unread(
    stack: Stack, person: requests.Session
) -> None:
    stack.storage.queues.put_text("orders", "not base64!")
    queues = stack.storage.queues
    (aside,) = eventually(lambda: queues.take("orders-poison", at_most=1, hidden=timedelta(seconds=60)))
    assert aside.text == "not base64!"
    assert all("not base64" not in entry["body"] for entry in seen(person, stack)["work"])


def test_a_run_that_took_too_long_makes_the_next_tick_past_due(
    stack: Stack, person: requests.Session
) -> None:
    ticks = eventually(lambda: (found := seen(person, stack)["ticks"])[1:] and found)
    assert [tick["past_due"] for tick in ticks[:2]] == [False, True]
    assert ticks[0]["status"]["Last"].startswith("0001-01-01")


def test_firing_a_timer_by_hand_tells_how_it_went(stack: Stack) -> None:
    stack.fire("tick")
    with pytest.raises(ChildError, match="yearly failed with ArithmeticError") as failure:
        stack.fire("yearly")
    assert "not this year" in str(failure.value)
    with pytest.raises(ChildError, match="No function has that name"):
        stack.fire("nothing")
    with pytest.raises(ChildError, match="request its route"):
        stack.fire("thing")


def test_the_log_of_the_app_is_in_the_log_of_the_host(stack: Stack, person: requests.Session) -> None:
    get(person, stack, "/things/1")
    with pytest.raises(ChildError, match="sample: echoing a thing"):
        stack.fire("nothing")


def test_the_people_of_the_tenant_sign_in_and_nobody_else(stack: Stack) -> None:
    with stack.sign_in("visitor") as visitor:
        assert get(visitor, stack, "/things/1").status_code == 200
    with pytest.raises(requests.HTTPError):
        stack.sign_in("mallory")


def test_nobody_gets_in_without_signing_in(stack: Stack) -> None:
    with requests.Session() as stranger:
        stranger.verify, stranger.trust_env = str(stack.ca), False
        assert get(stranger, stack, "/things/1", headers=FORGED).status_code == 401


def test_forged_identity_headers_do_not_reach_the_function(stack: Stack, person: requests.Session) -> None:
    echo = get(person, stack, "/things/1", headers=FORGED).json()
    principal = json.loads(base64.b64decode(echo["principal"]))
    assert {"typ": "name", "val": "engineer"} in principal["claims"]


@pytest.fixture(scope="module")
def bare_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A host without Easy Auth, whose yearly timer was due while no host ran."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "schedules.json").write_text('{"tick": {"last": null, "next": "2026-01-01T00:00:00+00:00"}}')
    environment = {"TICK_SCHEDULE": YEARLY}
    with Stack(folder, app=APP, easy_auth=False, timers=True, host_environment=environment) as running:
        running.start_host()
        yield running


@pytest.fixture(scope="module")
def anyone(bare_stack: Stack) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.verify, session.trust_env = str(bare_stack.ca), False
        yield session


def test_with_easy_auth_off_forged_headers_reach_the_function(
    bare_stack: Stack, anyone: requests.Session
) -> None:
    assert get(anyone, bare_stack, "/things/1", headers=FORGED).json()["principal"] == "forged"


def test_a_timer_that_was_due_while_no_host_ran_is_past_due_when_one_is_back(
    bare_stack: Stack, anyone: requests.Session
) -> None:
    ticks = eventually(lambda: seen(anyone, bare_stack)["ticks"])
    assert [tick["past_due"] for tick in ticks] == [True]


def test_an_app_that_does_not_load_says_why(tmp_path: Path) -> None:
    unused = ("--port", "1", "--certificate", "x", "--key", "x", "--schedules", tmp_path / "schedules.json")
    ended = subprocess.run(
        [sys.executable, "-m", "local.host", "--app", APP, *unused],
        env={**os.environ, "TICK_SCHEDULE": "every minute"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "schedule has six fields" in ended.stderr
