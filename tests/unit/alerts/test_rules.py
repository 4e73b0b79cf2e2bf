"""alerts.yaml as shipped is what the rules say."""

from datetime import timedelta
from pathlib import Path

import yaml

from functions.alerts.rules import AlertRules, DestinationRule, alert_rules

SHIPPED = Path(__file__).parents[3] / "config" / "alerts.yaml"


def test_the_shipped_rules_are_read() -> None:
    assert alert_rules(yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))) == AlertRules(
        repeat_after=timedelta(hours=4),
        resolve_after_quiet=3,
        report_failure_after=3,
        destinations=(DestinationRule(name="teams", kind="teams", setting="TEAMS_WEBHOOK_URL"),),
    )
