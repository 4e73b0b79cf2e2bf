"""What is a finding, what is not, and what can't be said."""

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.checks.evaluation import Judgement, judge, spike_threshold
from functions.traces.source import Cell
from tests.unit.checks.building import COLUMNS, NOON, SPIKE, batch, check, result, row, window


def test_with_any_every_row_is_a_finding() -> None:
    judged = judge(check(), result(row(0, 90.5, Violations=2, TraceIds='["b","a"]')), batch(0)).judged
    (finding,) = judged[0].findings
    assert (finding.check_id, finding.key, finding.window) == (
        "slow_tool",
        {"Agent": "dispatcher"},
        window(0),
    )
    assert (finding.value, finding.threshold, finding.violations) == (90.5, None, 2)
    assert finding.trace_ids == ("a", "b")


def test_with_any_the_limit_of_the_query_is_the_threshold() -> None:
    judged = judge(check(), result(row(0, 90.0, Threshold=60)), batch(0)).judged
    assert judged[0].findings[0].threshold == 60.0


def test_a_window_without_rows_is_judged_too() -> None:
    judged = judge(check(), result(row(1)), batch(0, 1, 2)).judged
    assert [(one.window, len(one.findings)) for one in judged] == [
        (window(0), 0),
        (window(1), 1),
        (window(2), 0),
    ]


def test_rows_outside_the_windows_asked_for_are_no_findings() -> None:
    judgement = judge(check(), result(row(-1), row(0), row(1)), batch(0))
    assert [len(one.findings) for one in judgement.judged] == [1]
    assert judgement.rows == 1


@pytest.mark.parametrize(("value", "found"), [(9.99, 0), (10.0, 0), (10.01, 1), (11, 1)])
def test_above_finds_what_exceeds_the_threshold(value: float, found: int) -> None:
    judged = judge(check({"above": {"threshold": 10}}), result(row(0, value)), batch(0)).judged
    assert [finding.threshold for finding in judged[0].findings] == [10] * found


def test_findings_of_a_window_come_in_the_order_of_their_keys() -> None:
    rows = result(row(0, agent="b"), row(0, agent="c"), row(0, agent="a"))
    findings = judge(check(), rows, batch(0)).judged[0].findings
    assert [finding.key["Agent"] for finding in findings] == ["a", "b", "c"]


def test_a_finding_carries_the_columns_that_the_check_shows() -> None:
    rows = result(row(0, Release="1.2", Runs=None, Other=1))
    (finding,) = judge(check(shows=["Release", "Runs"]), rows, batch(0)).judged[0].findings
    assert finding.shows == {"Release": "1.2", "Runs": None}


@pytest.mark.parametrize(
    ("earlier", "threshold"),
    [
        ([10, 10, 10], 30.0),  # MAD 0: the factor decides
        ([0.1, 0.1, 0.1], 1.0),  # tiny: the floor decides
        ([0, 0, 0], 1.0),
        ([10, 20, 30], 20 + 5 * 1.4826 * 10),  # wide: the deviations decide
        ([10, 10, 10, 10, 1000], 30.0),  # a burst inside the history changes nothing
        ([10, 10, 1000, 1000, 10], 30.0),
        ([10, 12], None),  # too short
        ([], None),
    ],
)
def test_the_threshold_of_a_spike_is_robust(earlier: list[float], threshold: float | None) -> None:
    assert spike_threshold(earlier, SPIKE) == (None if threshold is None else pytest.approx(threshold))


@given(
    st.lists(st.floats(0, 1e6), min_size=5, max_size=40),
    st.integers(0, 39),
    st.floats(0, 1e12),
)
def test_one_wild_value_moves_the_threshold_no_further_than_its_neighbours(
    values: list[float], position: int, wild: float
) -> None:
    """A median of an outlier is bounded by the values around the middle; a mean would not be."""
    spoilt = [*values]
    spoilt[position % len(values)] = wild
    threshold = spike_threshold(spoilt, SPIKE)
    assert threshold is not None
    assert threshold <= max(1.0, 3 * max(values), max(values) * (1 + 5 * 1.4826))


def test_a_spike_is_held_against_the_windows_before_it() -> None:
    rows = result(*(row(n, 10.0) for n in range(-4, 0)), row(0, 31.0))
    judgement = judge(check({"spike": SPIKE}), rows, batch(0))
    assert [f.threshold for f in judgement.judged[0].findings] == [30.0]
    assert judgement.unjudged == 0


def test_windows_due_together_are_each_held_against_what_came_before() -> None:
    rows = result(*(row(n, 10.0) for n in range(-3, 0)), row(0, 31.0), row(1, 31.0), row(2, 29.0))
    judged = judge(check({"spike": SPIKE}), rows, batch(0, 1, 2)).judged
    assert [[f.value for f in one.findings] for one in judged] == [[31.0], [31.0], []]


def test_a_later_burst_does_not_excuse_an_earlier_one() -> None:
    rows = result(*(row(n, 10.0) for n in range(-3, 0)), row(0, 31.0), *(row(n, 500.0) for n in range(1, 6)))
    judged = judge(check({"spike": SPIKE}), rows, batch(*range(6))).judged
    assert judged[0].findings


def test_a_key_without_history_is_unjudged_and_counted() -> None:
    rows = result(*(row(n, 10.0) for n in range(-3, 0)), row(0, 31.0), row(0, 9999.0, agent="new"))
    judgement = judge(check({"spike": SPIKE}), rows, batch(0))
    assert [f.key["Agent"] for f in judgement.judged[0].findings] == ["dispatcher"]
    assert (judgement.rows, judgement.unjudged) == (2, 1)


def test_only_windows_within_the_history_count() -> None:
    an_hour_back = [row(n, 1000.0) for n in range(-24, -12)]
    rows = result(*an_hour_back, *(row(n, 10.0) for n in range(-3, 0)), row(0, 31.0))
    assert judge(check({"spike": SPIKE}), rows, batch(0)).judged[0].findings


def test_windows_of_a_key_without_a_row_are_not_zeros() -> None:
    rows = result(row(-9, 10.0), row(-5, 10.0), row(-1, 10.0), row(0, 29.0))
    judgement = judge(check({"spike": SPIKE}), rows, batch(0))
    assert (judgement.judged[0].findings, judgement.unjudged) == ((), 0)


def test_no_rows_judge_every_window_empty() -> None:
    judgement = judge(check(), result(columns=COLUMNS), batch(0, 1))
    assert [one.findings for one in judgement.judged] == [(), ()]
    assert judgement.rows == 0


@pytest.mark.parametrize(("value", "found"), [(0.79, 1), (0.8, 0), (0.81, 0), (-5, 1)])
def test_below_finds_what_falls_short_of_the_threshold(value: float, found: int) -> None:
    judged = judge(check({"below": {"threshold": 0.8}}), result(row(0, value)), batch(0)).judged
    assert [finding.threshold for finding in judged[0].findings] == [0.8] * found


ABSENCE = {"absence": {"after": "15m", "history": 1}}


def silent_windows(judgement: Judgement) -> dict[float, float]:
    """Return window number to minutes of silence, where that is a finding."""
    return {
        (one.window.start - NOON).total_seconds() / 300: f.value
        for one in judgement.judged
        for f in one.findings
    }


@pytest.mark.parametrize(
    ("seen", "silent"),
    [
        ([-1], {2: 15, 3: 20}),  # from the end of the window of its last row to the end of the judged one
        ([-1, 1], {}),
        ([-2, 3], {1: 15, 2: 20}),  # it came back
        ([0, 1, 2, 3], {}),
        ([-9], {0: 45, 1: 50, 2: 55, 3: 60}),
        ([-12], {0: 60}),  # no longer within the history after that
        ([-13], {}),
        ([4], {}),  # not yet seen then
        ([], {}),
    ],
    ids=str,
)
def test_a_key_that_falls_silent_is_found_until_it_is_seen_or_forgotten(
    seen: list[int], silent: dict[float, float]
) -> None:
    rows = result(*(row(n) for n in seen), columns=COLUMNS)
    assert silent_windows(judge(check(ABSENCE), rows, batch(0, 1, 2, 3))) == silent


def test_a_silent_key_is_found_by_what_it_said_last() -> None:
    rows = result(
        row(-5, 1.0, Violations=7, TraceIds='["old"]', Release="1"),
        row(-3, 2.0, Violations=9, TraceIds='["last"]', Release="2"),
        row(0, 3.0, agent="loud", Release="3"),
        row(-6, 1.0, Release="0"),  # in no order
    )
    judgement = judge(check(ABSENCE, shows=["Release"]), rows, batch(0))
    (finding,) = judgement.judged[0].findings
    assert (finding.key, finding.window) == ({"Agent": "dispatcher"}, window(0))
    assert (finding.value, finding.threshold, finding.violations) == (15, 15, 1)
    assert (finding.trace_ids, finding.shows) == (("last",), {"Release": "2"})
    assert (judgement.rows, judgement.unjudged) == (1, 0)


def test_an_absence_looks_back_a_day_unless_told() -> None:
    silent = check({"absence": {"after": "1h"}})
    assert silent.condition.options == {"after": 60, "history": 24}
    assert judge(silent, result(row(-288)), batch(0)).judged[0].findings
    assert not judge(silent, result(row(-289)), batch(0)).judged[0].findings


def proportion(hits: int, runs: int, baseline_hits: Cell, baseline_runs: int) -> dict[str, Cell]:
    sides = {"Hits": hits, "Runs": runs, "BaselineHits": baseline_hits, "BaselineRuns": baseline_runs}
    return row(0, 100 * hits / runs, **sides)


Side = tuple[float | None, float | None, int]
"""Mean, deviation and runs."""


def average(now: Side, before: Side) -> dict[str, Cell]:
    value, deviation, runs = now
    baseline, earlier, of = before
    sides = {"Runs": runs, "BaselineRuns": of, "Baseline": baseline, "BaselineDeviation": earlier}
    return row(0, value, Deviation=deviation, **sides)


def change(metric: str, **options: Any) -> Mapping[str, Any]:
    return {"change": {"metric": metric, "alpha": 0.01, "minimum_runs": 20, "factor": 1.5} | options}


@pytest.mark.parametrize(
    ("measured", "found", "unjudged"),
    [
        (proportion(20, 100, 5, 100), 1, 0),
        (proportion(5, 100, 20, 100), 0, 0),  # for the better
        (proportion(2, 20, 1, 20), 0, 0),  # twice as many, and yet chance
        (proportion(14_000, 100_000, 10_000, 100_000), 0, 0),  # no chance, and yet less than the factor
        (proportion(15_000, 100_000, 10_000, 100_000), 1, 0),  # the factor itself
        (proportion(10, 20, 0, 20), 1, 0),
        (proportion(0, 20, 0, 20), 0, 0),
        (proportion(19, 19, 0, 100), 0, 1),
        (proportion(20, 20, 0, 19), 0, 1),
        (proportion(20, 20, None, 0), 0, 1),
    ],
)
def test_a_share_that_rose_is_found_where_it_is_large_and_no_chance(
    measured: dict[str, Cell], found: int, unjudged: int
) -> None:
    judgement = judge(check(change("proportion")), result(measured), batch(0))
    assert (len(judgement.judged[0].findings), judgement.unjudged) == (found, unjudged)


@pytest.mark.parametrize(
    ("measured", "found", "unjudged"),
    [
        (average((200, 50, 30), (100, 40, 30)), 1, 0),
        (average((100, 40, 30), (200, 50, 30)), 0, 0),
        (average((200, 400, 30), (100, 300, 30)), 0, 0),
        (average((149, 1, 30), (100, 1, 30)), 0, 0),
        (average((150, 1, 30), (100, 1, 30)), 1, 0),
        (average((5, 1, 30), (0, 0, 30)), 1, 0),
        (average((200, 50, 19), (100, 40, 30)), 0, 1),
        (average((200, None, 1), (100, 40, 30)), 0, 1),
        (average((200, 50, 30), (None, None, 0)), 0, 1),
    ],
)
def test_a_mean_that_rose_is_found_where_it_is_large_and_no_chance(
    measured: dict[str, Cell], found: int, unjudged: int
) -> None:
    judgement = judge(check(change("mean")), result(measured), batch(0))
    assert (len(judgement.judged[0].findings), judgement.unjudged) == (found, unjudged)


def test_alpha_decides_how_much_chance_is_taken() -> None:
    measured = result(proportion(14, 100, 5, 100))  # p = 0.0268
    found = [
        len(judge(check(change("proportion", alpha=alpha)), measured, batch(0)).judged[0].findings)
        for alpha in (0.02, 0.03)
    ]
    assert found == [0, 1]


@pytest.mark.parametrize(
    ("metric", "measured", "limit"),
    [
        ("proportion", proportion(20, 100, 5, 100), 7.5),  # in percent, as Value is
        ("proportion", proportion(20, 100, 0, 100), 0.0),
        ("mean", average((200, 50, 30), (100, 40, 30)), 150.0),
    ],
)
def test_a_change_is_held_against_the_factor_times_its_baseline(
    metric: str, measured: dict[str, Cell], limit: float
) -> None:
    (finding,) = judge(check(change(metric)), result(measured), batch(0)).judged[0].findings
    assert finding.threshold == pytest.approx(limit)


@pytest.mark.parametrize("condition", [{"any": {}}, {"above": {"threshold": 1}}, {"below": {"threshold": 9}}])
@pytest.mark.parametrize(("runs", "found"), [(0, 0), (4, 0), (5, 1), (6, 1)])
def test_a_window_with_too_few_runs_is_unjudged(condition: Mapping[str, Any], runs: int, found: int) -> None:
    judgement = judge(check(condition, minimum_runs=5), result(row(0, 5.0, Runs=runs)), batch(0))
    (one,) = judgement.judged
    assert len(one.findings) == found
    assert one.unjudged == ({"Agent": "dispatcher"},) * (1 - found)
    assert judgement.unjudged == 1 - found


def test_windows_with_too_few_runs_say_nothing_about_what_is_usual() -> None:
    small = [row(n, 1000.0, Runs=1) for n in range(-9, -3)]
    rows = result(*small, *(row(n, 10.0, Runs=5) for n in range(-3, 0)), row(0, 31.0, Runs=5))
    assert judge(check({"spike": SPIKE}, minimum_runs=5), rows, batch(0)).judged[0].findings


@pytest.mark.parametrize(
    ("value", "findings", "continuing"),
    [(10.5, [10], []), (10, [], [7]), (7.5, [], [7]), (7, [], []), (1, [], [])],
)
def test_what_lies_between_the_limits_continues_and_opens_nothing(
    value: float, findings: list[float], continuing: list[float]
) -> None:
    held = check({"above": {"threshold": 10}}, clear_below=7)
    (one,) = judge(held, result(row(0, value)), batch(0)).judged
    assert [finding.threshold for finding in one.findings] == findings
    assert [(finding.threshold, finding.value) for finding in one.continuing] == [
        (c, value) for c in continuing
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(-12, 5), st.floats(-1e9, 1e9), st.integers(0, 9)),
        unique_by=lambda drawn: drawn[:2],
    ),
    st.sampled_from(
        [{"any": {}}, {"above": {"threshold": 5}}, {"below": {"threshold": 5}}, {"spike": SPIKE}]
    ),
)
def test_every_row_in_a_window_is_found_or_unjudged_or_clears(
    drawn: list[tuple[str, int, float, int]], condition: Mapping[str, Any]
) -> None:
    """No key is said to be two things, every finding has a row, and what is unjudged is counted."""
    rows = result(
        *(row(n, value, agent=agent, Runs=runs) for agent, n, value, runs in drawn),
        columns=(*COLUMNS, "Runs"),
    )
    options = {"clear_below": -math.inf} if {"above", "spike"} & set(condition) else {}
    judgement = judge(check(condition, minimum_runs=3, **options), rows, batch(*range(6)))
    assert judgement.rows == sum(0 <= n <= 5 for _, n, _, _ in drawn)
    assert judgement.unjudged == sum(len(one.unjudged) for one in judgement.judged)
    for number, one in enumerate(judgement.judged):
        said = [f.key["Agent"] for f in (*one.findings, *one.continuing)] + [k["Agent"] for k in one.unjudged]
        there = {agent for agent, n, _, _ in drawn if n == number}
        assert len(said) == len(set(said))
        assert set(said) <= there
        if options or "any" in condition:
            assert set(said) == there
        assert {k["Agent"] for k in one.unjudged} >= {a for a, n, _, r in drawn if n == number and r < 3}
