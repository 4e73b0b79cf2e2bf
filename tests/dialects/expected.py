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
    "tokens",
    "cached tokens",
    "conversation",
    "data as of",
    "arguments",
]


@dataclass(frozen=True)
class Expected:
    """One fixture.

    Attributes:
        dialect: The view's `Dialect` of its spans.
        absent: What the telemetry truly does not carry.
        tool: The tool's name, where the framework changes it.
        goes_on: Whether the framework tells the model of a tool that raised, and lets it answer.
    """

    dialect: str
    absent: frozenset[Fact] = frozenset()
    tool: str = TOOL
    goes_on: bool = False


_MODEL_CALLS_ONLY = frozenset[Fact](
    {"agent", "run", "tool", "tool failure", "conversation", "data as of", "arguments"}
)

EXPECTED: Mapping[str, Expected] = {
    "langchain_azure": Expected("opentelemetry", frozenset({"cached tokens"})),
    "openai_v2": Expected("opentelemetry", _MODEL_CALLS_ONLY | {"cached tokens"}),
    "openai_v2_old": Expected("opentelemetry", _MODEL_CALLS_ONLY | {"cached tokens"}),
}
