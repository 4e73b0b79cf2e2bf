"""Makes one trace of as many spans as wanted: agents call models, tools and retrievers, and try again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

_TURNS_OF_AN_AGENT = 12
_TOOLS = ("get_shipment_status", "get_benefits_policy", "search_claims", "quote_rate")
_MODEL = {"gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06"}


def long_trace(trace_id: str, spans: int, start: datetime) -> list[dict[str, Any]]:
    """Return the envelopes of one trace with exactly so many spans, at least two.

    A fifth of the tool calls fails and is made again; tools answer with data of some age.
    """
    made = _Trace(trace_id, start)
    root = made.span("RequestData", "", {"app.intent": "shipment_status"}, 0)
    turns = _turns(made, root)
    while len(made.envelopes) < spans:
        next(turns)
    made.end(root)
    return made.envelopes


def _turns(made: "_Trace", root: str) -> Iterator[None]:
    """Add a span at each step, for ever."""
    turn, agent = 0, ""
    while True:
        if turn % _TURNS_OF_AN_AGENT == 0:
            made.end(agent)
            name = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "dispatch-assistant"}
            agent = made.span("RemoteDependencyData", root, name, 40)
            yield
        tokens = {
            "gen_ai.usage.input_tokens": str(900 + turn),
            "gen_ai.usage.output_tokens": str(80 + turn % 40),
        }
        made.span("RemoteDependencyData", agent, {"gen_ai.operation.name": "chat", **_MODEL, **tokens}, 420)
        yield
        for failed in (True, False) if turn % 5 == 4 else (False,):
            as_of = made.now - timedelta(minutes=3 + 7 * (turn % 9))
            told = {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": _TOOLS[turn % len(_TOOLS)],
                "tool.data_as_of": as_of.isoformat(timespec="seconds").replace("+00:00", "Z"),
                **({"error.type": "TimeoutError"} if failed else {}),
            }
            tool = made.span("RemoteDependencyData", agent, told, 20, success=not failed)
            yield
            made.span("RemoteDependencyData", tool, {}, 90, success=not failed, kind="HTTP")
            made.end(tool)
            yield
        found = {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.data_source.id": "policies",
            "retrieval.document_count": str(turn % 4),
        }
        made.span("RemoteDependencyData", agent, found, 60)
        yield
        turn += 1


@dataclass
class _Trace:
    trace_id: str
    now: datetime
    envelopes: list[dict[str, Any]] = field(default_factory=list)

    def span(
        self,
        base_type: str,
        parent: str,
        properties: dict[str, str],
        milliseconds: int,
        *,
        success: bool = True,
        kind: str = "InProc",
    ) -> str:
        """Add a span that begins when the latest one was over; return its id."""
        request = base_type == "RequestData"
        span_id = f"be{len(self.envelopes):014x}"
        body = {
            "ver": 2,
            "id": span_id,
            "name": "POST /ask" if request else "step",
            "duration": _duration(timedelta(milliseconds=milliseconds)),
            "success": success,
            "properties": properties,
            **({"responseCode": "200"} if request else {"resultCode": "0", "type": kind}),
        }
        tags = {"ai.operation.id": self.trace_id, "ai.cloud.role": "fleet", "ai.application.ver": "2.4.0"}
        self.envelopes.append(
            {
                "name": f"Microsoft.ApplicationInsights.{base_type.removesuffix('Data')}",
                "time": self.now.isoformat().replace("+00:00", "Z"),
                "iKey": "00000000-0000-0000-0000-000000000000",
                "sampleRate": 100.0,
                "tags": tags | ({"ai.operation.parentId": parent} if parent else {}),
                "data": {"baseType": base_type, "baseData": body},
            }
        )
        self.now += timedelta(milliseconds=milliseconds)
        return span_id

    def end(self, span_id: str) -> None:
        """Let a span end when the latest one does; without an id nothing ends."""
        for envelope in self.envelopes:
            body = envelope["data"]["baseData"]
            if body["id"] == span_id:
                body["duration"] = _duration(self.now - datetime.fromisoformat(envelope["time"]))


def _duration(length: timedelta) -> str:
    hours, rest = divmod(length.total_seconds(), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"0.{int(hours):02}:{int(minutes):02}:{seconds:06.3f}"
