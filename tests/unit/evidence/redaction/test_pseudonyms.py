import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.errors import SettingsError
from functions.evidence.detectors import standard_detectors
from functions.evidence.redaction.pseudonyms import Pseudonyms

KEY = bytes(range(32))
PSEUDONYMS = Pseudonyms(KEY, "keyA")
DETECTORS = standard_detectors()


def test_a_pseudonym_is_the_same_in_every_process() -> None:
    # printf 'user\0alice@example.com' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f | tr 0-9a-f a-p
    assert PSEUDONYMS.of("user", "alice@example.com") == "ehiohkgakcbjghgfhkhgmond"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PSEUDONYMS.of("user", "alice"), PSEUDONYMS.of("tenant", "alice")),
        (PSEUDONYMS.of("user", "alice"), PSEUDONYMS.of("user", "Alice")),
        (PSEUDONYMS.of("user", "alice"), Pseudonyms(KEY[::-1], "keyA").of("user", "alice")),
        (PSEUDONYMS.of("user", ""), PSEUDONYMS.of("use", "r")),
        (PSEUDONYMS.of("user", "\0alice"), PSEUDONYMS.of("user", "alice")),
    ],
    ids=["domain", "value", "key", "boundary", "nul"],
)
def test_different_inputs_get_unrelated_pseudonyms(one: str, other: str) -> None:
    assert one != other


@given(st.text(st.characters(exclude_categories=[])))
def test_a_pseudonym_is_letters_that_no_detector_minds(value: str) -> None:
    pseudonym = PSEUDONYMS.of("user", value)
    assert re.fullmatch(r"[a-p]{24}", pseudonym)
    assert DETECTORS.find(pseudonym) == []


def test_an_id_that_must_be_hex_is_hex_of_the_asked_length() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", PSEUDONYMS.hex_id("span", "|abc.1.", 16))


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_of_the_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(SettingsError, match="PSEUDONYM_KEY "):
        Pseudonyms(b"x" * length, "keyA")


@pytest.mark.parametrize("key_id", ["", "key-1", "1", "a" * 33, "alice@example.com"])
def test_a_key_id_is_letters(key_id: str) -> None:
    with pytest.raises(SettingsError, match="PSEUDONYM_KEY_ID"):
        Pseudonyms(KEY, key_id)


def test_a_domain_is_small_letters() -> None:
    with pytest.raises(ValueError, match="domain"):
        PSEUDONYMS.of("user\0", "alice")


def test_the_key_is_in_no_representation() -> None:
    for text in (repr(PSEUDONYMS), str(PSEUDONYMS), f"{PSEUDONYMS!r:>40}"):
        assert "keyA" in text
        assert "\\x01" not in text
        assert KEY.hex() not in text


def test_pseudonyms_are_not_pickled_with_their_key() -> None:
    with pytest.raises(TypeError, match="key"):
        pickle.dumps(PSEUDONYMS)
