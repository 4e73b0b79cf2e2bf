"""Configuration reaches a query as datatables, quoted, and only where it is named."""

from datetime import date

import pytest

from functions.checks.parameters import parameter_tables
from functions.costs.prices import ModelPrice, Prices
from functions.traces.agents import Agents, agents

ATTRIBUTES: dict[str, object] = {
    "tenant": [],
    "intent": [],
    "prompt_version": [],
    "environment": [],
    "data_as_of": [],
    "document_count": [],
    "document_ids": [],
    "dimensions": {},
}
PRICES = Prices("USD", date(2026, 11, 1), "list", (ModelPrice("gpt-4o", 2.5, 1.25, 10.0),))


def fleet(**entries: object) -> Agents:
    return agents({"attributes": ATTRIBUTES, "agents": entries})


DISPATCHER = {
    "owner": "dispatch",
    "required_lookups": [{"tool": "status", "intents": ["where", "when"]}, {"tool": "rules"}],
    "freshness": [{"tool": "status", "max_age_minutes": 60}],
}


@pytest.mark.parametrize(
    ("table", "columns", "cells"),
    [
        (
            "required_lookups",
            "Agent: string, Tool: string, Intent: string",
            [
                '"dispatcher", "status", "where"',
                '"dispatcher", "status", "when"',
                '"dispatcher", "rules", ""',
            ],
        ),
        (
            "tool_freshness",
            "Agent: string, Tool: string, MaxAgeMinutes: real",
            ['"dispatcher", "status", real(60.0)'],
        ),
        (
            "model_prices",
            "Model: string, InputPrice: real, CachedPrice: real, OutputPrice: real",
            ['"gpt-4o", real(2.5), real(1.25), real(10.0)'],
        ),
    ],
)
def test_a_query_gets_the_table_that_it_names(table: str, columns: str, cells: list[str]) -> None:
    statements = parameter_tables(f"spans | join {table} on Agent", fleet(dispatcher=DISPATCHER), PRICES)
    rows = ",\n  ".join(cells)
    assert statements == (f"let {table} = datatable({columns})[\n  {rows}\n];",)


@pytest.mark.parametrize("query", ["spans | count", "spans | extend my_model_prices = 1", "model_pricesx"])
def test_a_table_that_no_query_names_is_left_out(query: str) -> None:
    assert parameter_tables(query, fleet(dispatcher=DISPATCHER), PRICES) == ()


def test_an_agents_name_can_not_end_its_literal() -> None:
    hostile = '"]; AppTraces | take 1 //'
    (table,) = parameter_tables("tool_freshness", fleet(**{hostile: DISPATCHER}), PRICES)
    assert '"\\"]; AppTraces | take 1 //"' in table
