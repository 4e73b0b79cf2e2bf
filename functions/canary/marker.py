"""The marker run: what it consists of, so that it can be recognized wherever it turns up. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.traces.model import CANARY_ROLE

CONVERSATION = "tracekeeper-canary"
TOOL = "tracekeeper_canary"


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker run.

    Attributes:
        trace_id: 32 hexadecimal digits, its own.
        at: When it was sent, UTC.
    """

    trace_id: str
    at: datetime

    @property
    def agent_span_id(self) -> str:
        """The span of the run itself."""
        return self.trace_id[:16]

    @property
    def tool_span_id(self) -> str:
        """The span of its one tool call, which carries the content."""
        return self.trace_id[16:]

    @property
    def arguments(self) -> str:
        """What the tool was called with: the content that is asked for."""
        return ARGUMENTS_BEGIN + self.trace_id + ARGUMENTS_END


ARGUMENTS_BEGIN, ARGUMENTS_END = '{"canary": "', '"}'
"""What stands before and after the trace id in the arguments."""


def envelopes(marker: Marker, instrumentation_key: str) -> list[Mapping[str, Any]]:
    """Return the run as Application Insights takes it: what Microsoft's exporter makes of the same two spans.

    Args:
        marker: The run.
        instrumentation_key: Of the component that it is sent to.
    """
    shared = {
        "gen_ai.agent.name": CANARY_ROLE,
        "gen_ai.conversation.id": CONVERSATION,
        "gen_ai.provider.name": "tracekeeper",
    }
    run = {"gen_ai.operation.name": "invoke_agent", **shared}
    call = {
        "gen_ai.operation.name": "execute_tool",
        **shared,
        "gen_ai.tool.name": TOOL,
        "gen_ai.tool.call.id": marker.tool_span_id,
        "gen_ai.tool.call.arguments": marker.arguments,
    }
    return [
        _envelope(marker, instrumentation_key, marker.agent_span_id, "", f"invoke_agent {CANARY_ROLE}", run),
        _envelope(
            marker,
            instrumentation_key,
            marker.tool_span_id,
            marker.agent_span_id,
            f"execute_tool {TOOL}",
            call,
        ),
    ]


def _envelope(  # noqa: PLR0917 - the two calls stand above
    marker: Marker,
    instrumentation_key: str,
    span_id: str,
    parent_id: str,
    name: str,
    properties: Mapping[str, str],
) -> Mapping[str, Any]:
    tags = {"ai.cloud.role": CANARY_ROLE, "ai.operation.id": marker.trace_id}
    return {
        "name": "Microsoft.ApplicationInsights.RemoteDependency",
        "time": marker.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "iKey": instrumentation_key,
        "tags": tags | ({"ai.operation.parentId": parent_id} if parent_id else {}),
        "data": {
            "baseType": "RemoteDependencyData",
            "baseData": {
                "ver": 2,
                "id": span_id,
                "name": name,
                "duration": "0.00:00:00.001",
                "resultCode": "0",
                "success": True,
                "type": "InProc",
                "properties": dict(properties),
            },
        },
    }
