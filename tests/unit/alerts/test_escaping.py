"""Text out of a trace stays text, whoever reads the Markdown."""

# ruff: noqa: RUF001 - look-alikes are what is tested

import json
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alerts.escaping import EMPTY, MAX_CHARACTERS, escape
from local.node import find_node

NODE_MODULES = Path(__file__).parents[3] / "local" / "node_modules"

SHOWN = [
    ("dispatcher", "dispatcher"),
    ("get_shipment_status", "get_shipment_status"),
    ("contoso.dispatch-v1.2", "contoso.dispatch-v1.2"),
    ("Überprüfung 検査 😀", "Überprüfung 検査 😀"),
    ("at 12:30", "at 12:30"),
    ("", EMPTY),
    (" \n\t ", EMPTY),
    ("\u200b\u2060", EMPTY),
    ("[pay](https://evil.example/x)", "(pay)(https∶//evil․example/x)"),
    ("![x](y)", "!(x)(y)"),
    ("https://evil.example", "https∶//evil․example"),
    ("www.evil.example", "www․evil․example"),
    ("evil.example/login", "evil․example/login"),
    ("login-bank.com", "login-bank․com"),
    ("call evil.com/x now", "call evil․com/x now"),
    ("a@evil.com", "a@evil․com"),
    ("mailto:a@evil.example", "mailto∶a@evil․example"),
    ("**bold** _it_ __x__", "∗∗bold∗∗ ˍitˍ ˍˍxˍˍ"),
    ("`code` ~~gone~~", "ˋcodeˋ ∼∼gone∼∼"),
    ("<at>everyone</at>", "‹at›everyone‹/at›"),
    ("<b onclick=x>&lt;&#60;", "‹b onclick=x›＆lt;＆#60;"),
    ("AT&T; R&D", "AT＆T; R&D"),
    ("# heading", "#\u00a0heading"),
    ("#12", "#12"),
    ("- item", "‐ item"),
    ("---", "‐--"),
    ("+ item", "+\u00a0item"),
    ("1. item", "1.\u00a0item"),
    ("12) item", "12)\u00a0item"),
    ("> quote", "› quote"),
    ("{{DATE(2026-01-01T00:00:00Z)}}", "((DATE(2026-01-01T00:00:00Z)))"),
    (r"\*", "∖∗"),
    ("two\nlines\r\nand\u2028more", "two lines and more"),
    ("a\u202eb\u2066c\u200bd\ufeffe\u00adf\x00g\x1b[31mh", "abcdefg(31mh"),
    ("\ud800x", "x"),
    ("x" * 81, "x" * 79 + "…"),
    ("x" * 80, "x" * 80),
]


@pytest.mark.parametrize(("text", "shown"), SHOWN, ids=ascii)
def test_what_a_person_sees(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text() | st.text(alphabet="*_`~[]()<>#+-=.:/@&{}\\|!a1 \n\u202e\u200b"))
def test_whatever_comes_is_one_short_visible_line(text: str) -> None:
    shown = escape(text)
    assert 0 < len(shown) <= MAX_CHARACTERS
    assert not set(shown) & set("*`~[]{}<>\\")
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]


HOSTILE = [text for text, _ in SHOWN] + [
    opening + text + closing
    for opening, closing in [
        ("**", "**"),
        ("_", "_"),
        ("[", "](x)"),
        ("<", ">"),
        ("    ", ""),
        ("- ", "\n==="),
    ]
    for text, _ in SHOWN
]


def test_a_markdown_parser_finds_nothing_in_it() -> None:
    script = (
        "const md = require('markdown-it')({html: true, linkify: true});"
        "const texts = JSON.parse(require('fs').readFileSync(0));"
        "console.log(JSON.stringify(texts.map(t => md.render(t))))"
    )
    sent = [escape(text) for text in HOSTILE]
    ran = subprocess.run(
        [str(find_node()), "-e", script],
        input=json.dumps(sent),
        cwd=NODE_MODULES,
        capture_output=True,
        text=True,
        check=True,
    )
    as_text = {'"': "&quot;", "&": "&amp;"}
    expected = [f"<p>{''.join(as_text.get(c, c) for c in text)}</p>\n" for text in sent]
    assert json.loads(ran.stdout) == expected
