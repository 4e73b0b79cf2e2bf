"""Hours that are paid whether used or not: what they cost, whose share is how large, and what nobody used."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from functions.costs.allocation import amounts
from functions.costs.prices import Prices, Provisioned, prices
from functions.costs.provisioned import Capacity, capacities, token_costs
from functions.costs.usage import Usage

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
START, END = datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 19, tzinfo=UTC)
LIST = prices(
    {
        "currency": "USD",
        "as_of": "2026-11-01",
        "source": "list",
        "models": [{"model": "large", "input": 10, "cached_input": 1, "output": 100}],
        "provisioned": [
            {"deployment": "reserved", "hourly": 10, "valid_from": "2026-11-01", "tokens_per_minute": 100},
            {"deployment": "reserved", "hourly": 20, "valid_from": "2026-11-18", "tokens_per_minute": 100},
        ],
    }
)


def calls(
    key: str, day: date, *, deployment: str = "reserved", tokens: tuple[int, int] = (0, 0), count: int = 1
) -> Usage:
    return Usage(key, "large", day, False, deployment, count, count, 0, tokens[0], tokens[0], 0, tokens[1])


# Monday costs 24 x 10; three quarters of its tokens are triage's. On Tuesday nobody calls. Wednesday costs
# 24 x 20.
WEEK = [
    calls("triage", MONDAY, tokens=(2000, 1000), count=3),
    calls("billing", MONDAY, tokens=(900, 100)),
    calls("billing", WEDNESDAY, tokens=(10, 0)),
    calls("billing", WEDNESDAY, deployment="", tokens=(1000, 10)),
]


def shares(usages: list[Usage], at: Prices = LIST, end: datetime = END) -> dict[str, tuple[Decimal, Decimal]]:
    runs = {one.key: 1 for one in usages}
    found = amounts(usages, runs, at, token_costs(usages, at, START, end))
    return {key: (its.cost, its.provisioned_cost) for key, its in found.items()}


def test_paid_hours_are_spread_by_tokens_and_the_calls_cost_nothing_more() -> None:
    # 60 of Monday and all 480 of Wednesday; beside them 0.011 for the call that was not provisioned.
    assert shares(WEEK) == {"billing": (Decimal("0.011"), Decimal(540)), "triage": (Decimal(0), Decimal(180))}


def test_a_capacity_is_what_was_paid_and_what_became_of_it() -> None:
    (found,) = capacities(WEEK, LIST, START, END)
    # 4,010 of the 100 x 60 x 72 tokens that it could have carried; Tuesday's 240 are nobody's.
    share = 4010 / 432000
    assert found == Capacity("reserved", 72.0, Decimal(960), Decimal(240), 5, 4010, share)


def test_the_shares_and_what_nobody_used_are_what_was_paid() -> None:
    (paid,) = capacities(WEEK, LIST, START, END)
    assert sum(its for _, its in shares(WEEK).values()) + paid.unused_cost == paid.cost


def test_hours_to_come_are_not_paid_yet() -> None:
    now = datetime(2026, 11, 16, 12, 30, tzinfo=UTC)
    (found,) = capacities(WEEK, LIST, START, now)
    assert (found.hours, found.cost) == (12.5, Decimal(125))
    assert capacities(WEEK, LIST, START, START) == ()


def test_a_deleted_deployment_is_paid_no_more_and_its_calls_have_the_models_price() -> None:
    gone = replace(LIST, provisioned=(*LIST.provisioned[:1], Provisioned("reserved", 0.0, WEDNESDAY)))
    (found,) = capacities(WEEK, gone, START, END)
    assert (found.hours, found.cost, found.calls) == (48.0, Decimal(480), 4)
    assert shares(WEEK, gone)["billing"] == (Decimal("0.0111"), Decimal(60))


def test_before_the_first_day_nothing_is_paid() -> None:
    later = replace(LIST, provisioned=LIST.provisioned[1:])
    (found,) = capacities(WEEK, later, START, END)
    assert (found.hours, found.calls) == (24.0, 1)


@pytest.mark.parametrize("unmeasured", [0, 1])
def test_without_a_capacity_in_tokens_nobody_knows_the_share_used(unmeasured: int) -> None:
    entries = list(LIST.provisioned)
    entries[unmeasured] = replace(entries[unmeasured], tokens_per_minute=None)
    (found,) = capacities(WEEK, replace(LIST, provisioned=tuple(entries)), START, END)
    assert (found.share_used, found.cost) == (None, Decimal(960))


def test_calls_without_tokens_use_nothing() -> None:
    (found,) = capacities([calls("triage", MONDAY)], LIST, START, END)
    assert (found.calls, found.unused_cost) == (1, found.cost)
    assert shares([calls("triage", MONDAY)]) == {"triage": (Decimal(0), Decimal(0))}
