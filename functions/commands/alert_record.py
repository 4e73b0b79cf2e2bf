"""`tracekeeper alerts list`, `show` and `acknowledge`: what people do about alerts at a terminal."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, get_args

from functions.alerts.acknowledging import Acknowledging
from functions.alerts.reading import Wanted, WantedState, list_alerts, read_alert
from functions.alerts.records import Json
from functions.checks.definition import Severity
from functions.commands.record import advised_to_write, open_record, person
from functions.storage.documents import Documents
from functions.text_plot import number, safe

Say = Callable[[str], None]

_WHERE = (
    "The setting STORAGE_BLOB_ENDPOINT says where; sign in with `az login` as someone with Storage Blob Data "
)


def add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to those of `tracekeeper alerts`."""
    listing = _add(actions, "list", run_list, "list the alerts that are not over, the latest seen first")
    listing.add_argument("--state", choices=get_args(WantedState), default="open", help="open by default")
    listing.add_argument("--severity", choices=get_args(Severity))
    for name in ("agent", "check", "owner"):
        listing.add_argument(f"--{name}", metavar="NAME", help=f"only those of this {name}")
    for name, run, told in (
        ("show", run_show, "show one alert, what became of its notices, and what was not told of it"),
        (
            "acknowledge",
            run_acknowledge,
            "say that you see to an open alert: it is neither repeated nor escalated",
        ),
    ):
        _add(actions, name, run, told).add_argument("id", metavar="ID", help="as `list` shows it")


def _add(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace, Say], int],
    told: str,
) -> argparse.ArgumentParser:
    role = "Contributor" if name == "acknowledge" else "Reader"
    about = f"{told[0].upper()}{told[1:]}. {_WHERE}{role} on the container 'state'."
    parser = actions.add_parser(name, help=told, description=about)
    parser.set_defaults(run=run)
    return parser


def run_list(options: argparse.Namespace, say: Say) -> int:
    """List alerts; return 0, or 1 where some can't be read. Raises TracekeeperError."""
    documents, configuration = open_record()
    return show_list(documents, wanted(options), configuration.alerts.agent_owners, say)


def run_show(options: argparse.Namespace, say: Say) -> int:
    """Show an alert; return 0. Raises TracekeeperError."""
    documents, _ = open_record()
    for line in lines_of(read_alert(documents, options.id)):
        say(line)
    return 0


def run_acknowledge(options: argparse.Namespace, say: Say) -> int:
    """Acknowledge an alert; return 0. Raises TracekeeperError."""
    documents, _ = open_record()
    return acknowledge(documents, options.id, person().object_id, datetime.now(UTC), say)


def wanted(options: argparse.Namespace) -> Wanted:
    """Return which alerts the options ask for."""
    return Wanted(options.state, options.severity, options.agent, options.check, options.owner)


def show_list(documents: Documents, which: Wanted, agent_owners: Mapping[str, str], say: Say) -> int:
    """Say a line for each alert. Returns and raises as `run_list` does."""
    found = list_alerts(documents, which, agent_owners)
    for alert in found["alerts"]:
        say(_line(alert))
    if not found["alerts"]:
        say("None.")
    for name in found["unreadable"]:
        say(f"{safe(name)} can't be read: its alerts are not known.")
    return 1 if found["unreadable"] else 0


def acknowledge(documents: Documents, alert_id: str, by: str, now: datetime, say: Say) -> int:
    """Acknowledge an alert and say who sees to it. Returns and raises as `run_acknowledge` does."""
    with advised_to_write():
        alert = Acknowledging(documents, clock=lambda: now).acknowledge(alert_id, by)
    whose = "You see" if alert.acknowledged_by == by else f"{safe(alert.acknowledged_by or '')} sees"
    say(f"{whose} to it since {alert.acknowledged_at:%Y-%m-%d %H:%M} UTC.")
    return 0


def lines_of(alert: Json) -> Iterator[str]:
    """Yield what is told of one alert; nothing of a trace can steer the terminal."""
    yield _line(alert)
    yield f"  severity {alert['severity']}, owner {safe(alert['owner'])}, episode {alert['episode']}"
    yield f"  opened {_moment(alert['opened_at'])}, last seen {_moment(alert['last_seen'])}"
    if alert["resolved_at"]:
        yield f"  over since {_moment(alert['resolved_at'])}"
    for name, value in alert["key"].items():
        yield f"  {safe(name)}: {safe(value)}"
    yield f"  worst {number(alert['worst'])}, {alert['violations']} violations, {alert['runs']} runs"
    if alert["acknowledged_by"]:
        yield f"  {safe(alert['acknowledged_by'])} sees to it since {_moment(alert['acknowledged_at'])}"
    for hidden in alert["hidden"]:
        times = "once" if hidden["episodes"] == 1 else f"{hidden['episodes']} times"
        yield f"  not told because of {safe(hidden['silence'])}: {times} since {_moment(hidden['since'])}"
    for one in alert["deliveries"]:
        why = f": {safe(one['reason'])}" if one["reason"] else ""
        yield f"  {_moment(one['made_at'])} {one['kind']} to {safe(one['destination'])}: {one['state']}{why}"


def _line(alert: Mapping[str, Any]) -> str:
    key = ", ".join(safe(value) for value in alert["key"].values())
    limit = "" if alert["threshold"] is None else f" (limit {number(alert['threshold'])})"
    quiet = f"  quiet: {', '.join(map(safe, alert['quieted_by']))}" if alert["quieted_by"] else ""
    return (
        f"{alert['id']}  {alert['state']:12}  {alert['severity']:8}  {safe(alert['check_id'])}  {key}: "
        f"{number(alert['value'])}{limit} since {_moment(alert['opened_at'])}{quiet}"
    )


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%MZ}"
