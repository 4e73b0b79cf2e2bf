"""What a model call costs: the price list as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

ALWAYS = date(1970, 1, 1)
"""The day from which a price without a date holds."""


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """One model's prices, in the list's currency for a million tokens.

    Attributes:
        model: The model's name as the spans give it.
        input: Prompt tokens that were not cached.
        cached_input: Prompt tokens served from the provider's cache.
        output: Completion tokens.
        valid_from: The first day (UTC) on which calls cost this; earlier calls keep the price before it.
    """

    model: str
    input: float
    cached_input: float
    output: float
    valid_from: date = ALWAYS


@dataclass(frozen=True, slots=True)
class Prices:
    """prices.yaml as a value: the list, its currency (ISO 4217), its date and where it was read."""

    currency: str
    as_of: date
    source: str
    models: tuple[ModelPrice, ...]


def prices(body: Mapping[str, Any]) -> Prices:
    """Build the price list from a body that prices.schema.json has accepted."""
    return Prices(
        currency=body["currency"],
        as_of=date.fromisoformat(body["as_of"]),
        source=body["source"],
        models=tuple(
            ModelPrice(
                model=entry["model"],
                input=float(entry["input"]),
                cached_input=float(entry["cached_input"]),
                output=float(entry["output"]),
                valid_from=date.fromisoformat(entry["valid_from"]) if "valid_from" in entry else ALWAYS,
            )
            for entry in body["models"]
        ),
    )
