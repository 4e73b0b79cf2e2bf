"""A resolver on fakes, over the telemetry of a small week of two agents."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.access.scope import EVERYTHING, Scope
from functions.evidence.exports.export import Export, State
from functions.evidence.selection.asking import asking_for
from functions.evidence.selection.drawing import Drawing
from functions.evidence.selection.resolving import SourceResolver
from functions.evidence.selection.selection import Selection, parse_selection
from functions.traces.agents import Attributes
from functions.traces.source import TraceSource
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import SOUND, protection

DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 16, 10, tzinfo=UTC)
ASKED = MONDAY + 7 * DAY
WEEK = {"start": "2026-11-16T00:00:00Z", "end": "2026-11-23T00:00:00Z"}
ASKER = "6f0e0d5c-0000-0000-0000-000000000001"
CASE_ATTRIBUTE = "app.claim_number"

ATTRIBUTES = Attributes(
    tenant=("tenant.id",),
    intent=(),
    prompt_version=(),
    environment=(),
    data_as_of=(),
    document_count=(),
    document_ids=(),
    dimensions={"warehouse": ("app.warehouse",), "driver": ("app.driver",)},
    names={"dispatcher-*": "dispatcher"},
)
"""`warehouse` is kept by the shipped redaction policy, `driver` is not."""


def run(
    number: int,
    agent: str = "dispatcher",
    at: datetime = MONDAY,
    *,
    conversation: str = "",
    tenant: str = "",
    release: str = "1.0",
    **properties: str,
) -> list[dict[str, Any]]:
    """Return the envelopes of one run's trace: a request, the agent below it, a tool call below that."""
    trace_id = f"{number:032x}"
    request, agent_span, tool = (f"{number:015x}{digit}" for digit in "abc")
    own = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent}
    own |= {"gen_ai.conversation.id": conversation} if conversation else {}
    own |= {"tenant.id": tenant} if tenant else {}
    tool_facts = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_shipment_status"}
    return [
        envelope("Request", (trace_id, "", request), at, release, {}),
        envelope("RemoteDependency", (trace_id, request, agent_span), at, release, own | properties),
        envelope("RemoteDependency", (trace_id, agent_span, tool), at, release, tool_facts),
    ]


def log(number: int, at: datetime = MONDAY, **properties: str) -> list[dict[str, Any]]:
    """Return the envelope of a log line of a trace."""
    one = envelope("Message", (f"{number:032x}", "", ""), at, "1.0", properties)
    del one["data"]["baseData"]["id"]
    return [one]


def envelope(
    kind: str, ids: tuple[str, str, str], at: datetime, release: str, facts: Mapping[str, str]
) -> dict[str, Any]:
    trace_id, parent, span_id = ids
    span = {
        "duration": "0.00:00:00.050",
        "success": True,
        "name": "step",
        "responseCode": "200",
        "type": "InProc",
    }
    data = {"ver": 2, "id": span_id, "properties": dict(facts), "message": "n/a", "severityLevel": 1} | span
    tags = {"ai.operation.id": trace_id, "ai.operation.parentId": parent, "ai.application.ver": release}
    return {
        "name": f"Microsoft.ApplicationInsights.{kind}",
        "iKey": "00000000-0000-0000-0000-000000000001",
        "time": at.isoformat().replace("+00:00", "Z"),
        "sampleRate": 100,
        "tags": tags | {"ai.cloud.role": "shop.assistant"},
        "data": {"baseType": f"{kind}Data", "baseData": data},
    }


def traces(*numbers: int) -> tuple[str, ...]:
    return tuple(f"{number:032x}" for number in numbers)


def source_of(*runs: list[dict[str, Any]], delay: timedelta = timedelta(seconds=2)) -> TelemetrySource:
    telemetry = Telemetry()
    telemetry.ingest([one for run in runs for one in run], delay=delay)
    return TelemetrySource(telemetry)


class Choices:
    """A resolver on fakes, each of which a test may replace."""

    def __init__(self, source: TraceSource, attributes: Attributes = ATTRIBUTES) -> None:
        self.source = source
        self.attributes = attributes
        self.documents = MemoryDocuments()
        self.work = MemoryObjects()
        self.log = MemoryAppendLog()

    @property
    def resolver(self) -> SourceResolver:
        drawing = Drawing(self.documents, self.work, self.log, lambda: ASKED)
        return SourceResolver(self.source, self.attributes, CASE_ATTRIBUTE, protection(), drawing)

    def selection(self, selector: Mapping[str, Any], scope: Scope = EVERYTHING) -> Selection:
        asking = asking_for(
            self.attributes, protection().policy, protection().pseudonyms, case_attribute=CASE_ATTRIBUTE
        )
        return parse_selection(
            SOUND | {"selector": selector}, resolve_alert=lambda _: traces(1), asking=asking, scope=scope
        )

    def export(
        self, selector: Mapping[str, Any], scope: Scope = EVERYTHING, *, export_id: str = "e" * 32
    ) -> Export:
        return Export(export_id, State.RUNNING, self.selection(selector, scope), ASKER, ASKED)
