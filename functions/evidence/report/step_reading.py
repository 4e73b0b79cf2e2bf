"""Reads what a sanitized span was, in whatever dialect it was recorded, as spans.kql does. Pure."""

import re
from collections.abc import Mapping

from functions.traces.model import TraceRow

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_INTEGER = re.compile(r"[0-9]{1,10}")

_CHATS = frozenset({"chat", "text_completion", "generate_content"})
_SAME = frozenset({"invoke_agent", "execute_tool", "retrieval", "embeddings"})
_ROLES: Mapping[str, str] = {
    **dict.fromkeys(("LLM", "chat", "completion"), "chat"),
    **dict.fromkeys(("TOOL", "tool"), "execute_tool"),
    **dict.fromkeys(("EMBEDDING", "embedding"), "embeddings"),
    **dict.fromkeys(("AGENT", "agent"), "invoke_agent"),
    "RETRIEVER": "retrieval",
}
"""What OpenInference (capitals) and Traceloop say in place of the operation's name."""

_SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "invoke_agent": ("gen_ai.agent.name", "microsoft.gen_ai.main_agent.name", "traceloop.entity.name"),
    "execute_tool": ("gen_ai.tool.name", "tool.name", "traceloop.entity.name"),
    "retrieval": ("gen_ai.data_source.id", "traceloop.entity.name"),
}
_INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
_OUTPUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")
_CACHED = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
)


def kind(row: TraceRow) -> str:
    """Return invoke_agent, chat, embeddings, execute_tool, retrieval, or other."""
    operation = row.properties.get("gen_ai.operation.name", "")
    if operation in _CHATS or (
        operation == "invoke_agent" and row.properties.get("gen_ai.provider.name") == "microsoft.foundry"
    ):
        return "chat"
    if operation:
        return operation if operation in _SAME else "other"
    return _ROLES.get(
        first(row, "openinference.span.kind", "traceloop.span.kind", "llm.request.type"), "other"
    )


def subject(row: TraceRow, kind: str) -> str:
    """Return what a span of this kind was about; "" where nothing says so."""
    if kind in {"chat", "embeddings"}:
        return model(row)
    if kind in _SUBJECTS:
        return first(row, *_SUBJECTS[kind])
    if operation := row.properties.get("gen_ai.operation.name", ""):
        return operation
    if row.table == "AppRequests":
        return "request"
    return str(row.columns.get("DependencyType", "")).replace("InProc", "") or "span"


def model(row: TraceRow) -> str:
    """Return the model, without the date of its snapshot, as prices know it; else the one asked for."""
    answered = first(row, "gen_ai.response.model", "llm.model_name")
    return _DATED.sub("", answered) if answered else deployment(row)


def deployment(row: TraceRow) -> str:
    """Return the name that was asked for."""
    return row.properties.get("gen_ai.request.model", "")


def tokens(row: TraceRow) -> tuple[int | None, int | None, int]:
    """Return the tokens of a model call: input, output, and cached ones of the input."""
    return _count(row, _INPUT), _count(row, _OUTPUT), _count(row, _CACHED) or 0


def first(row: TraceRow, *names: str) -> str:
    """Return the first of these properties that is there; "" where none is."""
    return next((row.properties[name] for name in names if row.properties.get(name)), "")


def _count(row: TraceRow, names: tuple[str, ...]) -> int | None:
    given = first(row, *names)
    return int(given) if _INTEGER.fullmatch(given) else None
