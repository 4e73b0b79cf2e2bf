"""Carries alerts on by what a sweep found: late findings join the past, refuted ones are marked. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from functions.alerts.alert import Alert, alert_id, kept, latest, runs_of
from functions.alerts.circumstances import Circumstances
from functions.alerts.episode import opened, worse
from functions.alerts.lifecycle import Advance, told_of
from functions.alerts.rules import AlertRules
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding
from functions.checks.sweep import Swept
from functions.checks.unswept import digest, digest_of_key


def found_late(
    alerts: Mapping[str, Alert],
    swept: Swept,
    *,
    check: CheckDefinition,
    circumstances: Circumstances,
    judged_until: datetime,
) -> Advance:
    """Put late findings where they belong, and mark what late rows refute.

    A late finding of a window before an alert's end joins that episode. Any other opens a new one, which is
    over at once where enough windows without a finding were judged since.

    Args:
        alerts: The alerts of the check's document.
        swept: What the sweep came to.
        check: The check.
        circumstances: The rules, the present instant, what waits in the outbox.
        judged_until: End of the last window judged.
    """
    after = {name: _marked(alert, swept, check) for name, alert in alerts.items()}
    for finding in map(kept, sorted(swept.late, key=lambda one: one.window)):
        name = alert_id(check.id, finding.key)
        quiet = (judged_until - finding.window.end) // check.every
        after[name] = _with(name, after.get(name), finding, check, circumstances.rules, quiet)
    found = {alert_id(check.id, kept(finding).key) for finding in swept.late}
    told = told_of({name: after[name] for name in found}, check, circumstances)
    return replace(told, alerts={**after, **told.alerts})


def _with(  # noqa: PLR0917 - each is used once, in this order
    name: str, before: Alert | None, finding: Finding, check: CheckDefinition, rules: AlertRules, quiet: int
) -> Alert:
    if before is not None and _lasted_until_after(before, finding):
        return _joined(before, finding, check, quiet)
    alert = opened(name, before, finding, check)
    enough = max(rules.resolve_after_quiet, -(-rules.keep_open_for // check.every))
    if quiet < enough:
        return replace(alert, quiet=quiet)
    over = finding.window.end + enough * check.every
    return replace(alert, state="resolved", quiet=enough, resolved_at=over)


def _lasted_until_after(alert: Alert, finding: Finding) -> bool:
    return alert.active or (alert.resolved_at is not None and finding.window.start < alert.resolved_at)


def _joined(before: Alert, finding: Finding, check: CheckDefinition, quiet: int) -> Alert:
    """Add a finding to an episode where its window lies; what is newest of the alert stays so."""
    findings = latest(tuple(sorted((*before.findings, finding), key=lambda one: one.window)))
    newest = findings[-1]
    return replace(
        before,
        opened_at=min(before.opened_at, finding.window.start),
        last_seen=max(before.last_seen, finding.window.end),
        quiet=before.quiet if finding.window.end <= before.last_seen else min(before.quiet, quiet),
        value=newest.value,
        threshold=newest.threshold,
        worst=worse(before.worst, finding.value, check),
        violations=before.violations + finding.violations,
        runs=before.runs + runs_of(finding),
        shows=newest.shows,
        findings=findings,
        findings_dropped=before.findings_dropped + len(before.findings) + 1 - len(findings),
    )


def _marked(alert: Alert, swept: Swept, check: CheckDefinition) -> Alert:
    if alert.check_id != check.id:
        return alert
    key = digest_of_key(alert.key)
    refuted = {one.start: set(one.traces) for one in swept.refuted if one.key == key}
    if not refuted:
        return alert
    return replace(
        alert, findings=tuple(_withdrawn(one, refuted.get(one.window.start)) for one in alert.findings)
    )


def _withdrawn(finding: Finding, refuted: set[str] | None) -> Finding:
    if not refuted or finding.late:
        return finding
    return replace(finding, withdrawn=tuple(one for one in finding.trace_ids if digest(one) in refuted))
