"""Builds the envelopes that an agent's spans become on their way to Application Insights."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

START = datetime(2026, 11, 20, 10, 1, tzinfo=UTC)

PROMPT = timedelta(seconds=1)
"""How long after its own time a row is received, unless something is said about it."""

Kind = Literal["RequestData", "RemoteDependencyData", "ExceptionData", "MessageData", "EventData"]


@dataclass(frozen=True)
class Way:
    """How a row reaches the workspace.

    Attributes:
        delay: How long after its own time it is received.
        stands_for: How many rows sampling made it stand for.
        tags: Context tags beside the usual ones, for example {"ai.session.id": "s-1"}.
    """

    delay: timedelta = PROMPT
    stands_for: int = 1
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Trace:
    """One trace under construction; each method adds a span and returns its id.

    Attributes:
        number: Tells traces apart; also their order.
        start: Time of the first span, UTC.
        sample_rate: Per cent of traces that sampling kept.
        envelopes: What the exporter posts, in order.
        delays: For each envelope how long after its own time it is received.
    """

    number: int
    start: datetime = START
    sample_rate: float = 100.0
    envelopes: list[dict[str, Any]] = field(default_factory=list)
    delays: list[timedelta] = field(default_factory=list)

    @property
    def trace_id(self) -> str:
        return f"{self.number:032x}"

    def request(self, *, success: bool = True, **properties: str) -> str:
        return self._span("RequestData", "POST /ask", "", properties, success=success, after=0.0)

    def agent(self, name: str, parent: str = "", *, success: bool = True, **properties: str) -> str:
        return self.span("invoke_agent", parent, success=success, **{"gen_ai.agent.name": name, **properties})

    def tool(
        self, name: str, parent: str, *, success: bool = True, after: float = 0.2, **properties: str
    ) -> str:
        named = {"gen_ai.tool.name": name, **properties}
        return self.span("execute_tool", parent, success=success, after=after, **named)

    def chat(self, parent: str, tokens: tuple[int, int] | None, *, model: str, **properties: str) -> str:
        usage = {}
        if tokens is not None:
            usage = {
                "gen_ai.usage.input_tokens": str(tokens[0]),
                "gen_ai.usage.output_tokens": str(tokens[1]),
            }
        return self.span("chat", parent, **{"gen_ai.response.model": model, **usage, **properties})

    def span(
        self, operation: str, parent: str, *, success: bool = True, after: float = 0.1, **properties: str
    ) -> str:
        named = {"gen_ai.operation.name": operation, **properties} if operation else properties
        return self._span(
            "RemoteDependencyData", operation or "internal", parent, named, success=success, after=after
        )

    def _span(
        self, kind: Kind, name: str, parent: str, properties: dict[str, str], *, success: bool, after: float
    ) -> str:
        body: dict[str, Any] = {
            "name": name,
            "duration": "0.00:00:00.100",
            "success": success,
            "properties": properties,
        }
        body |= {"responseCode": "200"} if kind == "RequestData" else {"resultCode": "0", "type": "InProc"}
        return self.row(kind, body, parent, time=self.start + timedelta(seconds=after))

    def row(self, kind: Kind, body: dict[str, Any], parent: str, *, time: datetime, way: Way = Way()) -> str:
        """Add one envelope and return its span id.

        Args:
            kind: Its baseType.
            body: Its baseData without `ver` and `id`.
            parent: The span id above it; "" for none.
            time: Its own time, UTC.
            way: How it reaches the workspace.
        """
        span_id = f"{self.number:08x}{len(self.envelopes) + 1:08x}"
        tags = {"ai.operation.id": self.trace_id, "ai.cloud.role": "fleet", "ai.application.ver": "1.0.0"}
        if parent:
            tags["ai.operation.parentId"] = parent
        self.envelopes.append(
            {
                "name": f"Microsoft.ApplicationInsights.{kind.removesuffix('Data')}",
                "time": time.isoformat().replace("+00:00", "Z"),
                "iKey": "00000000-0000-0000-0000-000000000000",
                "sampleRate": self.sample_rate / way.stands_for,
                "tags": tags | way.tags,
                "data": {"baseType": kind, "baseData": {"ver": 2, "id": span_id, **body}},
            }
        )
        self.delays.append(way.delay)
        return span_id
