"""A check as its YAML file defines it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

Severity = Literal["critical", "high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Condition:
    """When a row of the result is a finding.

    Attributes:
        kind: evaluation.py says what each means.
        options: The kind's numbers by name, as validated by check.schema.json; a duration is in minutes.
        metric: What a change is measured by; None for the other kinds.
    """

    kind: Literal["any", "above", "below", "spike", "absence", "change", "budget", "silence"]
    options: dict[str, float]
    metric: Literal["proportion", "mean"] | None = None


@dataclass(frozen=True, slots=True)
class CheckDefinition:
    """One rule over traces. Attributes as in docs/checks.md; `for` is called `windows_in_a_row`.

    No keys of a file are `command`, what a person can run as the first step where that is known exactly, and
    `shown_characters`, how much of a value under `shows` a card has.
    """

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
    windows_in_a_row: int = 1
    clear_below: float | None = None
    minimum_runs: int | None = None
    command: str = ""
    shown_characters: int = 80


def without_query(
    check_id: str,
    *,
    title: str,
    severity: Severity,
    owner: str,
    every: timedelta,
    key: tuple[str, ...],
    unit: str,
    false_positives: str,
    triage: str,
    shows: tuple[str, ...] = (),
) -> CheckDefinition:
    """Return a definition that alerts about the watch itself are told by: it asks nothing.

    Args:
        check_id: What the alerts have as their check's id.
        title: As for `CheckDefinition`, and so are the others.
        severity: How bad it is.
        owner: Who is told.
        every: How often it is judged.
        key: What tells its alerts apart.
        unit: Of the value.
        false_positives: When it means nothing.
        triage: What to do.
        shows: What a card has besides.
    """
    return CheckDefinition(
        id=check_id,
        title=title,
        severity=severity,
        owner=owner,
        every=every,
        settle=timedelta(0),
        lookback=timedelta(0),
        key=key,
        needs=(),
        shows=shows,
        unit=unit,
        query="",
        condition=Condition(kind="any", options={}),
        false_positives=false_positives,
        triage=triage,
    )


def check_definition(body: dict[str, Any]) -> CheckDefinition:
    """Build a definition from a body that check.schema.json has accepted."""
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
        condition=_condition(body["condition"]),
        false_positives=body["false_positives"],
        triage=body["triage"],
        windows_in_a_row=body.get("for", 1),
        clear_below=body.get("clear_below"),
        minimum_runs=body.get("minimum_runs"),
    )


def _condition(body: dict[Any, Any]) -> Condition:
    ((kind, given),) = body.items()
    options = dict(given)
    metric = options.pop("metric", None)
    if kind == "absence":
        options.setdefault("history", 24)
        options["after"] = duration(options["after"]) / timedelta(minutes=1)
    return Condition(kind=kind, options=options, metric=metric)


def duration(text: str) -> timedelta:
    """Parse "90s", "5m", "24h" or "7d" (the schema has checked its form)."""
    unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[text[-1]]
    return timedelta(**{unit: int(text[:-1])})
