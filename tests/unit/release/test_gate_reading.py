"""What the gate reads: settings in every form, and what `az` prints in either spelling."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.release.gate_app import settings_from_azure, settings_from_file
from functions.release.gate_azure import read_component, read_diagnostics, read_workspace
from functions.release.gate_facts import AppSettings, Component, DiagnosticSetting, Retention, Unknown
from tests.fakes.azure_cli import Fails, FakeAzureCli

GROUP = "/subscriptions/S1/resourceGroups/G1/providers"
WEB = f"{GROUP}/Microsoft.Web/sites/agents"
CONTAINER = f"{GROUP}/Microsoft.App/containerApps/agents"
COMPONENT = f"{GROUP}/Microsoft.Insights/components/agents"
WORKSPACE = f"{GROUP}/Microsoft.OperationalInsights/workspaces/logs"
VAULT = "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/x)"
EXPECTED = AppSettings({"A": "1", "B": "x=y"}, frozenset({"C"}))


@pytest.mark.parametrize(
    "text",
    [
        f"# settings\nA=1\nexport B='x=y'\n\nC = \"{VAULT}\"\n",
        f"\ufeffA=1\r\nB=x=y\r\nC={VAULT}\r\n",
        json.dumps({"A": "1", "B": "x=y", "C": VAULT}),
        json.dumps({"A": 1, "B": "x=y", "C": VAULT}),
        json.dumps({"IsEncrypted": False, "Values": {"A": "1", "B": "x=y", "C": VAULT}}),
        json.dumps([{"name": n, "value": v} for n, v in (("A", "1"), ("B", "x=y"), ("C", VAULT))]),
        json.dumps(
            [{"name": "A", "value": "1"}, {"name": "B", "value": "x=y"}, {"name": "C", "secretRef": "s"}]
        ),
    ],
)
def test_settings_are_read_in_every_form(text: str, tmp_path: Path) -> None:
    path = tmp_path / "app.settings"
    path.write_text(text, "utf-8")
    assert settings_from_file(path) == EXPECTED


@pytest.mark.parametrize(
    "text", ["no settings at all", "{", "{}", '["A"]', '{"Values": 1}', "A=1\nsecret text"]
)
def test_settings_of_no_known_form_are_unknown_and_not_repeated(text: str, tmp_path: Path) -> None:
    path = tmp_path / "app.settings"
    path.write_text(text, "utf-8")
    found = settings_from_file(path)
    assert isinstance(found, Unknown)
    assert "secret text" not in found.reason + found.next_step


def test_a_file_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    assert isinstance(settings_from_file(tmp_path / "none"), Unknown)


def test_settings_are_out_of_what_is_printed() -> None:
    assert "x=y" not in repr(EXPECTED)


def test_a_slot_s_settings_are_those_of_the_slot() -> None:
    listed = [{"name": "A", "value": "1"}, {"name": "B", "value": "x=y"}, {"name": "C", "value": VAULT}]
    azure = FakeAzureCli({("webapp", "config", "appsettings", "list", "--slot", "next"): listed})
    assert settings_from_azure(azure, f"{WEB}/slots/next", None) == EXPECTED
    assert isinstance(settings_from_azure(azure, WEB, None), Unknown)
    words = ("--name", "agents", "--resource-group", "G1", "--subscription", "S1", "--slot", "next")
    assert azure.asked[0][4:] == words


def container_app(*names: str) -> dict[str, Any]:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "x=y"}, {"name": "C", "secretRef": "s"}]
    return {"properties": {"template": {"containers": [{"name": name, "env": env} for name in names]}}}


@pytest.mark.parametrize(
    ("names", "asked", "known"),
    [
        (("agents",), None, True),
        (("agents", "proxy"), None, False),
        (("agents", "proxy"), "agents", True),
        (("agents",), "other", False),
        ((), None, False),
    ],
)
def test_a_container_app_s_settings_are_those_of_its_one_or_named_container(
    names: tuple[str, ...], asked: str | None, known: bool
) -> None:
    azure = FakeAzureCli({("containerapp", "show"): container_app(*names)})
    found = settings_from_azure(azure, CONTAINER, asked)
    assert found == EXPECTED if known else isinstance(found, Unknown)


def test_an_id_of_something_else_is_unknown() -> None:
    azure = FakeAzureCli({})
    assert isinstance(settings_from_azure(azure, COMPONENT, None), Unknown)
    assert isinstance(read_component(azure, WEB), Unknown)
    assert azure.asked == []


FLAT = {"instrumentationKey": "k", "samplingPercentage": 25, "workspaceResourceId": WORKSPACE}
NESTED = {
    "properties": {"InstrumentationKey": "k", "SamplingPercentage": 25.0, "WorkspaceResourceId": WORKSPACE}
}


@pytest.mark.parametrize("shown", [FLAT, NESTED])
def test_a_component_is_read_in_either_spelling(shown: Any) -> None:
    azure = FakeAzureCli({("app-insights", "component", "show"): shown})
    assert read_component(azure, COMPONENT) == Component(COMPONENT.lower(), WORKSPACE, "k", 25.0)


def test_a_component_without_a_share_keeps_all_and_a_classic_one_has_no_workspace() -> None:
    azure = FakeAzureCli({("app-insights", "component", "show"): {"instrumentationKey": "k"}})
    assert read_component(azure, COMPONENT) == Component(COMPONENT.lower(), None, "k", 100.0)


@pytest.mark.parametrize(
    "shown",
    [None, [], {}, {"instrumentationKey": ""}, FLAT | {"samplingPercentage": "some"}, Fails("(Forbidden) x")],
)
def test_a_component_that_can_t_be_read_is_unknown(shown: Any) -> None:
    azure = FakeAzureCli({("app-insights", "component", "show"): shown})
    assert isinstance(read_component(azure, COMPONENT), Unknown)


def test_a_workspace_s_tables_have_days_of_their_own_or_follow_it() -> None:
    azure = FakeAzureCli(
        {
            ("workspace", "show"): {"customerId": "C-1", "retentionInDays": 30},
            ("table", "list"): [
                {"name": "AppTraces", "retentionInDays": 180},
                {"name": "AppEvents", "retentionInDays": None},
                {"name": "AppRequests", "properties": {"retentionInDays": -1}},
            ],
        }
    )
    assert read_workspace(azure, WORKSPACE) == ("c-1", Retention(30, {"AppTraces": 180}))


def test_without_the_tables_the_retention_is_unknown_and_the_id_is_not() -> None:
    azure = FakeAzureCli({("workspace", "show"): {"customerId": "C-1", "retentionInDays": 30}})
    customer, retention = read_workspace(azure, WORKSPACE)
    assert customer == "c-1"
    assert isinstance(retention, Unknown)


LOGS = [
    {"category": "Audit", "categoryGroup": None, "enabled": True},
    {"category": None, "categoryGroup": "allLogs", "enabled": True},
    {"category": "Trace", "enabled": False},
]


@pytest.mark.parametrize("wrap", [lambda found: found, lambda found: {"value": found}])
def test_only_enabled_logs_count(wrap: Any) -> None:
    settings = [{"workspaceId": WORKSPACE, "logs": LOGS}, {"workspaceId": None, "logs": None}]
    azure = FakeAzureCli({("diagnostic-settings", "list"): wrap(settings)})
    assert read_diagnostics(azure, WEB) == (
        DiagnosticSetting(WORKSPACE, frozenset({"Audit", "allLogs"})),
        DiagnosticSetting(None, frozenset()),
    )
    assert isinstance(read_diagnostics(FakeAzureCli({}), WEB), Unknown)
