"""Counts what became of the alerts within a week, from the checks' documents. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from functions.alerts.alert import Alert
from functions.alerts.outbox import Outbox
from functions.alerts.state import CheckState
from functions.summary.body import SEVERITIES, AlertCount, Alerts, Undelivered
from functions.weeks import WeekBefore

MOST_CHECKS = 10
MOST_DESTINATIONS = 10


def alerts_of(states: Iterable[CheckState], week: WeekBefore) -> Alerts:
    """Return what was found, opened and resolved within the week, and what is open now.

    An alert's document has the beginnings of its latest episodes, but the end of the last one alone: one that
    ended before the next began counts as resolved when that began, at the latest.
    """
    held = list(states)
    alerts = [alert for state in held for alert in state.alerts.values() if alert.episode]
    by_severity: defaultdict[str, list[Alert]] = defaultdict(list)
    by_check: defaultdict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        by_severity[alert.severity].append(alert)
        by_check[alert.check_id].append(alert)
    total = _counted("all", alerts, week)
    checks = [_counted(check, of_check, week) for check, of_check in by_check.items()]
    checks.sort(key=lambda one: (_gravest(by_check[one["name"]]), -one["opened"], -one["open"], one["name"]))
    return Alerts(
        findings=sum(
            day.findings + day.late_findings
            for state in held
            for day in state.tally.days
            if week.holds_day(day.day)
        ),
        opened=total["opened"],
        resolved=total["resolved"],
        open=total["open"],
        unacknowledged=sum(alert.state == "open" for alert in alerts),
        severities=[_counted(name, by_severity[name], week) for name in SEVERITIES],
        checks=[one for one in checks if one["opened"] or one["resolved"] or one["open"]][:MOST_CHECKS],
    )


def undelivered(outboxes: Iterable[Outbox], week: WeekBefore) -> list[Undelivered]:
    """Return how much of the week's news each destination refused, or did not take in time."""
    counts: defaultdict[str, int] = defaultdict(int)
    for outbox in outboxes:
        for entry in outbox.refused:
            counts[entry.destination] += week.holds(entry.notice.at)
    found = sorted(
        ((name, count) for name, count in counts.items() if count), key=lambda one: (-one[1], one[0])
    )
    return [Undelivered(destination=name, count=count) for name, count in found[:MOST_DESTINATIONS]]


def _counted(name: str, alerts: Iterable[Alert], week: WeekBefore) -> AlertCount:
    count = AlertCount(name=name, opened=0, resolved=0, open=0)
    for alert in alerts:
        openings = alert.openings or (alert.opened_at,)
        count["opened"] += sum(map(week.holds, openings))
        count["resolved"] += week.holds(alert.resolved_at) + sum(
            week.holds(following) for _, following in pairwise(openings)
        )
        count["open"] += alert.active
    return count


def _gravest(alerts: Iterable[Alert]) -> int:
    return min(SEVERITIES.index(alert.severity) for alert in alerts)
