"""Decides what becomes of alerts as windows are judged, and what people have to be told about it. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from functions.alerts.alert import (
    Alert,
    Notice,
    NoticeKind,
    Told,
    alert_id,
    kept,
    kept_key,
    latest,
    runs_of,
    snapshot,
)
from functions.alerts.circumstances import Circumstances, Waiting
from functions.alerts.rules import AlertRules
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding, JudgedWindow, Window

MAX_RESOLVED = 500
"""Resolved alerts kept with a check, the latest ones."""


@dataclass(frozen=True, slots=True)
class Advance:
    """Alerts by id after some windows, and what has to be told: one notice an alert at most."""

    alerts: Mapping[str, Alert]
    notices: tuple[Notice, ...]


def advance(
    alerts: Mapping[str, Alert],
    judged: Sequence[JudgedWindow],
    *,
    check: CheckDefinition,
    circumstances: Circumstances,
) -> Advance:
    """Carry the alerts of `check` through windows that it has evaluated; other alerts stay as they are.

    Windows are taken in the order of time, however many there are. A window that wasn't evaluated isn't among
    them and so changes nothing. With no window at all, what is due is repeated.
    """
    after = dict(alerts)
    for each in sorted(judged, key=lambda one: one.window):
        _open(after, each.findings, check)
        _keep_open(after, each.continuing, check)
        _break_off(after, each, check)
        _quieten(after, each, check, circumstances.rules)
    notices = []
    for name in [name for name, alert in after.items() if alert.check_id == check.id]:
        notice = notice_of(alerts.get(name), after[name], circumstances)
        if notice is not None:
            after[name] = replace(after[name], notices=notice.number, noticed_at=circumstances.now)
            notices.append(notice)
    return Advance(_without_old_resolved(after, circumstances.waiting), tuple(notices))


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
        if before is not None and before.state == "open":
            alerts[name] = _seen_again(before, finding, check)
        else:
            alerts[name] = _found(name, before, finding, check)


def _found(name: str, before: Alert | None, finding: Finding, check: CheckDefinition) -> Alert:
    """Open an alert that isn't open once it was found in enough windows in a row; till then it is pending."""
    pending = (*(before.pending if before else ()), finding)
    alert = opened(name, before, pending[0], check)
    for later in pending[1:]:
        alert = _seen_again(alert, later, check)
    if len(pending) >= check.windows_in_a_row:
        return alert
    if before is not None and before.state == "resolved":
        return replace(before, pending=pending)
    return replace(alert, state="pending", episode=0, findings=(), findings_dropped=0, pending=pending)


def _keep_open(alerts: dict[str, Alert], continuing: Iterable[Finding], check: CheckDefinition) -> None:
    for finding in map(kept, continuing):
        before = alerts.get(alert_id(check.id, finding.key))
        if before is not None and before.state == "open":
            alerts[before.id] = _seen_again(before, finding, check)


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


def opened(name: str, before: Alert | None, finding: Finding, check: CheckDefinition) -> Alert:
    """Return the alert in a new episode that begins with this finding."""
    earlier = before.findings if before else ()
    findings = latest((*earlier, finding))
    dropped = len(earlier) + 1 - len(findings)
    return Alert(
        id=name,
        check_id=check.id,
        severity=check.severity,
        owner=check.owner,
        key=finding.key,
        state="open",
        episode=before.episode + 1 if before else 1,
        opened_at=finding.window.start,
        last_seen=finding.window.end,
        resolved_at=None,
        quiet=0,
        value=finding.value,
        threshold=finding.threshold,
        worst=finding.value,
        violations=finding.violations,
        runs=runs_of(finding),
        shows=finding.shows,
        findings=findings,
        findings_dropped=(before.findings_dropped if before else 0) + dropped,
        told=before.told if before else (),
    )


def _seen_again(before: Alert, finding: Finding, check: CheckDefinition) -> Alert:
    findings = latest((*before.findings, finding))
    return replace(
        before,
        severity=check.severity,
        owner=check.owner,
        last_seen=max(before.last_seen, finding.window.end),
        quiet=0,
        value=finding.value,
        threshold=finding.threshold,
        worst=worse(before.worst, finding.value, check),
        violations=before.violations + finding.violations,
        runs=before.runs + runs_of(finding),
        shows=finding.shows,
        findings=findings,
        findings_dropped=before.findings_dropped + len(before.findings) + 1 - len(findings),
    )


def worse(one: float, other: float, check: CheckDefinition) -> float:
    """Return the value that is further beyond the check's limit."""
    return min(one, other) if check.condition.kind == "below" else max(one, other)


def _quieten(
    alerts: dict[str, Alert], judged: JudgedWindow, check: CheckDefinition, rules: AlertRules
) -> None:
    unjudged = _unjudged(judged, check)
    for name, alert in alerts.items():
        if alert.check_id != check.id or alert.state != "open" or name in unjudged:
            continue
        if _seen_in(alert, judged.window):
            continue
        quiet = alert.quiet + 1
        over = quiet >= rules.resolve_after_quiet
        alerts[name] = replace(
            alert,
            quiet=quiet,
            state="resolved" if over else "open",
            resolved_at=judged.window.end if over else None,
        )


def _seen_in(alert: Alert, window: Window) -> bool:
    return alert.findings[-1].window == window


def notice_of(before: Alert | None, after: Alert, circumstances: Circumstances) -> Notice | None:
    """Return what has to be told of an alert that has come from `before` to `after`, if anything."""
    kind, earlier = _news(before, after)
    destinations = tuple(rule.name for rule in circumstances.rules.destinations)
    if kind is None:
        kind = "repeated"
        destinations = tuple(name for name in destinations if _repeat_is_due(after, name, circumstances))
        if after.state != "open" or not destinations:
            return None
    number = after.notices + 1
    now = circumstances.now
    shown = snapshot(replace(after, notices=number, noticed_at=now))
    return Notice(shown, kind, number, earlier, now, destinations)


def _news(before: Alert | None, after: Alert) -> tuple[NoticeKind | None, int]:
    """Return what happened to an alert, if anything, and how many untold episodes lie before it."""
    new_episodes = after.episode - (before.episode if before else 0)
    was_open = before is not None and before.state == "open"
    if after.state == "open":
        return ("opened", new_episodes - 1) if new_episodes else (None, 0)
    if was_open:
        return "resolved", new_episodes
    return ("passed", new_episodes - 1) if new_episodes else (None, 0)


def _repeat_is_due(alert: Alert, destination: str, circumstances: Circumstances) -> bool:
    """Count from what the destination accepted or, where it refused, from the last notice made."""
    if (alert.id, destination) in circumstances.waiting:
        return False
    accepted = [
        one.at for one in alert.told if one.destination == destination and one.episode == alert.episode
    ]
    since = max(accepted, default=alert.noticed_at)
    return since is None or circumstances.now - since >= circumstances.rules.repeat_after


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
