"""Writes the Adaptive Card that tells a person of a notice; its first line is enough at 3 a.m. Pure."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from functions.alerts.alert import Alert, Notice
from functions.alerts.escaping import escape
from functions.alerts.links import alert_link, trace_links
from functions.alerts.phrases import (
    count,
    first_step,
    label,
    length_of,
    measure,
    moment,
    number,
    quantity,
    subject,
)
from functions.checks.definition import CheckDefinition
from functions.errors import TracekeeperError
from functions.storage.documents import encode
from functions.traces.source import Cell

MAX_BYTES = 20_000
"""Teams drops what is over 28,672 bytes of its own encoding without a word; this leaves it room."""
MAX_FACTS = 16
SAMPLES_SHOWN = 3
_TITLE_LENGTH = 150

_LEADS = {"repeated": "STILL OPEN", "resolved": "RESOLVED", "passed": "OVER"}
_STYLES = {"repeated": "warning", "resolved": "good", "passed": "accent"}
_OPENED_STYLES = {"critical": "attention", "high": "attention", "medium": "warning", "low": "emphasis"}


def card_message(notice: Notice, check: CheckDefinition, base_url: str) -> Mapping[str, Any]:
    """Return the message that a Workflows webhook posts as a card.

    Args:
        notice: What to tell.
        check: The check it came from: title, unit and triage.
        base_url: Where the HTTP API is, for example "https://example.azurewebsites.net".

    Raises:
        TracekeeperError: The card is larger than Teams takes; it names the check and the size.
    """
    headline = _headline(notice, check)
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "msteams": {"width": "Full"},
        "fallbackText": headline,
        "body": [
            {
                "type": "Container",
                "style": _style(notice),
                "bleed": True,
                "items": [
                    {
                        "type": "TextBlock",
                        "text": headline,
                        "weight": "Bolder",
                        "size": "Medium",
                        "wrap": True,
                    },
                    {"type": "TextBlock", "text": _status(notice), "wrap": True, "spacing": "Small"},
                ],
            },
            {"type": "FactSet", "facts": list(_facts(notice.alert, check))[:MAX_FACTS]},
            *_samples(notice.alert),
            {
                "type": "TextBlock",
                "text": f"First step: {first_step(check)}",
                "wrap": True,
                "separator": True,
            },
            *_command(check),
        ],
        "actions": list(_actions(notice.alert, base_url)),
    }
    message = {
        "type": "message",
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        ],
    }
    return _small_enough(message, check.id)


def _small_enough(message: Mapping[str, Any], check_id: str) -> Mapping[str, Any]:
    size = len(encode(message))
    if size > MAX_BYTES:
        raise TracekeeperError(
            f"A card of the check {check_id} has {size} bytes; Teams takes {MAX_BYTES}.",
            next_step="Shorten the check's title, triage or list of shown columns.",
        )
    return message


def _style(notice: Notice) -> str:
    return _STYLES.get(notice.kind) or _OPENED_STYLES[notice.alert.severity]


def _headline(notice: Notice, check: CheckDefinition) -> str:
    """Who, what and how bad."""
    alert = notice.alert
    lead = _LEADS.get(notice.kind) or alert.severity.upper()
    size = "" if notice.kind == "resolved" else f": {measure(alert, check.unit)}"
    return f"{lead} · {subject(alert)} · {escape(check.title, _TITLE_LENGTH)}{size}"


def _status(notice: Notice) -> str:
    alert = notice.alert
    again = "" if alert.episode == 1 else f" again (episode {alert.episode})"
    lasted = length_of((alert.resolved_at or notice.at) - alert.opened_at)
    sentence = {
        "opened": f"Opened{again}.",
        "reopened": f"Opened{again}.",
        "worsened": f"Much worse than last told, after {lasted}.",
        "escalated": f"Nobody has acknowledged it for {lasted}.",
        "repeated": f"Still open after {lasted}.",
        "resolved": f"Over after {lasted}: not found in the last {count(alert.quiet, 'evaluated window')}.",
        "passed": f"Opened{again} and was over after {lasted}, before its windows could be evaluated.",
    }[notice.kind]
    earlier = ""
    if notice.earlier:
        earlier = f" Since the last notice it also opened and resolved {count(notice.earlier, 'more time')}."
    late = " Found late, by rows that came after their window was judged." if _is_late(alert) else ""
    return f"{sentence}{late}{earlier} Severity {alert.severity}, for {escape(alert.owner)}."


def _is_late(alert: Alert) -> bool:
    return any(finding.late for finding in alert.findings[-1:])


def _facts(alert: Alert, check: CheckDefinition) -> Iterator[dict[str, str]]:
    """Yield the table's rows, the ones that matter most first: what is too much is cut at the end."""
    yield _fact("Measured", measure(alert, check.unit))
    if alert.worst != alert.value:
        yield _fact("Worst", quantity(alert.worst, check.unit))
    yield _fact("Since", moment(alert.opened_at))
    yield _fact("Last seen", moment(alert.last_seen))
    if alert.resolved_at:
        yield _fact("Resolved", moment(alert.resolved_at))
    for name, value in alert.key.items():
        yield _fact(label(name), escape(value))
    if "Release" in alert.shows:
        yield _fact("Release", escape(str(alert.shows["Release"] or "")))
    if alert.runs:
        yield _fact("Runs", f"{alert.runs:,} since it opened")
    conversations = alert.shows.get("Conversations")
    if isinstance(conversations, int):
        yield _fact("Conversations", f"{conversations:,} in the latest window")
    yield _fact("Occurrences", f"{alert.violations:,} since it opened")
    for name in check.shows:
        if name not in {"Release", "Runs", "Conversations"} and alert.shows.get(name) not in {None, ""}:
            yield _fact(label(name), _cell(alert.shows[name], check.shown_characters))


def _samples(alert: Alert) -> list[dict[str, Any]]:
    """Return the line with the trace ids: under the table, whose column is too narrow for one on a phone."""
    ids = [escape(trace_id) for finding in alert.findings for trace_id in finding.trace_ids[:SAMPLES_SHOWN]]
    if not ids:
        return []
    text = f"Sample traces: {', '.join(ids)}"
    return [{"type": "TextBlock", "text": text, "wrap": True, "size": "Small", "fontType": "Monospace"}]


def _command(check: CheckDefinition) -> list[dict[str, Any]]:
    """Return a command to be copied: a text run, which is shown as it stands since it knows no Markdown."""
    if not check.command:
        return []
    run = {"type": "TextRun", "text": check.command, "fontType": "Monospace", "size": "Small"}
    return [{"type": "RichTextBlock", "inlines": [run]}]


def _actions(alert: Alert, base_url: str) -> Iterator[dict[str, str]]:
    yield _button("Open the alert", alert_link(base_url, alert))
    for link in islice(trace_links(base_url, alert), 1):
        yield _button("Open a sample trace", link)


def _button(title: str, url: str) -> dict[str, str]:
    return {"type": "Action.OpenUrl", "title": title, "url": url}


def _fact(title: str, value: str) -> dict[str, str]:
    return {"title": title, "value": value}


def _cell(cell: Cell, length: int) -> str:
    return number(cell) if isinstance(cell, float) else escape(str(cell), length)
