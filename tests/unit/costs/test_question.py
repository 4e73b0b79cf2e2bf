from datetime import UTC, datetime

import pytest

from functions.costs.question import (
    GROUPINGS,
    Period,
    Question,
    breakdowns,
    parse_period,
    parse_question,
)
from functions.errors import InvalidRequest

VALID = {"start": "2026-11-01", "end": "2026-12-01", "by": "agent"}
DIMENSIONS = ("carrier", "agent")


@pytest.mark.parametrize(
    ("start", "end", "hour"),
    [
        ("2026-11-01", "2026-11-02", 0),
        ("2026-11-01T00:00:00Z", "2026-11-02", 0),
        ("2026-11-01T06:00Z", "2026-11-02", 6),
        ("2026-11-01T06:00:00.000000+02:00", "2026-11-02", 4),
    ],
)
def test_a_period_is_of_days_or_times(start: str, end: str, hour: int) -> None:
    question = parse_question({"start": start, "end": end, "by": "model"}, DIMENSIONS)
    first = datetime(2026, 11, 1, hour, tzinfo=UTC)
    assert question == Question(Period(first, datetime(2026, 11, 2, tzinfo=UTC)), "model")


@pytest.mark.parametrize("by", GROUPINGS)
def test_costs_are_broken_down_by(by: str) -> None:
    assert parse_question(VALID | {"by": by}, DIMENSIONS).by == by


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("start", ""),
        ("start", "yesterday"),
        ("start", "2026-11-31"),
        ("start", "2026-11-01T00:00:00"),
        ("start", "2026-11-01T25:00Z"),
        ("start", "2026-11-01T00:00+24:00"),
        ("start", "2026-W44-7"),
        ("start", "20261101"),
        ("start", "0001-01-01T00:00+14:00"),
        ("start", "\u0662\u0660\u0662\u0666-11-01"),
        ("start", "2026-12-01"),
        ("start", "2026-12-02"),
        ("end", "9999-12-31T23:59-14:00"),
        ("end", "2026-12-02T00:00:01Z"),
        ("end", ""),
        ("end", "2026-12-01'] | union AppTraces"),
        ("by", ""),
        ("by", "Agent"),
        ("by", "user"),
        ("by", "Agent | union AppTraces"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(parameter: str, value: str) -> None:
    with pytest.raises(InvalidRequest, match=f"The parameter {parameter} must "):
        parse_question(VALID | {parameter: value}, DIMENSIONS)


@pytest.mark.parametrize("parameter", VALID)
def test_what_is_refused_is_not_repeated(parameter: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_question(VALID | {parameter: "<script>"}, DIMENSIONS)
    assert "script" not in str(refused.value)


@pytest.mark.parametrize("parameter", VALID)
def test_every_parameter_is_needed(parameter: str) -> None:
    with pytest.raises(InvalidRequest, match=f"The parameter {parameter} must "):
        parse_question({name: value for name, value in VALID.items() if name != parameter}, DIMENSIONS)


def test_31_days_are_not_too_long() -> None:
    assert parse_period(VALID | {"end": "2026-12-02"}).end == datetime(2026, 12, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "by", "column"),
    [
        ("carrier", "dimension:carrier", 'tostring(Dimensions["carrier"])'),
        ("dimension:carrier", "dimension:carrier", 'tostring(Dimensions["carrier"])'),
        ("agent", "agent", "Agent"),  # and not the dimension of the same name
        ("dimension:agent", "dimension:agent", 'tostring(Dimensions["agent"])'),
    ],
)
def test_a_dimension_is_asked_for_by_its_name(asked: str, by: str, column: str) -> None:
    question = parse_question(VALID | {"by": asked}, DIMENSIONS)
    assert (question.by, question.column) == (by, column)


def test_whatever_is_listed_as_a_breakdown_may_be_asked_for() -> None:
    listed = breakdowns(DIMENSIONS)
    assert [parse_question(VALID | {"by": by}, DIMENSIONS).by for by in listed] == list(listed)
    assert "dimension:carrier" in listed


@pytest.mark.parametrize("by", ["hub", "dimension:hub", "dimension:", "dimension:dimension:carrier"])
def test_a_dimension_that_nobody_declared_is_refused_with_those_that_are_known(by: str) -> None:
    with pytest.raises(InvalidRequest, match="model, dimension:carrier, dimension:agent"):
        parse_question(VALID | {"by": by}, DIMENSIONS)
