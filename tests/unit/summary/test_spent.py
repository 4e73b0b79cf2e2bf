"""The cost of a week has the hours of provisioned deployments in it, used or not, as the week before has."""

from datetime import UTC, date, datetime
from decimal import Decimal

from functions.costs.allocation import Amount
from functions.costs.prices import Prices
from functions.costs.provisioned import Capacity
from functions.costs.question import Period, Question
from functions.costs.report import Report
from functions.summary.spent import cost_of

WEEK = Period(datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))


def report(tokens: int, hours: int) -> Report:
    """Return what one agent cost by tokens, and a deployment by hours of which half were of no use."""
    amount = Amount(1, 1, 1, 0, 1, Decimal(tokens), Decimal(hours) / 2, 0.0, 0.0, 0.0)
    capacity = Capacity("reserved", 168.0, Decimal(hours), Decimal(hours) / 2, 1, 2, None)
    prices = Prices("USD", date(2026, 11, 1), "list", ())
    groups = (("triage", amount),)
    return Report(Question(WEEK, "agent"), ("agent",), prices, amount, groups, (capacity,), None, ())


def test_hours_are_in_the_total_and_an_agent_has_its_share_of_those_used() -> None:
    cost = cost_of(report(10, 100), report(20, 60))
    assert (cost["cost"], cost["before"]) == (110.0, 80.0)
    assert cost["agents"] == [{"agent": "triage", "cost": 60.0, "before": 50.0}]
