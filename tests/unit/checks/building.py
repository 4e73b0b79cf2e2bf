"""Checks, rows and windows for the tests of this folder."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.checks.definition import CheckDefinition, check_definition
from functions.checks.finding import Window
from functions.checks.windows import Batch
from functions.traces.source import Cell, Rows

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
FIVE = timedelta(minutes=5)
SPIKE = {"history": 1, "minimum_windows": 3, "factor": 3, "deviations": 5, "floor": 1.0}
COLUMNS = ("Window", "Agent", "Value", "Violations", "TraceIds")


def check(condition: Mapping[str, Any] | None = None, **changes: Any) -> CheckDefinition:
    return check_definition(
        {
            "id": "slow_tool",
            "title": "A tool is slow",
            "severity": "high",
            "owner": "platform",
            "every": "5m",
            "settle": "5m",
            "key": ["Agent"],
            "needs": ["spans"],
            "unit": "minutes",
            "query": "spans | join tool_freshness on Agent",
            "condition": condition or {"any": {}},
            "false_positives": "None known.",
            "triage": "Look.",
        }
        | changes
    )


def window(number: int) -> Window:
    """Return the window that begins so many windows after noon."""
    return Window(NOON + number * FIVE, NOON + (number + 1) * FIVE)


def batch(*numbers: int) -> Batch:
    return Batch(FIVE, tuple(map(window, numbers)))


def row(number: int, value: Cell = 1.0, *, agent: Cell = "dispatcher", **changes: Cell) -> dict[str, Cell]:
    standard: dict[str, Cell] = {
        "Window": window(number).start,
        "Agent": agent,
        "Value": value,
        "Violations": 1,
        "TraceIds": '["t1"]',
    }
    return standard | changes


def result(*rows: Mapping[str, Cell], columns: Sequence[str] = COLUMNS) -> Rows:
    names = tuple(rows[0]) if rows else tuple(columns)
    return Rows(names, tuple(tuple(row.values()) for row in rows))
