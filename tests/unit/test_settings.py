import base64
import json
import re
from pathlib import Path

import pytest

from functions.errors import SettingsError
from functions.settings import WHERE, read_settings

ROOT = Path(__file__).parents[2]
GUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
WEBHOOK = "https://prod.example.com/workflows/1?sig=sesame"
CONNECTION_STRING = f"InstrumentationKey={GUID};IngestionEndpoint=https://in.example.com/"
KEY = b"0123456789abcdef0123456789abcdef"
WHOLE = {
    "LOGS_WORKSPACE_ID": GUID,
    "STORAGE_BLOB_ENDPOINT": "https://account.blob.core.windows.net/",
    "AZURE_CLIENT_ID": GUID,
    "TEAMS_WEBHOOK_URL": WEBHOOK,
    "PSEUDONYM_KEY": base64.b64encode(KEY).decode(),
    "PSEUDONYM_KEY_ID": "first",
    "SIGNING_KEY": "https://vault.example.com/keys/evidence",
    "AUTH_TENANT_ID": GUID.upper(),
    "AUTH_CLIENT_ID": GUID,
    "WEBSITE_AUTH_ENABLED": "True",
    "WEBSITE_HOSTNAME": "tracekeeper.azurewebsites.net",
}
PREVIOUS = {
    "PSEUDONYM_KEY_PREVIOUS": base64.b64encode(KEY[::-1]).decode(),
    "PSEUDONYM_KEY_PREVIOUS_ID": "zero",
}


def test_a_whole_environment_is_read() -> None:
    settings = read_settings(WHOLE)
    assert settings.logs_endpoint == "https://api.loganalytics.azure.com"
    assert settings.storage_blob_endpoint == "https://account.blob.core.windows.net"
    assert settings.pseudonym_key == KEY
    assert settings.auth_tenant_id == GUID
    assert settings.auth_enabled
    assert settings.canary_connection_string is None
    assert settings.content_routing == "table"
    assert settings.content_plan == "analytics"
    assert settings.config_directory is None


@pytest.mark.parametrize("more", ["", ";AADAudience=https://monitor.azure.us", ";ApplicationId=1"])
def test_marker_runs_are_on_where_a_connection_string_says_where_to(more: str) -> None:
    settings = read_settings(
        WHOLE | {"CANARY_CONNECTION_STRING": CONNECTION_STRING + more, "CONTENT_ROUTING": "inline"}
    )
    assert settings.canary_connection_string == CONNECTION_STRING + more
    assert settings.content_routing == "inline"
    assert CONNECTION_STRING not in repr(settings)


def test_a_key_that_was_replaced_is_read_with_its_id() -> None:
    settings = read_settings(WHOLE | PREVIOUS)
    assert settings.pseudonym_key_previous == (KEY[::-1], "zero")
    assert "zero" not in repr(settings)
    assert read_settings(WHOLE).pseudonym_key_previous is None


@pytest.mark.parametrize(
    "changed",
    [
        {"PSEUDONYM_KEY_PREVIOUS": ""},
        {"PSEUDONYM_KEY_PREVIOUS_ID": ""},
        {"PSEUDONYM_KEY_PREVIOUS": WHOLE["PSEUDONYM_KEY"]},
        {"PSEUDONYM_KEY_PREVIOUS_ID": WHOLE["PSEUDONYM_KEY_ID"]},
        {"PSEUDONYM_KEY_PREVIOUS": "sesame"},
    ],
)
def test_half_a_previous_key_or_the_same_again_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="PSEUDONYM_KEY_PREVIOUS"):
        read_settings(WHOLE | PREVIOUS | changed)


@pytest.mark.parametrize("given", ["False", "", "0", "yes", "None"])
def test_sign_in_counts_as_off_unless_the_platform_says_true(given: str) -> None:
    assert not read_settings(WHOLE | {"WEBSITE_AUTH_ENABLED": given}).auth_enabled


@pytest.mark.parametrize("name", sorted(WHOLE.keys() - {"TEAMS_WEBHOOK_URL", "WEBSITE_AUTH_ENABLED"}))
def test_a_missing_setting_is_named_with_where_to_get_it(name: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        read_settings(WHOLE | {name: " "})
    assert WHERE[name] in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOGS_ENDPOINT", "http://api.example.com"),
        ("LOGS_WORKSPACE_ID", "sesame"),
        ("STORAGE_BLOB_ENDPOINT", "sesame"),
        ("STORAGE_BLOB_ENDPOINT", "https://user:sesame@account.blob.core.windows.net"),
        ("AZURE_CLIENT_ID", "sesame"),
        ("PSEUDONYM_KEY", "sesame"),
        ("PSEUDONYM_KEY", base64.b64encode(b"sesame").decode()),
        ("PSEUDONYM_KEY_ID", "sesame1"),
        ("PUBLIC_KEY_URL", "http://sesame.example.com"),
        ("SIGNING_KEY", "http://vault.example.com/keys/sesame"),
        ("SIGNING_KEY", "https://vault.example.com/secrets/sesame"),
        ("SIGNING_KEY", "https://sesame@vault.example.com/keys/evidence"),
        ("AUTH_TENANT_ID", "sesame"),
        ("AUTH_CLIENT_ID", f"api://{GUID}"),
        ("WEBSITE_HOSTNAME", "https://sesame"),
        ("CANARY_CONNECTION_STRING", "sesame"),
        (
            "CANARY_CONNECTION_STRING",
            f"InstrumentationKey={GUID};IngestionEndpoint=http://sesame.example.com/",
        ),
        ("CANARY_CONNECTION_STRING", "InstrumentationKey=sesame;IngestionEndpoint=https://in.example.com/"),
        ("CANARY_CONNECTION_STRING", f"{CONNECTION_STRING};AADAudience=http://sesame.example.com"),
        ("CONTENT_ROUTING", "sesame"),
        ("CONTENT_PLAN", "sesame"),
        ("LOGS_RETENTION_DAYS", "forever"),
        ("REQUESTS_PER_MINUTE", "sixty"),
        ("EXPORTS_PER_HOUR", "-1"),
    ],
)
def test_an_unusable_setting_is_named_without_its_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        read_settings(WHOLE | {name: value})
    assert value not in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("resource_id", ["/subscriptions/s/resourceGroups/g/providers/p", ""])
def test_exactly_one_place_to_ask_for_logs_is_set(resource_id: str) -> None:
    given = WHOLE | {"LOGS_WORKSPACE_ID": "" if not resource_id else GUID, "LOGS_RESOURCE_ID": resource_id}
    with pytest.raises(SettingsError, match="exactly one"):
        read_settings(given)


def test_a_table_on_the_basic_plan_is_asked_of_a_workspace_only() -> None:
    assert read_settings(WHOLE | {"CONTENT_PLAN": "basic"}).content_plan == "basic"
    resource = {"LOGS_WORKSPACE_ID": "", "LOGS_RESOURCE_ID": "/subscriptions/s/resourceGroups/g/providers/p"}
    with pytest.raises(SettingsError, match="CONTENT_PLAN"):
        read_settings(WHOLE | resource | {"CONTENT_PLAN": "basic"})


def test_secrets_are_not_in_the_representation() -> None:
    shown = repr(read_settings(WHOLE))
    assert "sesame" not in shown
    assert repr(KEY) not in shown


@pytest.mark.parametrize("setting", ["TEAMS_WEBHOOK_URL", "PSEUDONYM_KEY", "PATH"])
def test_a_destination_gets_no_setting_but_a_webhook_that_is_set(setting: str) -> None:
    settings = read_settings(WHOLE | {"TEAMS_WEBHOOK_URL": "", "PATH": WEBHOOK})
    with pytest.raises(SettingsError, match=f"{setting}.* is missing"):
        settings.webhook_url(setting)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://prod.example.com/?sig=sesame", "PAGER_WEBHOOK_URL must be an https URL"),
        ("@Microsoft.KeyVault(sesame)", "PAGER_WEBHOOK_URL is a reference .*Key Vault Secrets User"),
    ],
)
def test_a_webhook_that_is_no_https_url_stops_its_destination_alone(url: str, why: str) -> None:
    settings = read_settings(WHOLE | {"PAGER_WEBHOOK_URL": url})
    with pytest.raises(SettingsError, match=why) as caught:
        settings.webhook_url("PAGER_WEBHOOK_URL")
    assert "sesame" not in str(caught.value)
    assert settings.webhook_url("TEAMS_WEBHOOK_URL") == WEBHOOK


def test_each_destination_gets_its_webhook() -> None:
    pager = "https://events.example.com/hooks/sesame"
    settings = read_settings(WHOLE | {"PAGER_WEBHOOK_URL": f" {pager} "})
    assert settings.webhook_url("TEAMS_WEBHOOK_URL") == WEBHOOK
    assert settings.webhook_url("PAGER_WEBHOOK_URL") == pager
    assert "sesame" not in repr(settings)


def test_the_sample_file_lists_every_setting_and_no_other() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert {name for name in sample if not name.startswith("AzureWebJobsStorage__")} == WHERE.keys()


def test_the_sample_file_holds_no_secret() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert not sample["TEAMS_WEBHOOK_URL"] + sample["PSEUDONYM_KEY"]


def test_nothing_else_in_functions_reads_the_environment() -> None:
    readers = [
        path.name
        for path in (ROOT / "functions").rglob("*.py")
        if re.search(r"os\.environ|os\.getenv|import environ", path.read_text())
    ]
    assert readers == ["settings.py"]


@pytest.mark.parametrize("setting", ["PSEUDONYM_KEY", "SIGNING_KEY", "CANARY_CONNECTION_STRING"])
def test_a_reference_that_the_platform_could_not_follow_names_the_role_and_the_scope(setting: str) -> None:
    reference = "@Microsoft.KeyVault(VaultName=sesame;SecretName=sesame)"
    with pytest.raises(SettingsError, match=f"{setting} is a reference to Key Vault") as caught:
        read_settings(WHOLE | {setting: reference})
    assert "the role Key Vault Secrets User on the vault" in str(caught.value)
    assert "sesame" not in str(caught.value)
