"""What is a finding, what is not, and what can't be said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.checks.evaluation import judge, spike_threshold
from tests.unit.checks.building import COLUMNS, SPIKE, batch, check, result, row, window


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
