"""Shows what model calls have cost, as JSON or CSV."""

from dataclasses import dataclass
from typing import Any

from functions.costs.allocation import Amount
from functions.costs.budgets import BudgetUse
from functions.costs.prices import Prices
from functions.costs.provisioned import Capacity
from functions.costs.question import Question
from functions.spreadsheet import encode_csv
from functions.traces.agents import OverdueReview


@dataclass(frozen=True, slots=True)
class Report:
    """What model calls have cost.

    Attributes:
        question: What was asked.
        breakdowns: All that may be asked for by.
        prices: The price list in use.
        total: All of the calls.
        groups: Each group of them, the costliest first; None stands for calls that don't say.
        provisioned: What deployments with provisioned throughput cost by the hour.
        budgets: How much of their budgets agents used; None where the calls are not broken down by agent.
        overdue_reviews: The entries of agents.yaml that nobody looked at in time.
    """

    question: Question
    breakdowns: tuple[str, ...]
    prices: Prices
    total: Amount
    groups: tuple[tuple[str | None, Amount], ...]
    provisioned: tuple[Capacity, ...]
    budgets: tuple[BudgetUse, ...] | None
    overdue_reviews: tuple[OverdueReview, ...]

    def body(self) -> dict[str, Any]:
        """Return the report as a JSON value; money in the price list's currency."""
        return {
            "start": self.question.period.start,
            "end": self.question.period.end,
            "by": self.question.by,
            "breakdowns": self.breakdowns,
            "currency": self.prices.currency,
            "prices_as_of": self.prices.as_of,
            "total": _figures(self.total),
            "groups": [{"group": group, **_figures(its)} for group, its in self.groups],
            "provisioned": [_capacity(one) for one in self.provisioned],
            "budgets": None if self.budgets is None else [_budget(use) for use in self.budgets],
            "overdue_reviews": [
                {"agent": one.name, "owner": one.owner, "review_by": one.review_by, "days": one.days}
                for one in self.overdue_reviews
            ],
        }

    def csv(self) -> bytes:
        """Return the groups, a line each, as CSV that is safe to open in a spreadsheet."""
        header = (self.question.by, *_figures(self.total), "currency")
        return encode_csv(
            header, ((group, *_figures(its).values(), self.prices.currency) for group, its in self.groups)
        )


def _figures(its: Amount) -> dict[str, int | float | None]:
    return {
        "calls": its.calls,
        "runs": its.runs,
        "input_tokens": its.input_tokens,
        "cached_tokens": its.cached_tokens,
        "output_tokens": its.output_tokens,
        "cost": float(its.cost),
        "provisioned_cost": float(its.provisioned_cost),
        "without_usage": its.without_usage,
        "without_price": its.without_price,
        "sampled": its.sampled,
    }


def _capacity(its: Capacity) -> dict[str, Any]:
    return {
        "deployment": its.deployment,
        "hours": its.hours,
        "cost": float(its.cost),
        "unused_cost": float(its.unused_cost),
        "calls": its.calls,
        "tokens": its.tokens,
        "share_used": its.share_used,
    }


def _budget(use: BudgetUse) -> dict[str, Any]:
    return {
        "agent": use.agent,
        "period": use.period,
        "spent": float(use.spent),
        "limit": use.limit,
        "used": use.used,
    }
