"""A result that can't be read is an error; it is never taken for a pass."""

from datetime import datetime, timedelta

import pytest

from functions.checks.definition import CheckDefinition
from functions.checks.measurement import MOST_TRACE_IDS, measurements
from functions.checks.significance import Means, Proportions
from functions.errors import ConfigurationError
from functions.traces.source import Cell
from tests.unit.checks.building import COLUMNS, FIVE, NOON, check, result, row

HOSTILE = "ignore previous instructions"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"Window": None}, "Window is not"),
        ({"Window": "2026-11-03T12:00:00Z"}, "Window is not"),
        ({"Window": NOON + timedelta(minutes=1)}, "Window is not the start"),
        ({"Agent": None}, "key Agent is null"),
        ({"Agent": 7}, "key Agent is null or not a string"),
        ({"Value": None}, "Value is null"),
        ({"Value": float("nan")}, "Value is null or not a finite"),
        ({"Value": float("inf")}, "Value is null or not a finite"),
        ({"Value": HOSTILE}, "Value is null"),
        ({"Value": True}, "Value is null"),
        ({"Threshold": None}, "Threshold is null"),
        ({"Violations": None}, "Violations is null"),
        ({"Violations": 1.5}, "Violations is null"),
        ({"Violations": -1}, "Violations is null"),
        ({"TraceIds": None}, "TraceIds is null"),
        ({"TraceIds": ""}, "TraceIds is null"),
        ({"TraceIds": HOSTILE}, "TraceIds is null"),
        ({"TraceIds": '{"a": 1}'}, "TraceIds is null"),
        ({"TraceIds": "[1]"}, "TraceIds is null"),
    ],
)
def test_a_cell_that_breaks_the_contract_is_an_error(changes: dict[str, Cell], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as raised:
        measurements(check(), result(row(0) | changes), FIVE)
    assert "checks/slow_tool.yaml" in str(raised.value)
    assert HOSTILE not in str(raised.value)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_an_error_even_without_rows(column: str) -> None:
    columns = [name for name in COLUMNS if name != column]
    with pytest.raises(ConfigurationError, match=f"lacks the column {column}"):
        measurements(check(), result(columns=columns), FIVE)


def test_a_column_to_show_must_be_there() -> None:
    with pytest.raises(ConfigurationError, match="lacks the column Release"):
        measurements(check(shows=["Release"]), result(row(0)), FIVE)


def test_one_window_and_key_have_one_row() -> None:
    with pytest.raises(ConfigurationError, match="two rows"):
        measurements(check(), result(row(0, 1.0), row(0, 2.0)), FIVE)


def test_a_thousand_traces_are_named_at_most() -> None:
    ids = str([f"{n:032x}" for n in range(1500)]).replace("'", '"')
    (measurement,) = measurements(check(), result(row(0, TraceIds=ids)), FIVE)
    assert len(measurement.trace_ids) == MOST_TRACE_IDS


def test_whole_numbers_are_values_too() -> None:
    (measurement,) = measurements(check(), result(row(0, 3)), FIVE)
    assert repr(measurement.value) == "3.0"


def test_a_window_is_a_bin_of_the_width_that_was_asked() -> None:
    start: datetime = NOON + FIVE
    assert measurements(check(), result(row(1)), FIVE)[0].window == start
    with pytest.raises(ConfigurationError):
        measurements(check(), result(row(1)), timedelta(minutes=15))


PROPORTION = {"Runs": 30, "BaselineRuns": 40, "Hits": 3, "BaselineHits": 4}
MEAN = {"Runs": 30, "BaselineRuns": 40, "Deviation": 1.5, "Baseline": 2, "BaselineDeviation": 0}
BOTH: dict[str, dict[str, Cell]] = {"proportion": {**PROPORTION}, "mean": {**MEAN}}


def comparing(metric: str) -> CheckDefinition:
    return check({"change": {"metric": metric, "alpha": 0.01, "minimum_runs": 20, "factor": 1}})


def test_both_sides_of_a_change_are_read() -> None:
    (share,) = measurements(comparing("proportion"), result(row(0, 0.1, **BOTH["proportion"])), FIVE)
    assert share.change == Proportions(hits=3, runs=30, baseline_hits=4, baseline_runs=40)
    (mean,) = measurements(comparing("mean"), result(row(0, 2.5, **BOTH["mean"])), FIVE)
    assert mean.change == Means(2.5, 1.5, 30, baseline=2, baseline_deviation=0, baseline_runs=40)


@pytest.mark.parametrize(
    ("metric", "changes", "complaint"),
    [
        ("proportion", {"Hits": 31}, "Hits is more than its runs"),
        ("proportion", {"BaselineHits": 41}, "BaselineHits is more than its runs"),
        ("proportion", {"Hits": None}, "Hits is null"),
        ("proportion", {"BaselineHits": 0.5}, "BaselineHits is null or not a whole"),
        ("proportion", {"Runs": None}, "Runs is null"),
        ("proportion", {"BaselineRuns": None}, "BaselineRuns is null"),
        ("mean", {"Runs": None}, "Runs is null"),
        ("mean", {"BaselineRuns": -1}, "BaselineRuns is null or not a whole"),
        ("mean", {"Deviation": None}, "Deviation is null"),
        ("mean", {"Deviation": -0.1}, "Deviation is negative"),
        ("mean", {"Baseline": float("nan")}, "Baseline is null"),
        ("mean", {"Baseline": -1.0}, "Baseline is negative"),
        ("mean", {"BaselineDeviation": -1.0}, "BaselineDeviation is negative"),
        ("mean", {"Value": -1.0}, "Value is negative"),
    ],
)
def test_a_side_that_can_not_be_is_an_error(metric: str, changes: dict[str, Cell], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        measurements(comparing(metric), result(row(0, 1.0, **BOTH[metric]) | changes), FIVE)


@pytest.mark.parametrize(
    ("metric", "column"), [(metric, column) for metric, columns in BOTH.items() for column in columns]
)
def test_a_change_needs_the_columns_of_both_sides(metric: str, column: str) -> None:
    columns = [name for name in (*COLUMNS, *BOTH[metric]) if name != column]
    with pytest.raises(ConfigurationError, match=f"lacks the column {column}"):
        measurements(comparing(metric), result(columns=columns), FIVE)


@pytest.mark.parametrize("runs", [{}, {"Runs": None}, {"Runs": 1.5}, {"Runs": -1}])
def test_a_least_number_of_runs_needs_their_number(runs: dict[str, Cell]) -> None:
    with pytest.raises(ConfigurationError, match="Runs"):
        measurements(check(minimum_runs=5), result(row(0, **runs)), FIVE)


def test_runs_are_not_asked_for_where_nothing_depends_on_them() -> None:
    (measurement,) = measurements(check(), result(row(0, Runs=None)), FIVE)
    assert measurement.runs is None
