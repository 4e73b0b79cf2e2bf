"""Alerts for the pages about them: put into the service's own documents, as a tick would have left them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.alerts.alert import Alert, Notice, alert_id, snapshot
from functions.alerts.hidden import hide
from functions.alerts.lifecycle import opened
from functions.alerts.outbox import Entry, Outbox, Receipt
from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.checks.finding import Finding, Window
from local.stack import Stack
from tests.unit.alerts.building import CHECK, EVERY

NOW = datetime.now(UTC).replace(microsecond=0)
HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202e\x07\x1b[31m"
)


def an_alert(agent: str, *, windows: int = 1, tool: str = "get_shipment_status", **changes: Any) -> Alert:
    """Return an open alert with a finding in each of the latest windows: 40, 41, … minutes, limit 30."""
    key = {"Agent": agent, "Tool": tool}
    found = [_finding(key, number, windows) for number in range(windows)]
    alert = opened(alert_id(CHECK.id, key), None, found[0], CHECK)
    last = found[-1]
    latest = {"value": last.value, "worst": last.value, "last_seen": last.window.end, "shows": last.shows}
    return replace(alert, findings=tuple(found), runs=windows, **latest | changes)


def hold(stack: Stack, *alerts: Alert, outbox: Outbox | None = None) -> None:
    """Let these be all that the check has, each hidden by what it says keeps it quiet."""
    name = PREFIX + CHECK.id
    held = stack.documents().read(name)
    state = CheckState(
        alerts={alert.id: alert for alert in alerts},
        hidden=hide((), alerts, CHECK),
        outbox=outbox or Outbox(),
    )
    stack.documents().write(name, state_to_json(state), version=held.version if held else None)


def kept(stack: Stack, alert: Alert) -> Alert:
    """Return the alert as the service has it now."""
    held = stack.documents().read(PREFIX + CHECK.id)
    assert held is not None
    return state_from_json(held.name, held.body).alerts[alert.id]


def told(alert: Alert) -> Outbox:
    """Return an outbox: `teams` took the notice after 4 seconds, `pager` refused it, `desk` has to wait."""
    notice = Notice(snapshot(alert), "opened", 1, 0, NOW - timedelta(minutes=2), ("teams", "pager", "desk"))
    waiting, refused = (
        Entry(notice.key, destination, notice, attempts=3, next_attempt=NOW, reason=reason)
        for destination, reason in (("desk", "HTTP 503"), ("pager", "HTTP 400"))
    )
    accepted = Receipt(
        key=notice.key,
        about=alert.id,
        kind="opened",
        destination="teams",
        created_at=notice.at,
        accepted_at=notice.at + timedelta(seconds=4),
        attempts=1,
        status=202,
    )
    return Outbox(waiting=(waiting,), refused=(refused,), receipts=(accepted,))


def silence(stack: Stack, reason: str, **matchers: str) -> dict[str, Any]:
    """Silence something for an hour, as operator; return the silence."""
    body = {
        "reason": reason,
        "matchers": {name: [pattern] for name, pattern in matchers.items()},
        "ends_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    }
    answer = stack.sign_in("operator").post(f"{stack.host_url}/api/v1/silences", json=body)
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


def _finding(key: Mapping[str, str], number: int, windows: int) -> Finding:
    start = NOW - (windows - number) * EVERY
    shows = {"Release": "1.0.0" if number < windows // 2 else "1.1.0", "PromptVersion": "p1"}
    traces = (f"{number + 1:032x}",)
    return Finding(CHECK.id, key, Window(start, start + EVERY), 40.0 + number, 30.0, 1, traces, shows)
