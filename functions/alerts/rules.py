"""The rules of alerting as config/alerts.yaml states them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from functions.checks.definition import duration


@dataclass(frozen=True, slots=True)
class DestinationRule:
    """Somewhere notices go.

    Attributes:
        name: What receipts call it.
        kind: Which adapter of delivery/ speaks to it.
        setting: The app setting that holds its address, which is a secret.
    """

    name: str
    kind: Literal["teams"]
    setting: str


@dataclass(frozen=True, slots=True)
class AlertRules:
    """When people are told.

    Attributes:
        repeat_after: An open alert is told again once its last accepted notice is this old.
        resolve_after_quiet: Evaluated windows in a row without a finding that resolve an alert.
        report_failure_after: Failed evaluations in a row before the check itself is reported.
        destinations: Everyone who is told; each has its own outbox entries and receipts.
    """

    repeat_after: timedelta
    resolve_after_quiet: int
    report_failure_after: int
    destinations: tuple[DestinationRule, ...]


def alert_rules(body: Mapping[str, Any]) -> AlertRules:
    """Build the rules from a body that alerts.schema.json has accepted."""
    return AlertRules(
        repeat_after=duration(body["repeat_after"]),
        resolve_after_quiet=body["resolve_after_quiet"],
        report_failure_after=body["report_failure_after"],
        destinations=tuple(DestinationRule(**rule) for rule in body["destinations"]),
    )
