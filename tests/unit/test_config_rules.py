"""Mistakes that people make in config files: each is told by file, line and rule, and what to do about it."""

import shutil
from pathlib import Path

import pytest
import yaml

from functions.alerts.failures import failure_check
from functions.alerts.watchfulness import behind_check, blind_check
from functions.canary.telling import SIGHT_CHECK
from functions.config_subjects import OF_A_CHECK, OF_THE_WATCH
from functions.configuration import SHIPPED, load_configuration
from functions.delivery.delivery_failed import DELIVERY_CHECK
from functions.errors import ConfigurationError
from functions.evidence.seals.record_at_risk import RECORD_CHECK
from functions.overlay.refusal import CONFIG_CHECK
from tests.unit import site_of_mistakes
from tests.unit.alerts.building import CHECK

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
ALERTS = """\
repeat_after: 4h
resolve_after_quiet: 3
report_failure_after: 3
flapping: {openings: 4, within: 2h}
destinations:
  - {name: channel, kind: teams, setting: TEAMS_WEBHOOK_URL}
  - {name: pager, kind: webhook, setting: PAGER_WEBHOOK_URL}
routes:
  - match: {severity: [high], agent: [broker]}
    destinations: [pager]
    goes_on: true
    escalate: {after: 30m, to: [channel]}
  - match: {check: ["cost_*"], owner: [finops, desk]}
    destinations: [channel]
  - destinations: [channel, pager]
inhibitions:
  - name: silent-agent
    by: [telemetry_silence]
    same: [Agent]
    mutes: [cost_spike, incomplete_telemetry]
  - name: no-sight
    by: [source_blind]
    where: {Path: AppDependencies}
    mutes: [telemetry_silence]
evidence_hold: {severities: [critical, high], most_per_day: 50}
weekly_summary: {weekday: monday, at: "08:00", time_zone: Europe/Berlin, destinations: [channel]}
mentions:
  desk: {name: The Desk, user: desk@example.com}
"""
CHECKS = ("cost_spike", "incomplete_telemetry", "telemetry_silence", "unapproved_tool")
MISTAKES: list[dict[str, str]] = yaml.load(
    (Path(__file__).parent / "config_mistakes.yaml").read_text("utf-8"), yaml.BaseLoader
)
EXPORTS = """\
case_attribute: app.claim_number
content: {approval: required, structure_only: false}
expires_after: 7d
schedules:
  - name: weekly-review
    weekday: monday
    at: "07:00"
    time_zone: Europe/Berlin
    selector: {window: {last_days: 7, agent: broker}}
    profile: metadata
    reason: The weekly review
    ticket: OPS-1
    destinations: [channel]
  - name: monthly-audit
    weekday: friday
    at: "12:00"
    time_zone: Etc/UTC
    selector: {sample: {last_days: 30, size: 25, stratum: agent}}
    profile: metadata
    reason: The audit
    ticket: AUDIT-4
"""
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
    for name in ("redaction.yaml", *(f"checks/{check}.yaml" for check in CHECKS)):
        shutil.copy(SHIPPED / name, site / name)
    (site / "alerts.yaml").write_text(ALERTS, "utf-8")
    (site / "agents.yaml").write_text(AGENTS, "utf-8")
    (site / "prices.yaml").write_text(PRICES, "utf-8")
    (site / "exports.yaml").write_text(EXPORTS, "utf-8")
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


OWN_CHECKS = (
    failure_check(CHECK),
    behind_check(CHECK),
    blind_check(CHECK),
    SIGHT_CHECK,
    CONFIG_CHECK,
    DELIVERY_CHECK,
    RECORD_CHECK,
)


def test_what_routes_are_held_to_is_what_alerts_about_the_watch_are() -> None:
    assert {own.id for own in OWN_CHECKS} == OF_A_CHECK.keys() | OF_THE_WATCH.keys()
    for own in OWN_CHECKS:
        if own.id in OF_A_CHECK:
            assert (own.severity, own.owner, own.key) == (OF_A_CHECK[own.id], CHECK.owner, ("Check",))
        else:
            subject = OF_THE_WATCH[own.id]
            assert (own.severity, (own.owner,), own.key) == (
                subject.severity,
                subject.owners,
                subject.columns,
            )


def test_a_mistake_in_a_check_does_not_make_it_unknown_to_alerts(site: Path) -> None:
    told = refused(site, "checks/cost_spike.yaml", "owner: finops\n", "")
    assert "lacks the key `owner`" in told.message
    assert len(told.each) <= 1
    (site / "checks/cost_spike.yaml").write_text("id: [", "utf-8")
    told = refused(site, "alerts.yaml", "[finops, desk]", "[finops, dealers]")
    assert [Path(one.place[0]).name for one in told.each or (told,) if one.place] == ["cost_spike.yaml"]


def test_every_mistake_of_alerts_is_told_at_once(site: Path) -> None:
    alerts = site / "alerts.yaml"
    text = alerts.read_text("utf-8").replace("Europe/Berlin", "Mars").replace("[pager]", "[beeper]")
    alerts.write_text(text, "utf-8")
    told = refused(site, "alerts.yaml", "  desk: {name", "  dealers: {name")
    assert len(told.each) == 3


@pytest.mark.parametrize("check_id", sorted(own.id for own in OWN_CHECKS))
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
