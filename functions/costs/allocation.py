"""Puts prices to the model calls of a period, and says how much of them it could not price."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from functions.costs.prices import Prices
from functions.costs.usage import Usage, cost, rates


@dataclass(frozen=True, slots=True)
class Amount:
    """What some calls cost, and how sure that is.

    Attributes:
        calls: How many there were.
        runs: How many runs of agents they were made in.
        input_tokens: Prompt tokens, cached ones among them.
        cached_tokens: Prompt tokens served from the provider's cache.
        output_tokens: Completion tokens.
        cost: In the price list's currency, of the calls with usage and price; those to provisioned
            deployments cost nothing here.
        provisioned_cost: Their share of what these deployments cost by the hour.
        without_usage: Share of the calls whose tokens are not known; None where there are no calls.
        without_price: Share of the calls whose model had no price on their day.
        sampled: Share of the calls that sampling left out; others stand for them.
    """

    calls: int
    runs: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: Decimal
    provisioned_cost: Decimal
    without_usage: float | None
    without_price: float | None
    sampled: float | None


TokenCosts = Mapping[tuple[str, date], Decimal]
"""Provisioned deployment and day to what a token cost on it."""


def amounts(
    usages: Iterable[Usage], runs: Mapping[str, int], prices: Prices, token_costs: TokenCosts
) -> dict[str, Amount]:
    """Return what each group cost, the costliest first.

    Args:
        usages: All calls of the period.
        runs: The runs of each group.
        prices: The price list.
        token_costs: Of provisioned deployments.
    """
    of_key: defaultdict[str, list[Usage]] = defaultdict(list)
    for one in usages:
        of_key[one.key].append(one)
    found = {key: amount(of_group, runs[key], prices, token_costs) for key, of_group in of_key.items()}
    return dict(sorted(found.items(), key=lambda item: (-(item[1].cost + item[1].provisioned_cost), item[0])))


def amount(usages: Iterable[Usage], runs: int, prices: Prices, token_costs: TokenCosts) -> Amount:
    """Return what these calls cost, made in so many runs."""
    rated = [(one, rates(prices, one)) for one in usages]
    calls = sum(one.calls for one, _ in rated)

    def share(count: int) -> float | None:
        return count / calls if calls else None

    return Amount(
        calls=calls,
        runs=runs,
        input_tokens=sum(one.input_tokens for one, _ in rated),
        cached_tokens=sum(one.cached_tokens for one, _ in rated),
        output_tokens=sum(one.output_tokens for one, _ in rated),
        cost=sum((cost(one, at) for one, at in rated if at is not None), Decimal(0)),
        provisioned_cost=sum(
            (one.tokens * token_costs.get((one.deployment, one.day), Decimal(0)) for one, _ in rated),
            Decimal(0),
        ),
        without_usage=share(sum(one.without_usage for one, _ in rated)),
        without_price=share(sum(one.calls for one, at in rated if at is None)),
        sampled=share(sum(one.calls - one.seen for one, _ in rated)),
    )
