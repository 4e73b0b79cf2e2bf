"""Silences at a terminal: under the name of who is signed in, and what they hide in plain sight."""

import argparse
from datetime import timedelta
from typing import Any

import pytest

from functions.alerts.hidden import hide
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.cli import main
from functions.commands import silences
from functions.errors import InvalidRequest, NotFound
from functions.silences.body import Author
from functions.silences.ends import SETTLES
from functions.silences.silence import Report
from functions.silences.store import SilenceStore
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK
from tests.unit.silences.silencing import ADA, HOUR, NOON, alert, asked

ADDING = ["--reason", "The stock service moves.", "--match", "agent=courier*", "--match", "agent=dispatcher"]


def body_of(*given: str) -> dict[str, Any]:
    """Return the body that these options ask for at NOON."""
    parser = argparse.ArgumentParser()
    silences.add(parser.add_subparsers())
    return silences.asked(parser.parse_args(["silences", "add", *ADDING, *given]), NOON)


def listed(documents: MemoryDocuments, hours: int = 1) -> list[str]:
    said: list[str] = []
    assert silences.show_list(documents, NOON + hours * HOUR, said.append) == 0
    return said


def test_options_become_what_http_takes() -> None:
    assert body_of("--match", "Tool=a=b", "--for", "4h") == {
        "reason": "The stock service moves.",
        "matchers": {"agent": ["courier*", "dispatcher"], "Tool": ["a=b"]},
        "ends_at": "2026-05-04T16:00:00Z",
    }
    recurring = body_of(
        "--until", "2026-05-30T00:00:00Z", "--from", "2026-05-05T00:00:00Z",
        "--weekdays", "mon,tue", "--between", "22:00-06:00", "--zone", "Europe/Berlin",
    )  # fmt: skip
    assert (recurring["starts_at"], recurring["ends_at"]) == ("2026-05-05T00:00:00Z", "2026-05-30T00:00:00Z")
    assert recurring["recurrence"] == {
        "weekdays": ["mon", "tue"],
        "from": "22:00",
        "to": "06:00",
        "zone": "Europe/Berlin",
    }


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["--for", "4h", "--until", "2026-05-30T00:00:00Z"],
        ["--for", "0h"],
        ["--for", "4w"],
        ["--for", "4h", "--zone", "UTC"],
        ["--for", "4h", "--between", "22"],
        ["--for", "4h", "--match", "agent"],
        ["--for", "4h", "--author", "Bob"],
    ],
)
def test_a_wrong_call_is_told(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["silences", "add", *ADDING, *given])
    assert stopped.value.code == 2
    assert "usage: tracekeeper" in capsys.readouterr().err


def test_a_silence_is_added_under_the_name_of_who_is_signed_in() -> None:
    documents, said = MemoryDocuments(), list[str]()
    silences.add_silence(
        documents, body_of("--for", "4h"), Author("person-1", "ada@example.com"), NOON, said.append
    )
    (one,) = SilenceStore(documents, clock=lambda: NOON).read()
    assert (one.author, one.author_id) == ("ada@example.com", "person-1")
    assert said == [f"Silence {one.id} ends at 2026-05-04 16:00 UTC."]


def test_what_http_refuses_is_refused_here() -> None:
    with pytest.raises(InvalidRequest, match="at most 30 days"):
        silences.add_silence(MemoryDocuments(), body_of("--for", "31d"), ADA, NOON, print)


def test_the_list_says_who_why_and_what_is_hidden_now() -> None:
    documents = MemoryDocuments()
    one = SilenceStore(documents, clock=lambda: NOON).add(asked(), ADA)
    quiet = alert({"Agent": "\x1b[2J", "Tool": "t"}, quieted_by=(f"{one.id}@2026-05-04T12:00:00Z",))
    state = CheckState(alerts={quiet.id: quiet}, hidden=hide((), [quiet], CHECK))
    documents.write(PREFIX + CHECK.id, state_to_json(state), version=None)
    assert listed(documents) == [
        f"{one.id}  in_force   until 2026-05-04T16:00Z  by Ada: The stock service moves.",
        "  agent: dispatcher",
        "  hides 1 alert now, 1 open",
        f"    high      {quiet.id}  stale_tool_data  \\x1b[2J, t: open",
    ]


def test_one_that_hid_nothing_says_so() -> None:
    documents = MemoryDocuments()
    store = SilenceStore(documents, clock=lambda: NOON)
    one = store.add(asked(), ADA)
    store.report({one.id: [Report(NOON, NOON + 4 * HOUR + SETTLES, 0, forgotten=True)]})
    assert listed(documents, hours=5)[-1] == "  2026-05-04T12:00Z: hid nothing"


def test_one_is_ended_now_and_one_that_there_is_not_is_not_found() -> None:
    documents, said = MemoryDocuments(), list[str]()
    one = SilenceStore(documents, clock=lambda: NOON).add(asked(), ADA)
    later = NOON + timedelta(minutes=90)
    silences.end_silence(documents, one.id, "person-2", later, said.append)
    assert said == [f"Silence {one.id} is over since 2026-05-04 13:30 UTC."]
    assert listed(documents, hours=2)[0].startswith(f"{one.id}  ended      until 2026-05-04T13:30Z  by Ada")
    with pytest.raises(NotFound):
        silences.end_silence(documents, "nope", "person-2", later, said.append)


def test_where_there_is_none_it_says_so() -> None:
    assert listed(MemoryDocuments()) == ["None."]
