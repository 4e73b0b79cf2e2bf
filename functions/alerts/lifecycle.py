"""Decides what becomes of alerts as windows are judged, and what people have to be told about it. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from functions.alerts.alert import Alert, Notice, Told, alert_id, kept, kept_key
from functions.alerts.circumstances import Circumstances, Waiting
from functions.alerts.episode import opened, seen_again
from functions.alerts.news import tell
from functions.alerts.rules import AlertRules
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding, JudgedWindow

MAX_RESOLVED = 500
"""Resolved alerts kept with a check, the latest ones."""


@dataclass(frozen=True, slots=True)
class Advance:
    """What became of alerts.

    Attributes:
        alerts: By id.
        notices: What has to be told: one notice an alert at most.
        withheld: Of which alerts something would have to be told, if nothing kept them quiet; each with what
            it is told by.
    """

    alerts: Mapping[str, Alert]
    notices: tuple[Notice, ...] = ()
    withheld: tuple[tuple[Alert, CheckDefinition], ...] = ()

    def then(self, later: "Advance") -> "Advance":
        """Return this and what became of its alerts next."""
        return Advance(later.alerts, self.notices + later.notices, self.withheld + later.withheld)


def advance(
    alerts: Mapping[str, Alert],
    judged: Sequence[JudgedWindow],
    *,
    check: CheckDefinition,
    circumstances: Circumstances,
) -> Advance:
    """Carry the alerts of `check` through windows that it has evaluated; other alerts stay as they are.

    Windows are taken in the order of time, however many there are. A window that wasn't evaluated isn't among
    them and so changes nothing. With no window at all, what has become due is told.
    """
    after = dict(alerts)
    for each in sorted(judged, key=lambda one: one.window):
        _open(after, each.findings, check)
        _keep_open(after, each.continuing, check)
        _break_off(after, each, check)
        _quieten(after, each, check, circumstances.rules)
    return told_of(after, check, circumstances)


def told_of(alerts: Mapping[str, Alert], check: CheckDefinition, circumstances: Circumstances) -> Advance:
    """Return the alerts with all news of those of `check` told or withheld."""
    after, notices, withheld = dict(alerts), [], []
    for name, alert in alerts.items():
        if alert.check_id != check.id:
            continue
        said = tell(alert, check, circumstances)
        after[name] = said.alert
        if said.notice is not None:
            notices.append(said.notice)
        if said.withheld:
            withheld.append((said.alert, check))
    return Advance(_without_old_resolved(after, circumstances.waiting), tuple(notices), tuple(withheld))


def end(alerts: Mapping[str, Alert], check: CheckDefinition, circumstances: Circumstances) -> Advance:
    """Resolve what is open of `check` at once, whatever the rules say of quiet windows, and tell of it."""
    after = {
        name: replace(
            alert,
            state="resolved",
            quiet=alert.quiet + 1,
            resolved_at=max(alert.last_seen, circumstances.now),
        )
        if alert.check_id == check.id and alert.active
        else alert
        for name, alert in alerts.items()
    }
    return told_of(after, check, circumstances)


def acknowledge(alert: Alert, by: str, at: datetime) -> Alert:
    """Return the alert as taken on; the very same where somebody has before, or where it isn't open.

    Args:
        alert: The alert.
        by: The directory's object id of who takes it on.
        at: When.
    """
    if alert.state != "open":
        return alert
    return replace(alert, state="acknowledged", acknowledged_at=at, acknowledged_by=by)


def record_told(alerts: Mapping[str, Alert], name: str, told: Told) -> Mapping[str, Alert]:
    """Note that a destination has accepted a notice of alert `name` (which may be gone by now)."""
    if name not in alerts:
        return alerts
    others = tuple(one for one in alerts[name].told if one.destination != told.destination)
    return {**alerts, name: replace(alerts[name], told=(*others, told))}


def _open(alerts: dict[str, Alert], findings: Iterable[Finding], check: CheckDefinition) -> None:
    for finding in map(kept, findings):
        name = alert_id(check.id, finding.key)
        before = alerts.get(name)
        if before is not None and before.active:
            alerts[name] = seen_again(before, finding, check)
        else:
            alerts[name] = _found(name, before, finding, check)


def _found(name: str, before: Alert | None, finding: Finding, check: CheckDefinition) -> Alert:
    """Open an alert that isn't open once it was found in enough windows in a row; till then it is pending."""
    pending = (*(before.pending if before else ()), finding)
    alert = opened(name, before, pending[0], check)
    for later in pending[1:]:
        alert = seen_again(alert, later, check)
    if len(pending) >= check.windows_in_a_row:
        return alert
    if before is not None and before.state == "resolved":
        return replace(before, pending=pending)
    return replace(
        alert, state="pending", episode=0, findings=(), findings_dropped=0, pending=pending, openings=()
    )


def _keep_open(alerts: dict[str, Alert], continuing: Iterable[Finding], check: CheckDefinition) -> None:
    for finding in map(kept, continuing):
        before = alerts.get(alert_id(check.id, finding.key))
        if before is not None and before.active:
            alerts[before.id] = seen_again(before, finding, check)


def _break_off(alerts: dict[str, Alert], judged: JudgedWindow, check: CheckDefinition) -> None:
    """Let an evaluated window without a finding end every row of windows that was pending."""
    unjudged = _unjudged(judged, check)
    for name, alert in list(alerts.items()):
        ended = alert.check_id == check.id and name not in unjudged
        if not alert.pending or not ended or alert.pending[-1].window == judged.window:
            continue
        if alert.state == "pending":
            del alerts[name]
        else:
            alerts[name] = replace(alert, pending=())


def _unjudged(judged: JudgedWindow, check: CheckDefinition) -> Collection[str]:
    return {alert_id(check.id, kept_key(key)) for key in judged.unjudged}


def _quieten(
    alerts: dict[str, Alert], judged: JudgedWindow, check: CheckDefinition, rules: AlertRules
) -> None:
    unjudged = _unjudged(judged, check)
    for name, alert in alerts.items():
        if alert.check_id != check.id or not alert.active or name in unjudged:
            continue
        # A window that lies before the last finding says nothing about how things are now.
        if judged.window.end <= alert.last_seen:
            continue
        quiet = alert.quiet + 1
        calm = judged.window.end - alert.last_seen >= rules.keep_open_for
        if quiet >= rules.resolve_after_quiet and calm:
            alerts[name] = replace(alert, quiet=quiet, state="resolved", resolved_at=judged.window.end)
        else:
            alerts[name] = replace(alert, quiet=quiet)


def _without_old_resolved(alerts: dict[str, Alert], waiting: Waiting) -> Mapping[str, Alert]:
    waiting_ids = {name for name, _ in waiting}
    resolved = [
        alert
        for alert in alerts.values()
        if alert.state == "resolved" and not alert.pending and alert.id not in waiting_ids
    ]
    resolved.sort(key=lambda alert: (alert.resolved_at or alert.last_seen, alert.id))
    gone = {alert.id for alert in resolved[:-MAX_RESOLVED]}
    return {name: alert for name, alert in alerts.items() if name not in gone}
