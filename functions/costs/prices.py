"""What a model call costs: the price list as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

ALWAYS = date(1970, 1, 1)
"""The day from which a price without a date holds."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices of a million tokens, in the list's currency.

    Attributes:
        input: Prompt tokens that were not cached.
        cached_input: Prompt tokens served from the provider's cache.
        output: Completion tokens.
    """

    input: float
    cached_input: float
    output: float


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """One model's prices, in the list's currency for a million tokens.

    Attributes:
        model: The model's name as the spans give it.
        input: Prompt tokens that were not cached.
        cached_input: Prompt tokens served from the provider's cache.
        output: Completion tokens.
        valid_from: The first day (UTC) on which calls cost this; earlier calls keep the price before it.
        batch: What calls of a batch cost; None where the list has no such price.
    """

    model: str
    input: float
    cached_input: float
    output: float
    valid_from: date = ALWAYS
    batch: Rates | None = None

    @property
    def standard(self) -> Rates:
        """What a call costs that is in no batch."""
        return Rates(self.input, self.cached_input, self.output)


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A deployment with provisioned throughput: paid by the hour, used or not.

    Attributes:
        deployment: Its name, which the spans give as the model asked for.
        hourly: What an hour of all its units costs, in the list's currency; 0 from the day it was deleted.
        valid_from: The first day (UTC) on which it costs this.
        tokens_per_minute: How many tokens it can carry; None where nobody said.
    """

    deployment: str
    hourly: float
    valid_from: date
    tokens_per_minute: float | None = None


@dataclass(frozen=True, slots=True)
class Prices:
    """prices.yaml as a value.

    Attributes:
        currency: ISO 4217.
        as_of: The list's date.
        source: Where it was read.
        models: What tokens cost.
        batch_deployments: Deployments all of whose calls are of a batch.
        provisioned: Deployments that are paid by the hour, one entry for each price.
    """

    currency: str
    as_of: date
    source: str
    models: tuple[ModelPrice, ...]
    batch_deployments: tuple[str, ...] = ()
    provisioned: tuple[Provisioned, ...] = ()


def prices(body: Mapping[str, Any]) -> Prices:
    """Build the price list from a body that prices.schema.json has accepted."""
    return Prices(
        currency=body["currency"],
        as_of=date.fromisoformat(body["as_of"]),
        source=body["source"],
        models=tuple(map(_model_price, body["models"])),
        batch_deployments=tuple(body.get("batch_deployments", ())),
        provisioned=tuple(map(_provisioned, body.get("provisioned", ()))),
    )


def price_on(prices: Prices, model: str, day: date) -> ModelPrice | None:
    """Return the price of a model for the calls of a day: the newest that held; None where none did."""
    valid = (price for price in prices.models if price.model == model and price.valid_from <= day)
    return max(valid, key=lambda price: price.valid_from, default=None)


def provisioned_on(prices: Prices, deployment: str, day: date) -> Provisioned | None:
    """Return what a deployment is paid by the hour on a day; None where it is not provisioned then."""
    valid = (one for one in prices.provisioned if one.deployment == deployment and one.valid_from <= day)
    newest = max(valid, key=lambda one: one.valid_from, default=None)
    return newest if newest is not None and newest.hourly > 0 else None


def _model_price(entry: Mapping[str, Any]) -> ModelPrice:
    rates, batch = _rates(entry), entry.get("batch")
    return ModelPrice(
        entry["model"],
        rates.input,
        rates.cached_input,
        rates.output,
        valid_from=date.fromisoformat(entry["valid_from"]) if "valid_from" in entry else ALWAYS,
        batch=None if batch is None else _rates(batch),
    )


def _rates(entry: Mapping[str, Any]) -> Rates:
    return Rates(float(entry["input"]), float(entry["cached_input"]), float(entry["output"]))


def _provisioned(entry: Mapping[str, Any]) -> Provisioned:
    return Provisioned(
        deployment=entry["deployment"],
        hourly=float(entry["hourly"]),
        valid_from=date.fromisoformat(entry["valid_from"]),
        tokens_per_minute=entry.get("tokens_per_minute"),
    )
