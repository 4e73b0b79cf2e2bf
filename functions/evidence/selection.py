"""Decides what an export request may ask for: one selector, one profile, a reason and a ticket."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.errors import InvalidRequest

MAX_TRACE_IDS = 1_000
MAX_WINDOW = timedelta(days=31)
PROFILES = ("metadata",)

_NONE: frozenset[str] = frozenset()
REQUEST_FIELDS = frozenset({"selector", "profile", "reason", "ticket"})
_SELECTORS = frozenset({"trace_ids", "window", "alert_id"})
_BOUNDS = frozenset({"start", "end"})
_FILTERS = frozenset({"agent", "release"})
_TRACE_ID = re.compile(r"[0-9a-fA-F]{32}")
_ALERT_ID = re.compile(r"[0-9a-f]{16}")
_NAME = re.compile(r"[\w .:/@+()-]{1,128}")
_REASON = re.compile(r"[\w .,:;!?'()/#&%+@-]{1,500}")
_TICKET = re.compile(r"[\w ./:#-]{1,100}")

ResolveAlert = Callable[[str], Sequence[str]]
"""Alert id to its trace ids; raises NotFound where there is no such alert."""


@dataclass(frozen=True, slots=True)
class TraceIds:
    """These traces; 32 lower-case hex digits each, sorted, at least one."""

    trace_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """All traces with a row in [start, end), UTC, of one agent and release where these are given."""

    start: datetime
    end: datetime
    agent: str | None
    release: str | None


@dataclass(frozen=True, slots=True)
class AlertTraces:
    """The traces that an alert names."""

    alert_id: str
    trace_ids: tuple[str, ...]


Selector = TraceIds | TimeWindow | AlertTraces


@dataclass(frozen=True, slots=True)
class Selection:
    """A valid request for an export.

    Attributes:
        selector: Which traces.
        profile: How much the bundle shows; one of `PROFILES`.
        reason: Why the requester needs it, in their words.
        ticket: Where the need is recorded, in the requester's system.
    """

    selector: Selector
    profile: str
    reason: str
    ticket: str

    def body(self) -> dict[str, Any]:
        """Return it in the shape of a request; an alert's trace ids stand beside its id."""
        return {
            "selector": _selector_body(self.selector),
            "profile": self.profile,
            "reason": self.reason,
            "ticket": self.ticket,
        }


def parse_selection(body: object, *, resolve_alert: ResolveAlert) -> Selection:
    """Read the JSON body of a request.

    Args:
        body: `{"selector": {"trace_ids": [...]} | {"window": {"start", "end"[, "agent", "release"]}} |
            {"alert_id": "..."}, "profile": "metadata", "reason": str, "ticket": str}`.
        resolve_alert: Finds the traces of an alert.

    Raises:
        InvalidRequest: Names the field and the rule it breaks, never the value.
        NotFound: There is no such alert.
    """
    fields = _fields(body, "body", REQUEST_FIELDS)
    if fields["profile"] not in PROFILES:
        raise _invalid("profile", f"must be one of: {', '.join(PROFILES)}")
    return Selection(
        selector=_selector(fields["selector"], resolve_alert),
        profile=fields["profile"],
        reason=_line(fields["reason"], "reason", _REASON),
        ticket=_line(fields["ticket"], "ticket", _TICKET),
    )


def stored_selection(body: Mapping[str, Any]) -> Selection:
    """Read back what `Selection.body` gave; an alert's traces stay those of the day it was asked for."""
    selector = dict(body["selector"])
    resolved = selector.pop("trace_ids", ()) if "alert_id" in selector else ()
    return parse_selection({**body, "selector": selector}, resolve_alert=lambda _: resolved)


def well_formed(trace_ids: Iterable[str]) -> Iterator[str]:
    """Yield what can be a trace id: these came out of telemetry, which may call anything one."""
    return (one for one in trace_ids if _TRACE_ID.fullmatch(one))


def parse_trace_id(value: object, field: str = "trace_id") -> str:
    """Return a trace id in lower case.

    Raises:
        InvalidRequest: It is not 32 hex digits, or all zeros.
    """
    if not isinstance(value, str) or not _TRACE_ID.fullmatch(value) or not value.strip("0"):
        raise _invalid(field, "must be 32 hex digits, not all zero")
    return value.lower()


def _selector(value: object, resolve_alert: ResolveAlert) -> Selector:
    fields = _fields(value, "selector", optional=_SELECTORS)
    if len(fields) != 1:
        raise _invalid("selector", f"must hold exactly one of: {', '.join(sorted(_SELECTORS))}")
    if "trace_ids" in fields:
        return TraceIds(_trace_ids(fields["trace_ids"]))
    if "window" in fields:
        return _window(fields["window"])
    alert_id = fields["alert_id"]
    if not isinstance(alert_id, str) or not _ALERT_ID.fullmatch(alert_id):
        raise _invalid("selector.alert_id", "must be 16 lower-case hex digits")
    trace_ids = sorted(set(well_formed(resolve_alert(alert_id))))
    if not trace_ids:
        raise _invalid("selector.alert_id", "names an alert without traces")
    return AlertTraces(alert_id, tuple(trace_ids))


def _trace_ids(value: object) -> tuple[str, ...]:
    field = "selector.trace_ids"
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_TRACE_IDS:
        raise _invalid(field, f"must be a list of 1 to {MAX_TRACE_IDS} trace ids")
    return tuple(sorted({parse_trace_id(item, field) for item in value}))


def _window(value: object) -> TimeWindow:
    field = "selector.window"
    fields = _fields(value, field, _BOUNDS, _FILTERS)
    start, end = (_instant(fields[name], f"{field}.{name}") for name in ("start", "end"))
    if start >= end:
        raise _invalid(field, "must start before it ends")
    if end - start > MAX_WINDOW:
        raise _invalid(field, f"must be at most {MAX_WINDOW.days} days long")
    agent, release = (_name(fields.get(name), f"{field}.{name}") for name in ("agent", "release"))
    return TimeWindow(start, end, agent, release)


def _instant(value: object, field: str) -> datetime:
    rule = "must be an ISO 8601 time with an offset, for example 2026-11-01T00:00:00Z"
    if not isinstance(value, str) or len(value) > 40:
        raise _invalid(field, rule)
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise _invalid(field, rule) from None
    if instant.tzinfo is None or not 2000 <= instant.year <= 2200:
        raise _invalid(field, rule)
    return instant.astimezone(UTC)


def _name(value: object, field: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise _invalid(field, f"must match {_NAME.pattern}")
    return value


def _line(value: object, field: str, allowed: re.Pattern[str]) -> str:
    # People read these words in a portal, a terminal and a bundle: plain text, nothing that is markup.
    line = value.strip() if isinstance(value, str) else ""
    if not allowed.fullmatch(line):
        raise _invalid(field, f"must be one line of plain text that matches {allowed.pattern}")
    return line


def _fields(
    value: object, field: str, required: frozenset[str] = _NONE, optional: frozenset[str] = _NONE
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(field, "must be an object")
    if missing := sorted(required - value.keys()):
        raise _invalid(field, f"must hold: {', '.join(missing)}")
    if value.keys() - required - optional:
        raise _invalid(field, f"may hold only: {', '.join(sorted(required | optional))}")
    return value


def _selector_body(selector: Selector) -> dict[str, Any]:
    match selector:
        case TraceIds(trace_ids):
            return {"trace_ids": list(trace_ids)}
        case AlertTraces(alert_id, trace_ids):
            return {"alert_id": alert_id, "trace_ids": list(trace_ids)}
        case TimeWindow(start, end, agent, release):
            filters = {"agent": agent, "release": release}
            window = {"start": _iso(start), "end": _iso(end)}
            return {"window": window | {name: value for name, value in filters.items() if value is not None}}


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _invalid(field: str, rule: str) -> InvalidRequest:
    return InvalidRequest(f"The field {field} {rule}.", next_step="Correct the request and send it again.")
