import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.evidence.detectors import standard_detectors
from functions.evidence.redaction.masking import WITHHELD, Masked, mask

DETECTORS = standard_detectors()
MAIL = "ada@example.com"


def masked(value: Any) -> str:
    text = mask(value, DETECTORS).text
    assert text is not None
    return text


def test_what_is_found_is_replaced_by_its_type_and_counted() -> None:
    assert mask(f"Write to {MAIL} or call +1 415-555-0132.", DETECTORS) == Masked(
        "Write to <email> or call <phone>.", {"email": 1, "phone": 1}
    )


def test_text_in_which_nothing_is_found_stays_as_it_is() -> None:
    for text in ("Status of SHP-38783 please.", "", "[not json", "{}", '{"a": [1, 2.5, true, null]}'):
        assert json.loads(masked(text)) == json.loads(text) if text.startswith("{") else masked(text) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"to": MAIL}, {"to": "<email>"}),
        ({MAIL: 1}, {"<email>": 1}),
        ({"a\n415-555-0132": {MAIL: [1]}}, {"a\n<phone>": {"<email>": [1]}}),
        ([{"a": {"b": [f"x {MAIL}"]}}], [{"a": {"b": ["x <email>"]}}]),
        ({"card": 4111111111111111}, {"card": "<payment_card>"}),
        ({"n": 123456789}, {"n": 123456789}),
        ({"line": f"a\n{MAIL}\tb"}, {"line": "a\n<email>\tb"}),
        ({"digits": "a\n415-555-0132"}, {"digits": "a\n<phone>"}),
        ({"ok": True, "none": None}, {"ok": True, "none": None}),
    ],
)
def test_the_strings_within_json_are_masked_and_it_stays_json(value: Any, expected: Any) -> None:
    assert json.loads(masked(value)) == expected
    assert json.loads(masked(json.dumps(value))) == expected


def test_json_within_json_is_masked_as_decoded() -> None:
    inner = json.dumps({"note": f"first\n415-555-0132 {MAIL}"})
    outer = json.loads(masked(json.dumps({"arguments": inner})))
    assert json.loads(outer["arguments"]) == {"note": "first\n<phone> <email>"}


def test_a_key_tells_what_its_value_is() -> None:
    assert "q7Xz9LmP2vR8sT4w" not in masked({"password": "q7Xz9LmP2vR8sT4w"})
    assert "1987-05-23" not in masked({"date_of_birth": "1987-05-23"})
    assert "467 3395" not in masked({"phone": "467 3395"})


def test_json_that_was_cut_off_is_masked_with_its_escapes() -> None:
    cut = json.dumps({"a": json.dumps({"b": f"x\n415-555-0132 y {MAIL}"})})[:-3]
    assert "415-555-0132" not in masked(cut)
    assert MAIL not in masked(cut)


def test_what_lies_too_deep_is_withheld() -> None:
    deep = "[" * 120 + f'"{MAIL}"' + "]" * 120
    assert WITHHELD in masked(deep)
    assert MAIL not in masked(deep)
    too_deep_for_any_reader = "[" * 5000 + f'"{MAIL}"' + "]" * 5000
    assert MAIL not in masked(too_deep_for_any_reader)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(), st.just(MAIL)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)


@given(json_values)
def test_nothing_is_found_in_what_was_masked(value: Any) -> None:
    for form in (value, json.dumps(value), json.dumps({"again": json.dumps(value)})):
        text = mask(form, DETECTORS).text
        assert text is None or DETECTORS.find(text) == []


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text, DETECTORS).text
    assert once is None or mask(once, DETECTORS) == Masked(once, {})
