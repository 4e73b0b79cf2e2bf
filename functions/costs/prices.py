"""What a model call costs: the price list as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """One model's prices, in the list's currency for a million tokens.

    Attributes:
        model: The model's name as the spans give it.
        input: Prompt tokens that were not cached.
        cached_input: Prompt tokens served from the provider's cache.
        output: Completion tokens.
    """

    model: str
    input: float
    cached_input: float
    output: float


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
                entry["model"], float(entry["input"]), float(entry["cached_input"]), float(entry["output"])
            )
            for entry in body["models"]
        ),
    )
