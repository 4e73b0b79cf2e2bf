"""What the templates promise is what the code expects: paths, endpoints, storage's rules, parameters."""

import importlib
import json
import pkgutil
import re

import pytest

import functions.triggers
from functions.settings import read_logs_settings, read_record_settings
from functions.triggers.http import Endpoint, Page
from infra.workbook.build import GENERATED
from tests.infra.bicep import INFRA, ROOT, Template, members, strings, templates

TEMPLATES = templates()
MAIN = TEMPLATES["main.bicep"]
STORAGE = TEMPLATES["modules/storage.bicep"]
GUIDE = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
SOURCE = {path: path.read_text(encoding="utf-8") for path in (ROOT / "functions").rglob("*.py")}


def endpoints() -> list[Endpoint | Page]:
    """Return every route of the app."""
    modules = [
        importlib.import_module(f"functions.triggers.{found.name}")
        for found in pkgutil.iter_modules(functions.triggers.__path__)
    ]
    return [
        endpoint
        for module in modules
        for value in vars(module).values()
        for endpoint in (value if isinstance(value, tuple) else (value,))
        if isinstance(endpoint, Endpoint | Page)
    ]


def body(template: Template, name: str) -> dict[str, str]:
    """Return the members of a resource's `properties` by its symbol."""
    return members(next(one for one in template.resources if one.name == name).body["properties"])


def test_the_platform_lets_through_unsigned_what_the_app_has_open_and_nothing_else() -> None:
    text = TEMPLATES["modules/app.bicep"].text
    (listed,) = re.findall(r"excludedPaths: \[(.*)\]", text)
    excluded = strings(listed)
    routes = {f"/{one.path}": one.open for one in endpoints()}
    assert len(routes) > 20

    def passes(path: str) -> bool:
        return any(path == one or (one.endswith("/*") and path.startswith(one[:-1])) for one in excluded)

    assert {path for path in routes if passes(path)} == {path for path, is_open in routes.items() if is_open}
    assert "requireAuthentication: true" in text
    assert "unauthenticatedClientAction: 'Return401'" in text


def test_sign_in_holds_the_identity_s_client_id_where_a_secret_would_be() -> None:
    app = TEMPLATES["modules/app.bicep"]
    (setting,) = re.findall(r"clientSecretSettingName: '(\w+)'", app.text)
    assert members(app.variables["settings"])[setting] == "identityClientId"
    credential = next(one for one in TEMPLATES["modules/entra.bicep"].resources if one.name == "credential")
    assert credential.body["subject"] == "identityPrincipalId"
    assert strings(credential.body["audiences"]) == ["api://AzureADTokenExchange"]
    assert "passwordCredentials" not in TEMPLATES["modules/entra.bicep"].text


def test_secrets_are_references_that_the_app_s_own_identity_follows() -> None:
    app, vault = TEMPLATES["modules/app.bicep"], TEMPLATES["modules/vault.bicep"]
    assert body(app, "site")["keyVaultReferenceIdentity"] == "identityId"
    settings = members(app.variables["settings"])
    assert settings["TEAMS_WEBHOOK_URL"] == "webhookReference"
    assert settings["PSEUDONYM_KEY"] == "pseudonymReference"
    made = {
        strings(one.body["name"])[0]
        for one in vault.resources
        if one.target.split("@")[0].endswith("/secrets")
    }
    referred = set(re.findall(r"SecretName=([\w-]+)\)", vault.text))
    assert made == referred


def test_endpoints_end_in_a_slash_and_settings_take_them() -> None:
    settings = read_record_settings({"STORAGE_BLOB_ENDPOINT": "https://sttracekeeper.blob.core.windows.net/"})
    assert settings.storage_blob_endpoint == "https://sttracekeeper.blob.core.windows.net"


@pytest.mark.parametrize("given", ["LOGS_WORKSPACE_ID", "LOGS_RESOURCE_ID"])
def test_the_app_is_told_of_one_place_to_ask_whatever_is_read(given: str) -> None:
    params = members(next(one for one in MAIN.modules if one.name == "app").body["params"])
    assert params["logsResourceId"] == "existingComponentId"
    assert params["logsWorkspaceId"].startswith("readsOwn ?")
    assert params["logsWorkspaceId"].endswith(": '')")
    one = {
        "LOGS_WORKSPACE_ID": "6f1f3a3e-9b1c-4c57-8f39-0d3c1c3f9a11",
        "LOGS_RESOURCE_ID": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/components/c",
    }
    settings = read_logs_settings({given: one[given]})
    assert (settings.logs_workspace_id is None) != (settings.logs_resource_id is None)


def test_evidence_is_immutable_by_version_and_the_ledger_by_container_with_appends() -> None:
    assert "enabled: true" in body(STORAGE, "evidence")["immutableStorageWithVersioning"]
    assert body(STORAGE, "blobs")["isVersioningEnabled"] == "true"
    assert body(STORAGE, "ledgerPeriod")["allowProtectedAppendWrites"] == "true"
    assert "immutableStorageWithVersioning" not in body(STORAGE, "ledger")
    periods = {
        body(STORAGE, name)["immutabilityPeriodSinceCreationInDays"]
        for name in ("evidencePeriod", "ledgerPeriod")
    }
    assert periods == {"evidenceImmutableDays"}


def test_lifecycle_rules_name_containers_and_delete_nothing_of_evidence_or_the_ledger() -> None:
    rules = re.split(r"(?=name: '[\w-]+'\n\s+type: 'Lifecycle')", STORAGE.text)[1:]
    assert len(rules) == 3
    for rule in rules:
        (listed,) = re.findall(r"prefixMatch: \[(.*)\]", rule)
        (prefix,) = strings(listed)
        assert prefix.removesuffix("/") in {*strings(STORAGE.variables["containers"]), "evidence"}
        assert not ("delete" in rule.split("filters")[0] and prefix in {"evidence/", "ledger/", "config/"})


def test_the_app_deletes_only_where_it_may() -> None:
    deleting = [path.name for path, text in SOURCE.items() if "delete_blob" in text]
    assert deleting == ["blob.py"]
    (clients,) = [text for path, text in SOURCE.items() if path.name == "clients.py"]
    assert 'work=BlobWorkObjects(blobs.get_container_client("work"))' in clients


@pytest.mark.parametrize("path", sorted((INFRA / "queries").iterdir()), ids=lambda path: path.stem)
def test_each_rule_s_query_is_loaded_and_gets_the_app_s_name(path) -> None:
    loaded = f"replace(loadTextContent('../queries/{path.name}'), '$app', appName)"
    assert loaded in TEMPLATES["modules/alarms.bicep"].text
    assert set(re.findall(r"\$\w+", path.read_text(encoding="utf-8"))) == {"$app"}
    alarms = members(next(one for one in MAIN.modules if one.name == "alarms").body["params"])
    assert alarms["appName"] == "app.outputs.name"


def test_no_placeholder_of_the_workbook_is_left() -> None:
    shown = (GENERATED / "workbook.json").read_text(encoding="utf-8")
    filled = set(re.findall(r"'(\$\w+)'", TEMPLATES["modules/workbook.bicep"].text))
    placed = set(re.findall(r"\$\w+", shown)) - {"$left", "$right"}
    assert placed == filled
    assert json.loads(shown)["version"] == "Notebook/1.0"


def test_others_workspaces_get_no_function_of_ours() -> None:
    params = members(next(one for one in MAIN.modules if one.name == "workbook").body["params"])
    assert params["functionsWorkspaceName"] == "readsOwn ? monitoring.outputs.workspaceName : ''"
    view = next(one for one in TEMPLATES["modules/workbook.bicep"].resources if one.name == "view")
    assert "if (!empty(functionsWorkspaceName))" in TEMPLATES["modules/workbook.bicep"].text
    assert view.looped


def test_what_is_looked_up_in_others_groups_is_only_looked_up() -> None:
    made = {one.name for one in MAIN.resources if not one.existing}
    assert made == {"group"}
    assert {one.name: one.conditional for one in MAIN.resources if one.existing} == {
        "readComponent": "(readsComponent)",
        "readWorkspace": "(readsWorkspace)",
    }


def test_the_guide_names_every_parameter_with_its_variable() -> None:
    table = GUIDE.split("## Parameters")[1].split("## Checks")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| (?:`(\w+)`|-) \|", table, re.MULTILINE))
    assert told.keys() == MAIN.parameters.keys()
    filled = json.loads((INFRA / "main.parameters.json").read_bytes())["parameters"]
    variables = {name: re.findall(r"\w+", given["value"])[0] for name, given in filled.items()}
    assert {name: variable for name, variable in told.items() if variable} == variables


def test_the_guide_names_every_module_and_rule() -> None:
    modules = {path.removeprefix("modules/") for path in TEMPLATES if path.startswith("modules/")}
    assert set(re.findall(r"`([\w-]+\.bicep)`", GUIDE.split("## Two ways in")[0])) == modules
    rules = set(
        re.findall(
            r"^\| `([\w-]+)` \|", GUIDE.split("## Alert rules")[1].split("## Workbook")[0], re.MULTILINE
        )
    )
    assert rules == {path.stem for path in (INFRA / "queries").iterdir()}
