"""Says in a line what a notice tells, and in a few sentences how it stands. Pure."""

from collections.abc import Iterator

from functions.alerts.alert import Notice
from functions.alerts.escaping import escape
from functions.checks.definition import CheckDefinition
from functions.delivery.changes import changes
from functions.delivery.phrases import count, length_of, measure, moment, quantity, subject

TITLE_LENGTH = 150

_OVER = {"resolved": "RESOLVED", "passed": "OVER"}
_OPEN = {
    "opened": "",
    "reopened": ", AGAIN",
    "repeated": ", STILL OPEN",
    "worsened": ", WORSE",
    "escalated": ", NOBODY ON IT",
}
_WORDS = {"Release": "release", "PromptVersion": "prompt version"}


def headline(notice: Notice, check: CheckDefinition) -> str:
    """Return how bad, who and what, in this order: it is all that a locked phone shows. Escaped."""
    alert = notice.alert
    lead = _OVER.get(notice.kind) or f"{alert.severity.upper()}{_OPEN[notice.kind]}"
    size = f"over after {_lasted(notice)}" if notice.kind == "resolved" else measure(alert, check.unit)
    return f"{lead} · {subject(alert)} · {escape(check.title, TITLE_LENGTH)}: {size}"


def status(notice: Notice, check: CheckDefinition) -> str:
    """Return how it stands: since when, what changed, who sees to it, whose it is. Escaped."""
    return " ".join(_sentences(notice, check))


def _sentences(notice: Notice, check: CheckDefinition) -> Iterator[str]:
    alert = notice.alert
    yield _what_happened(notice, check)
    if any(finding.late for finding in alert.findings[-1:]):
        yield "Found late, by rows that came after their window was judged."
    if notice.earlier:
        yield f"Since the last notice it also opened and resolved {count(notice.earlier, 'more time')}."
    if notice.kind not in _OVER:
        for change in changes(alert):
            if change.before is not None:
                words = _WORDS[change.column]
                yield f"The {words} changed from {escape(change.before)} to {escape(change.now)}."
    if alert.openings:
        yield from _flaps(notice)
    if alert.acknowledged_at is not None:
        yield f"Taken on at {moment(alert.acknowledged_at)}."
    if notice.kind in _OVER:  # else the headline says so
        yield f"Severity {alert.severity}."
    yield f"Owner: {escape(alert.owner)}."


def _what_happened(notice: Notice, check: CheckDefinition) -> str:
    alert, lasted, since = notice.alert, _lasted(notice), moment(notice.alert.opened_at)
    again = "" if alert.episode == 1 else f" again (episode {alert.episode})"
    match notice.kind:
        case "opened" | "reopened":
            return f"Open{again} since {since}."
        case "repeated":
            return f"Still open after {lasted}."
        case "worsened":
            return f"Open for {lasted}, and much worse than last told."
        case "escalated":
            return f"Open for {lasted}, and nobody has acknowledged it."
        case "resolved":
            quiet = count(alert.quiet, "evaluated window")
            worst = quantity(alert.worst, check.unit)
            return f"It was open for {lasted}, at worst {worst}; not found in the last {quiet}."
        case "passed":
            return f"Opened{again} and was over after {lasted}, before anybody could be told."


def _flaps(notice: Notice) -> Iterator[str]:
    openings = notice.alert.openings
    yield f"It comes and goes: it has opened {count(len(openings), 'time')} since {moment(openings[0])}."
    if notice.kind not in _OVER:
        yield "Further openings are not told one by one until it has been calm for a while."


def _lasted(notice: Notice) -> str:
    return length_of((notice.alert.resolved_at or notice.at) - notice.alert.opened_at)
