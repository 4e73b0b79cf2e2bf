"""Turns a check that can't be evaluated into an alert of its own: silence must not look like health. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from functions.alerts.alert import Alert
from functions.alerts.circumstances import Circumstances
from functions.alerts.lifecycle import Advance, advance, end
from functions.checks.definition import CheckDefinition, Severity, without_query
from functions.checks.finding import Finding, JudgedWindow, Window

CHECK_FAILED = "check_failed"
"""Stands for a check's id in the alerts about failures."""


def own_check(
    check: CheckDefinition,
    *,
    check_id: str,
    title: str,
    severity: Severity,
    unit: str,
    false_positives: str,
    triage: str,
) -> CheckDefinition:
    """Return a definition that tells something about `check` itself; it is never evaluated."""
    return without_query(
        check_id,
        title=title,
        severity=severity,
        owner=check.owner,
        every=check.every,
        key=("Check",),
        unit=unit,
        false_positives=false_positives,
        triage=triage,
    )


def failure_check(check: CheckDefinition) -> CheckDefinition:
    """Return the definition that tells of the failures of `check`; it is never evaluated itself."""
    about = own_check(
        check,
        check_id=CHECK_FAILED,
        title="A check can't be evaluated",
        severity="high",
        unit="failed evaluations",
        false_positives="A short outage of Azure Monitor ends by itself: no window is lost, only late.",
        triage=(
            "Look at the error: SourceRefused means that the app's identity lacks the role Log Analytics "
            "Data Reader on the workspace that is asked, or Monitoring Reader on such a component, "
            "QueryRejected or ConfigurationError that the check's query is wrong, anything else that Azure "
            "Monitor does not answer. The windows that were missed are judged as soon as it works again."
        ),
    )
    return replace(about, shows=("Error",))


def report_failure(
    alerts: Mapping[str, Alert],
    *,
    check: CheckDefinition,
    error: str,
    failures: int,
    windows: Sequence[Window],
    circumstances: Circumstances,
) -> Advance:
    """Open, or keep open, the alert about `check` once it has failed often enough in a row.

    Args:
        alerts: The alerts of the check's document; all others stay as they are.
        check: The check that failed.
        error: The kind of error.
        failures: Failed evaluations in a row, this one included.
        windows: What could not be judged.
        circumstances: When to report and repeat, and when it failed.
    """
    if failures < circumstances.rules.report_failure_after:
        return Advance(alerts)
    window = Window(min(one.start for one in windows), circumstances.now)
    finding = Finding(
        check_id=CHECK_FAILED,
        key={"Check": check.id},
        window=window,
        value=float(failures),
        threshold=None,
        violations=1,
        trace_ids=(),
        shows={"Error": error},
    )
    judged = (JudgedWindow(window, (finding,)),)
    return advance(alerts, judged, check=failure_check(check), circumstances=circumstances)


def report_success(
    alerts: Mapping[str, Alert], *, check: CheckDefinition, circumstances: Circumstances
) -> Advance:
    """Resolve the alert about `check`, if there is one: one good evaluation is enough."""
    return end(alerts, failure_check(check), circumstances)
