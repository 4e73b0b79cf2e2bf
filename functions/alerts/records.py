"""Writes alerts, notices and outbox entries as JSON objects, and reads them back."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from functions.alerts.alert import Alert, Announced, Notice, Told
from functions.alerts.announcement import Announcement
from functions.alerts.outbox import Entry, News, Outbox, Receipt
from functions.checks.finding import Finding, Window

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Json = dict[str, Any]

_MOST_INSTANTS = 10_000
"""Remembered in either direction: thousands of alerts share the instants of few windows."""


@lru_cache(_MOST_INSTANTS)
def instant_text(at: datetime) -> str:
    """Return an instant as ISO 8601 in UTC with "Z"."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@lru_cache(_MOST_INSTANTS)
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
        "made": [_flat(made) for made in alert.made],
        "pending": [finding_json(finding) for finding in alert.pending],
        "announced": alert.announced and _flat(alert.announced),
        "openings": [instant_text(at) for at in alert.openings],
        "quieted_by": list(alert.quieted_by),
    }


def outbox_json(outbox: Outbox) -> Json:
    """Return an outbox; what goes to several destinations is written once."""
    news = {entry.key: entry.notice for entry in (*outbox.waiting, *outbox.refused)}
    return {
        "news": {key: _news_json(one) for key, one in news.items()},
        "waiting": [_entry_json(entry) for entry in outbox.waiting],
        "refused": [_entry_json(entry) for entry in outbox.refused],
        "receipts": [_flat(receipt) for receipt in outbox.receipts],
    }


def read_alert(body: Json) -> Alert:
    """Read what `alert_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: It is something else.
    """
    # Format 2 knew neither acknowledging nor what was announced: what it had told is worked out.
    body = {**dict.fromkeys(("acknowledged_at", "escalated_at")), **body}
    times = _instants(
        body, "opened_at", "last_seen", "resolved_at", "noticed_at", "acknowledged_at", "escalated_at"
    )
    findings, pending = (
        tuple(_read_finding(body["check_id"], body["key"], one) for one in some)
        for some in (body["findings"], body.get("pending", ()))  # format 1 had none pending
    )
    told, made = (
        tuple(Told(**one | _instants(one, "at")) for one in some)
        for some in (body["told"], body.get("made", ()))  # format 3 began without what was made
    )
    return Alert(
        **body
        | times
        | {
            "findings": findings,
            "told": told,
            "made": made,
            "pending": pending,
            "announced": _read_announced(body),
            "openings": tuple(map(instant, body.get("openings", ()))),
            "quieted_by": tuple(body.get("quieted_by", ())),
        }
    )


def _read_announced(body: Json) -> Announced | None:
    if "announced" in body:
        held = body["announced"]
        return held and Announced(**held | _instants(held, "since"))
    if body["noticed_at"] is None:
        return None
    over = body["state"] == "resolved"
    return Announced(body["episode"], over, body["worst"], since=instant(body["noticed_at"]))


def read_outbox(body: Json) -> Outbox:
    """Read what `outbox_json` wrote; raises as `read_alert` does."""
    news = {key: _read_news(one) for key, one in body.get("news", {}).items()}
    return Outbox(
        waiting=tuple(_read_entry(entry, news) for entry in body["waiting"]),
        refused=tuple(_read_entry(entry, news) for entry in body["refused"]),
        receipts=tuple(_read_receipt(receipt) for receipt in body["receipts"]),
    )


def _entry_json(entry: Entry) -> Json:
    flat = _flat(entry)
    del flat["notice"]
    return flat


def _news_json(news: News) -> Json:
    flat = _flat(news) | {"destinations": list(news.destinations)}
    if isinstance(news, Notice):
        flat["alert"] = alert_json(news.alert)
    return flat


def _read_entry(body: Json, news: Mapping[str, News]) -> Entry:
    # Format 2 had the notice inside each of its entries.
    notice = _read_news(body["notice"]) if "notice" in body else news[body["key"]]
    return Entry(**body | _instants(body, "next_attempt") | {"notice": notice})


def _read_news(body: Json) -> News:
    read = body | _instants(body, "at") | {"destinations": tuple(body["destinations"])}
    if "alert" in body:
        return Notice(**read | {"alert": read_alert(body["alert"])})
    return Announcement(**read)


def _read_receipt(body: Json) -> Receipt:
    read = body | _instants(body, "created_at", "accepted_at")
    if "alert_id" in read:  # as format 2 called it
        read["about"] = read.pop("alert_id")
    return Receipt(**read)


def _read_finding(check_id: str, key: Mapping[str, str], body: Json) -> Finding:
    window = Window(instant(body["window"]["start"]), instant(body["window"]["end"]))
    traces = {name: tuple(body.get(name, ())) for name in ("trace_ids", "withdrawn")}
    return Finding(**body | {"check_id": check_id, "key": key, "window": window} | traces)


def _flat(value: "DataclassInstance") -> Json:
    """Return a dataclass's fields, instants as text; the caller replaces those that are values of ours."""
    names, cells_of = _cells(type(value))
    cells = zip(names, cells_of(value), strict=True)
    return {name: instant_text(cell) if isinstance(cell, datetime) else cell for name, cell in cells}


@cache
def _cells(of: "type[DataclassInstance]") -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    names = tuple(field.name for field in fields(of))
    return names, attrgetter(*names)


def _instants(body: Json, *names: str) -> Json:
    return {name: None if body[name] is None else instant(body[name]) for name in names}
