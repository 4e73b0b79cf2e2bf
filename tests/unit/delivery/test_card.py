"""A card says what happened, is valid, and stays small whatever a trace holds."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft6Validator

from functions.alerts.announcement import Announcement
from functions.alerts.outbox import Telling
from functions.alerts.told_as import told_as_it_is
from functions.checks.definition import Condition
from functions.delivery.cards.elements import MAX_BYTES
from functions.delivery.cards.notice import MAX_FACTS
from functions.delivery.cards.writer import CardWriter
from functions.errors import TracekeeperError
from functions.storage.documents import encode
from tests.unit.alerts.building import CHECK, TRACE_IDS, finding
from tests.unit.alerts.news import (
    BASE_URL,
    NO_BUNDLE,
    TRACES,
    alert,
    announced,
    changed_release,
    exported,
    reported,
    storm,
    telling,
    tellings,
)
from tests.unit.delivery.adaptive_card import card_of, problems, texts
from tests.unit.delivery.golden_cards import CARDS, DIGEST_KEY, GOLDEN, cards, pretty

WRITTEN = cards()
SCHEMA = Path(__file__).parents[4] / "shared" / "reference" / "adaptive-card-1.5.0.json"
ALERT = f"{BASE_URL}/portal?alert={alert().id}"


def body_of(telling: Telling) -> list[Mapping[str, Any]]:
    return card_of(CARDS.one(telling))["body"]  # type: ignore[no-any-return]  # JSON


def facts(telling: Telling) -> Mapping[str, str]:
    (table,) = [part for part in body_of(telling) if part["type"] == "FactSet"]
    return {fact["title"]: fact["value"] for fact in table["facts"]}


def first_lines(card: Mapping[str, Any]) -> tuple[str, str]:
    headline, sentences = (part["text"] for part in card["body"][0]["items"])
    assert headline == card["fallbackText"]
    return headline, sentences


def buttons(card: Mapping[str, Any]) -> dict[str, str]:
    return {action["title"]: action["url"] for action in card["actions"]}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_card_is_as_its_golden_file(name: str) -> None:
    held = (GOLDEN / "cards" / f"{name}.json").read_text(encoding="utf-8")
    assert pretty(WRITTEN[name]).decode() == held


def test_every_golden_file_has_its_card_and_every_card_its_picture() -> None:
    pictures = Path(__file__).parents[3] / "docs" / "images" / "cards"
    assert {path.stem for path in (GOLDEN / "cards").glob("*.json")} == set(WRITTEN)
    assert {path.stem for path in pictures.glob("*.png")} == set(WRITTEN)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_card_uses_only_what_the_format_has(name: str) -> None:
    assert problems(card_of(WRITTEN[name])) == []


@pytest.mark.parametrize("name", WRITTEN)
def test_a_card_is_valid_against_the_official_schema(name: str) -> None:
    if not SCHEMA.exists():
        pytest.skip("the official schema is not part of the repository; adaptive_card.py judges without it")
    card = {key: value for key, value in card_of(WRITTEN[name]).items() if key != "msteams"}
    errors = Draft6Validator(orjson.loads(SCHEMA.read_bytes())).iter_errors(card)
    assert [error.message for error in errors] == []


WHAT = "dispatcher · A tool answered with stale data"
SINCE = "2026-11-24 02:55 UTC"
LINES = [
    ("opened", f"HIGH · {WHAT}: 61 minutes, limit 30", f"Open since {SINCE}."),
    ("reopened", f"HIGH, AGAIN · {WHAT}: 61 minutes, limit 30", f"Open again (episode 4) since {SINCE}."),
    ("repeated", f"HIGH, STILL OPEN · {WHAT}: 61 minutes, limit 30", "Still open after 4 hours."),
    (
        "worsened",
        f"HIGH, WORSE · {WHAT}: 240 minutes, limit 30",
        "Open for 40 minutes, and much worse than last told.",
    ),
    (
        "escalated",
        f"CRITICAL, NOBODY ON IT · {WHAT}: 61 minutes, limit 30",
        "Open for 35 minutes, and nobody has acknowledged it.",
    ),
    (
        "resolved",
        f"RESOLVED · {WHAT}: over after 25 minutes",
        "It was open for 25 minutes, at worst 95.4 minutes; not found in the last 3 evaluated windows.",
    ),
    (
        "passed",
        f"OVER · {WHAT}: 61 minutes, limit 30",
        "Opened and was over after 25 minutes, before anybody could be told.",
    ),
]


@pytest.mark.parametrize(("name", "headline", "sentence"), LINES)
def test_the_first_line_says_how_bad_who_and_what(name: str, headline: str, sentence: str) -> None:
    shown, sentences = first_lines(card_of(WRITTEN[name]))
    assert shown == headline
    assert sentences.startswith(sentence)
    assert sentences.endswith("Owner: platform.")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("opened-late", "Found late, by rows that came after their window was judged."),
        ("reopened", "Since the last notice it also opened and resolved 2 more times."),
        ("opened-changed-release", "The release changed from 2026.11.2 to 2026.11.3."),
        ("flapping", "It comes and goes: it has opened 5 times since 2026-11-24 02:15 UTC."),
        ("resolved", "Taken on at 2026-11-24 03:12 UTC."),
    ],
)
def test_what_else_there_is_to_know_is_said_in_a_sentence(name: str, sentence: str) -> None:
    told = [first_lines(card_of(card))[1] for card in WRITTEN.values()]
    assert sentence in first_lines(card_of(WRITTEN[name]))[1]
    assert sum(sentence in one for one in told) == 1


def test_kinds_look_different() -> None:
    styles = {name: card_of(card)["body"][0]["style"] for name, card in WRITTEN.items()}
    assert [styles[name] for name in ("opened", "repeated", "resolved", "passed")] == [
        "attention",
        "warning",
        "good",
        "accent",
    ]


@pytest.mark.parametrize(
    ("kind", "title"),
    [("any", "Limit"), ("above", "Limit"), ("below", "At least"), ("spike", "Usual at most")],
)
def test_the_usual_value_is_a_row(kind: Any, title: str) -> None:
    one = telling("opened")
    check = replace(CHECK, condition=Condition(kind, {}), shows=("UsualOutput", "Calls"))
    notice = replace(one.news, alert=alert(shows={"UsualOutput": 12.5, "Calls": 7}))  # type: ignore[type-var]
    rows = facts(Telling(notice, check))
    assert list(rows)[:4] == ["Measured", "Worst", title, "Usual output"]
    assert (rows[title], rows["Usual output"], rows["Calls"]) == ("30 minutes", "12.5", "7")


@pytest.mark.parametrize(
    ("one", "release"),
    [
        (telling("opened"), "2026.11.3, unchanged"),
        (telling("opened", findings=changed_release()), "2026.11.3, before: 2026.11.2"),
        (telling("opened", shows={"Release": "2", "BeforeRelease": "1"}), "2, before: 1"),
        (telling("opened", findings=alert().findings[:1]), "2026.11.3"),
        (telling("reopened", findings=alert().findings[:1], episode=2), "2026.11.3, unchanged"),
    ],
    ids=["same", "changed", "as the check says", "nothing before", "same as in the episode before"],
)
def test_the_card_tells_whether_a_release_changed(one: Telling, release: str) -> None:
    assert facts(one)["Release"] == release


def test_the_owner_is_called_for_what_is_grave_and_new_or_left_lying() -> None:
    called = {name for name, card in WRITTEN.items() if card_of(card)["msteams"].get("entities")}
    new = {"opened", "opened-changed-release", "opened-late", "check-failed"}
    assert called == new | {"escalated"}
    assert not card_of(CARDS.one(telling("opened", severity="medium")))["msteams"].get("entities")
    assert not card_of(CARDS.one(telling("opened", owner="nobody")))["msteams"].get("entities")


def test_a_mention_has_its_text_in_the_card() -> None:
    card = card_of(WRITTEN["escalated"])
    assert card["msteams"]["entities"] == [
        {
            "type": "mention",
            "text": "<at>Ada Lovelace</at>",
            "mentioned": {"id": "ada@example.com", "name": "Ada Lovelace"},
        }
    ]
    assert list(texts(card)).count("<at>Ada Lovelace</at>") == 1


def test_buttons_lead_to_the_alert_its_page_and_its_trace() -> None:
    assert buttons(card_of(WRITTEN["opened"])) == {
        "Open the alert": ALERT,
        "Acknowledge": f"{BASE_URL}/portal?alert={alert().id}&do=ack",
        "Open a sample trace": f"{BASE_URL}/portal?view=trace&alert={alert().id}&trace={TRACES[2]}",
    }


@pytest.mark.parametrize("state", ["acknowledged", "resolved"])
def test_what_nobody_has_to_take_on_has_no_button_for_it(state: str) -> None:
    assert "Acknowledge" not in buttons(card_of(CARDS.one(telling("worsened", state=state))))


def test_a_trace_id_that_is_none_gets_no_button() -> None:
    one = telling("opened", findings=(finding(0, trace_ids=["../../evil?x"]),))
    assert list(buttons(card_of(CARDS.one(one)))) == ["Open the alert", "Acknowledge"]


def test_a_card_shows_a_sample_of_the_traces() -> None:
    shown = list(texts(card_of(CARDS.one(telling("opened", findings=(finding(0, trace_ids=TRACE_IDS),))))))
    assert f"Sample traces: {', '.join(TRACE_IDS[:3])}" in shown
    assert "4 since it opened" in shown


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1, "runs", "1 run"),
        (2, "runs", "2 runs"),
        (0.00132, "USD", "0.00132 USD"),
        (12345.6, "minutes", "12,346 minutes"),
        (95.449, "minutes", "95.45 minutes"),
    ],
)
def test_a_value_is_short_and_has_its_unit(value: float, unit: str, text: str) -> None:
    one = telling("opened", value=value)
    assert facts(Telling(one.news, replace(CHECK, unit=unit)))["Measured"] == text


def test_a_digest_names_the_ten_worst_and_leads_to_all() -> None:
    card = card_of(WRITTEN["digest"])
    named = [text for text in texts(card) if text.startswith("[")]
    order = [re.findall(r"agent-(\d{4})", line)[0] for line in named]
    assert order == [f"{4990 - 10 * n:04}" for n in range(10)]  # critical, and most runs first
    assert all(line.startswith("[CRITICAL · ") for line in named)
    assert first_lines(card)[0].startswith("5,000 alerts at once · worst: CRITICAL · agent-4990 · ")
    assert buttons(card) == {"All open alerts": f"{BASE_URL}/portal?view=alerts"}


def test_a_digest_counts_all_by_severity_and_check() -> None:
    (table,) = [part for part in card_of(WRITTEN["digest"])["body"] if part["type"] == "FactSet"]
    counted = {fact["title"]: fact["value"] for fact in table["facts"]}
    assert counted["Open"] == "500 critical, 1,417 high, 2,833 medium"
    assert counted["5,000"] == CHECK.title
    assert "4,750 opened, 250 resolved" in first_lines(card_of(WRITTEN["digest"]))[1]


def test_a_digest_of_hostile_names_stays_small() -> None:
    many = storm(300, Agent="\U0001f600[" * 5000)
    message = CARDS.digest(DIGEST_KEY, many)
    assert len(encode(message)) < MAX_BYTES
    assert problems(card_of(message)) == []


def test_a_silence_report_says_who_why_and_what_was_hidden() -> None:
    card = card_of(WRITTEN["silence-report"])
    headline, sentences = first_lines(card)
    assert headline == "SILENCE OVER · it hid 12 alerts, 8 still open"
    assert sentences == "By Ada. Reason: The stock service moves."
    named = [text for text in texts(card) if text.startswith("[")]
    times = [text for text in texts(card) if text.startswith("Since 2026-11-2")]
    assert len(named) == len(times) == 10
    line = "CRITICAL · agent-4 · A tool answered with stale data: 44 minutes, limit 30"
    assert named[0] == f"[{line}]({BASE_URL}/portal?alert={4:016x})"
    assert times[0] == "Since 2026-11-23 23:59 UTC, STILL OPEN, opened 3 times."
    assert times[-1] == "Since 2026-11-24 00:01 UTC, over after 40 minutes."
    assert "And 2 more alerts; the list of alerts has them." in texts(card)


def test_a_weekly_summary_keeps_its_columns() -> None:
    lines = [part["text"] for part in card_of(WRITTEN["weekly-summary"])["body"] if part.get("fontType")]
    assert not [line for line in lines if " " in line or len(line) > 44]
    assert "RUNS\u00a0\u00a0\u00a0\u00a0" in lines[2]


def test_a_week_too_long_for_a_card_says_so() -> None:
    week = announced("week")
    reviews = [{"agent": "\U0001f600" * 80, "owner": "漢" * 80, "review_by": "2026-10-31", "days": 1}] * 90
    longer = replace(week, body={**week.body, "reviews": {"overdue": 90, "top": reviews}})
    message = CARDS.one(Telling(longer, None))
    assert len(encode(message)) < MAX_BYTES
    assert card_of(message)["body"][-1]["text"] == "The rest is too long for a card."


HARMFUL = set("*`[]<>\\{}~\n\u202e")
EVIL = "<at>all</at> [x](https://evil.example)\u202e\n# " + "\U0001f600" * 50_000


def hostile(body: Any) -> Any:
    """Return a body with evil text for every name in it."""
    times = {"start", "end", "zone", "since", "until", "starts_at", "ends_at"}
    ours = times | {"currency", "unit", "severity", "alert_id", "kind"}
    if isinstance(body, dict):
        return {name: one if name in ours else hostile(one) for name, one in body.items()}
    return (
        [hostile(one) for one in body] if isinstance(body, list) else EVIL if isinstance(body, str) else body
    )


@pytest.mark.parametrize(
    "of", [announced("week"), announced("test"), exported(), reported()], ids=lambda one: one.kind
)
def test_an_announcement_full_of_hostile_text_is_inert_and_small(of: Announcement) -> None:
    message = CARDS.one(Telling(replace(of, body=hostile(dict(of.body))), None))
    assert len(encode(message)) < MAX_BYTES
    assert problems(card_of(message)) == []
    shown = [re.sub(r"^\[(.*)\]\(https://tracekeeper\S+\)$", r"\1", text) for text in texts(card_of(message))]
    assert not [text for text in shown if set(text) & HARMFUL or "evil.example" in text]


def test_a_test_asks_a_person_to_confirm() -> None:
    card = card_of(WRITTEN["test"])
    assert first_lines(card)[0] == "TEST K7QP · nothing is wrong · do you see this card?"
    assert any(text.startswith("Please tell them that the card K7QP has arrived") for text in texts(card))


@pytest.mark.parametrize("name", sorted(set(WRITTEN) - {"digest", "silence-report"}))
def test_no_text_of_a_card_is_read_as_markup_but_a_mention(name: str) -> None:
    shown = [text for text in texts(card_of(WRITTEN[name])) if text != "<at>Ada Lovelace</at>"]
    assert not [text for text in shown if set(text) & HARMFUL]


@settings(max_examples=60)
@given(
    agent=st.text(),
    names=st.lists(st.text(max_size=200), max_size=20),
    fill=st.sampled_from(["x", "*", "[", "\U0001f600", "\u202e", "漢", "e\u0301", "\ud800", "\\", '"']),
    length=st.sampled_from([0, 79, 80, 81, 50_000]),
)
def test_no_trace_makes_a_card_large_or_invalid(agent: str, names: list[str], fill: str, length: int) -> None:
    columns = tuple(f"Column{n}" for n in range(len(names)))
    key = {"Agent": agent + fill * length, "Tool": fill * length}
    shows = dict(zip(columns, names, strict=True)) | {"Release": fill * length}
    found = finding(0, key, trace_ids=[fill * length] * 20, shows=shows)
    before = replace(found, shows={"Release": agent + "y" + fill * length})
    one = telling("opened", key=key, shows=shows, findings=(before, found))
    message = CARDS.one(Telling(one.news, replace(CHECK, shows=columns)))
    assert len(encode(message)) < MAX_BYTES
    assert problems(card_of(message)) == []
    assert len(facts(Telling(one.news, replace(CHECK, shows=columns)))) <= MAX_FACTS
    shown = [text for text in texts(card_of(message)) if text != "<at>Ada Lovelace</at>"]
    assert not [text for text in shown if set(text) & HARMFUL]


def test_a_card_that_is_too_large_is_refused_with_its_size() -> None:
    writer = CardWriter("https://" + "x" * 2 * MAX_BYTES, told_as_it_is, {})
    with pytest.raises(TracekeeperError, match=r"stale_tool_data has \d{6} bytes; Teams takes 20000"):
        writer.one(tellings()["opened"])


def test_a_scheduled_export_says_what_came_of_it_and_where_it_is() -> None:
    card = card_of(WRITTEN["scheduled-export"])
    assert first_lines(card)[0] == "EXPORT READY · weekly-operations-review · 1,204 traces"
    (table,) = [part for part in card["body"] if part["type"] == "FactSet"]
    assert {fact["title"]: fact["value"] for fact in table["facts"]} == {
        "From": "2026-11-15 23:00 UTC",
        "To": "2026-11-22 23:00 UTC",
        "Profile": "metadata",
        "Ticket": "OPS-WEEKLY",
        "Holds": "18,630 spans, 20,017 rows in all",
        "Export": "9f86d081884c7d659a2feaa0c55ad015",
    }
    assert buttons(card) == {
        "The export": f"{BASE_URL}/portal?view=exports&export=9f86d081884c7d659a2feaa0c55ad015"
    }


@pytest.mark.parametrize(
    ("name", "style", "headline", "sentence"),
    [
        ("scheduled-export", "good", "EXPORT READY", "Complete: it holds every row that the source counted."),
        (
            "scheduled-export-incomplete",
            "warning",
            "EXPORT INCOMPLETE",
            "Something that should be in it is not",
        ),
        ("scheduled-export-failed", "attention", "NO EXPORT", "Withheld: the finished files held something"),
    ],
)
def test_an_export_that_lacks_something_looks_it(name: str, style: str, headline: str, sentence: str) -> None:
    card = card_of(WRITTEN[name])
    assert card["body"][0]["style"] == style
    first, second = first_lines(card)
    assert first.startswith(headline)
    assert second.startswith(sentence)


def test_weeks_without_an_export_are_told() -> None:
    card = card_of(WRITTEN["scheduled-export-failed"])
    assert "Before it 1 week went without an export, since nothing ran." in first_lines(card)[1]


def test_an_export_that_could_not_be_asked_for_has_no_link() -> None:
    card = card_of(CARDS.one(Telling(exported(**NO_BUNDLE, export_id=None), None)))
    assert buttons(card) == {}
