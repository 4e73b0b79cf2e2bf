"""Reads the JSON bodies that the report is written from; what is missing is empty. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any


def number(body: Mapping[str, Any], key: str) -> int:
    """Return a whole number of the body; 0 where there is none."""
    value = body.get(key)
    return value if isinstance(value, int) else 0


def mapping(value: object) -> Mapping[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """Return the JSON objects of an array; none of anything else."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, Sequence) else []
