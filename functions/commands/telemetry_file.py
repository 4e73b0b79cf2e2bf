"""Reads telemetry out of a file: envelopes as exporters post them, or rows as a query gives them."""

import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from functions.errors import InvalidRequest
from functions.evidence.redaction.content import CONTENT_COLUMNS, CONTENT_TABLE
from functions.traces.model import TABLES

_TABLE_OF = {
    "RequestData": "AppRequests",
    "RemoteDependencyData": "AppDependencies",
    "MessageData": "AppTraces",
    "ExceptionData": "AppExceptions",
    "EventData": "AppEvents",
}
_COLUMN_OF = {
    "ai.application.ver": "AppVersion",
    "ai.cloud.role": "AppRoleName",
    "ai.cloud.roleInstance": "AppRoleInstance",
    "ai.device.type": "ClientType",
    "ai.internal.sdkVersion": "SDKVersion",
    "ai.location.ip": "ClientIP",
    "ai.operation.name": "OperationName",
    "ai.session.id": "SessionId",
    "ai.user.accountId": "UserAccountId",
    "ai.user.authUserId": "UserAuthenticatedId",
    "ai.user.id": "UserId",
    "ai.user.userAgent": "ClientBrowser",
    "responseCode": "ResultCode",
    "type": "DependencyType",
    "typeName": "ExceptionType",
    "stack": "Details",
}
"""Where a tag or field of an envelope lands; other fields keep their name, its first letter a capital."""

_DURATION = re.compile(r"(?:([0-9]+)\.)?([0-9]{1,2}):([0-9]{2}):([0-9]{2}(?:\.[0-9]+)?)")
_OWN = frozenset({"TimeGenerated", "OperationId", "ParentId", "Id", "Properties", "Type", "TenantId"})


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """One row of a file; hostile.

    Attributes:
        table: One of the trace's tables, or AppGenAIContent.
        columns: Its columns, but for those that a policy has no say in.
        properties: Its properties.
    """

    table: str
    columns: Mapping[str, Any]
    properties: Mapping[str, Any]


def read_telemetry(file: Path, table: str | None) -> Iterator[RecordedRow]:
    """Yield the rows of a file; envelopes that become none (metrics) are left out.

    Args:
        file: JSON Lines, a list, or an answer of the query API; `.gz` is unpacked.
        table: The table of rows that don't say theirs in the column Type.

    Raises:
        InvalidRequest: It can't be read, or holds something else.
    """
    for number, record in enumerate(_records(file), 1):
        row = _row(record, table) if isinstance(record, dict) else None
        if row is None:
            raise InvalidRequest(
                f"{file}, record {number}: no envelope, and no row of a table of traces.",
                next_step="Add the column Type to the query, or name the table with --table.",
            )
        if row.table:
            yield row


def _records(file: Path) -> Iterator[Any]:
    try:
        data = file.read_bytes()
        if file.suffix == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise InvalidRequest(
            f"{file} can't be read ({type(error).__name__}).", next_step="Correct its name."
        ) from None
    try:
        whole = orjson.loads(data)
    except orjson.JSONDecodeError:
        yield from _lines(file, data)
        return
    if isinstance(whole, dict) and isinstance(whole.get("tables"), list):
        for answer in whole["tables"]:
            names = [column["name"] for column in answer["columns"]]
            yield from (dict(zip(names, row, strict=True)) for row in answer["rows"])
    else:
        yield from whole if isinstance(whole, list) else [whole]


def _lines(file: Path, data: bytes) -> Iterator[Any]:
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError:
                raise InvalidRequest(
                    f"{file}, line {number}: not JSON.", next_step="Give one JSON object a line."
                ) from None


def _row(record: Mapping[str, Any], table: str | None) -> RecordedRow | None:
    if isinstance(record.get("data"), dict) and "baseType" in record["data"]:
        return _of_envelope(record)
    named = record.get("Type") or table
    if named == CONTENT_TABLE:
        content = {name: record[column] for column, name in CONTENT_COLUMNS.items() if record.get(column)}
        return RecordedRow(CONTENT_TABLE, {}, content)
    if named not in TABLES:
        return None
    columns = {name: value for name, value in record.items() if name not in _OWN and value not in {None, ""}}
    return RecordedRow(named, columns, _bag(record.get("Properties")))


def _of_envelope(envelope: Mapping[str, Any]) -> RecordedRow:
    data = envelope["data"]
    body = dict(data.get("baseData") or {})
    properties = _bag(body.pop("properties", None))
    exceptions = body.pop("exceptions", None) or [{}]
    fields = {**(envelope.get("tags") or {}), **body, **exceptions[0]}
    columns = {
        _COLUMN_OF.get(name, name[:1].upper() + name[1:]): value
        for name, value in fields.items()
        if (name in _COLUMN_OF or not name.startswith("ai."))
        and name not in {"id", "ver", "duration", "hasFullStack"}
        and isinstance(value, str | int | float | bool)
        and value != ""
    }
    if "duration" in body:
        columns["DurationMs"] = _milliseconds(str(body["duration"]))
    return RecordedRow(_TABLE_OF.get(data["baseType"], ""), columns, properties)


def _milliseconds(text: str) -> float | str:
    """Read "d.hh:mm:ss.fff"; what is something else stays as it is."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return text
    days, hours, minutes, seconds = found.groups()
    return round((int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000, 4)


def _bag(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return {"Properties": value} if value else {}
    return value if isinstance(value, dict) else {}
