"""Writes news as plain JSON events, so that a pager can be fed. Pure.

What came out of a trace is cleaned as in cards, since those who receive events often read Markdown too.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from functions.alerts.alert import Notice
from functions.alerts.announcement import Announcement
from functions.alerts.escaping import escape
from functions.alerts.outbox import Telling
from functions.alerts.records import instant_text
from functions.alerts.told_as import ToldAs, told_of
from functions.checks.definition import CheckDefinition
from functions.delivery.links import acknowledge_link, alert_link, open_alerts_link, trace_links
from functions.delivery.phrases import first_step, measure, subject

FORMAT = 1

Event = Mapping[str, Any]


class EventWriter:
    """Writes events; see Writer and docs/alerts.md.

    Args:
        base_url: Where the HTTP API is, for example "https://example.azurewebsites.net".
        told_as: By which definition an alert is told.
    """

    def __init__(self, base_url: str, told_as: ToldAs) -> None:
        self._base_url = base_url
        self._told_as = told_as

    def one(self, telling: Telling) -> Event:
        """Return the event of one piece of news."""
        news = telling.news
        if isinstance(news, Announcement):
            return {
                "format": FORMAT,
                "key": news.key,
                "idempotency_key": news.key,
                "action": "trigger" if news.kind == "test" else "inform",
                "kind": news.kind,
                "at": instant_text(news.at),
                "body": inert(news.body),
            }
        return self._event(*told_of(telling, self._told_as))

    def digest(self, key: str, tellings: Sequence[Telling]) -> Event:
        """Return one event that holds the events of all, each with keys and an action of its own."""
        members = [self.one(telling) for telling in tellings]
        return {
            "format": FORMAT,
            "key": key,
            "idempotency_key": key,
            "action": "digest",
            "kind": "digest",
            "counts": dict(Counter(member["action"] for member in members)),
            "links": {"alerts": open_alerts_link(self._base_url)},
            "members": members,
        }

    def _event(self, notice: Notice, check: CheckDefinition) -> Event:
        alert = notice.alert
        title = escape(check.title, 150)
        return {
            "format": FORMAT,
            "key": alert.id,
            "idempotency_key": notice.key,
            "action": _action(notice),
            "kind": notice.kind,
            "at": instant_text(notice.at),
            "severity": alert.severity,
            "summary": f"{subject(alert)}: {title}: {measure(alert, check.unit)}",
            "title": title,
            "agent": subject(alert) if "Agent" in alert.key else None,
            "check": alert.check_id,
            "owner": escape(alert.owner),
            "subject": inert(alert.key),
            "shows": inert(alert.shows),
            "unit": check.unit,
            "value": alert.value,
            "threshold": alert.threshold,
            "worst": alert.worst,
            "episode": alert.episode,
            "violations": alert.violations,
            "runs": alert.runs,
            "opened_at": instant_text(alert.opened_at),
            "last_seen": instant_text(alert.last_seen),
            "resolved_at": alert.resolved_at and instant_text(alert.resolved_at),
            "first_step": first_step(check),
            "links": {
                "alert": alert_link(self._base_url, alert.id),
                "acknowledge": acknowledge_link(self._base_url, alert),
                "traces": list(trace_links(self._base_url, alert))[:3],
            },
        }


def inert(value: Any) -> Any:
    """Return JSON with every text in it, names included, as `escape` leaves it."""
    if isinstance(value, str):
        return escape(value, 200)
    if isinstance(value, Mapping):
        return {escape(str(name)): inert(one) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [inert(one) for one in value]
    return value


def _action(notice: Notice) -> str:
    """Return what a pager should do with the incident that the event's key names."""
    if notice.kind in {"resolved", "passed"}:
        return "resolve"
    taken_on = notice.alert.state == "acknowledged" and notice.kind != "worsened"
    return "acknowledge" if taken_on else "trigger"
