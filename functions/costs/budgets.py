"""Says how much of their budgets the agents have used within a period."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from functions.costs.prices import Prices
from functions.costs.usage import Usage, cost, rates
from functions.traces.agents import Agents


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """What an agent spent of a budget, of the calls that the report is about.

    Attributes:
        agent: Its name.
        period: The costliest day (2026-11-20), or a month (2026-11).
        spent: In US dollars, of calls with usage and price; hours of provisioned deployments are not in it.
        limit: In US dollars.
    """

    agent: str
    period: str
    spent: Decimal
    limit: float

    @property
    def used(self) -> float:
        """The part of the limit that is spent; above 1 the budget is exceeded."""
        return float(self.spent / Decimal(repr(self.limit)))


def budget_uses(usages: Iterable[Usage], agents: Agents, prices: Prices) -> tuple[BudgetUse, ...]:
    """Return the use of each budget, the most used first.

    Args:
        usages: The calls, with their agent as key.
        agents: With their budgets.
        prices: The price list.
    """
    spent: defaultdict[str, defaultdict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for one in usages:
        at = rates(prices, one)
        if at is not None:
            spent[one.key][one.day] += cost(one, at)
    uses = []
    for name, by_day in spent.items():
        agent = agents.by_name.get(name)
        if agent is not None and agent.daily_usd is not None:
            day, most = max(by_day.items(), key=lambda item: (item[1], item[0]))
            uses.append(BudgetUse(name, str(day), most, agent.daily_usd))
        if agent is not None and agent.monthly_usd is not None:
            uses += [
                BudgetUse(name, month, total, agent.monthly_usd) for month, total in _by_month(by_day).items()
            ]
    return tuple(sorted(uses, key=lambda use: (-use.used, use.agent, use.period)))


def _by_month(by_day: dict[date, Decimal]) -> dict[str, Decimal]:
    months: defaultdict[str, Decimal] = defaultdict(Decimal)
    for day, amount in by_day.items():
        months[f"{day:%Y-%m}"] += amount
    return months
