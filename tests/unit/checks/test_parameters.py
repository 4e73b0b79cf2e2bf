"""Configuration reaches a query as datatables, quoted, and only where it is named."""

import pytest

from functions.checks.parameters import parameter_tables
from functions.costs.prices import prices
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
PRICES = prices(
    {
        "currency": "USD",
        "as_of": "2026-11-01",
        "source": "list",
        "models": [
            {"model": "gpt-4o", "input": 2.5, "cached_input": 1.25, "output": 10},
            {
                "model": "gpt-4o",
                "input": 2,
                "cached_input": 1,
                "output": 8,
                "valid_from": "2026-11-01",
            },
        ],
    }
)


def fleet(**entries: object) -> Agents:
    return agents({"attributes": ATTRIBUTES, "agents": entries})


DISPATCHER = {
    "owner": "dispatch",
    "required_lookups": [
        {"tool": "status", "intents": ["where", "when"]},
        {"tool": "rules", "after_tool": "quote"},
        {
            "tool": "rates",
            "routes": ["POST /a", "POST /b"],
            "where": {"dimension": "carrier", "is": ["DHL", "UPS"]},
        },
    ],
    "freshness": [{"tool": "status", "max_age_minutes": 60}],
    "approved_tools": ["status", "rules"],
    "objectives": {
        "run_p95_ms": 9000,
        "steps": [
            {"operation": "execute_tool", "tool": "status", "p95_ms": 150},
            {"operation": "chat", "model": "gpt-4o", "p95_ms": 4000},
            {"operation": "retrieval", "p95_ms": 500},
        ],
        "evaluations": [{"name": "groundedness", "minimum_score": 0.8}],
    },
    "budgets": {"daily_usd": 5, "monthly_usd": 100},
    "silent_after_minutes": 60,
    "id_format": r"^conv-\d+$",
    "content_allowed": False,
    "required_fields": ["conversation", "tenant"],
}


@pytest.mark.parametrize(
    ("table", "columns", "cells"),
    [
        (
            "required_lookups",
            (
                "Agent: string, Tool: string, Intent: string, AfterTool: string, Route: string, "
                "Dimension: string, DimensionValue: string"
            ),
            [
                '"dispatcher", "status", "where", "", "", "", ""',
                '"dispatcher", "status", "when", "", "", "", ""',
                '"dispatcher", "rules", "", "quote", "", "", ""',
                '"dispatcher", "rates", "", "", "POST /a", "carrier", "DHL"',
                '"dispatcher", "rates", "", "", "POST /a", "carrier", "UPS"',
                '"dispatcher", "rates", "", "", "POST /b", "carrier", "DHL"',
                '"dispatcher", "rates", "", "", "POST /b", "carrier", "UPS"',
            ],
        ),
        (
            "tool_freshness",
            "Agent: string, Tool: string, MaxAgeMinutes: real",
            ['"dispatcher", "status", real(60.0)'],
        ),
        (
            "model_prices",
            "Model: string, InputPrice: real, CachedPrice: real, OutputPrice: real, ValidFrom: datetime",
            [
                '"gpt-4o", real(2.5), real(1.25), real(10.0), datetime(1970-01-01T00:00:00.000000Z)',
                '"gpt-4o", real(2.0), real(1.0), real(8.0), datetime(2026-11-01T00:00:00.000000Z)',
            ],
        ),
        (
            "approved_tools",
            "Agent: string, Tool: string",
            ['"dispatcher", "status"', '"dispatcher", "rules"'],
        ),
        ("restricted_agents", "Agent: string", ['"dispatcher"']),
        (
            "step_objectives",
            "Agent: string, Operation: string, Tool: string, Model: string, MaxP95Ms: real",
            [
                '"dispatcher", "execute_tool", "status", "", real(150.0)',
                '"dispatcher", "chat", "", "gpt-4o", real(4000.0)',
                '"dispatcher", "retrieval", "", "", real(500.0)',
            ],
        ),
        ("run_objectives", "Agent: string, MaxP95Ms: real", ['"dispatcher", real(9000.0)']),
        (
            "evaluation_objectives",
            "Agent: string, EvaluationName: string, MinimumScore: real",
            ['"dispatcher", "groundedness", real(0.8)'],
        ),
        (
            "budgets",
            "Agent: string, Period: string, LimitUsd: real",
            ['"dispatcher", "day", real(5.0)', '"dispatcher", "month", real(100.0)'],
        ),
        ("declared_agents", "Agent: string, SilentAfterMinutes: real", ['"dispatcher", real(60.0)']),
        (
            "required_fields",
            "Agent: string, Field: string",
            ['"dispatcher", "conversation"', '"dispatcher", "tenant"'],
        ),
        ("content_rules", "Agent: string, Allowed: bool", ['"dispatcher", false']),
    ],
)
def test_a_query_gets_the_table_that_it_names(table: str, columns: str, cells: list[str]) -> None:
    statements = parameter_tables(f"spans | join {table} on Agent", fleet(dispatcher=DISPATCHER), PRICES)
    rows = ",\n  ".join(cells)
    assert statements == (f"let {table} = datatable({columns})[\n  {rows}\n];",)


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("required_lookups", []),
        ("tool_freshness", []),
        ("approved_tools", []),
        ("restricted_agents", []),
        ("step_objectives", []),
        ("run_objectives", []),
        ("evaluation_objectives", []),
        ("budgets", []),
        ("declared_agents", []),
        ("required_fields", []),
        ("content_rules", ['"greeter", true']),
    ],
)
def test_an_agent_of_which_nothing_is_asked_is_in_no_table_but_that_of_content(
    table: str, rows: list[str]
) -> None:
    (statement,) = parameter_tables(table, fleet(greeter={"owner": "lobby"}), PRICES)
    assert statement.splitlines()[1].split(",\n") == [f"  {row}" for row in rows or [""]]


def test_an_empty_list_of_approved_tools_restricts_the_agent_to_none() -> None:
    silent = fleet(silent={"owner": "lobby", "approved_tools": []})
    restricted, *_ = parameter_tables("restricted_agents", silent, PRICES)
    approved, *_ = parameter_tables("approved_tools", silent, PRICES)
    assert '"silent"' in restricted
    assert '"silent"' not in approved


@pytest.mark.parametrize("query", ["spans | count", "spans | extend my_model_prices = 1", "model_pricesx"])
def test_a_table_that_no_query_names_is_left_out(query: str) -> None:
    assert parameter_tables(query, fleet(dispatcher=DISPATCHER), PRICES) == ()


def test_agents_with_the_same_id_format_share_one_pattern() -> None:
    formats = {"a": r"^c-\d+$", "b": r"^x|y$", "c": r"^c-\d+$"}
    table, function = parameter_tables(
        "id_formats", fleet(none={"owner": "o"}, **_with_formats(formats)), PRICES
    )
    assert table == (
        'let id_formats = datatable(Agent: string, Format: long)[\n  "a", long(0),\n  "b", long(1),\n  '
        '"c", long(0)\n];'
    )
    assert function == (
        "let fits_format = (Format: long, Id: string) { case("
        r'Format == 0, Id matches regex "\\A(?:^c-\\d+$)\\z",' + "\n  "
        r'Format == 1, Id matches regex "\\A(?:^x|y$)\\z",' + "\n  true) };"
    )


def test_where_no_agent_has_an_id_format_every_id_fits() -> None:
    _, function = parameter_tables("id_formats", fleet(greeter={"owner": "lobby"}), PRICES)
    assert function == "let fits_format = (Format: long, Id: string) { true };"


def test_a_pattern_can_not_end_its_literal() -> None:
    _, function = parameter_tables(
        "id_formats", fleet(**_with_formats({"a": '^"; spans | take 1 //$'})), PRICES
    )
    assert r'"\\A(?:^\"; spans | take 1 //$)\\z"' in function


def _with_formats(formats: dict[str, str]) -> dict[str, object]:
    return {name: {"owner": "desk", "id_format": pattern} for name, pattern in formats.items()}


def test_an_agents_name_can_not_end_its_literal() -> None:
    hostile = '"]; AppTraces | take 1 //'
    (table,) = parameter_tables("tool_freshness", fleet(**{hostile: DISPATCHER}), PRICES)
    assert '"\\"]; AppTraces | take 1 //"' in table
