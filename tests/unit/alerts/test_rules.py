"""What alerts.yaml says is what the rules are."""

import json
import re
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from functions.alerts.routing import destinations_for, escalation_for
from functions.alerts.rules import (
    AlertRules,
    DestinationRule,
    EvidenceHold,
    Flapping,
    Inhibition,
    Mention,
    Route,
    WeeklySummary,
    alert_rules,
)
from functions.configuration import SHIPPED, load_configuration
from tests.unit.alerts.building import advanced, found

TEAMS = DestinationRule(name="teams", kind="teams", setting="TEAMS_WEBHOOK_URL")
SHORT = """
repeat_after: 4h
resolve_after_quiet: 3
report_failure_after: 3
destinations: [{name: teams, kind: teams, setting: TEAMS_WEBHOOK_URL}]
"""
LONG = """
repeat_after: 4h
resolve_after_quiet: 2
keep_open_for: 30m
report_failure_after: 5
worsened_by: 1.5
flapping: {openings: 3, within: 1d}
digest_above: 7
destinations:
  - {name: teams, kind: teams, setting: TEAMS_WEBHOOK_URL}
  - {name: pager, kind: webhook, setting: PAGER_WEBHOOK_URL}
routes:
  - match: {severity: [critical, high], agent: ["broker*"]}
    destinations: [pager]
    goes_on: true
    escalate: {after: 15m, to: [pager, teams]}
  - destinations: [teams]
inhibitions:
  - {name: silent, by: [telemetry_silence], same: [Agent], mutes: [slow_run, slow_step]}
  - {name: blind, by: [source_blind], where: {Path: AppDependencies}, mutes: [slow_run]}
evidence_hold: {severities: [critical], most_per_day: 9}
weekly_summary: {weekday: sunday, at: "17:30", time_zone: Europe/Berlin, destinations: [teams]}
mentions:
  desk: {name: The Desk, user: desk@example.com}
"""


def test_every_key_is_read() -> None:
    owners = {"broker": "desk"}
    assert alert_rules(yaml.safe_load(LONG), agent_owners=owners, environment="production") == AlertRules(
        repeat_after=timedelta(hours=4),
        resolve_after_quiet=2,
        report_failure_after=5,
        destinations=(TEAMS, DestinationRule("pager", "webhook", "PAGER_WEBHOOK_URL")),
        routes=(
            Route(
                {"severity": ("critical", "high"), "agent": ("broker*",)},
                ("pager",),
                goes_on=True,
                escalate_after=timedelta(minutes=15),
                escalate_to=("pager", "teams"),
            ),
            Route({}, ("teams",)),
        ),
        keep_open_for=timedelta(minutes=30),
        worsened_by=1.5,
        flapping=Flapping(3, timedelta(days=1)),
        digest_above=7,
        inhibitions=(
            Inhibition("silent", ("telemetry_silence",), ("Agent",), ("slow_run", "slow_step")),
            Inhibition("blind", ("source_blind",), (), ("slow_run",), where={"Path": "AppDependencies"}),
        ),
        evidence_hold=EvidenceHold(("critical",), 9),
        weekly_summary=WeeklySummary(6, time(17, 30), "Europe/Berlin", ("teams",)),
        mentions={"desk": Mention("The Desk", "desk@example.com")},
        agent_owners=owners,
        environment="production",
    )


def test_a_file_of_the_first_keys_alone_is_still_read() -> None:
    assert alert_rules(yaml.safe_load(SHORT)) == AlertRules(timedelta(hours=4), 3, 3, (TEAMS,))


def test_the_shipped_file_tells_teams_of_everything_and_knows_its_agents(tmp_path: Path) -> None:
    rules = load_configuration(SHIPPED).alerts
    assert rules.destinations == (TEAMS,)
    assert rules.routes[-1] == Route({}, ("teams",))
    assert rules.agent_owners["dispatcher"] == "dispatch"
    assert rules.weekly_summary is not None
    assert ZoneInfo(rules.weekly_summary.zone).key == "Etc/UTC"
    (tmp_path / "alerts.yaml").write_text(SHORT, "utf-8")
    assert load_configuration(SHIPPED, tmp_path, environment="test").alerts.environment == "test"


def test_the_documented_example_is_accepted_and_tells_whom_the_text_says(tmp_path: Path) -> None:
    text = (SHIPPED.parent / "docs/configuration.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(repeat_after.*?)```", text, re.DOTALL)
    (tmp_path / "alerts.yaml").write_text(example, "utf-8")
    rules = load_configuration(SHIPPED, tmp_path, environment="production").alerts
    (alert,) = advanced({}, found(0, of=1)).alerts.values()
    assert destinations_for(replace(alert, severity="critical"), rules) == ("pager", "channel")
    assert escalation_for(replace(alert, severity="critical"), rules) == (
        timedelta(minutes=20),
        ("second-line", "channel"),
    )
    assert destinations_for(replace(alert, severity="low", owner="finops"), rules) == ("finance",)
    assert destinations_for(replace(alert, severity="low"), rules) == ("channel",)


def test_every_key_is_documented() -> None:
    keys = json.loads((SHIPPED / "schemas/alerts.schema.json").read_text("utf-8"))["properties"]
    text = (SHIPPED.parent / "docs/configuration.md").read_text("utf-8")
    assert [key for key in keys if f"| `{key}` |" not in text] == []
