"""To which pages cards and events lead. Nothing of a trace gets into a link but an id in hexadecimal."""

import re
from collections.abc import Iterator

from functions.alerts.alert import Alert

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_EXPORT_ID = re.compile(r"[0-9a-f]{32}")


def alert_link(base_url: str, alert_id: str) -> str:
    """Return where an alert with its traces is read."""
    return f"{base_url}/portal?alert={alert_id}"


def acknowledge_link(base_url: str, alert: Alert) -> str:
    """Return the page on which one tap says that somebody sees to it."""
    return f"{base_url}/portal?alert={alert.id}&do=ack"


def trace_links(base_url: str, alert: Alert) -> Iterator[str]:
    """Yield where the latest finding's traces are read, as far as their ids are what a trace id is."""
    for finding in alert.findings[-1:]:
        for trace_id in filter(_TRACE_ID.fullmatch, finding.trace_ids):
            yield f"{base_url}/portal?view=trace&alert={alert.id}&trace={trace_id}"


def export_link(base_url: str, export_id: str) -> str | None:
    """Return where it is read how far an export has come, and what it holds; None where that is no id."""
    return f"{base_url}/portal?view=exports&export={export_id}" if _EXPORT_ID.fullmatch(export_id) else None


def open_alerts_link(base_url: str) -> str:
    """Return where all alerts that are not over are listed."""
    return f"{base_url}/portal?view=alerts"
