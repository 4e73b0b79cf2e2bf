"""The configuration that checks join with, as KQL datatables: only those that a query names."""

import re
from collections.abc import Callable, Mapping, Sequence

from functions.costs.prices import Prices
from functions.traces.agents import Agents
from functions.traces.kql import Literal, datatable


def parameter_tables(query: str, agents: Agents, prices: Prices) -> tuple[str, ...]:
    """Return a `let` statement for each parameter table that `query` names.

    A table that no query names would be parsed for nothing: 5,000 rows cost seconds.
    """
    return tuple(
        datatable(name, columns, rows(agents, prices))
        for name, (columns, rows) in _TABLES.items()
        if re.search(rf"\b{name}\b", query)
    )


def _required_lookups(agents: Agents, _: Prices) -> list[Sequence[Literal]]:
    return [
        (agent.name, lookup.tool, intent)
        for agent in agents.by_name.values()
        for lookup in agent.required_lookups
        for intent in lookup.intents or ("",)  # "" stands for every run
    ]


def _tool_freshness(agents: Agents, _: Prices) -> list[Sequence[Literal]]:
    return [
        (agent.name, limit.tool, limit.max_age_minutes)
        for agent in agents.by_name.values()
        for limit in agent.freshness
    ]


def _model_prices(_: Agents, prices: Prices) -> list[Sequence[Literal]]:
    return [(price.model, price.input, price.cached_input, price.output) for price in prices.models]


_TABLES: Mapping[str, tuple[Mapping[str, str], Callable[[Agents, Prices], list[Sequence[Literal]]]]] = {
    "required_lookups": ({"Agent": "string", "Tool": "string", "Intent": "string"}, _required_lookups),
    "tool_freshness": ({"Agent": "string", "Tool": "string", "MaxAgeMinutes": "real"}, _tool_freshness),
    "model_prices": (
        {"Model": "string", "InputPrice": "real", "CachedPrice": "real", "OutputPrice": "real"},
        _model_prices,
    ),
}
