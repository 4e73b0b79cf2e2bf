"""Reads sums of tokens from the answers to the queries about model calls, and puts prices to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from functions.costs.prices import Prices, Rates, price_on, provisioned_on

_TOKENS_OF_A_PRICE = 1_000_000
_NOTHING = Rates(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Usage:
    """The calls of one group to one model on one day (UTC); all counts are weighted by sampling.

    Attributes:
        key: The group; "" where the calls don't say.
        model: The model's name, "" where it is not known.
        day: The day on which the calls were made.
        batch: Whether they were of a batch.
        deployment: The deployment with provisioned throughput that they went to; "" for any other.
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
    batch: bool
    deployment: str
    calls: int
    seen: int
    without_usage: int
    input_tokens: int
    uncached_tokens: int
    cached_tokens: int
    output_tokens: int

    @property
    def tokens(self) -> int:
        """All tokens, by which provisioned throughput is spread."""
        return self.input_tokens + self.output_tokens


def usage(record: Mapping[str, Any], key: str) -> Usage:
    """Read one row of the answer to calls.kql or waste.kql."""
    day: datetime = record["Day"]
    return Usage(
        key=key,
        model=record["Model"],
        day=day.date(),
        batch=record["Batch"],
        deployment=record["Deployment"],
        calls=record["Calls"],
        seen=record["CallsSeen"],
        without_usage=record["CallsWithoutUsage"],
        input_tokens=record["InputTokens"],
        uncached_tokens=record["UncachedTokens"],
        cached_tokens=record["CachedTokens"],
        output_tokens=record["OutputTokens"],
    )


def rates(prices: Prices, usage: Usage) -> Rates | None:
    """Return what the tokens of these calls cost; None where the price list does not say.

    Tokens of a provisioned deployment cost nothing more: its hours are paid for.
    """
    if provisioned_on(prices, usage.deployment, usage.day) is not None:
        return _NOTHING
    price = price_on(prices, usage.model, usage.day)
    if price is None:
        return None
    return price.batch if usage.batch else price.standard


def input_cost(usage: Usage, at: Rates) -> Decimal:
    """Return the exact cost of the prompts, cached or not."""
    return (
        usage.uncached_tokens * _decimal(at.input) + usage.cached_tokens * _decimal(at.cached_input)
    ) / _TOKENS_OF_A_PRICE


def cost(usage: Usage, at: Rates) -> Decimal:
    """Return the exact cost: decimal, because sums of money are compared to the last digit."""
    return input_cost(usage, at) + usage.output_tokens * _decimal(at.output) / _TOKENS_OF_A_PRICE


def _decimal(price: float) -> Decimal:
    return Decimal(repr(price))
