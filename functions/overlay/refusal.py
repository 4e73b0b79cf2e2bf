"""Turns a refused overlay into an alert of its own: that a push has no effect must not be silent. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from functions.checks.definition import CheckDefinition, without_query
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.memory import Memory
from functions.checks.runner import Evaluated, NothingDue, Outcome
from functions.overlay.standing import Standing

CONFIG_REFUSED = "config_refused"
"""Stands for a check's id in the alert about the configuration."""

CONFIG_CHECK = replace(
    without_query(
        CONFIG_REFUSED,
        title="The pushed configuration is refused; the last good one stays in force",
        severity="high",
        owner="platform",
        every=timedelta(minutes=1),
        key=("Part",),
        shows=("File", "Line", "Rule", "Fix", "Refused", "InForce"),
        unit="mistakes",
        false_positives="None: until it is corrected, the site's change has no effect.",
        triage=(
            "Correct the file and push again: tracekeeper config check FOLDER names every mistake, as does "
            "GET api/v1/configuration. After an upgrade a file may break a rule that is new: CHANGELOG.md "
            "has it."
        ),
    ),
    shown_characters=200,
)
"""What the alert is told as; it has no query."""

_PART = "site configuration"

_AGAIN = timedelta(hours=1)
"""Till it is said again that nothing is refused: another process may have known less, and opened an alert."""


class RefusalJudge:
    """Judges the standing of the configuration.

    Args:
        standing: What is known.
        since: From when on it is known, UTC.
    """

    def __init__(self, standing: Standing, since: datetime) -> None:
        self._standing = standing
        self._since = since

    def judge_due(
        self,
        check: CheckDefinition,  # noqa: ARG002 - a judge's shape; it has one check
        *,
        watermark: datetime | None,
        now: datetime,
        memory: Memory | None = None,  # noqa: ARG002 - a judge's shape; it remembers nothing
    ) -> Outcome:
        """Judge the time since the last tick."""
        return judged(self._standing, self._since, watermark, now)


def judged(standing: Standing, since: datetime, watermark: datetime | None, now: datetime) -> Outcome:
    """Return what follows from the standing; there is nothing to say where nothing was ever refused.

    Args:
        standing: What is known.
        since: From when on, UTC.
        watermark: Up to when it was judged; None where nothing was ever refused.
        now: The present instant, UTC.
    """
    refused = standing.refused
    if refused is None:
        if watermark is None or (watermark > since and now - watermark < _AGAIN):
            return NothingDue()
        return _evaluated(JudgedWindow(_window(watermark, now), ()))
    window = _window(max(watermark or refused.at, refused.at), now)
    first = refused.mistakes[0]
    shows = {
        "File": first.file,
        "Line": first.line or "",
        "Rule": first.rule,
        "Fix": first.fix,
        "Refused": refused.overlay[:12] if refused.overlay else "unreadable",
        "InForce": standing.history[-1].configuration[:12] if standing.history else "nothing",
    }
    found = Finding(
        CONFIG_REFUSED, {"Part": _PART}, window, float(refused.count), None, 1, trace_ids=(), shows=shows
    )
    return _evaluated(JudgedWindow(window, (found,)))


def _evaluated(judged: JudgedWindow) -> Evaluated:
    return Evaluated((judged,), watermark=judged.window.end, rows=len(judged.findings), unjudged=0)


def _window(start: datetime, now: datetime) -> Window:
    """Return the window up to now, of a minute where nothing has passed yet."""
    return Window(start if start < now else now - CONFIG_CHECK.every, now)
