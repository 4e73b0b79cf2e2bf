"""Turns the traces of a fixture into the envelopes that instrumented agents send."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.checks.telemetry import PROMPT, Kind, Trace, Way

Body = Mapping[str, Any]

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_STEP = timedelta(milliseconds=100)
"""How long after the span above it a span begins, and how long it takes, unless it says so."""

_TAGS = {
    "release": "ai.application.ver",
    "session": "ai.session.id",
    "user": "ai.user.authUserId",
}
_OF_TRACE = ("conversation", "late", "sampled", "release", "user", "session", "twice")
"""What a trace may say for all its spans."""


def offset(text: str) -> timedelta:
    """Read "100ms", "90s", "5m", "-2h" or "1d"."""
    found = re.fullmatch(r"(-?[0-9.]+)(ms|s|m|h|d)", text)
    assert found is not None, text
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


def traces_of(body: Body, *, begins: datetime, first: int, own: Callable[[str], str]) -> Iterator[Trace]:
    """Build one trace of a fixture, as often as it is repeated.

    Args:
        body: A trace as fixtures.schema.json has accepted it.
        begins: The beginning of the judged hour, UTC.
        first: The number of the first of them.
        own: Gives an agent's name as its case alone uses it.
    """
    start = begins + offset(body.get("at", "1m"))
    for n in range(body.get("repeat", 1)):
        trace = Trace(first + n, start=start + n * offset(body.get("every", "1s")))
        spans = _Spans(trace, {key: body[key] for key in _OF_TRACE if key in body}, own)
        spans.add(_roots(body), parent="", at=trace.start)
        yield trace


def _roots(body: Body) -> list[Body]:
    if "agent" not in body:
        return list(body["spans"])
    of_trace = {"name", "at", "repeat", "every", "request", *_OF_TRACE} - {"conversation"}
    run = {key: value for key, value in body.items() if key not in of_trace}
    return [{"request": "POST /ask", "after": "0s", "spans": [run], **body.get("request", {})}]


@dataclass(frozen=True)
class _Spans:
    trace: Trace
    shared: Body
    own: Callable[[str], str]

    def add(self, bodies: list[Body], *, parent: str, at: datetime) -> None:
        for body in bodies:
            for n in range(body.get("repeat", 1)):
                after = offset(body["after"]) if "after" in body else _STEP
                begins = at + after + n * offset(body.get("every", "100ms"))
                self._add_one({**self.shared, **body}, parent, begins)

    def _add_one(self, body: Body, parent: str, begins: datetime) -> None:
        what = next(kind for kind in _BASE if kind in body)
        base = _base_of(what, body)
        row = _FIELDS[base](what, body)
        row["properties"] = {**self._properties(what, body, begins), **self._dotted(body)}
        way = Way(
            delay=offset(body["late"]) if "late" in body else PROMPT,
            stands_for=body.get("sampled", 1),
            tags={tag: body[key] for key, tag in _TAGS.items() if key in body},
        )
        above = "f" * 16 if body.get("orphan") else parent
        span_id = self.trace.row(base, row, above, time=begins, way=way)
        if body.get("twice"):
            self.trace.envelopes.append(self.trace.envelopes[-1])
            self.trace.delays.append(way.delay)
        self.add(body.get("spans", []), parent=span_id, at=begins)

    def _properties(self, what: str, body: Body, begins: datetime) -> dict[str, str]:
        named = {} if what in _UNNAMED else {"gen_ai.operation.name": _OPERATION.get(what, what)}
        if what == "agent" and body["agent"]:
            named["gen_ai.agent.name"] = self.own(body["agent"])
        if what in {"chat", "embeddings"}:
            named["gen_ai.request.model"] = body[what]
            if body.get("success", True):
                named["gen_ai.response.model"] = body[what]
        if "data_age" in body:
            moment = begins - offset(body["data_age"])
            named["tool.data_as_of"] = moment.isoformat().replace("+00:00", "Z")
        if "tokens" in body:
            for direction, count in zip(("input", "output"), body["tokens"], strict=True):
                named[f"gen_ai.usage.{direction}_tokens"] = str(count)
        if "finish" in body:
            named["gen_ai.response.finish_reasons"] = f'["{body["finish"]}"]'
        if "conversation" in body and (what in {"request", "agent"} or "conversation" not in self.shared):
            named["gen_ai.conversation.id"] = body["conversation"]
        simple = {**_PROPERTY_OF_KEY, **({what: _NAME_PROPERTY[what]} if what in _NAME_PROPERTY else {})}
        return named | {name: str(body[key]) for key, name in simple.items() if key in body}

    def _dotted(self, body: Body) -> dict[str, str]:
        """Return what the fixture gives by its property's name; such names have a dot."""
        given = {key: _written_out(value) for key, value in body.items() if "." in key}
        if "gen_ai.agent.name" in given:
            given["gen_ai.agent.name"] = self.own(given["gen_ai.agent.name"])
        return given


_BASE: Mapping[str, Kind] = {
    "exception": "ExceptionData",
    "evaluation": "MessageData",
    "log": "MessageData",
    "request": "RequestData",
    "agent": "RemoteDependencyData",
    "tool": "RemoteDependencyData",
    "chat": "RemoteDependencyData",
    "embeddings": "RemoteDependencyData",
    "retrieval": "RemoteDependencyData",
    "span": "RemoteDependencyData",
}
_UNNAMED = frozenset({"request", "span", "exception", "evaluation", "log"})
_OPERATION = {"agent": "invoke_agent", "tool": "execute_tool"}
_NAME_PROPERTY = {
    "tool": "gen_ai.tool.name",
    "retrieval": "gen_ai.data_source.id",
    "evaluation": "gen_ai.evaluation.name",
}
_PROPERTY_OF_KEY = {
    "arguments": "gen_ai.tool.call.arguments",
    "cached": "gen_ai.usage.cache_read.input_tokens",
    "call_id": "gen_ai.tool.call.id",
    "documents": "retrieval.document_count",
    "label": "gen_ai.evaluation.score.label",
    "result": "gen_ai.tool.call.result",
    "score": "gen_ai.evaluation.score.value",
}


def _written_out(value: Any) -> str:
    return value["text"] * value["times"] if isinstance(value, dict) else str(value)


def _base_of(what: str, body: Body) -> Kind:
    return "EventData" if body.get("as") == "event" else _BASE[what]


def _span_fields(what: str, body: Body) -> dict[str, Any]:
    success = body.get("success", True)
    fields = {"name": _span_name(what, body), "success": success, "duration": _duration(body)}
    if what == "request":
        return fields | {"responseCode": body.get("code", "200" if success else "500")}
    return fields | {"resultCode": body.get("code", "0"), "type": "InProc"}


def _span_name(what: str, body: Body) -> str:
    return str(body[what]) if what in {"request", "span"} else f"{_OPERATION.get(what, what)} {body[what]}"


def _duration(body: Body) -> str:
    seconds = (offset(body["takes"]) if "takes" in body else _STEP).total_seconds()
    minutes, seconds = divmod(seconds, 60)
    return f"0.{int(minutes) // 60:02}:{int(minutes) % 60:02}:{seconds:06.3f}"


def _exception_fields(_: str, body: Body) -> dict[str, Any]:
    thrown = {"typeName": body["exception"], "message": body.get("message", ""), "stack": ""}
    return {"exceptions": [thrown]}


def _log_fields(what: str, body: Body) -> dict[str, Any]:
    return {"message": body["log"] if what == "log" else "n/a", "severityLevel": 1}


def _event_fields(what: str, _: Body) -> dict[str, Any]:
    return {"name": f"gen_ai.{what}.result"}


_FIELDS: Mapping[Kind, Callable[[str, Body], dict[str, Any]]] = {
    "RequestData": _span_fields,
    "RemoteDependencyData": _span_fields,
    "ExceptionData": _exception_fields,
    "MessageData": _log_fields,
    "EventData": _event_fields,
}
