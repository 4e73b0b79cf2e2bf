"""An alert's episode: how it begins, and what another finding adds to it. Pure."""

from dataclasses import replace

from functions.alerts.alert import MAX_OPENINGS, Alert, latest, runs_of
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding


def opened(name: str, before: Alert | None, finding: Finding, check: CheckDefinition) -> Alert:
    """Return the alert in a new episode that begins with this finding.

    Nobody has taken a new episode on; but while the alert flaps, its episodes count as one.
    """
    earlier = before.findings if before else ()
    findings = latest((*earlier, finding))
    dropped = len(earlier) + 1 - len(findings)
    known = before.announced if before else None
    opening = Alert(
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
        noticed_at=before.noticed_at if before else None,
        told=before.told if before else (),
        announced=known,
        openings=tuple(sorted((*(before.openings if before else ()), finding.window.start)))[-MAX_OPENINGS:],
    )
    if before is None or known is None or known.over or not known.flapping:
        return opening
    return replace(
        opening,
        state="acknowledged" if before.acknowledged_at else "open",
        acknowledged_at=before.acknowledged_at,
        acknowledged_by=before.acknowledged_by,
        escalated_at=before.escalated_at,
    )


def seen_again(before: Alert, finding: Finding, check: CheckDefinition) -> Alert:
    """Return the alert with another finding of this episode."""
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
