"""Mistakes that people make in config files: each is told by file, line and rule, and what to do about it."""

import shutil
from pathlib import Path

import pytest
import yaml

from functions.alerts.failures import CHECK_FAILED
from functions.alerts.watchfulness import CHECK_BEHIND, CHECK_BLIND
from functions.canary.telling import SOURCE_BLIND
from functions.configuration import SHIPPED, load_configuration
from functions.errors import ConfigurationError
from functions.overlay.refusal import CONFIG_REFUSED
from tests.unit import site_of_mistakes

AGENTS = """\
attributes:
  tenant: [tenant.id]
  intent: [app.intent]
  prompt_version: []
  environment: []
  data_as_of: [tool.data_as_of]
  document_count: []
  document_ids: []
  dimensions: {}
agents:
  broker:
    owner: desk
    review_by: 2027-05-01
    approved_tools: [lookup, search, quote]
    required_lookups:
      - tool: lookup
        intents: [status]
      - tool: search
        after_tool: quote
    freshness:
      - tool: lookup
        max_age_minutes: 60
    objectives:
      run_p95_ms: 5000
      steps:
        - operation: execute_tool
          tool: lookup
          p95_ms: 150
        - operation: chat
          p95_ms: 4000
      evaluations:
        - name: groundedness
          minimum_score: 0.7
    budgets:
      daily_usd: 5
      monthly_usd: 100
    silent_after_minutes: 60
    id_format: ^conv-[0-9]+$
    content_allowed: false
    required_fields: [conversation, tenant]
"""
MISTAKES: list[dict[str, str]] = yaml.load(
    (Path(__file__).parent / "config_mistakes.yaml").read_text("utf-8"), yaml.BaseLoader
)
PRICES = """\
currency: USD
as_of: 2026-11-01
source: https://example.com/prices
models:
  - {model: large, input: 10, cached_input: 1, output: 100}
  - {model: large, input: 20, cached_input: 2, output: 200, valid_from: 2026-12-01}
batch_deployments: [nightly]
provisioned:
  - {deployment: reserved, hourly: 50, valid_from: 2026-11-01, tokens_per_minute: 90000}
  - {deployment: reserved, hourly: 0, valid_from: 2026-11-15}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration of its own, right as it stands."""
    site = tmp_path / "config"
    (site / "checks").mkdir(parents=True)
    for name in ("alerts.yaml", "redaction.yaml", "checks/cost_spike.yaml"):
        shutil.copy(SHIPPED / name, site / name)
    (site / "agents.yaml").write_text(AGENTS, "utf-8")
    (site / "prices.yaml").write_text(PRICES, "utf-8")
    return site


def refused(site: Path, name: str, old: str, new: str) -> ConfigurationError:
    """Return the error that replacing the first `old` of a file by `new` causes."""
    text = (site / name).read_text("utf-8")
    assert old in text, f"{old!r} is not in {name}"
    (site / name).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load_configuration(site)
    return raised.value


def line_of(text: str, content: str) -> int:
    return text[: text.index(content)].count("\n") + 1


def test_the_configuration_is_right_before_it_is_spoilt(site: Path) -> None:
    assert load_configuration(site).agents.by_name["broker"].required_fields == ("conversation", "tenant")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: str(mistake["mistake"]))
def test_a_mistake_is_told_by_file_line_and_rule_and_what_to_do(site: Path, mistake: dict[str, str]) -> None:
    file = site / mistake["file"]
    error = refused(site, mistake["file"], mistake["replace"], mistake["by"])
    line = line_of(file.read_text("utf-8"), mistake["at"])
    assert error.message == f"{file}, line {line}: {mistake['rule']}."
    assert error.next_step == mistake["next_step"]


def test_prices_in_another_currency_contradict_budgets_and_checks_in_dollars(site: Path) -> None:
    check = site / "checks/cost_spike.yaml"
    unit = line_of(check.read_text("utf-8"), "unit: USD")
    in_dollars = f"{check}, line {unit}: `unit` says US dollars, but prices.yaml has EUR."
    line = line_of(AGENTS, "budgets:")
    budgets = f"{site / 'agents.yaml'}, line {line}: `agents.broker.budgets` is in US dollars, but"
    told = refused(site, "prices.yaml", "USD", "EUR")
    assert [one.message for one in told.each] == [
        f"{budgets} prices.yaml has EUR.",
        in_dollars,
    ]
    told = refused(site, "agents.yaml", "    budgets:\n      daily_usd: 5\n      monthly_usd: 100\n", "")
    assert told.message == in_dollars
    assert told.next_step == "Give a check of your own with the unit EUR, or prices in USD."
    check.write_text(check.read_text("utf-8").replace("unit: USD", "unit: EUR"), "utf-8")
    assert load_configuration(site).prices.currency == "EUR"


@pytest.mark.parametrize("check_id", [CHECK_FAILED, CHECK_BEHIND, CHECK_BLIND, SOURCE_BLIND, CONFIG_REFUSED])
def test_no_check_takes_the_id_of_an_alert_about_the_watch(site: Path, check_id: str) -> None:
    shutil.copy(SHIPPED / "checks/slow_run.yaml", site / f"checks/{check_id}.yaml")
    told = refused(site, f"checks/{check_id}.yaml", "id: slow_run", f"id: {check_id}")
    assert "`id` is kept for an alert about the watch itself" in told.message


def test_an_agent_without_a_list_of_approved_tools_may_owe_any(site: Path) -> None:
    agents = site / "agents.yaml"
    agents.write_text(AGENTS.replace("    approved_tools: [lookup, search, quote]\n", ""), "utf-8")
    assert load_configuration(site).agents.by_name["broker"].approved_tools is None


def test_a_pattern_is_refused_without_being_repeated_or_printed(
    site: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told = refused(site, "agents.yaml", "^conv-[0-9]+$", "^(hunter2$")
    assert "hunter2" not in str(told)
    assert capfd.readouterr() == ("", "")


def test_twenty_mistakes_are_twenty_errors_with_file_line_rule_and_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    site_of_mistakes.write_site(folder)
    with pytest.raises(ConfigurationError) as raised:
        load_configuration(SHIPPED, folder)
    told = str(raised.value).splitlines()
    assert len(told) == len(raised.value.each) == len(site_of_mistakes.MISTAKES) == 20
    for mistake in site_of_mistakes.MISTAKES:
        begins = site_of_mistakes.expected(folder, mistake)
        assert [
            line for line in told if line.startswith(begins) and mistake.rule in line and mistake.fix in line
        ]
