"""Turns one Application Insights envelope into one row of an Azure Monitor table.

The mapping is that of the ingestion service as seen from its two ends: what
azure-monitor-opentelemetry-exporter 1.0.0b58 posts, and Microsoft's reference of the App* tables.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

TABLE_OF = {
    "RequestData": "AppRequests",
    "RemoteDependencyData": "AppDependencies",
    "MessageData": "AppTraces",
    "ExceptionData": "AppExceptions",
    "EventData": "AppEvents",
}
"""Which table an envelope's baseType becomes a row of. MetricData goes nowhere: no trace is made of it."""

IGNORED = frozenset({"MetricData"})

_COLUMN_OF_TAG = {
    "ai.application.ver": "AppVersion",
    "ai.cloud.role": "AppRoleName",
    "ai.cloud.roleInstance": "AppRoleInstance",
    "ai.device.model": "ClientModel",
    "ai.device.osVersion": "ClientOS",
    "ai.device.type": "ClientType",
    "ai.internal.sdkVersion": "SDKVersion",
    "ai.location.ip": "ClientIP",
    "ai.operation.id": "OperationId",
    "ai.operation.name": "OperationName",
    "ai.operation.parentId": "ParentId",
    "ai.operation.syntheticSource": "SyntheticSource",
    "ai.session.id": "SessionId",
    "ai.user.accountId": "UserAccountId",
    "ai.user.authUserId": "UserAuthenticatedId",
    "ai.user.id": "UserId",
    "ai.user.userAgent": "ClientBrowser",
}

_COLUMNS_OF_FIELDS = {
    "RequestData": {
        "id": "Id",
        "name": "Name",
        "responseCode": "ResultCode",
        "source": "Source",
        "success": "Success",
        "url": "Url",
    },
    "RemoteDependencyData": {
        "data": "Data",
        "id": "Id",
        "name": "Name",
        "resultCode": "ResultCode",
        "success": "Success",
        "target": "Target",
        "type": "DependencyType",
    },
    "MessageData": {"message": "Message", "severityLevel": "SeverityLevel"},
    "ExceptionData": {"problemId": "ProblemId", "severityLevel": "SeverityLevel"},
    "EventData": {"name": "Name"},
}

_DURATION = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)")


class EnvelopeError(ValueError):
    """An envelope that the ingestion service would refuse; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        table: The table's name.
        time: The envelope's own time, UTC.
        values: Column name to value; columns left out are empty.
    """

    table: str
    time: datetime
    values: dict[str, Any]


def row_of(envelope: Mapping[str, Any]) -> Row | None:
    """Return the row that an envelope becomes, or None where it becomes none (a metric).

    Raises:
        EnvelopeError: It has no time, or no data of a known type.
    """
    data = _bag(_bag(envelope, "envelope").get("data"), "data")
    base_type = data.get("baseType")
    if base_type in IGNORED:
        return None
    if base_type not in TABLE_OF:
        raise EnvelopeError("unknown baseType")
    body = _bag(data.get("baseData"), "baseData")
    values = {
        **_context(envelope),
        **{column: body[name] for name, column in _COLUMNS_OF_FIELDS[base_type].items() if name in body},
        "Properties": {
            str(key): _text(value) for key, value in _bag(body.get("properties"), "properties").items()
        },
        "Measurements": dict(_bag(body.get("measurements"), "measurements")),
    }
    if "duration" in body:
        values["DurationMs"] = duration_ms(str(body["duration"]))
    if base_type == "ExceptionData":
        values.update(_exception(body.get("exceptions")))
    return Row(TABLE_OF[base_type], _time(envelope), values)


def duration_ms(text: str) -> float:
    """Read a duration as the exporter writes it (`d.hh:mm:ss.fff`), in milliseconds."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise EnvelopeError("duration is malformed")
    days, hours, minutes, seconds = found.groups()
    whole_minutes = (int(days or 0) * 24 + int(hours)) * 60 + int(minutes)
    return round(whole_minutes * 60_000 + float(seconds) * 1000, 4)


def _context(envelope: Mapping[str, Any]) -> dict[str, Any]:
    tags = _bag(envelope.get("tags"), "tags")
    context: dict[str, Any] = {c: str(tags[tag]) for tag, c in _COLUMN_OF_TAG.items() if tag in tags}
    context["IKey"] = str(envelope.get("iKey", ""))
    rate = envelope.get("sampleRate") or 100.0
    if not isinstance(rate, int | float) or rate <= 0:
        raise EnvelopeError("sampleRate is malformed")
    # A rate of 25 (percent) means that this row stands for four.
    context["ItemCount"] = max(1, round(100 / rate))
    return context


def _exception(exceptions: object) -> dict[str, Any]:
    if not isinstance(exceptions, list) or not exceptions:
        raise EnvelopeError("exceptions are missing")
    chain = [_bag(one, "exception") for one in exceptions]
    outer, innermost = chain[0], chain[-1]
    details = [
        {
            "outerId": str(index - 1) if index else "0",
            "message": _text(one.get("message")),
            "type": _text(one.get("typeName")),
            "id": str(index),
            "rawStack": _text(one.get("stack")),
        }
        for index, one in enumerate(chain)
    ]
    return {
        "ExceptionType": _text(outer.get("typeName")),
        "OuterType": _text(outer.get("typeName")),
        "OuterMessage": _text(outer.get("message")),
        "InnermostType": _text(innermost.get("typeName")),
        "InnermostMessage": _text(innermost.get("message")),
        "ProblemId": _text(outer.get("typeName")),
        "Details": details,
    }


def _time(envelope: Mapping[str, Any]) -> datetime:
    try:
        time = datetime.fromisoformat(str(envelope.get("time")))
    except ValueError:
        raise EnvelopeError("time is malformed") from None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _bag(value: object, what: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise EnvelopeError(f"{what} is malformed")
    return value


def _text(value: object) -> str:
    return "" if value is None else str(value)
