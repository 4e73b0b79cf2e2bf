"""Writes the one card that tells of a storm: how much there is, the ten worst, where all is. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from functions.alerts.alert import Notice, NoticeKind
from functions.alerts.escaping import escape
from functions.checks.definition import CheckDefinition, Severity
from functions.delivery.cards.elements import Element, button, header, message, paragraph, table
from functions.delivery.cards.sentences import headline
from functions.delivery.links import alert_link, open_alerts_link
from functions.delivery.phrases import count

MOST_NAMED = 10
MOST_COUNTED = 8
"""Checks that are counted by name; the others are counted together."""

_SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
_KINDS: Mapping[NoticeKind, str] = {
    "opened": "opened",
    "reopened": "opened again",
    "worsened": "worse",
    "escalated": "nobody on it",
    "repeated": "still open",
    "passed": "over before anybody could be told",
    "resolved": "resolved",
}
_STYLES = {"critical": "attention", "high": "attention", "medium": "warning", "low": "emphasis"}

Told = tuple[Notice, CheckDefinition]
"""A notice, and what it is told as."""


def digest_card(notices: Sequence[Told], base_url: str) -> Mapping[str, Any]:
    """Return the message with the card of many notices.

    Args:
        notices: At least one, in any order.
        base_url: Where the HTTP API is.
    """
    ranked = sorted(notices, key=_badness)
    worst, check = ranked[0]
    first_line = f"{count(len(notices), 'alert')} at once · worst: {headline(worst, check)}"
    kinds = Counter(notice.kind for notice, _ in notices)
    parts = ", ".join(f"{kinds[kind]:,} {words}" for kind, words in _KINDS.items() if kinds[kind])
    return message(
        [
            header(
                _STYLES[worst.alert.severity],
                first_line,
                f"{parts}. They are told here, and not one by one.",
            ),
            table(_counts(notices)),
            *_named(ranked, base_url),
        ],
        [button("All open alerts", open_alerts_link(base_url))],
        headline=first_line,
        about="many alerts",
    )


def _badness(told: Told) -> tuple[int, int, int, int, str]:
    """Order what is open before what is over, then by severity, by runs, and always the same way."""
    notice, _ = told
    alert = notice.alert
    news = list(_KINDS).index(notice.kind)
    over = notice.kind in {"resolved", "passed"}
    return _SEVERITIES.index(alert.severity) + 4 * over, -alert.runs, -alert.violations, news, alert.id


def _counts(notices: Sequence[Told]) -> Iterator[tuple[str, str]]:
    active = [(notice, check) for notice, check in notices if notice.kind not in {"resolved", "passed"}]
    severities = Counter(notice.alert.severity for notice, _ in active)
    if active:
        yield "Open", ", ".join(f"{severities[one]:,} {one}" for one in _SEVERITIES if severities[one])
        agents = {notice.alert.key["Agent"] for notice, _ in active if "Agent" in notice.alert.key}
        if agents:
            yield "Agents", f"{len(agents):,}"
    checks = Counter(check.title for _, check in notices)
    ranked = sorted(checks.items(), key=lambda one: (-one[1], one[0]))
    for title, times in ranked[:MOST_COUNTED]:
        yield f"{times:,}", escape(title)
    if others := sum(times for _, times in ranked[MOST_COUNTED:]):
        yield f"{others:,}", f"of {count(len(ranked) - MOST_COUNTED, 'other check')}"


def _named(ranked: Sequence[Told], base_url: str) -> Iterator[Element]:
    for place, (notice, check) in enumerate(ranked[:MOST_NAMED]):
        # What `headline` writes is escaped, so the brackets and the address are ours alone.
        line = f"[{headline(notice, check)}]({alert_link(base_url, notice.alert.id)})"
        yield paragraph(line, **({"separator": True} if place == 0 else {"spacing": "Small"}))
    if (more := len(ranked) - MOST_NAMED) > 0:
        yield paragraph(f"And {more:,} more: the list has them all.", spacing="Small")
