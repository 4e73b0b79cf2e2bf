from datetime import UTC, datetime, timedelta

import pytest

from functions.canary.marker import Marker, envelopes
from functions.configuration import SHIPPED, load_configuration
from functions.evidence.selection.membership_kql import Bounds, all_in_window
from functions.evidence.selection.selectors import TimeWindow
from functions.traces.kql import compose
from functions.traces.model import CANARY_ROLE
from local.azure_monitor.ingestion import Telemetry
from tests.checks.telemetry import Trace

AT = datetime(2026, 11, 20, 10, 1, tzinfo=UTC)
MARKER = Marker("0123456789abcdef" + "fedcba9876543210", AT)
KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.fixture
def telemetry() -> Telemetry:
    made = Telemetry()
    made.ingest(envelopes(MARKER, KEY), delay=timedelta(seconds=1))
    agent = Trace(1)
    agent.tool("search", agent.agent("clerk"))
    made.ingest(agent.envelopes, delay=timedelta(seconds=1))
    return made


def test_a_marker_run_is_an_agent_span_and_a_tool_call_with_content_below_it(telemetry: Telemetry) -> None:
    rows = telemetry.query(
        f'''AppDependencies | where AppRoleName == "{CANARY_ROLE}" | order by ParentId asc
        | project Id, ParentId, OperationId, Operation = tostring(Properties["gen_ai.operation.name"])'''
    ).rows
    trace_id = MARKER.trace_id
    assert rows == [
        ["0123456789abcdef", "", trace_id, "invoke_agent"],
        ["fedcba9876543210", "0123456789abcdef", trace_id, "execute_tool"],
    ]
    content = telemetry.query("AppGenAIContent | project TraceId, SpanId, ToolCallArguments").rows
    assert content == [[trace_id, "fedcba9876543210", f'{{"canary": "{trace_id}"}}']]


@pytest.mark.parametrize("view", ["spans", "runs"])
def test_the_views_that_checks_and_costs_read_have_no_marker_run(telemetry: Telemetry, view: str) -> None:
    kql = compose(
        f"{view} | summarize by Agent",
        attributes=load_configuration(SHIPPED).agents.attributes,
        tables=[],
        received_from=AT - timedelta(hours=1),
        received_to=AT + timedelta(hours=1),
        every=timedelta(minutes=5),
        lookback=timedelta(hours=1),
        settle=timedelta(minutes=5),
    )
    assert telemetry.query(kql).rows == [["clerk"]]


def test_an_export_of_a_window_has_no_marker_run(telemetry: Telemetry) -> None:
    hour = timedelta(hours=1)
    window = TimeWindow(AT - hour, AT + hour)
    chosen = all_in_window(window, Bounds(AT - hour, AT + hour, AT + 9 * hour))
    assert telemetry.query(chosen).rows == [[f"{1:032x}"]]
