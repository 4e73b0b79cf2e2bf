"""A card says what happened, is valid, and stays small whatever a trace holds."""

from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft6Validator

from functions.alerts.cards.notice import MAX_BYTES, MAX_FACTS, card_message
from functions.errors import TracekeeperError
from functions.storage.documents import encode
from tests.unit.alerts.adaptive_card import card_of, problems, texts
from tests.unit.alerts.building import CHECK, TRACE_IDS, advanced, finding, judged
from tests.unit.alerts.golden_cards import BASE_URL, FOLDER, cards, notices, pretty

CARDS = cards()
SCHEMA = Path(__file__).parents[4] / "shared" / "reference" / "adaptive-card-1.5.0.json"


@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_as_its_golden_file(name: str) -> None:
    assert pretty(CARDS[name]).decode() == (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def test_every_golden_file_has_its_card() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(CARDS)


@pytest.mark.parametrize("name", CARDS)
def test_a_card_uses_only_what_the_format_has(name: str) -> None:
    assert problems(card_of(CARDS[name])) == []


@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_valid_against_the_official_schema(name: str) -> None:
    if not SCHEMA.exists():
        pytest.skip("the official schema is not part of the repository; adaptive_card.py judges without it")
    card = {key: value for key, value in card_of(CARDS[name]).items() if key != "msteams"}
    errors = Draft6Validator(orjson.loads(SCHEMA.read_bytes())).iter_errors(card)
    assert [error.message for error in errors] == []


@pytest.mark.parametrize(
    ("name", "first_line"),
    [
        ("opened", "HIGH · dispatcher · A tool answered with stale data: 61 minutes, limit 30"),
        (
            "repeated",
            "STILL OPEN · dispatcher · A tool answered with stale data: 61 minutes, limit 30",
        ),
        ("resolved", "RESOLVED · dispatcher · A tool answered with stale data"),
        ("passed", "OVER · dispatcher · A tool answered with stale data: 61 minutes, limit 30"),
    ],
)
def test_the_first_line_says_who_what_and_how_bad(name: str, first_line: str) -> None:
    card = card_of(CARDS[name])
    assert card["body"][0]["items"][0]["text"] == card["fallbackText"] == first_line


def test_each_kind_looks_different() -> None:
    styles = [
        card_of(CARDS[name])["body"][0]["style"] for name in ("opened", "repeated", "resolved", "passed")
    ]
    assert styles == ["attention", "warning", "good", "accent"]


def test_buttons_lead_to_the_alert_and_to_a_trace() -> None:
    alert = notices()["opened"].alert
    assert [action["url"] for action in card_of(CARDS["opened"])["actions"]] == [
        f"{BASE_URL}/api/v1/alerts/{alert.id}",
        f"{BASE_URL}/api/v1/alerts/{alert.id}/traces/{alert.findings[-1].trace_ids[0]}",
    ]


def test_a_trace_id_that_is_none_gets_no_button() -> None:
    moved = advanced({}, [judged(0, finding(0, trace_ids=["../../evil?x"]))])
    card = card_of(card_message(moved.notices[0], CHECK, BASE_URL))
    assert [action["title"] for action in card["actions"]] == ["Open the alert"]


def test_a_card_shows_a_sample_of_the_traces() -> None:
    notice = advanced({}, [judged(0, finding(0, trace_ids=TRACE_IDS))]).notices[0]
    shown = list(texts(card_of(card_message(notice, CHECK, BASE_URL))))
    assert f"Sample traces: {', '.join(TRACE_IDS[:3])}" in shown
    assert "12 since it opened" in shown


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
    one = replace(finding(0, value=value), threshold=None)
    notice = advanced({}, [judged(0, one)]).notices[0]
    card = card_of(card_message(notice, replace(CHECK, unit=unit), BASE_URL))
    assert card["body"][1]["facts"][0] == {"title": "Measured", "value": text}


@given(
    agent=st.text(),
    names=st.lists(st.text(max_size=200), max_size=20),
    fill=st.sampled_from(["x", "*", "[", "\U0001f600", "\u202e", "漢", "e\u0301", "\ud800", "\\", '"']),
    length=st.sampled_from([0, 79, 80, 81, 50_000]),
)
def test_no_trace_makes_a_card_large_or_invalid(agent: str, names: list[str], fill: str, length: int) -> None:
    columns = tuple(f"Column{n}" for n in range(len(names)))
    check = replace(CHECK, shows=columns)
    key = {"Agent": agent + fill * length, "Tool": fill * length}
    shows = dict(zip(columns, names, strict=True)) | {"Release": fill * length}
    notice = advanced({}, [judged(0, finding(0, key, trace_ids=[fill * length] * 20, shows=shows))]).notices[
        0
    ]
    message = card_message(notice, check, BASE_URL)
    assert len(encode(message)) < MAX_BYTES
    assert problems(card_of(message)) == []
    assert len(card_of(message)["body"][1]["facts"]) <= MAX_FACTS
    assert not [text for text in texts(card_of(message)) if set(text) & set("*`[]<>\\{}~\n\u202e")]


def test_a_card_that_is_too_large_is_refused_with_its_size() -> None:
    check = replace(CHECK, owner="x")
    notice = notices()["opened"]
    url = "https://" + "x" * 2 * MAX_BYTES
    with pytest.raises(TracekeeperError, match=r"stale_tool_data has \d{5} bytes; Teams takes 20000"):
        card_message(notice, check, url)
