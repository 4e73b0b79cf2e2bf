"""The configuration that checks join with, as KQL datatables: only those that a query names."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from functools import lru_cache

from functions.costs.prices import Prices
from functions.traces.agents import Agent, Agents
from functions.traces.kql import Literal, datatable, text

Row = Sequence[Literal]


def parameter_tables(query: str, agents: Agents, prices: Prices) -> tuple[str, ...]:
    """Return a `let` statement for each parameter table that `query` names.

    A table that no query names would be parsed for nothing: 5,000 rows cost seconds.
    """
    statements = [_of_agents(name, agents) for name in _TABLES if _names(query, name)]
    if _names(query, "model_prices"):
        statements.append(datatable("model_prices", _PRICE_COLUMNS, _model_prices(prices)))
    if _names(query, "id_formats"):
        statements += id_formats(agents)
    return tuple(statements)


@lru_cache(maxsize=32)
def _of_agents(name: str, agents: Agents) -> str:
    """Return the statement of one table; many queries of a tick name the same ones."""
    columns, rows = _TABLES[name]
    return datatable(
        name, columns, [(agent.name, *row) for agent in agents.by_name.values() for row in rows(agent)]
    )


def id_formats(agents: Agents) -> tuple[str, str]:
    r"""Return which agent has which format, and the function that holds an id to one.

    A pattern must be a string literal in KQL, so that each stands in an arm of its own; agents share few.
    \A and \z keep alternatives (^a|b$) to the whole id. (https://learn.microsoft.com/kusto/query/regex)
    """
    formats = [
        (agent.name, agent.id_format) for agent in agents.by_name.values() if agent.id_format is not None
    ]
    numbers = {pattern: number for number, pattern in enumerate(dict.fromkeys(each for _, each in formats))}
    arms = "".join(
        f"Format == {number}, Id matches regex {text(rf'\A(?:{pattern})\z')},\n  "
        for pattern, number in numbers.items()
    )
    body = f"case({arms}true)" if arms else "true"
    return (
        datatable(
            "id_formats",
            {"Agent": "string", "Format": "long"},
            [(name, numbers[pattern]) for name, pattern in formats],
        ),
        f"let fits_format = (Format: long, Id: string) {{ {body} }};",
    )


def _names(query: str, table: str) -> bool:
    return re.search(rf"\b{table}\b", query) is not None


_PRICE_COLUMNS = {
    "Model": "string",
    "InputPrice": "real",
    "CachedPrice": "real",
    "OutputPrice": "real",
    "ValidFrom": "datetime",
}


def _model_prices(prices: Prices) -> list[Row]:
    return [
        (
            price.model,
            price.input,
            price.cached_input,
            price.output,
            datetime.combine(price.valid_from, time(), UTC),
        )
        for price in prices.models
    ]


def _required_lookups(agent: Agent) -> list[Row]:
    # "" stands for any. A run has one intent, route and value, so that it fits one row of a look-up at most.
    return [
        (lookup.tool, intent, lookup.after_tool, route, lookup.dimension, value)
        for lookup in agent.required_lookups
        for intent in lookup.intents or ("",)
        for route in lookup.routes or ("",)
        for value in lookup.values or ("",)
    ]


def _given(value: float | str | None) -> list[Row]:
    return [] if value is None else [(value,)]


def _budgets(agent: Agent) -> list[Row]:
    limits = (("day", agent.daily_usd), ("month", agent.monthly_usd))
    return [(period, limit) for period, limit in limits if limit is not None]


# Each table's columns behind Agent, which comes first in all of them, and the rows of one agent.
_OF_AGENTS: Mapping[str, tuple[Mapping[str, str], Callable[[Agent], Iterable[Row]]]] = {
    "required_lookups": (
        dict.fromkeys(("Tool", "Intent", "AfterTool", "Route", "Dimension", "DimensionValue"), "string"),
        _required_lookups,
    ),
    "tool_freshness": (
        {"Tool": "string", "MaxAgeMinutes": "real"},
        lambda agent: [(limit.tool, limit.max_age_minutes) for limit in agent.freshness],
    ),
    "approved_tools": ({"Tool": "string"}, lambda agent: [(tool,) for tool in agent.approved_tools or ()]),
    "restricted_agents": ({}, lambda agent: [] if agent.approved_tools is None else [()]),
    "step_objectives": (
        {"Operation": "string", "Tool": "string", "Model": "string", "MaxP95Ms": "real"},
        lambda agent: [(step.operation, step.tool, step.model, step.p95_ms) for step in agent.steps],
    ),
    "run_objectives": ({"MaxP95Ms": "real"}, lambda agent: _given(agent.run_p95_ms)),
    "evaluation_objectives": (
        {"EvaluationName": "string", "MinimumScore": "real"},
        lambda agent: [(evaluation.name, evaluation.minimum_score) for evaluation in agent.evaluations],
    ),
    "budgets": ({"Period": "string", "LimitUsd": "real"}, _budgets),
    "declared_agents": ({"SilentAfterMinutes": "real"}, lambda agent: _given(agent.silent_after_minutes)),
    "required_fields": ({"Field": "string"}, lambda agent: [(field,) for field in agent.required_fields]),
    "content_rules": ({"Allowed": "bool"}, lambda agent: [(agent.content_allowed,)]),
}
_TABLES = {name: ({"Agent": "string", **columns}, rows) for name, (columns, rows) in _OF_AGENTS.items()}
