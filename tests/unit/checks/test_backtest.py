from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alerts.circumstances import Circumstances
from functions.alerts.lifecycle import advance
from functions.checks.backtest import (
    Firing,
    Point,
    Score,
    firings,
    firings_a_day,
    past_windows,
    score,
    series,
)
from functions.checks.evaluation import judge
from functions.checks.finding import Finding, JudgedWindow
from functions.checks.measurement import measurements
from tests.unit.alerts.building import RULES
from tests.unit.checks.building import FIVE, NOON, SPIKE, batch, check, result, row, window

ABOVE = {"above": {"threshold": 10}}


def found(
    number: int, value: float = 20.0, *, agent: str = "a", traces: tuple[str, ...] = ("t1",)
) -> Finding:
    return Finding("slow_tool", {"Agent": agent}, window(number), value, 10.0, 2, traces)


def judged(length: int, *findings: Finding) -> list[JudgedWindow]:
    return [
        JudgedWindow(window(n), tuple(f for f in findings if f.window == window(n))) for n in range(length)
    ]


def shape(firing: Firing) -> tuple[str, int, int, float]:
    start, end = (int((moment - NOON) / FIVE) for moment in (firing.start, firing.end))
    return firing.key[0], start, end, firing.worst.value


@pytest.mark.parametrize(
    ("findings", "alerts"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([found(3)], [("a", 3, 4, 20.0)], id="one"),
        pytest.param([found(3, 20), found(4, 30), found(5, 25)], [("a", 3, 6, 30.0)], id="the worst counts"),
        pytest.param([found(3), found(6)], [("a", 3, 7, 20.0)], id="two quiet windows do not end it"),
        pytest.param([found(3), found(7)], [("a", 3, 4, 20.0), ("a", 7, 8, 20.0)], id="three end it"),
        pytest.param([found(4, agent="b"), found(3)], [("a", 3, 4, 20.0), ("b", 4, 5, 20.0)], id="by key"),
        pytest.param([found(0), found(19)], [("a", 0, 1, 20.0), ("a", 19, 20, 20.0)], id="at the edges"),
    ],
)
def test_findings_become_alerts_as_in_the_service(
    findings: list[Finding], alerts: list[tuple[str, int, int, float]]
) -> None:
    assert [
        shape(firing) for firing in firings(check(), judged(20, *findings), resolve_after_quiet=3)
    ] == alerts


def test_the_worst_of_a_check_for_low_values_is_the_lowest() -> None:
    (firing,) = firings(check(), judged(3, found(0, 9), found(1, 2), found(2, 8)), resolve_after_quiet=3)
    assert (firing.worst.value, firing.windows, firing.violations) == (2, 3, 6)


@given(
    st.lists(st.sampled_from(["found", "continuing", "unjudged", "quiet"]), min_size=1, max_size=40),
    st.integers(1, 3),
    st.integers(0, 9),
)
def test_alerts_open_and_end_as_in_the_lifecycle(pattern: list[str], in_a_row: int, kept_open: int) -> None:
    windows = [
        JudgedWindow(
            window(n),
            findings=(found(n),) if kind == "found" else (),
            continuing=(found(n),) if kind == "continuing" else (),
            unjudged=({"Agent": "a"},) if kind == "unjudged" else (),
        )
        for n, kind in enumerate(pattern)
    ]
    definition = check(**{"for": in_a_row})
    rules = replace(RULES, keep_open_for=kept_open * definition.every)
    alerts = advance({}, windows, check=definition, circumstances=Circumstances(rules, NOON)).alerts
    quiet, kept = rules.resolve_after_quiet, rules.keep_open_for
    fired = firings(definition, windows, resolve_after_quiet=quiet, keep_open_for=kept)
    opened = [alert for alert in alerts.values() if alert.episode]
    assert len(fired) == sum(alert.episode for alert in opened)
    assert [(f.start, f.end) for f in fired[-1:]] == [(a.opened_at, a.last_seen) for a in opened]
    assert sum(firing.windows for firing in fired) == sum(len(alert.findings) for alert in opened)


def test_what_only_keeps_an_alert_open_is_never_its_worst() -> None:
    windows = [
        JudgedWindow(window(0), (found(0, 11),)),
        JudgedWindow(window(1), (), continuing=(replace(found(1, 9), threshold=2),)),
    ]
    (firing,) = firings(check(), windows, resolve_after_quiet=3)
    assert (firing.end, firing.worst.value) == (window(1).end, 11)


def test_alerts_are_counted_on_the_day_they_begin() -> None:
    day = int(timedelta(days=1) / FIVE)
    fired = firings(
        check(),
        judged(2 * day, found(1), found(9), found(day), found(day + 20, agent="b")),
        resolve_after_quiet=1,
    )
    assert firings_a_day(fired) == {date(2026, 11, 3): 2, date(2026, 11, 4): 2}


@pytest.mark.parametrize(
    ("days", "every", "late", "windows"),
    [(1, "5m", 0, 288), (14, "5m", 4, 4032), (3, "1h", 59, 72), (2, "1d", 0, 2)],
)
def test_all_windows_of_the_days_are_judged_but_those_not_settled(
    days: int, every: str, late: int, windows: int
) -> None:
    definition = check(every=every)
    now = NOON + timedelta(minutes=late)
    asked = past_windows(definition, days, now)
    assert len(asked.windows) == windows
    assert asked.windows[-1].end <= now - definition.settle
    assert now - definition.settle - asked.windows[-1].end < definition.every
    assert asked.windows[-1].end - asked.windows[0].start == timedelta(days=days)


def points(condition: dict[str, Any], *rows: dict[str, Any], length: int = 10) -> dict[str, list[Point]]:
    definition, asked = check(condition), batch(*range(length))
    answer = result(*rows)
    drawn = series(
        definition, measurements(definition, answer, FIVE), judge(definition, answer, asked), asked
    )
    return {key[0]: list(its) for key, its in drawn.items()}


def test_each_key_has_its_values_with_the_threshold_worst_key_first() -> None:
    drawn = points(
        ABOVE,
        row(0, 5, agent="calm"),
        row(0, 99, agent="once"),
        row(0, 11, agent="twice"),
        row(1, 11, agent="twice"),
        row(2, 12, agent="less"),
    )
    assert list(drawn) == ["twice", "once", "less", "calm"]
    assert drawn["calm"] == [Point(window(0).start, 5, 10, found=False)]
    assert drawn["twice"][1] == Point(window(1).start, 11, 10, found=True)


def test_a_spike_is_drawn_against_what_it_was_held_against() -> None:
    drawn = points({"spike": SPIKE}, *(row(n, v) for n, v in enumerate([2, 2, 2, 2, 50, 2])))["dispatcher"]
    assert [point.threshold for point in drawn] == [None, None, None, 6, 6, 6]
    assert [point.found for point in drawn] == [False] * 4 + [True, False]


def test_what_is_usual_reaches_back_as_far_as_in_the_judgement() -> None:
    drawn = points({"spike": SPIKE}, *(row(n, 2) for n in (0, 1, 2, 12, 14)), length=15)["dispatcher"]
    assert [point.threshold for point in drawn] == [None, None, None, 6, None]


def test_too_few_runs_are_neither_usual_nor_held_against_anything() -> None:
    rows = [row(n, v, Runs=runs) for n, (v, runs) in enumerate([(2, 9), (99, 1), (2, 9), (2, 9), (50, 9)])]
    definition = check({"spike": SPIKE}, minimum_runs=5)
    answer, asked = result(*rows), batch(*range(5))
    judgement = judge(definition, answer, asked)
    drawn = series(definition, measurements(definition, answer, FIVE), judgement, asked)["dispatcher",]
    assert [point.threshold for point in drawn] == [None, None, None, None, 6]


def test_an_absence_is_drawn_as_the_minutes_without_a_row() -> None:
    drawn = points({"absence": {"after": "10m"}}, row(0), length=4)["dispatcher"]
    assert [(p.value, p.threshold, p.found) for p in drawn] == [
        (0, 10, False),
        (5, 10, False),
        (10, 10, True),
        (15, 10, True),
    ]


def test_rows_of_the_history_are_not_drawn() -> None:
    assert [p.window for p in points(ABOVE, row(-1, 50), row(1, 50))["dispatcher"]] == [window(1).start]


def test_a_limit_of_the_querys_own_is_drawn() -> None:
    (point,) = points({"any": {}}, row(0, 45, Threshold=30.0))["dispatcher"]
    assert point == Point(window(0).start, 45, 30, found=True)


@pytest.mark.parametrize(
    ("named", "labels", "expected", "precision", "recall"),
    [
        (("t1", "t2"), {"t1": True, "t2": True}, Score(2, 0, 0, 0), 1.0, 1.0),
        (("t1", "t2"), {"t1": True, "t2": False, "t3": True}, Score(1, 1, 1, 0), 0.5, 0.5),
        (("t9",), {"t1": True}, Score(0, 0, 1, 1), None, 0.0),
        (("t1",), {"t1": False}, Score(0, 1, 0, 0), 0.0, None),
        ((), {}, Score(0, 0, 0, 0), None, None),
    ],
)
def test_named_traces_are_held_against_the_labels(
    named: tuple[str, ...], labels: dict[str, bool], expected: Score, precision: float, recall: float
) -> None:
    windows = judged(9, found(1, traces=named), found(7, traces=named[:1]))
    held = score(firings(check(), windows, resolve_after_quiet=3), labels)
    assert (held, held.precision, held.recall) == (expected, precision, recall)
