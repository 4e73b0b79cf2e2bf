"""What is encoded is found where it stands: percent signs, escapes, base64, look-alikes, one in another."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.evidence.detectors import Hit, standard_detectors

DETECTORS = standard_detectors()
MAIL, SSN, CARD = "alice@example.com", "078-05-1120", "4111111111111111"


def percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


def full_width(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


def with_invisible(text: str) -> str:
    return "\u200b".join(text)


@pytest.mark.parametrize("encode", [percent, escaped, full_width, with_invisible, base64_of])
@pytest.mark.parametrize(("kind", "value"), [("email", MAIL), ("us_ssn", SSN), ("payment_card", CARD)])
def test_an_encoded_value_is_found_exactly_where_it_stands(
    kind: str, value: str, encode: Callable[[str], str]
) -> None:
    encoded = encode(value)
    assert DETECTORS.find(f"to {encoded} now") == [Hit(kind, 3, 3 + len(encoded))]


@pytest.mark.parametrize(
    "text",
    [
        percent(percent(MAIL)),
        json.dumps({"a": json.dumps({"b": escaped(MAIL)})}),
        base64_of(json.dumps({"to": MAIL})),
        json.dumps({"attachment": base64_of(json.dumps({"to": MAIL, "case": 7}))}),
        base64_of(base64_of(MAIL)),
        base64_of(MAIL).rstrip("="),
        base64.urlsafe_b64encode(b"?>?>?>" + MAIL.encode()).decode(),
        quote(json.dumps({"to": MAIL}), safe=""),
        "\u0430lice@ex\u0430mple.com",
        "alice@example\u00ad.com",
    ],
)
def test_encodings_within_encodings_are_looked_through(text: str) -> None:
    assert "email" in {hit.type for hit in DETECTORS.find(text)}


def test_a_hit_in_base64_is_masked_whole() -> None:
    token = base64_of(json.dumps({"case": 1, "ssn": SSN}))
    assert DETECTORS.find(f"x {token} y") == [Hit("us_ssn", 2, 2 + len(token))]


def test_base64_that_holds_no_text_is_left_alone() -> None:
    noise = base64.b64encode(bytes(range(128, 176))).decode()
    assert DETECTORS.find(noise) == []


def test_words_in_other_scripts_are_left_alone() -> None:
    assert DETECTORS.find("\u0441\u043a\u0430\u0436\u0438 100% \u0434\u0430, 50 %") == []


def test_encodings_too_deep_are_not_followed_for_ever() -> None:
    text = MAIL
    for _ in range(12):
        text = base64_of(text)
    assert DETECTORS.find(text) == []


SURROUNDINGS = st.text(st.sampled_from("ab Zé\u0430\u200b%\\/\u041c\u039f\n")).map(lambda text: f" {text} ")


@given(SURROUNDINGS, st.sampled_from([percent, escaped, full_width, with_invisible]), SURROUNDINGS)
def test_a_hit_in_a_reading_covers_what_was_encoded(
    before: str, encode: Callable[[str], str], after: str
) -> None:
    encoded = encode(SSN)
    text = before + encoded + after
    hits = [hit for hit in DETECTORS.find(text) if hit.type == "us_ssn"]
    start, end = len(before), len(before) + len(encoded)
    assert any(hit.start <= start and end <= hit.end for hit in hits)
    assert len(hits) == 1


@given(
    st.from_regex(r"\A[a-z]{3,8}@[a-z]{4,9}\.(com|org|de)\Z"),
    st.sampled_from([str.lower, str.upper, str.title]),
    st.sampled_from(
        [lambda mail: mail, lambda mail: json.dumps({"to": mail}), lambda mail: f"Write to {mail}."]
    ),
)
def test_every_address_is_found_in_base64(
    mail: str, written: Callable[[str], str], within: Callable[[str], str]
) -> None:
    token = base64_of(within(written(mail)))
    assert DETECTORS.find(f"a word {token} and another") == [Hit("email", 7, 7 + len(token))]


@pytest.mark.parametrize(
    "text",
    [
        "\u039c\u039f\u039d\u0397 \u0391\u0399\u039d",
        "\u0430 \u0442\u0430\u043a",
        "overwhelmingly uncharacteristically",
    ],
)
def test_words_of_a_script_and_long_words_are_not_even_read(text: str) -> None:
    assert DETECTORS._gate.search(text.encode()) is None  # noqa: SLF001  it is what makes searching fast
