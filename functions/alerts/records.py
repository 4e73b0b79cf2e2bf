"""Writes alerts, notices and outbox entries as JSON objects, and reads them back."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from functions.alerts.alert import Alert, Notice, Told
from functions.alerts.outbox import Entry, Outbox, Receipt
from functions.checks.finding import Finding, Window

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Json = dict[str, Any]


def instant_text(at: datetime) -> str:
    """Return an instant as ISO 8601 in UTC with "Z"."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def instant(text: str) -> datetime:
    """Read what `instant_text` wrote."""
    return datetime.fromisoformat(text)


def finding_json(finding: Finding) -> Json:
    """Return a finding without check and key, which its alert has."""
    return {
        "window": {"start": instant_text(finding.window.start), "end": instant_text(finding.window.end)},
        "value": finding.value,
        "threshold": finding.threshold,
        "violations": finding.violations,
        "trace_ids": list(finding.trace_ids),
        "shows": dict(finding.shows),
        "late": finding.late,
        "withdrawn": list(finding.withdrawn),
    }


def alert_json(alert: Alert) -> Json:
    """Return an alert with its findings."""
    return _flat(alert) | {
        "key": dict(alert.key),
        "shows": dict(alert.shows),
        "findings": [finding_json(finding) for finding in alert.findings],
        "told": [_flat(told) for told in alert.told],
        "pending": [finding_json(finding) for finding in alert.pending],
    }


def outbox_json(outbox: Outbox) -> Json:
    """Return an outbox."""
    return {
        "waiting": [_entry_json(entry) for entry in outbox.waiting],
        "refused": [_entry_json(entry) for entry in outbox.refused],
        "receipts": [_flat(receipt) for receipt in outbox.receipts],
    }


def read_alert(body: Json) -> Alert:
    """Read what `alert_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: It is something else.
    """
    times = _instants(body, "opened_at", "last_seen", "resolved_at", "noticed_at")
    findings, pending = (
        tuple(_read_finding(body["check_id"], body["key"], one) for one in some)
        for some in (body["findings"], body.get("pending", ()))  # format 1 had none pending
    )
    told = tuple(Told(**one | _instants(one, "at")) for one in body["told"])
    return Alert(**body | times | {"findings": findings, "told": told, "pending": pending})


def read_outbox(body: Json) -> Outbox:
    """Read what `outbox_json` wrote; raises as `read_alert` does."""
    return Outbox(
        waiting=tuple(map(_read_entry, body["waiting"])),
        refused=tuple(map(_read_entry, body["refused"])),
        receipts=tuple(
            Receipt(**one | _instants(one, "created_at", "accepted_at")) for one in body["receipts"]
        ),
    )


def _entry_json(entry: Entry) -> Json:
    notice = entry.notice
    told = _flat(notice) | {"alert": alert_json(notice.alert), "destinations": list(notice.destinations)}
    return _flat(entry) | {"notice": told}


def _read_entry(body: Json) -> Entry:
    told = body["notice"]
    notice = Notice(
        **told
        | _instants(told, "at")
        | {"alert": read_alert(told["alert"]), "destinations": tuple(told["destinations"])}
    )
    return Entry(**body | _instants(body, "next_attempt") | {"notice": notice})


def _read_finding(check_id: str, key: Mapping[str, str], body: Json) -> Finding:
    window = Window(instant(body["window"]["start"]), instant(body["window"]["end"]))
    traces = {name: tuple(body.get(name, ())) for name in ("trace_ids", "withdrawn")}
    return Finding(**body | {"check_id": check_id, "key": key, "window": window} | traces)


def _flat(value: "DataclassInstance") -> Json:
    """Return a dataclass's fields, instants as text; the caller replaces those that are values of ours."""
    cells = ((name, getattr(value, name)) for name in _names(type(value)))
    return {name: instant_text(cell) if isinstance(cell, datetime) else cell for name, cell in cells}


@cache
def _names(of: "type[DataclassInstance]") -> tuple[str, ...]:
    return tuple(field.name for field in fields(of))


def _instants(body: Json, *names: str) -> Json:
    return {name: None if body[name] is None else instant(body[name]) for name in names}
