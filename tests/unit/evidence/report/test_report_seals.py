"""The report says how a bundle stands beside the seals, and never that more was compared than was."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from functions.evidence.report.seals import seal_shortfalls, seals_section
from functions.evidence.seals.account import Tally

KEPT = date(2026, 8, 1)
DAY = date(2026, 11, 21)
GONE = "e" * 32


def tally(**changes: Any) -> Tally:
    return Tally(kept_since=KEPT, basis="Every sealed run must still have a span.", **changes)


def compared(count: int) -> dict[str, Any]:
    return {
        "day": DAY.isoformat(),
        "traces": 9,
        "compared": count,
        "list_sha256": "",
        "ledger_hash": "4c" * 32,
    }


def said(body: object) -> str:
    return str(seals_section(body))


def test_traces_that_were_looked_for_and_found_are_counted_with_the_ledger_s_entry() -> None:
    text = said(tally(days=[compared(7), compared(2)]).account().body)
    assert "<strong>The seals agree.</strong> 9 sealed traces of 2 days were looked for" in text
    assert "4c" * 32 in text
    assert "✕" not in text


def test_without_a_sealed_day_nothing_agrees() -> None:
    text = said(tally(not_sealed={DAY: "before the first seal"}).account().body)
    assert "Seals: nothing was compared." in text
    assert "2026-11-21 is not sealed: before the first seal" in text
    assert "agree" not in text


def test_without_an_account_nothing_is_said_to_agree() -> None:
    for body in (None, {}, [], "complete", {"complete": "true", "days": [compared(1)]}):
        assert "agree" not in said(body)


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        (
            {"vanished": {GONE: DAY}},
            f"1 sealed trace is no longer at the source: <code>{GONE}</code>.",
        ),
        (
            {"expired": {GONE: DAY, "f" * 32: DAY}},
            "2 sealed traces are past the end of the retention, which reaches back to 2026-08-01.",
        ),
        ({"behind_retention": True}, "The time asked for begins before the retention, 2026-08-01."),
        (
            {"damaged": ["The list of 2026-11-21 differs."]},
            "A seal is damaged: The list of 2026-11-21 differs.",
        ),
    ],
)
def test_what_the_seals_miss_is_named(gone: dict[str, Any], sentence: str) -> None:
    body = tally(days=[compared(7)], **gone).account().body
    assert [str(each) for each in seal_shortfalls(body)] == [sentence]
    assert "✕ The seals show that something is missing." in said(body)
    assert sentence in said(body)


def test_many_vanished_traces_are_counted_and_some_named() -> None:
    body = tally(vanished={f"{number:032x}": DAY for number in range(1_500)}).account().body
    (sentence,) = seal_shortfalls(body)
    assert sentence.startswith("1,500 sealed traces are no longer at the source: ")
    assert "and 1,480 more in <code>data/completeness.json</code>" in sentence


def test_a_trace_in_no_seal_is_told_and_is_no_shortfall_of_the_seals() -> None:
    account = tally(never_sealed=[GONE])
    account.add_gone("f" * 32, DAY, datetime(2026, 7, 1, tzinfo=UTC))
    assert f"1 trace asked for in no seal: <code>{GONE}</code>." in said(account.account().body)
