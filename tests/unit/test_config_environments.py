"""What agents.yaml says of an agent in each environment, and where a mistake in it stands."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.errors import ConfigurationError
from functions.traces.agents import Agent, Freshness

ATTRIBUTES = """\
attributes:
  tenant: [tenant.id]
  intent: [app.intent]
  prompt_version: []
  environment: []
  data_as_of: [tool.data_as_of]
  document_count: []
  document_ids: []
  dimensions: {}
"""
AGENTS = f"""\
{ATTRIBUTES}
defaults:
  owner: platform
  budgets: {{daily_usd: 5, monthly_usd: 100}}
  approved_tools: [lookup, search]
  objectives:
    run_p95_ms: 5000
agents:
  broker:
    owner: desk
    budgets: {{daily_usd: 9}}
    approved_tools: [quote]
    objectives:
      evaluations: [{{name: groundedness, minimum_score: 0.7}}]
  greeter: {{}}
environments:
  production:
    defaults:
      owner: operations
      budgets: {{daily_usd: 20}}
      content_allowed: false
    agents:
      broker:
        names: [asst_abc]
        budgets: {{monthly_usd: 900}}
        freshness: [{{tool: quote, max_age_minutes: 60}}]
  staging: {{}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "agents.yaml").write_text(AGENTS, "utf-8")
    return tmp_path


def loaded(site: Path, environment: str | None = None) -> Configuration:
    return load_configuration(SHIPPED, site, environment=environment)


def refused(site: Path, old: str, new: str, environment: str | None = None) -> ConfigurationError:
    """Return the error that replacing the first `old` by `new` causes."""
    assert old in AGENTS
    (site / "agents.yaml").write_text(AGENTS.replace(old, new, 1), "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        loaded(site, environment)
    return raised.value


def line_of(site: Path, content: str) -> int:
    text = (site / "agents.yaml").read_text("utf-8")
    return text[: text.index(content)].count("\n") + 1


def test_an_agents_entry_lies_over_the_defaults_mapping_by_mapping_and_replaces_lists(site: Path) -> None:
    broker = loaded(site).agents.by_name["broker"]
    assert broker.owner == "desk"
    assert (broker.daily_usd, broker.monthly_usd) == (9, 100)
    assert broker.approved_tools == ("quote",)
    assert broker.run_p95_ms == 5000
    assert [evaluation.name for evaluation in broker.evaluations] == ["groundedness"]
    assert broker.content_allowed


def test_an_agent_that_says_nothing_has_the_defaults(site: Path) -> None:
    assert loaded(site).agents.by_name["greeter"] == Agent(
        name="greeter",
        owner="platform",
        daily_usd=5,
        monthly_usd=100,
        approved_tools=("lookup", "search"),
        run_p95_ms=5000,
    )


def test_an_environment_overrides_the_defaults_and_an_agents_own_entry_stays_over_them(site: Path) -> None:
    agents = loaded(site, "production").agents
    greeter, broker = agents.by_name["greeter"], agents.by_name["broker"]
    assert (greeter.owner, greeter.daily_usd, greeter.monthly_usd) == ("operations", 20, 100)
    assert (broker.owner, broker.daily_usd) == ("desk", 9)
    assert not broker.content_allowed


def test_an_environments_entry_for_an_agent_is_over_all(site: Path) -> None:
    agents = loaded(site, "production").agents
    broker = agents.by_name["broker"]
    assert broker.monthly_usd == 900
    assert broker.freshness == (Freshness("quote", 60.0),)
    assert agents.attributes.names == {"asst_abc": "broker"}
    assert not agents.by_name["greeter"].freshness


def test_without_a_name_or_with_an_environment_that_differs_in_nothing_no_override_holds(site: Path) -> None:
    assert loaded(site, "staging").agents.by_name == loaded(site).agents.by_name
    assert loaded(site).agents.attributes.names == {}


def test_the_hash_is_of_what_holds_in_the_environment(site: Path) -> None:
    assert loaded(site).hash == loaded(site, "staging").hash != loaded(site, "production").hash


def test_an_environments_name_means_nothing_where_no_environment_differs() -> None:
    anywhere, nowhere = load_configuration(SHIPPED, environment="anywhere"), load_configuration(SHIPPED)
    assert anywhere.agents.by_name == nowhere.agents.by_name
    assert anywhere.hash == nowhere.hash


def test_an_environment_that_is_not_listed_is_refused(site: Path) -> None:
    told = refused(site, "broker", "broker", "prod")
    assert told.message == (
        f"{site / 'agents.yaml'}, line {line_of(site, 'environments:')}: `environments` does not list prod, "
        "which the setting ENVIRONMENT_NAME gives."
    )
    assert told.next_step == "Correct the setting, or add `prod: {}` where nothing differs."


def test_an_override_of_an_agent_that_there_is_not_is_refused(site: Path) -> None:
    told = refused(site, "      broker:\n        names", "      brokr:\n        names")
    assert told.message == (
        f"{site / 'agents.yaml'}, line {line_of(site, 'brokr:')}: `environments.production.agents.brokr` "
        "is not an agent under agents."
    )
    assert told.next_step == "Add the agent there or correct the name here."


@pytest.mark.parametrize(
    ("old", "new", "place", "rule"),
    [
        # Each is wrong only together with what another part of the file says.
        ("monthly_usd: 100", "monthly_usd: 6", "defaults.budgets.monthly_usd", "is less than the budget"),
        (
            "monthly_usd: 900",
            "monthly_usd: 8",
            "environments.production.agents.broker.budgets.monthly_usd",
            "is less than the budget of one day",
        ),
        (
            "tool: quote, max",
            "tool: lookup, max",
            "environments.production.agents.broker.freshness.0.tool",
            "is not among the agent's approved_tools",
        ),
        (
            "      content_allowed: false",
            "      required_fields: [tenant, environment]",
            "environments.production.defaults.required_fields.1",
            "needs attributes.environment, which names no property",
        ),
        ("names: [asst_abc]", "names: [greeter]", "environments.production.agents.broker.names.0", "already"),
    ],
)
@pytest.mark.parametrize("environment", [None, "staging", "production"])
def test_a_mistake_in_what_is_merged_is_told_where_it_stands_once_and_in_every_environment(
    site: Path, *, old: str, new: str, place: str, rule: str, environment: str | None
) -> None:
    told = refused(site, old, new, environment)
    assert len(told.each) == 1
    assert told.message.startswith(
        f"{site / 'agents.yaml'}, line {line_of(site, new)}: `{place}` {rule}",
    )


@pytest.mark.parametrize(
    ("old", "new", "at", "rule"),
    [
        ("  owner: platform\n", "", "greeter:", "`agents.greeter` lacks the key `owner`"),
        ("  owner: platform", "  names: [a]\n  owner: a", "names: [a]", "`defaults.names` does not belong"),
        ("  staging: {}", "  Staging: {}", "Staging", "`environments.Staging` must match"),
        (
            "  staging: {}",
            "  staging: {agent: {}}",
            "agent: {}",
            "`environments.staging.agent` is not a known",
        ),
        (
            "daily_usd: 20",
            "daily_usd: no",
            "no}",
            "`environments.production.defaults.budgets.daily_usd` must",
        ),
        ("  owner: platform", "  ownr: platform\n  owner: a", "ownr", "`defaults.ownr` is not a known key"),
    ],
)
def test_defaults_and_overrides_keep_to_the_form_of_agents(
    site: Path, *, old: str, new: str, at: str, rule: str
) -> None:
    told = refused(site, old, new)
    assert told.message.startswith(f"{site / 'agents.yaml'}, line {line_of(site, at)}: {rule}")


def test_what_a_thousand_agents_have_from_the_defaults_is_one_mistake(site: Path) -> None:
    body: dict[str, Any] = {
        **yaml.safe_load(ATTRIBUTES),
        "defaults": {"owner": "desk", "id_format": "^(unclosed$"},
        "agents": {f"agent-{number}": {} for number in range(1_000)},
        "environments": {"production": {}},
    }
    (site / "agents.yaml").write_text(json.dumps(body), "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        loaded(site)
    assert [error.message.split("`")[1] for error in raised.value.each] == ["defaults.id_format"]
