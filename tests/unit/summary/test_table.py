"""The text of a week's summary fits a phone and holds what the week came to."""

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.summary.body import Week
from functions.summary.table import WIDTH, summary_lines

HOSTILE = "\u202e<at>x</at>\x1b[31m[a](http://evil.example)\n" + "界" * 60


def week(**parts: Any) -> Week:
    body: Week = orjson.loads((Path(__file__).parent / "week.json").read_bytes())
    return body | parts  # type: ignore[return-value]  # a mistaken part is the test's fault


def hostile(value: Any) -> Any:
    """Return the value with every name in it hostile, and every number large."""
    if isinstance(value, Mapping):
        kept = {"currency", "review_by", "kind"}
        return {key: one if key in kept else hostile(one) for key, one in value.items()}
    if isinstance(value, list):
        return [hostile(one) for one in value]
    if isinstance(value, int):
        return 99_999
    return HOSTILE if isinstance(value, str) else value


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in {"W", "F"} else 1 for one in line)


def test_a_week_is_told_from_its_runs_to_its_reviews() -> None:
    lines = summary_lines(week())
    assert lines[:4] == [
        "Mon 16 Nov to Sun 22 Nov 2026",
        "Europe/Berlin",
        "",
        "RUNS" + f"{'18,240 (+7%)':>40}",
    ]
    headings = [line.split("  ")[0] for line in lines if line[:1].isupper()][2:]
    assert headings == [
        "RUNS",
        "FINDINGS",
        "ALERTS",
        "COST",
        "PAID IN VAIN",
        "CHECKS THAT SAW ALL",
        "OVERDUE REVIEWS",
        "EVIDENCE OF ALERTS HELD",
        "NEWS THAT NEVER CAME THROUGH",
    ]


@pytest.mark.parametrize(
    "shown",
    [
        ("ALERTS", "opened resolved  open"),
        ("  high", "9        7     3"),
        ("  all", "23       19     6"),
        ("COST", "USD 1,184.27 (+23%)"),
        ("  (not said)", "2.50"),
        ("  prompts that grew", "97.03"),
        ("  content_exposed", "not known"),
        ("  slow_run", "98.8%"),
        ("CHECKS THAT SAW ALL", "22 of 24"),
        ("  claims-assistant", "23 days"),
        ("EVIDENCE OF ALERTS HELD", "10"),
        ("  not held: too many a day", "3"),
        ("  pager", "2"),
    ],
)
def test_a_line_has_its_name_at_the_left_and_its_figures_at_the_right(shown: tuple[str, str]) -> None:
    name, figures = shown
    assert f"{name}{' ' * (WIDTH - len(name) - len(figures))}{figures}" in summary_lines(week())


def test_hostile_names_are_cut_and_inert_and_no_line_is_too_wide() -> None:
    body = week()
    parts = ("runs", "alerts", "cost", "waste", "coverage", "reviews", "holds", "undelivered")
    lines = summary_lines(week(**{part: hostile(value) for part, value in body.items() if part in parts}))
    assert max(map(columns, lines)) <= WIDTH
    text = "".join(lines)
    assert not set("\u202e\x1b<>[]\n") & set(text)
    assert "://" not in text
    assert "evil.example" not in text


def test_what_is_not_known_is_said_and_not_shown_as_nothing() -> None:
    why = "Log Analytics had no room."
    lines = summary_lines(week(cost=None, unknown=[{"part": "cost", "why": why}]))
    assert not any(line.startswith("COST") for line in lines)
    assert lines[-2:] == ["NOT KNOWN", f"  cost: {why}"]


def test_a_summary_of_nothing_but_failures_is_still_one() -> None:
    parts = ("runs", "alerts", "cost", "waste", "coverage", "reviews", "holds", "undelivered")
    unknown = [{"part": part, "why": "storage could not be read, which is long. " * 3} for part in parts]
    lines = summary_lines(week(**dict.fromkeys(parts), unknown=unknown))
    assert sum(": storage" in line for line in lines) == len(parts)
    assert max(map(columns, lines)) <= WIDTH


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        (None, "100.00"),
        (0.0, "100.00"),
        (200.0, "100.00 (-50%)"),
        (100.0, "100.00 (+0%)"),
        (1.0, "100.00 (x100)"),
    ],
)
def test_the_change_against_the_week_before_is_shown_where_there_is_one(
    before: float | None, shown: str
) -> None:
    cost = week()["cost"]
    assert cost is not None
    lines = summary_lines(week(cost=cost | {"cost": 100.0, "before": before}))
    assert next(line for line in lines if line.startswith("COST")).endswith(f"USD {shown}")


def test_a_short_gap_is_not_rounded_away() -> None:
    check = {"check": "slow_run", "share": 0.99999, "gaps": 1, "gap_minutes": 1}
    counts = {"windows": 5, "blind_windows": 0, "late_rows": 0}
    lines = summary_lines(week(coverage={"total": 1, "complete": 0, "checks": [check | counts]}))
    assert f"  slow_run{'99.9%':>34}" in lines
    assert "    1 gap, 1 minute" in lines


@pytest.mark.parametrize(("missed", "named"), [(1, "week"), (2, "2 weeks")])
def test_weeks_without_a_summary_are_named(missed: int, named: str) -> None:
    assert f"No summary of the {named} before it." in summary_lines(week(missed_weeks=missed))
