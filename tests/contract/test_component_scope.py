"""Where the app may read one component of others, and not their workspace, it works all the same."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.identity import ManagedIdentityCredential
from azure.monitor.query import LogsQueryClient

from functions.checks.finding import Window
from functions.checks.question import question
from functions.checks.windows import Batch
from functions.configuration import SHIPPED, load_configuration
from functions.errors import SourceRefused
from functions.settings import read_logs_settings
from functions.traces.log_analytics import LogAnalytics, client_options, log_analytics
from local.azure_monitor.faults import Faults
from local.azure_monitor.ingestion import Telemetry
from local.azure_monitor.service import create_app
from local.serving import Certificates, Service

CAPTURE = Path(__file__).parents[2] / "../shared/captures/agent-framework/envelopes.jsonl.gz"
GROUP = "/subscriptions/9f1c2d3e-4b5a-6978-8796-a5b4c3d2e1f0/resourceGroups/rg-agents/providers"
COMPONENT = f"{GROUP}/Microsoft.Insights/components/appi-agents"
OTHERS = {
    "the workspace by its id": {"LOGS_WORKSPACE_ID": "6f1f3a3e-9b1c-4c57-8f39-0d3c1c3f9a11"},
    "the workspace as a resource": {
        "LOGS_RESOURCE_ID": f"{GROUP}/Microsoft.OperationalInsights/workspaces/log-agents"
    },
    "another component": {"LOGS_RESOURCE_ID": f"{COMPONENT}-2"},
    "all that the group sends": {"LOGS_RESOURCE_ID": GROUP.removesuffix("/providers")},
}
CONFIGURATION = load_configuration(SHIPPED)
CHECKS = [check for check in CONFIGURATION.checks if check.id in {"cost_spike", "skipped_lookup"}]


@pytest.fixture(scope="module")
def monitor(certificates: Certificates) -> Iterator[tuple[str, datetime]]:
    """Serve real agents' telemetry to who asks that component; return where, and when it was received."""
    with gzip.open(CAPTURE, "rt") as lines:
        envelopes = [json.loads(line) for line in lines]
    telemetry = Telemetry()
    telemetry.ingest(envelopes, delay=timedelta(seconds=5))
    latest = max(datetime.fromisoformat(envelope["time"]) for envelope in envelopes)
    app = create_app(telemetry, Faults(), token_ok=bool, scope=COMPONENT)
    with Service(app, certificates) as service:
        yield service.url, latest.astimezone(UTC)


def source(
    url: str, certificates: Certificates, credential: ManagedIdentityCredential, **given: str
) -> LogAnalytics:
    """Return what the app makes of its settings."""
    settings = read_logs_settings({"LOGS_ENDPOINT": url, **given})
    client = LogsQueryClient(
        credential,
        endpoint=f"{settings.logs_endpoint}/v1",
        connection_verify=str(certificates.authority),
        **client_options(),
    )
    return log_analytics(
        client, workspace_id=settings.logs_workspace_id, resource_id=settings.logs_resource_id
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_checks_are_answered_by_the_component(
    monitor: tuple[str, datetime],
    certificates: Certificates,
    credential: ManagedIdentityCredential,
    check,
) -> None:
    url, latest = monitor
    window = Window(latest + timedelta(minutes=1) - check.every, latest + timedelta(minutes=1))
    asked = question(check, Batch(check.every, (window,)), CONFIGURATION.agents, CONFIGURATION.prices)
    reading = source(url, certificates, credential, LOGS_RESOURCE_ID=COMPONENT)
    assert asked.ask(reading, reading).rows


@pytest.mark.parametrize("given", OTHERS.values(), ids=OTHERS)
def test_nothing_wider_is_answered(
    monitor: tuple[str, datetime],
    certificates: Certificates,
    credential: ManagedIdentityCredential,
    given: dict[str, str],
) -> None:
    url, latest = monitor
    with pytest.raises(SourceRefused):
        source(url, certificates, credential, **given).query(
            "AppRequests | count", since=latest - timedelta(hours=1), until=latest
        )


def test_the_component_s_rows_are_there(
    monitor: tuple[str, datetime], certificates: Certificates, credential: ManagedIdentityCredential
) -> None:
    url, latest = monitor
    rows = source(url, certificates, credential, LOGS_RESOURCE_ID=COMPONENT).query(
        "AppRequests | count", since=latest - timedelta(hours=1), until=latest + timedelta(hours=1)
    )
    assert rows.rows[0][0] > 0
