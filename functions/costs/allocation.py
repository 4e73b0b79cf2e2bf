"""Puts prices to the model calls of a period, and says how much of them it could not price."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from functions.costs.prices import ModelPrice, Prices

_TOKENS_OF_A_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """The calls of one group to one model on one day (UTC); all counts are weighted by sampling.

    Attributes:
        key: The group; "" where the calls don't say.
        model: The model's name, "" where it is not known.
        day: The day on which the calls were made.
        calls: How many there were.
        seen: How many of them are in the telemetry; sampling left out the others.
        without_usage: Calls whose tokens are not known; they add to no number of tokens.
        input_tokens: Prompt tokens, cached ones among them.
        uncached_tokens: Those of them that were not cached.
        cached_tokens: Those that were.
        output_tokens: Completion tokens.
    """

    key: str
    model: str
    day: date
    calls: int
    seen: int
    without_usage: int
    input_tokens: int
    uncached_tokens: int
    cached_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Amount:
    """What some calls cost, and how sure that is.

    Attributes:
        calls: How many there were.
        runs: How many runs of agents they were made in.
        input_tokens: Prompt tokens, cached ones among them.
        cached_tokens: Prompt tokens served from the provider's cache.
        output_tokens: Completion tokens.
        cost: In the price list's currency, of the calls with usage and price.
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
    without_usage: float | None
    without_price: float | None
    sampled: float | None


def usage(record: Mapping[str, Any]) -> Usage:
    """Read one row of the answer to calls.kql."""
    day: datetime = record["Day"]
    return Usage(
        key=record["Key"],
        model=record["Model"],
        day=day.date(),
        calls=record["Calls"],
        seen=record["CallsSeen"],
        without_usage=record["CallsWithoutUsage"],
        input_tokens=record["InputTokens"],
        uncached_tokens=record["UncachedTokens"],
        cached_tokens=record["CachedTokens"],
        output_tokens=record["OutputTokens"],
    )


def amounts(usages: Iterable[Usage], runs: Mapping[str, int], prices: Prices) -> dict[str, Amount]:
    """Return what each group cost, the costliest first.

    Args:
        usages: All calls of the period.
        runs: The runs of each group.
        prices: The price list.
    """
    of_key: defaultdict[str, list[Usage]] = defaultdict(list)
    for one in usages:
        of_key[one.key].append(one)
    found = {key: amount(of_group, runs[key], prices) for key, of_group in of_key.items()}
    return dict(sorted(found.items(), key=lambda item: (-item[1].cost, item[0])))


def amount(usages: Iterable[Usage], runs: int, prices: Prices) -> Amount:
    """Return what these calls cost, made in so many runs."""
    priced = [(one, price_on(prices, one.model, one.day)) for one in usages]
    calls = sum(one.calls for one, _ in priced)

    def share(count: int) -> float | None:
        return count / calls if calls else None

    return Amount(
        calls=calls,
        runs=runs,
        input_tokens=sum(one.input_tokens for one, _ in priced),
        cached_tokens=sum(one.cached_tokens for one, _ in priced),
        output_tokens=sum(one.output_tokens for one, _ in priced),
        cost=sum((_cost(one, price) for one, price in priced if price is not None), Decimal(0)),
        without_usage=share(sum(one.without_usage for one, _ in priced)),
        without_price=share(sum(one.calls for one, price in priced if price is None)),
        sampled=share(sum(one.calls - one.seen for one, _ in priced)),
    )


def price_on(prices: Prices, model: str, day: date) -> ModelPrice | None:
    """Return the price of a model for the calls of a day: the newest that held; None where none did."""
    valid = (price for price in prices.models if price.model == model and price.valid_from <= day)
    return max(valid, key=lambda price: price.valid_from, default=None)


def _cost(usage: Usage, price: ModelPrice) -> Decimal:
    """Return the exact cost: decimal, because sums of money are compared to the last digit."""
    return (
        usage.uncached_tokens * _decimal(price.input)
        + usage.cached_tokens * _decimal(price.cached_input)
        + usage.output_tokens * _decimal(price.output)
    ) / _TOKENS_OF_A_PRICE


def _decimal(price: float) -> Decimal:
    return Decimal(repr(price))
