"""Telemetry of two small traces, as envelopes and as rows, and the product's own protection."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from functions.evidence.assembly import Gathered, Protection, build_bundle, gather_rows
from functions.evidence.detectors import standard_detectors
from functions.evidence.policy import redaction_policy
from functions.evidence.pseudonyms import Pseudonyms
from functions.evidence.selection import Selection, parse_selection
from functions.traces.model import TABLES, Scalar, TraceRow
from functions.traces.rows import Scope, Slice, SliceRows

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "0af7651916cd43dd8448eb211c80319c"
ABSENT = "ffffffffffffffffffffffffffffffff"
REQUEST, AGENT, TOOL = "00f067aa0ba902b7", "b7ad6b7169203331", "00f067aa0ba902b9"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "Ada Lovelace lives in Marylebone, card 4111111111111111"
SOUND = {"profile": "metadata", "reason": "weekly review", "ticket": "OPS-1"}


@cache
def protection() -> Protection:
    shipped = Path(__file__).parents[3] / "config/redaction.yaml"
    policy = redaction_policy(yaml.safe_load(shipped.read_text(encoding="utf-8")))
    return Protection(policy, Pseudonyms(bytes(range(32)), "test"), standard_detectors())


def selection(selector: Mapping[str, Any] | None = None) -> Selection:
    body = SOUND | {"selector": selector or {"trace_ids": [TRACE]}}
    return parse_selection(body, resolve_alert=lambda _: [TRACE])


def row(table: str = "AppDependencies", /, **changes: Any) -> TraceRow:
    columns: Mapping[str, Scalar] = {"AppRoleName": "shop.assistant", "AppVersion": "2.0", "ItemCount": 1}
    facts: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": TOOL if table in {"AppRequests", "AppDependencies"} else "",
        "parent_id": "",
        "time": NOON,
        "received": NOON + timedelta(seconds=2),
        "columns": columns,
        "properties": {},
    }
    return TraceRow(table=table, **(facts | changes))


def envelopes(trace_id: str = TRACE, at: datetime = NOON, *, sampled: int = 1) -> list[dict[str, Any]]:
    """Return the seven envelopes of a trace: a request, two spans, two logs, an exception and an event."""
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_shipment_status"}
    agent = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "dispatcher",
        "customer.name": SECRET,
    }
    fault = {"typeName": "TimeoutError", "message": SECRET, "hasFullStack": True, "stack": SECRET}
    parts: list[tuple[str, str, dict[str, Any]]] = [
        (
            "Request",
            "",
            {"id": REQUEST, "name": "POST /ask", "responseCode": "200", "url": f"https://x/?q={SECRET}"},
        ),
        ("RemoteDependency", REQUEST, {"id": AGENT, "name": SECRET, "type": "InProc", "properties": agent}),
        (
            "RemoteDependency",
            AGENT,
            {"id": TOOL, "name": "execute_tool", "type": "InProc", "properties": tool, "success": False},
        ),
        ("Message", TOOL, {"message": SECRET, "severityLevel": 1}),
        ("Message", "dddddddddddddddd", {"message": SECRET, "severityLevel": 1}),
        ("Exception", TOOL, {"exceptions": [fault], "severityLevel": 3}),
        (
            "Event",
            AGENT,
            {"name": "gen_ai.evaluation.result", "properties": {"gen_ai.evaluation.name": "tone"}},
        ),
    ]
    return [
        _envelope(kind, data, sampled, at + timedelta(milliseconds=number))
        | {"tags": _TAGS | {"ai.operation.id": trace_id, "ai.operation.parentId": parent}}
        for number, (kind, parent, data) in enumerate(parts)
    ]


_TAGS = {"ai.cloud.role": "shop.assistant", "ai.application.ver": "2.0"}


def _envelope(kind: str, data: dict[str, Any], sampled: int, at: datetime) -> dict[str, Any]:
    span = {"duration": "0.00:00:00.050", "success": True} if kind in {"Request", "RemoteDependency"} else {}
    return {
        "name": f"Microsoft.ApplicationInsights.{kind}",
        "iKey": "00000000-0000-0000-0000-000000000001",
        "time": at.isoformat().replace("+00:00", "Z"),
        "sampleRate": 100 / sampled,
        "data": {"baseType": f"{kind}Data", "baseData": {"ver": 2, **span, **data}},
    }


def slices(*rows: TraceRow, more_at_source: int = 0) -> list[SliceRows]:
    """Return what a source gave that holds these rows; it counts `more_at_source` more in the first table."""
    return [
        SliceRows(
            Slice(table, (TRACE,), NOON - timedelta(days=1), NOON + timedelta(days=1)),
            len(held := tuple(row for row in rows if row.table == table))
            + (more_at_source if table == TABLES[0] else 0),
            held,
        )
        for table in TABLES
    ]


def gathered(*rows: TraceRow, missing: tuple[str, ...] = (), more_at_source: int = 0) -> Gathered:
    day = timedelta(days=1)
    ids = tuple(sorted({row.trace_id for row in rows}))
    scope = Scope(ids, missing, 0, NOON - day, NOON + day)
    return gather_rows(scope, slices(*rows, more_at_source=more_at_source), protection())


ROWS = (
    row("AppRequests", span_id=REQUEST),
    row(span_id=AGENT, parent_id=REQUEST, properties={"gen_ai.agent.name": "dispatcher", "customer": SECRET}),
    row("AppTraces", parent_id=AGENT, columns={"Message": SECRET}),
    row("AppExceptions", parent_id=AGENT, columns={"ExceptionType": "TimeoutError", "OuterMessage": SECRET}),
)


def bundle(*rows: TraceRow) -> bytes:
    return build_bundle(selection(), gathered(*(rows or ROWS)), protection())
