"""An event tells a pager what to do with which incident, and holds nothing that any reader would act on."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from functions.storage.documents import encode
from tests.unit.alerts.news import BASE_URL, TRACES, alert, storm, telling, tellings
from tests.unit.delivery.golden_cards import DIGEST_KEY, EVENTS, GOLDEN, events, pretty

WRITTEN = events()


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


@pytest.mark.parametrize("name", WRITTEN)
def test_an_event_is_as_its_golden_file(name: str) -> None:
    held = (GOLDEN / "events" / f"{name}.json").read_text(encoding="utf-8")
    assert pretty(WRITTEN[name]).decode() == held


def test_every_golden_file_has_its_event() -> None:
    assert {path.stem for path in (GOLDEN / "events").glob("*.json")} == set(WRITTEN)


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("opened", "trigger"),
        ("reopened", "trigger"),
        ("repeated", "trigger"),
        ("worsened", "trigger"),
        ("escalated", "trigger"),
        ("resolved", "resolve"),
        ("passed", "resolve"),
        ("check-failed", "trigger"),
        ("test", "trigger"),
        ("silence-report", "inform"),
        ("weekly-summary", "inform"),
        ("scheduled-export", "inform"),
        ("digest", "digest"),
    ],
)
def test_a_pager_is_told_what_to_do(name: str, action: str) -> None:
    assert WRITTEN[name]["action"] == action


def test_what_somebody_has_taken_on_wakes_nobody_until_it_worsens() -> None:
    taken = {"state": "acknowledged"}
    assert EVENTS.one(telling("opened", **taken))["action"] == "acknowledge"
    assert EVENTS.one(telling("worsened", **taken))["action"] == "trigger"
    assert EVENTS.one(telling("resolved", **taken))["action"] == "resolve"


def test_opening_and_resolving_share_a_key_and_differ_in_what_makes_each_unique() -> None:
    kinds = ["opened", "reopened", "repeated", "worsened", "escalated", "resolved"]
    assert {WRITTEN[kind]["key"] for kind in kinds} == {alert().id}
    assert len({WRITTEN[kind]["idempotency_key"] for kind in kinds}) == len(kinds)
    assert WRITTEN["opened"]["idempotency_key"] == tellings()["opened"].news.key


def test_an_event_alone_says_what_is_wrong_and_where_to_look() -> None:
    event = WRITTEN["opened"]
    assert event["summary"] == "dispatcher: A tool answered with stale data: 61 minutes, limit 30"
    assert (event["severity"], event["agent"], event["check"]) == ("high", "dispatcher", "stale_tool_data")
    assert (event["value"], event["threshold"], event["unit"]) == (61.0, 30.0, "minutes")
    assert event["links"] == {
        "alert": f"{BASE_URL}/portal?alert={alert().id}",
        "acknowledge": f"{BASE_URL}/portal?alert={alert().id}&do=ack",
        "traces": [f"{BASE_URL}/portal?view=trace&alert={alert().id}&trace={one}" for one in TRACES[2:4]],
    }


def test_a_digest_holds_every_member_with_keys_of_its_own() -> None:
    many = storm(40)
    digest = EVENTS.digest(DIGEST_KEY, many)
    assert [one["idempotency_key"] for one in digest["members"]] == [one.news.key for one in many]
    assert digest["members"] == [EVENTS.one(one) for one in many]
    assert digest["counts"] == {"trigger": 38, "resolve": 2}
    assert digest["key"] == digest["idempotency_key"] == DIGEST_KEY


@pytest.mark.parametrize("name", WRITTEN)
def test_no_text_of_an_event_is_markup_or_turns_writing(name: str) -> None:
    shown = list(texts(WRITTEN[name]))
    assert not [text for text in shown if set(text) & set("*`[]<>\\{}~\n")]
    assert not [text for text in shown if any(unicodedata.category(one) in {"Cc", "Cf"} for one in text)]


def test_only_links_of_ours_are_addresses() -> None:
    addresses = [text for text in texts(WRITTEN["hostile"]) if re.search(r"://|www\.", text)]
    assert addresses
    assert all(address.startswith(f"{BASE_URL}/") for address in addresses)


def test_names_of_a_hundred_kilobytes_leave_an_event_small() -> None:
    long = {"Agent": "x" * 100_000, "Tool": "\U0001f600" * 100_000}
    assert len(encode(EVENTS.one(telling("opened", key=long, shows={"y" * 100_000: "z" * 100_000})))) < 4_000
