import base64
from pathlib import Path

import pytest

from functions.alerts.answer import Rejected
from functions.clients import connect
from functions.configuration import SHIPPED, load_configuration
from functions.delivery.channels import channels
from functions.delivery.destinations.webhook import WebhookDestination
from functions.errors import ConfigurationError, NotFound, SettingsError
from functions.overlay.standing import Standing
from functions.settings import read_settings
from functions.wiring import Services, build, hold
from functions.wiring_evidence import alert_traces
from tests.fakes.storage import MemoryDocuments

GUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
SETTINGS = {
    "LOGS_WORKSPACE_ID": GUID,
    "STORAGE_BLOB_ENDPOINT": "https://account.blob.core.windows.net",
    "AZURE_CLIENT_ID": GUID,
    "TEAMS_WEBHOOK_URL": "https://prod.example.com/workflows/1?sig=sesame",
    "PSEUDONYM_KEY": base64.b64encode(b"k" * 32).decode(),
    "PSEUDONYM_KEY_ID": "first",
    "SIGNING_KEY": "https://vault.example.com/keys/evidence",
    "AUTH_TENANT_ID": GUID,
    "AUTH_CLIENT_ID": GUID,
    "WEBSITE_AUTH_ENABLED": "True",
    "WEBSITE_HOSTNAME": "tracekeeper.azurewebsites.net",
}


def built(**settings: str) -> Services:
    return build(connect(read_settings(SETTINGS | settings)), load_configuration(SHIPPED), Standing())


def test_the_services_are_built_without_asking_azure() -> None:
    services = built()
    assert services.sign_in.enabled
    assert services.sign_in.tenant_id == services.sign_in.audience == GUID
    assert len(services.configuration.checks) >= 3


def test_a_resource_can_stand_for_the_workspace() -> None:
    resource = {"LOGS_WORKSPACE_ID": "", "LOGS_RESOURCE_ID": "/subscriptions/s/resourceGroups/g/providers/p"}
    assert built(**resource).worker.reader.source is not None


@pytest.mark.parametrize("plan", ["analytics", "basic"])
def test_content_on_the_basic_plan_has_a_source_of_its_own(plan: str) -> None:
    clients = connect(read_settings(SETTINGS | {"CONTENT_PLAN": plan}))
    assert (clients.content is not None) == (plan == "basic")


def test_secrets_are_not_in_the_representation() -> None:
    shown = repr(built())
    assert "sesame" not in shown
    assert repr(b"k" * 32) not in shown


def test_a_destination_without_an_address_is_a_failure() -> None:
    with pytest.raises(SettingsError, match="TEAMS_WEBHOOK_URL"):
        built(TEAMS_WEBHOOK_URL="")


def test_one_destination_without_an_address_is_named_and_does_not_stop_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alerts = (SHIPPED / "alerts.yaml").read_text("utf-8")
    pager = "  - {name: pager, kind: webhook, setting: PAGER_WEBHOOK_URL}\n"
    (tmp_path / "alerts.yaml").write_text(alerts.replace("destinations:\n", f"destinations:\n{pager}", 1))
    configuration = load_configuration(SHIPPED, tmp_path)
    built_channels = channels(read_settings(SETTINGS), configuration)
    refused = built_channels["pager"].destination.send({}, "a-key")
    assert isinstance(refused, Rejected)
    assert not refused.retryable
    assert "PAGER_WEBHOOK_URL" in refused.reason
    assert "The destination pager has no address" in caplog.text
    assert isinstance(built_channels["teams"].destination, WebhookDestination)
    assert "sesame" not in caplog.text


def test_a_folder_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(ConfigurationError):
        hold(connect(read_settings(SETTINGS | {"CONFIG_DIRECTORY": "/nowhere/at/all"})))


def test_an_alert_that_does_not_exist_has_no_traces() -> None:
    with pytest.raises(NotFound):
        alert_traces(MemoryDocuments(), "0" * 16)


def test_marker_runs_are_sent_only_where_a_component_is_named() -> None:
    assert built().canary is None
    named = f"InstrumentationKey={GUID};IngestionEndpoint=https://in.example.com/"
    assert (
        build(
            connect(read_settings(SETTINGS | {"CANARY_CONNECTION_STRING": named})),
            load_configuration(SHIPPED),
            Standing(),
        ).canary
        is not None
    )
