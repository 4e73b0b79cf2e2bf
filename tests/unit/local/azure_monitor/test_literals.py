import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.azure_monitor.ingestion import Telemetry

ENGINE = Telemetry()


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (r'"\u0041\x42\103"', "ABC"),
        (r'"\U0001f600"', "\U0001f600"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\u000a\u0022\u005c\u0027"', "\n\"\\'"),
        (r"'\a\b\f\v\t\n'", "\a\b\f\v\t\n"),
        (r'"\\u0041"', r"\u0041"),
        (r'@"\u0041"', r"\u0041"),
        (r"@'it''s \x41'", r"it's \x41"),
        ('"a // b" // "\\u0041', "a // b"),
        (r'"""\u0041"', "A"),
    ],
)
def test_a_literal_means_what_kusto_reads(literal: str, value: str) -> None:
    assert ENGINE.query(f"print {literal}").rows == [[value]]


def test_a_comment_opens_no_literal() -> None:
    assert ENGINE.query('// @"\nprint "\\u0041" // "').rows == [["A"]]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_text_written_in_escapes_is_read_back(text: str) -> None:
    escaped = "".join(f"\\U{ord(character):08x}" for character in text)
    assert ENGINE.query(f'print "{escaped}"').rows == [[text]]
