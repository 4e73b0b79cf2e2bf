"""Puts prices to the model calls of a trace, by the price list that `GET costs` uses too. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from functions.costs.prices import Prices, provisioned_on
from functions.costs.usage import Usage, cost, rates
from functions.evidence.report.timeline import MODEL_CALLS, Step


@dataclass(frozen=True, slots=True)
class TraceCost:
    """What the model calls of one trace cost.

    Attributes:
        amount: The sum of those that have a price, in the list's currency.
        calls: How many model calls there are, each counted as what it stands for.
        priced: How many of them have a price.
        without_usage: How many recorded no tokens.
        without_price: How many called a model that the price list does not name.
    """

    amount: Decimal
    calls: int
    priced: int
    without_usage: int
    without_price: int


def step_cost(step: Step, prices: Prices) -> Decimal | None:
    """Return what one model call costs; None where its tokens are not recorded or its model has no price."""
    usage = _usage(step, prices)
    at = rates(prices, usage) if usage is not None else None
    return None if usage is None or at is None else cost(usage, at)


def trace_cost(steps: Iterable[Step], prices: Prices) -> TraceCost:
    """Return what the model calls among the steps cost."""
    amount, calls, priced, without_usage, without_price = Decimal(), 0, 0, 0, 0
    for step in steps:
        if step.kind not in MODEL_CALLS or not step.metered:
            continue
        calls += step.stands_for
        price = step_cost(step, prices)
        if price is not None:
            amount += price
            priced += step.stands_for
        elif _usage(step, prices) is None:
            without_usage += step.stands_for
        else:
            without_price += step.stands_for
    return TraceCost(amount, calls, priced, without_usage, without_price)


def _usage(step: Step, prices: Prices) -> Usage | None:
    given, got = step.input_tokens, step.output_tokens
    if got is None and step.kind == "embeddings":
        got = 0
    if not step.metered or given is None or got is None:
        return None
    weight, day = step.stands_for, step.at.date()
    reserved = provisioned_on(prices, step.deployment, day) is not None
    return Usage(
        key="",
        model=step.model,
        day=day,
        batch=step.deployment in prices.batch_deployments,
        deployment=step.deployment if reserved else "",
        calls=weight,
        seen=1,
        without_usage=0,
        input_tokens=given * weight,
        uncached_tokens=max(given - step.cached_tokens, 0) * weight,
        cached_tokens=step.cached_tokens * weight,
        output_tokens=got * weight,
    )
