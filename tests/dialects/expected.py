"""What the views have to make of each dialect's fixture, told from scenario and framework."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tests.dialects.scenario import TOOL

Fact = Literal[
    "agent",
    "run",
    "tool",
    "tool failure",
    "cached tokens",
    "conversation",
    "data as of",
    "arguments",
    "finish reason",
]


@dataclass(frozen=True)
class Expected:
    """One fixture.

    Attributes:
        dialect: The view's `Dialect` of its spans; model calls below may have OpenTelemetry's.
        absent: What the telemetry truly does not carry.
        provider: The view's `Provider` of its model calls, in small letters.
        arguments: The text in which the tool's arguments are recorded, about shipment {0}.
        tool: The tool's name, where the framework changes it.
        goes_on: Whether the framework tells the model of a tool that raised, and lets it answer.
    """

    dialect: str
    absent: frozenset[Fact] = frozenset()
    provider: str = "openai"
    arguments: str = '{{"shipment": "{0}"}}'
    tool: str = TOOL
    goes_on: bool = False


_NO_TOOLS = frozenset[Fact]({"run", "tool", "tool failure", "cached tokens", "data as of", "arguments"})
_MODEL_CALLS_ONLY = _NO_TOOLS | {"agent", "conversation"}

EXPECTED: Mapping[str, Expected] = {
    "openai_v2": Expected("opentelemetry", _MODEL_CALLS_ONLY),
    "openai_v2_old": Expected("opentelemetry", _MODEL_CALLS_ONLY),
    "azure_ai_inference": Expected("azure_ai", _MODEL_CALLS_ONLY, provider="az.ai.inference"),
    "azure_ai_projects": Expected("azure_ai", _NO_TOOLS | {"finish reason"}, provider="microsoft.foundry"),
    "agent_framework": Expected("agent_framework", goes_on=True),
    "langchain_azure": Expected("opentelemetry", frozenset({"cached tokens"})),
    "semantic_kernel": Expected(
        "opentelemetry",
        frozenset({"cached tokens", "conversation"}),
        # Named after the plugin, too.
        tool=f"Shipments-{TOOL}",
        goes_on=True,
    ),
    "openinference_langchain": Expected("openinference", arguments="{0}"),
    "openinference_openai": Expected("openinference"),
    "traceloop_langchain": Expected("traceloop", arguments="{{'shipment': '{0}'}}"),
    "traceloop_sdk_old": Expected("traceloop", arguments='{{"args": [], "kwargs": {{"shipment": "{0}"}}}}'),
}
