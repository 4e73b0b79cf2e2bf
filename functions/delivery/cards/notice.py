"""Writes the card that tells a person of a notice; its first line is enough at 3 a.m. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from functions.alerts.alert import Alert, Notice
from functions.alerts.escaping import escape
from functions.alerts.rules import Mention
from functions.checks.definition import CheckDefinition
from functions.delivery.cards.elements import (
    Element,
    as_it_stands,
    button,
    header,
    mentioned,
    message,
    paragraph,
    table,
)
from functions.delivery.cards.sentences import headline, status
from functions.delivery.changes import Change, changes
from functions.delivery.links import acknowledge_link, alert_link, trace_links
from functions.delivery.phrases import first_step, label, moment, number, quantity
from functions.traces.source import Cell

MAX_FACTS = 16
SAMPLES_SHOWN = 3

_STYLES = {"repeated": "warning", "resolved": "good", "passed": "accent"}
_OPEN_STYLES = {"critical": "attention", "high": "attention", "medium": "warning", "low": "emphasis"}
_LIMITS = {
    "above": "Limit",
    "any": "Limit",
    "budget": "Limit",
    "silence": "Limit",
    "below": "At least",
    "absence": "Limit",
    "spike": "Usual at most",
    "change": "Limit",
}
"""What a finding's threshold is, by the kind of its check's condition."""
_BASELINES = ("Usual", "Before", "Baseline", "Median", "Objective")
"""What the columns begin with that say what is usual."""
_SAID_ELSEWHERE = frozenset({"Release", "PromptVersion", "BeforeRelease", "BeforePromptVersion"})


@dataclass(frozen=True, slots=True)
class CardRules:
    """What all cards of a deployment have in common.

    Attributes:
        base_url: Where the HTTP API is, for example "https://example.azurewebsites.net".
        mentions: Whom a card calls, by owner.
    """

    base_url: str
    mentions: Mapping[str, Mention]


def notice_card(notice: Notice, check: CheckDefinition, rules: CardRules) -> Mapping[str, Any]:
    """Return the message with the card of a notice.

    Args:
        notice: What to tell.
        check: What it is told as: title, unit and triage.
        rules: What all cards have in common.

    Raises:
        TracekeeperError: The card is larger than Teams takes; it names the check and the size.
    """
    alert = notice.alert
    first_line = headline(notice, check)
    mention = rules.mentions.get(alert.owner) if _calls(notice) else None
    return message(
        [
            header(_style(notice), first_line, status(notice, check)),
            *([mentioned(mention)] if mention else []),
            table(islice(_facts(alert, check), MAX_FACTS)),
            *_samples(alert),
            *_advice(notice, check),
        ],
        _buttons(notice, rules.base_url),
        headline=first_line,
        about=f"the check {check.id}",
        mention=mention,
    )


def _calls(notice: Notice) -> bool:
    """Return whether a person is called by name: for what is grave and new, or left lying."""
    grave = notice.alert.severity in {"critical", "high"}
    return notice.kind == "escalated" or (notice.kind == "opened" and grave)


def _style(notice: Notice) -> str:
    return _STYLES.get(notice.kind) or _OPEN_STYLES[notice.alert.severity]


def _facts(alert: Alert, check: CheckDefinition) -> Iterator[tuple[str, str]]:
    """Yield the table's rows, the ones that matter most first: what is too much is cut at the end."""
    yield "Last measured" if alert.resolved_at else "Measured", quantity(alert.value, check.unit)
    if alert.worst != alert.value:
        yield "Worst", quantity(alert.worst, check.unit)
    if alert.threshold is not None:
        yield _LIMITS[check.condition.kind], quantity(alert.threshold, check.unit)
    for name in filter(_is_baseline, check.shows):
        yield from _shown(name, alert, check)
    yield "Since", moment(alert.opened_at)
    if alert.resolved_at:
        yield "Resolved", moment(alert.resolved_at)
    else:
        yield "Last seen", moment(alert.last_seen)
    for name, value in alert.key.items():
        yield label(name), escape(value)
    for change in changes(alert):
        yield label(change.column), f"{escape(change.now)}{_compared(change)}"
    if isinstance(conversations := alert.shows.get("Conversations"), int):
        yield "Conversations", f"{conversations:,} in the latest window"
    if alert.runs:
        yield "Runs", f"{alert.runs:,} since it opened"
    yield "Occurrences", f"{alert.violations:,} since it opened"
    for name in check.shows:
        if name not in {"Runs", "Conversations"} and not _is_baseline(name):
            yield from _shown(name, alert, check)


def _is_baseline(column: str) -> bool:
    return column.startswith(_BASELINES)


def _compared(change: Change) -> str:
    if change.before is not None:
        return f", before: {escape(change.before)}"
    return ", unchanged" if change.compared else ""


def _shown(column: str, alert: Alert, check: CheckDefinition) -> Iterator[tuple[str, str]]:
    cell = alert.shows.get(column)
    if column not in _SAID_ELSEWHERE and cell is not None and cell != "":
        yield label(column), _cell(cell, check.shown_characters)


def _cell(cell: Cell, length: int) -> str:
    return number(cell) if isinstance(cell, float) else escape(str(cell), length)


def _samples(alert: Alert) -> list[Element]:
    """Return the line with the trace ids: under the table, whose column is too narrow for one on a phone."""
    ids = [
        escape(trace_id) for finding in alert.findings[-1:] for trace_id in finding.trace_ids[:SAMPLES_SHOWN]
    ]
    if not ids:
        return []
    return [paragraph(f"Sample traces: {', '.join(ids)}", size="Small", fontType="Monospace")]


def _advice(notice: Notice, check: CheckDefinition) -> Iterator[Element]:
    if notice.kind != "resolved":
        yield paragraph(f"First step: {first_step(check)}", separator=True)
    if check.command:
        yield as_it_stands(check.command)


def _buttons(notice: Notice, base_url: str) -> Iterator[Element]:
    alert = notice.alert
    yield button("Open the alert", alert_link(base_url, alert.id))
    if alert.state == "open":
        yield button("Acknowledge", acknowledge_link(base_url, alert))
    for link in islice(trace_links(base_url, alert), 1):
        yield button("Open a sample trace", link)
