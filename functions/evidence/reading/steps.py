"""Describes what a trace did, step by step, for who reads it at once: as the report draws it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from functions.costs.prices import Prices
from functions.evidence.packing.otlp import is_span
from functions.evidence.report.step_cost import step_cost, trace_cost
from functions.evidence.report.step_notes import data_age
from functions.evidence.report.timeline import Step, timeline
from functions.traces.agents import Attributes
from functions.traces.model import TraceRow

_CURRENCY_PLACES = 8
"""Prices are of a million tokens."""


def describe_steps(
    trace_id: str, rows: Sequence[TraceRow], attributes: Attributes, prices: Prices
) -> dict[str, Any]:
    """Return a trace's facts, cost and steps as a JSON object.

    Args:
        trace_id: Whose rows they are.
        rows: All rows of the trace, sanitized, in the order of time; at least one.
        attributes: Which properties carry what the site configured.
        prices: What model calls cost.
    """
    line = timeline(trace_id, rows, attributes)
    spans = [row for row in rows if is_span(row)]
    cost = trace_cost(line.steps, prices)
    return {
        "facts": [{"name": name, "value": value} for name, value in line.facts],
        "cost": {
            "amount": round(float(cost.amount), _CURRENCY_PLACES),
            "currency": prices.currency,
            "calls": cost.calls,
            "priced": cost.priced,
            "without_usage": cost.without_usage,
            "without_price": cost.without_price,
        },
        "steps": [_described(step, data_age(spans[step.place], attributes), prices) for step in line.steps],
    }


def _described(step: Step, age: str, prices: Prices) -> Mapping[str, Any]:
    cost = step_cost(step, prices)
    return {
        "span": step.place,
        "kind": step.kind,
        "name": step.name,
        "depth": step.depth,
        "call": step.call,
        "calls": step.calls,
        "retry": step.retry,
        "notes": [note for note in step.notes if note != age],
        "data_age": age or None,
        "metered": step.metered,
        "input_tokens": step.input_tokens,
        "output_tokens": step.output_tokens,
        "cached_tokens": step.cached_tokens,
        "cost": None if cost is None else round(float(cost), _CURRENCY_PLACES),
        "stands_for": step.stands_for,
    }
