import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from functions.evidence.redaction.content import CONTENT_COLUMNS
from functions.evidence.redaction.policy import (
    Action,
    Drop,
    Keep,
    Mask,
    Policy,
    Pseudonymize,
    redaction_policy,
)
from functions.evidence.redaction.shapes import SHAPES
from functions.traces.model import TABLES as TRACE_TABLES

CONFIG = Path(__file__).parents[4] / "config"
BODY: dict[str, Any] = yaml.safe_load((CONFIG / "redaction.yaml").read_bytes())
SCHEMA: dict[str, Any] = json.loads((CONFIG / "schemas/redaction.schema.json").read_bytes())
TABLES = Path(__file__).parents[4] / "local/azure_monitor/tables.json"

# Azure's seven protected attributes and the other places where frameworks put content.
CONTENT = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.evaluation.explanation",
    "gen_ai.memory.query.text",
    "gen_ai.memory.records",
    "gen_ai.retrieval.query.text",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.event.content",
    "gen_ai.tool.input",
    "gen_ai.tool.output",
    "gen_ai.retriever.query",
    "gen_ai.retriever.results",
    "gen_ai.response.text",
    "gen_ai.generated_message",
    "gen_ai.agent.state",
]

# Columns that a TraceRow holds as fields of its own, or not at all.
NOT_COLUMNS = {"Id", "OperationId", "ParentId", "TimeGenerated", "Properties"}


def shipped() -> Policy:
    return redaction_policy(BODY)


def action(policy: Policy, name: str) -> Action:
    rule = policy.rule_for_property("AppRequests", name)
    assert rule is not None, name
    return rule.action


def test_the_shipped_policy_fits_its_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert list(Draft202012Validator(SCHEMA).iter_errors(BODY)) == []


def test_the_schema_knows_exactly_the_shapes_that_exist() -> None:
    assert set(SCHEMA["$defs"]["shape"]["then"]["enum"]) == set(SHAPES)


@pytest.mark.parametrize(
    "rule",
    [
        "keep",
        "pseudonymize",
        {"keep": "text"},
        {"keep": "name", "pseudonymize": "user"},
        {"pseudonymize": "User"},
        {"keep": {"one_of": []}},
        {"keep": {"one_of": ["a"], "each_of": ["a"]}},
        {"keep": {"one_of": ["a\nb"]}},
        {"keep": {"each_of": ["a,b"]}},
        {},
    ],
)
def test_the_schema_refuses_a_rule_that_means_nothing(rule: object) -> None:
    body = {"version": 1, "columns": {}, "properties": {"x": rule}}
    assert list(Draft202012Validator(SCHEMA).iter_errors(body))


def test_a_body_that_never_met_the_schema_is_no_policy() -> None:
    with pytest.raises(ValueError, match="schema"):
        redaction_policy({"version": 1, "columns": {"Url": {"kept": "name"}}, "properties": {}})


@pytest.mark.parametrize("name", CONTENT)
def test_content_is_dropped_by_name(name: str) -> None:
    assert action(shipped(), name) == Drop()


def test_the_attributes_whose_values_azure_moves_are_masked_for_content() -> None:
    policy = shipped().for_profile("content")
    assert {name for name in CONTENT_COLUMNS.values() if action(policy, name) != Mask()} == set()
    assert shipped().for_profile("content").for_profile("metadata").rules.keys() == shipped().rules.keys()


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("gen_ai.conversation.id", "conversation"),
        ("tenant.id", "tenant"),
        ("gen_ai.tool.call.id", "tool_call"),
    ],
)
def test_identifiers_are_pseudonymized(name: str, domain: str) -> None:
    assert action(shipped(), name) == Pseudonymize(domain)


@pytest.mark.parametrize("column", ["UserId", "UserAuthenticatedId"])
def test_users_share_one_domain(column: str) -> None:
    rule = shipped().rule_for_column("AppRequests", column)
    assert rule is not None
    assert rule.action == Pseudonymize("user")


def test_every_attribute_that_agents_are_read_by_has_a_rule() -> None:
    attributes = yaml.safe_load((CONFIG / "agents.yaml").read_bytes())["attributes"]
    dimensions = attributes.pop("dimensions")
    names = {name for group in (*attributes.values(), *dimensions.values()) for name in group}
    policy = shipped()
    assert {name for name in names if policy.rule_for_property("AppRequests", name) is None} == set()


def test_every_documented_column_has_a_rule() -> None:
    policy = shipped()
    documented = json.loads(TABLES.read_bytes())
    for table in TRACE_TABLES:
        missing = {name for name in documented[table] if policy.rule_for_column(table, name) is None}
        assert missing <= NOT_COLUMNS, table


def test_what_the_policy_does_not_name_has_no_rule() -> None:
    assert shipped().rule_for_property("AppTraces", "customer.email") is None
    assert shipped().rule_for_column("AppRequests", "Custom_CF") is None


def test_a_rule_for_one_table_goes_before_the_general_one() -> None:
    policy = shipped()
    general, special = (
        policy.rule_for_column("AppRequests", "Name"),
        policy.rule_for_column("AppEvents", "Name"),
    )
    assert general is not None
    assert special is not None
    assert general.action == Drop()
    assert isinstance(special.action, Keep)
    assert special.name == "AppEvents.Name"


def test_the_hash_follows_the_meaning_not_the_order() -> None:
    policy = shipped()
    turned = {key: BODY[key] for key in reversed(BODY)} | {"columns": dict(reversed(BODY["columns"].items()))}
    changed = BODY | {"columns": BODY["columns"] | {"Url": {"keep": "name"}}}
    assert redaction_policy(turned).hash == policy.hash
    assert redaction_policy(changed).hash != policy.hash
    assert len(policy.hash) == 64


def test_a_policy_can_not_be_changed() -> None:
    policy = shipped()
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.profile = "content"  # type: ignore[misc]  # the point of the test
    with pytest.raises(TypeError):
        policy.rules["columns", ""] = policy.rules["properties", ""]  # type: ignore[index]  # the point of the test
