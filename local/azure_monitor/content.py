"""Moves GenAI content out of a row into AppGenAIContent, as Application Insights does since 2026-09-30.

The seven attributes' keys stay in Properties with a short pointer as value. The pointer's exact form is
not documented; readers may rely on `_MS.GenAIContentId` alone. Content of an event or a log record is put
under the span it hangs on, so that one span may have several rows there.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from local.azure_monitor.envelopes import Row

CONTENT_TABLE = "AppGenAIContent"

COLUMN_OF_CONTENT = {
    "gen_ai.input.messages": "InputMessages",
    "gen_ai.output.messages": "OutputMessages",
    "gen_ai.system_instructions": "SystemInstructions",
    "gen_ai.tool.definitions": "ToolDefinitions",
    "gen_ai.tool.call.arguments": "ToolCallArguments",
    "gen_ai.tool.call.result": "ToolCallResult",
    "gen_ai.evaluation.explanation": "EvaluationExplanation",
}
"""The seven attributes whose values move, and the column each moves to."""

POINTER = "_MS.GenAIContentId"

_ROUTED_TABLES = frozenset({"AppDependencies", "AppTraces", "AppEvents"})
_NAMESPACE = uuid.UUID("5f2a7c1e-0d7b-4c5a-9a55-3c1a0be1f0aa")


def move_content(row: Row) -> tuple[Row, Row | None]:
    """Return the row without its content, and the row of AppGenAIContent that holds it (None without any)."""
    properties: Mapping[str, str] = row.values["Properties"]
    moved = {key: properties[key] for key in COLUMN_OF_CONTENT if key in properties}
    if row.table not in _ROUTED_TABLES or not moved:
        return row, None
    span_id = row.values.get("Id") or row.values.get("ParentId", "")
    trace_id = row.values.get("OperationId", "")
    content_id = str(uuid.uuid5(_NAMESPACE, f"{row.table}/{trace_id}/{span_id}/{row.time.isoformat()}"))
    pointers = dict.fromkeys(moved, f"{CONTENT_TABLE}:{content_id}")
    kept = {**properties, **pointers, POINTER: content_id}
    content = Row(CONTENT_TABLE, row.time, _content_values(row, moved, content_id, trace_id, span_id))
    return Row(row.table, row.time, {**row.values, "Properties": kept}), content


def _content_values(
    row: Row, moved: Mapping[str, str], content_id: str, trace_id: str, span_id: str
) -> dict[str, Any]:
    properties: Mapping[str, str] = row.values["Properties"]
    namespace, _, service = row.values.get("AppRoleName", "").rpartition(".")
    return {
        "Id": content_id,
        "TraceId": trace_id,
        "SpanId": span_id,
        "ParentSpanId": row.values.get("ParentId", "") if row.values.get("Id") else "",
        "AgentId": properties.get("gen_ai.agent.id", ""),
        "AgentName": properties.get("gen_ai.agent.name", ""),
        "ModelName": properties.get("gen_ai.response.model") or properties.get("gen_ai.request.model", ""),
        "RoleName": row.values.get("AppRoleName", ""),
        "ServiceName": service,
        "ServiceNamespace": namespace,
        "ServiceInstanceId": row.values.get("AppRoleInstance", ""),
        "Attributes": {},
        **{COLUMN_OF_CONTENT[key]: value for key, value in moved.items()},
    }
