"""A check as its YAML file defines it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

Severity = Literal["critical", "high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Condition:
    """When a row of the result is a finding.

    Attributes:
        kind: "any", "above" or "spike" (evaluation.py says what each means).
        options: The kind's numbers by name, as validated by check.schema.json.
    """

    kind: Literal["any", "above", "spike"]
    options: dict[str, float]


@dataclass(frozen=True, slots=True)
class CheckDefinition:
    """One rule over traces. Attributes as in docs/checks.md."""

    id: str
    title: str
    severity: Severity
    owner: str
    every: timedelta
    settle: timedelta
    lookback: timedelta
    key: tuple[str, ...]
    needs: tuple[str, ...]
    shows: tuple[str, ...]
    unit: str
    query: str
    condition: Condition
    false_positives: str
    triage: str


def check_definition(body: dict[str, Any]) -> CheckDefinition:
    """Build a definition from a body that check.schema.json has accepted."""
    ((kind, options),) = body["condition"].items()
    return CheckDefinition(
        id=body["id"],
        title=body["title"],
        severity=body["severity"],
        owner=body["owner"],
        every=duration(body["every"]),
        settle=duration(body["settle"]),
        lookback=duration(body.get("lookback", "1h")),
        key=tuple(body["key"]),
        needs=tuple(body["needs"]),
        shows=tuple(body.get("shows", ())),
        unit=body["unit"],
        query=body["query"],
        condition=Condition(kind=kind, options=dict(options)),
        false_positives=body["false_positives"],
        triage=body["triage"],
    )


def duration(text: str) -> timedelta:
    """Parse "90s", "5m", "24h" or "7d" (the schema has checked its form)."""
    unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[text[-1]]
    return timedelta(**{unit: int(text[:-1])})
