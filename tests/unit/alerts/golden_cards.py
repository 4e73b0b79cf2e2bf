"""The notices whose cards are kept in tests/golden/cards.

`python -m tests.unit.alerts.golden_cards` writes them anew; read the difference before you commit it.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from functions.alerts.alert import Notice, Told, alert_id
from functions.alerts.cards.notice import card_message
from functions.alerts.circumstances import Circumstances
from functions.alerts.failures import failure_check, report_failure
from functions.alerts.lifecycle import record_told
from functions.checks.finding import JudgedWindow
from functions.traces.source import Cell
from tests.unit.alerts.building import (
    CHECK,
    DISPATCHER,
    RULES,
    START,
    TRACE_IDS,
    advanced,
    finding,
    judged,
    window,
)

FOLDER = Path(__file__).parents[2] / "golden" / "cards"
BASE_URL = "https://tracekeeper.example.net"
SHOWS: dict[str, Cell] = {"Runs": 2, "Conversations": 2, "Release": "2026.11.3", "PromptVersion": "p-14"}
HOSTILE = {
    "Agent": "<at>everyone</at> [pay](https://evil.example/x) **now**\u202e",
    "Tool": "# <img src=x onerror=alert(1)>\n1. `rm` __x__ {{DATE(2026-01-01T00:00:00Z)}} " + "long " * 40,
}


def notices() -> Mapping[str, Notice]:
    """Return one notice of each kind, and those that a card could stumble over."""
    opening = [_stale(0, 95.4), _stale(1, 61)]
    opened = advanced({}, opening, now=START + timedelta(minutes=15))
    told = record_told(
        opened.alerts,
        alert_id(CHECK.id, DISPATCHER),
        Told("teams", "opened", 1, START + timedelta(minutes=15)),
    )
    failed = report_failure(
        {},
        check=CHECK,
        error="SourceRefused",
        failures=3,
        windows=[window(0)],
        circumstances=Circumstances(RULES, START + timedelta(minutes=13)),
    )
    return {
        "opened": opened.notices[0],
        "repeated": advanced(told, (), now=START + timedelta(hours=4.5)).notices[0],
        "resolved": advanced(told, [judged(n) for n in (2, 3, 4)]).notices[0],
        "passed": advanced({}, [*opening, *(judged(n) for n in (2, 3, 4))]).notices[0],
        "opened-again": advanced(told, [*(judged(n) for n in (2, 3, 4)), _stale(5, 240)]).notices[0],
        "hostile": advanced({}, [judged(0, finding(0, HOSTILE, shows={"Release": "[x](y)"}))]).notices[0],
        "check-failed": failed.notices[0],
    }


def cards() -> Mapping[str, Mapping[str, Any]]:
    """Return the messages by name."""
    return {
        name: card_message(notice, failure_check(CHECK) if name == "check-failed" else CHECK, BASE_URL)
        for name, notice in notices().items()
    }


def pretty(message: Mapping[str, Any]) -> bytes:
    """Return a message as its file holds it."""
    return orjson.dumps(message, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _stale(n: int, minutes: float) -> JudgedWindow:
    return judged(n, finding(n, value=minutes, trace_ids=TRACE_IDS[2 * n : 2 * n + 2], shows=SHOWS))


if __name__ == "__main__":
    for name, message in cards().items():
        (FOLDER / f"{name}.json").write_bytes(pretty(message))
