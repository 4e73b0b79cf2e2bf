"""Reads recorded content into its parts: which role said what, which tool was called with what. Pure.

The conventions of OpenTelemetry since 1.37 (role and parts) and those of chat APIs (role, content and
tool_calls) are known; whatever else there is becomes one part.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.evidence.redaction.masking import read_json

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
PARTS = frozenset(
    {
        "text",
        "reasoning",
        "tool_call",
        "tool_call_response",
        "tool_definition",
        "blob",
        "file",
        "uri",
    }
)
UNSHOWN = frozenset({"blob", "file", "uri"})
"""Parts of which nothing but the structure is ever shown: what is in them is not text."""

_SYSTEM, _DEFINITIONS = "gen_ai.system_instructions", "gen_ai.tool.definitions"


@dataclass(frozen=True, slots=True)
class MessagePart:
    """One part of a message; hostile.

    Attributes:
        role: One of `ROLES`, "other", or "" where there is none.
        part: One of `PARTS` or "other".
        tool: The tool's name as recorded, or "".
        value: Text or any JSON value.
    """

    role: str
    part: str
    tool: str
    value: Any


def read_parts(name: str, text: str) -> Iterator[MessagePart]:
    """Yield the parts of a value.

    Args:
        name: The attribute that it was in.
        text: It, as recorded: JSON, cut-off JSON, or text.
    """
    read = read_json(text)
    value: Any = text if read is None else read
    if name == _DEFINITIONS:
        yield from _definitions(value)
    elif name == _SYSTEM:
        for each in value if isinstance(value, list) else [value]:
            yield _part("system", each)
    elif isinstance(value, list) and value and all(_is_message(each) for each in value):
        for each in value:
            yield from _message(each)
    elif isinstance(value, dict) and _is_message(value):
        yield from _message(value)
    else:
        yield MessagePart("", "text" if isinstance(value, str) else "other", "", value)


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and ("role" in value or "parts" in value or "content" in value)


def _message(message: Mapping[str, Any]) -> Iterator[MessagePart]:
    role = _role(message)
    parts = message.get("parts", message.get("content"))
    for each in parts if isinstance(parts, list) else [] if parts is None else [parts]:
        yield _part(role, each)
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        yield _call(role, call)


def _role(message: Mapping[str, Any]) -> str:
    role = message.get("role", "")
    return role if isinstance(role, str) and role in ROLES else "other" if role else ""


def _part(role: str, part: Any) -> MessagePart:
    if not isinstance(part, dict):
        return MessagePart(role, "text" if isinstance(part, str) else "other", "", part)
    kind = part.get("type")
    match kind:
        case "text" | "reasoning":
            held = part.get("content", part.get("text"))
            return MessagePart(role, kind, "", part if held is None else held)
        case "tool_call":
            return _call(role, part)
        case "tool_call_response":
            held = part.get("response", part.get("result"))
            return MessagePart(role, kind, _text(part.get("name")), part if held is None else held)
        case str() if kind in PARTS:
            return MessagePart(role, kind, "", part)
        case _:
            return MessagePart(role, "other", "", part)


def _call(role: str, call: Any) -> MessagePart:
    if not isinstance(call, dict):
        return MessagePart(role, "tool_call", "", call)
    function = call.get("function")
    holder = function if isinstance(function, dict) else call
    return MessagePart(role, "tool_call", _text(holder.get("name")), holder.get("arguments", ""))


def _definitions(value: Any) -> Iterator[MessagePart]:
    for each in value if isinstance(value, list) else [value]:
        holder = each.get("function", each) if isinstance(each, dict) else each
        name = _text(holder.get("name")) if isinstance(holder, dict) else ""
        yield MessagePart("", "tool_definition", name, holder)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
