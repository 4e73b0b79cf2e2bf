"""azure.yaml and host.json have their documented shapes; each hook says what is missing, and does no harm."""

import base64
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.hooks import postprovision
from tests.infra.bicep import INFRA, ROOT, templates
from tests.infra.fake_commands import Commands, Rule
from tests.infra.test_bicep import BUILT_IN_ROLES, GUID

SHAPES = Path(__file__).parent / "shapes"
AZURE = yaml.safe_load((ROOT / "azure.yaml").read_text())
HOST = json.loads((ROOT / "host.json").read_text())
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
OWNERS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/theirs/providers"
COMPONENT = f"{OWNERS}/microsoft.insights/components/agents"
WORKSPACE = f"{OWNERS}/Microsoft.OperationalInsights/workspaces/central"
WEBHOOK = "https://prod-01.westeurope.logic.azure.com/workflows/abc?sig=very-secret"
ENVIRONMENT = {
    "AZURE_ENV_NAME": "dev",
    "AZURE_LOCATION": "westeurope",
    "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    "WATCHDOG_EMAILS": "oncall@example.com, owner@example.com",
    "TEAMS_WEBHOOK_URL": WEBHOOK,
}
PROVISIONED = ENVIRONMENT | {
    "AZURE_RESOURCE_GROUP": "rg-dev",
    "TRACEKEEPER_APP_NAME": "func-dev",
    "TRACEKEEPER_IDENTITY_PRINCIPAL_ID": "99999999-8888-7777-6666-555555555555",
    "TRACEKEEPER_VAULT_NAME": "kv-dev",
}
TOOLS = [
    Rule(["az", "bicep", "version"], out="Bicep CLI version 0.41.2 (3e403ea7f3)"),
    Rule(["azd", "version"], out="azd version 1.23.0 (commit abc) (stable)"),
    Rule(["azd", "--check-status"], out="Logged in"),
    Rule(["version"], out=json.dumps({"azure-cli": "2.80.0"})),
    Rule(["account", "show"], out=json.dumps({"id": SUBSCRIPTION, "tenantId": "t"})),
]
NOT_FOUND = "ERROR: Not Found({'error': {'code': 'SecretNotFound'}})"
FORBIDDEN = "ERROR: Forbidden({'error': {'code': 'AuthorizationFailed'}})"


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    folder = tmp_path / "commands"
    folder.mkdir()
    return Commands(folder)


def shape(name: str) -> Any:
    return json.loads((SHAPES / f"{name}.schema.json").read_text())


@pytest.mark.parametrize(("name", "document"), [("azure", AZURE), ("host", HOST)])
def test_it_has_the_documented_shape(name: str, document: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(shape(name))
    jsonschema.validate(document, shape(name))


@pytest.mark.parametrize(
    ("name", "document", "path", "value"),
    [
        ("azure", AZURE, ["services", "tracekeeper", "host"], "functionapp"),
        ("azure", AZURE, ["services", "tracekeeper", "lang"], "py"),
        ("azure", AZURE, ["hooks", "beforedeploy"], AZURE["hooks"]["predeploy"]),
        ("azure", AZURE, ["hooks", "predeploy", "posix", "shell"], "bash"),
        ("azure", AZURE, ["hooks", "postdeploy", "posix", "continueOnError"], True),
        ("azure", AZURE, ["name"], "Tracekeeper"),
        ("host", HOST, ["functionTimeout"], "30 minutes"),
        ("host", HOST, ["extensions", "queues", "batchSize"], 64),
        ("host", HOST, ["extensions", "queue"], {}),
        ("host", HOST, ["logging", "logLevel", "default"], "Info"),
        ("host", HOST, ["extensionBundle", "version"], "4"),
        ("host", HOST, ["version"], "3.0"),
    ],
)
def test_another_shape_is_noticed(name: str, document: Any, path: list[str], value: Any) -> None:
    wrong = json.loads(json.dumps(document))
    place = wrong
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, shape(name))


def test_the_service_is_the_one_that_the_bicep_tags() -> None:
    [service] = AZURE["services"]
    assert f"'azd-service-name': '{service}'" in templates()["modules/app.bicep"].text
    assert (ROOT / AZURE["infra"]["path"] / f"{AZURE['infra']['module']}.bicep").is_file()


def test_each_hook_runs_the_module_of_its_name_on_both_systems() -> None:
    for hook, systems in AZURE["hooks"].items():
        assert (INFRA / "hooks" / f"{hook}.py").is_file()
        for system in systems.values():
            assert system["run"].endswith(f" -m infra.hooks.{hook}")


def test_what_hooks_read_of_the_deployment_is_what_the_bicep_puts_out() -> None:
    source = "\n".join(path.read_text() for path in (INFRA / "hooks").glob("*.py"))
    read = set(re.findall(r'"(TRACEKEEPER_\w+|AZURE_RESOURCE_GROUP)"', source))
    assert read
    assert read <= templates()["main.bicep"].outputs


def test_preprovision_is_content_where_nothing_is_missing(commands: Commands) -> None:
    commands.rules = TOOLS
    done = commands.run("preprovision", ENVIRONMENT | {"EXISTING_COMPONENT_ID": COMPONENT})
    assert (done.returncode, done.stderr) == (0, "")
    assert "MISSING" not in done.stdout
    assert WEBHOOK not in done.stdout
    assert [call["call"][:3] for call in commands.calls()] == [
        ["az", "version"],
        ["azd", "version"],
        ["az", "bicep", "version"],
        ["az", "account", "show"],
        ["azd", "auth", "login"],
    ]


@pytest.mark.parametrize(
    ("change", "missing", "how"),
    [
        ({"AZURE_ENV_NAME": ""}, "a name of the environment", "azd env new dev"),
        ({"AZURE_ENV_NAME": "Dev_1"}, "a name of the environment", "azd env new dev"),
        ({"AZURE_LOCATION": ""}, "a region", "azd env set AZURE_LOCATION"),
        ({"WATCHDOG_EMAILS": ""}, "WATCHDOG_EMAILS", "azd env set WATCHDOG_EMAILS"),
        ({"WATCHDOG_EMAILS": "a@example.com, nobody"}, "WATCHDOG_EMAILS", "azd env set WATCHDOG_EMAILS"),
        ({"EXISTING_COMPONENT_ID": WORKSPACE}, "EXISTING_COMPONENT_ID", "'JSON View'"),
        ({"EXISTING_WORKSPACE_ID": "central"}, "EXISTING_WORKSPACE_ID", "'JSON View'"),
        ({"VNET_ENABLED": "yes"}, "VNET_ENABLED", "azd env set VNET_ENABLED false"),
        ({"EXISTING_APP_CLIENT_ID": "me"}, "EXISTING_APP_CLIENT_ID", "'Application (client) ID'"),
        ({"TEAMS_WEBHOOK_URL": ""}, "TEAMS_WEBHOOK_URL", "export TEAMS_WEBHOOK_URL"),
        ({"AZURE_SUBSCRIPTION_ID": "0" * 8 + SUBSCRIPTION[8:]}, "az on the subscription", "az account set"),
    ],
)
def test_preprovision_names_what_is_missing_and_how_to_get_it(
    commands: Commands, change: Mapping[str, str], missing: str, how: str
) -> None:
    commands.rules = TOOLS
    done = commands.run("preprovision", {**ENVIRONMENT, **change})
    assert done.returncode == 1
    [line] = [line for line in done.stdout.splitlines() if line.startswith("MISSING")]
    assert missing in line
    assert how in done.stdout


@pytest.mark.parametrize(
    ("rule", "missing"),
    [
        (
            Rule(["az", "bicep", "version"], out="Bicep CLI version 0.30.23 (x)"),
            "bicep 0.36.1 or later; 0.30.23",
        ),
        (Rule(["azd", "version"], out="azd version 1.9.0 (commit x)"), "azd 1.18.0 or later; 1.9.0"),
        (Rule(["account", "show"], err="Please run 'az login'", code=1), "somebody signed in with az"),
        (Rule(["azd", "--check-status"], code=1), "somebody signed in with azd"),
    ],
)
def test_preprovision_names_a_tool_that_is_too_old_or_signed_out(
    commands: Commands, rule: Rule, missing: str
) -> None:
    commands.rules = [rule, *TOOLS]
    done = commands.run("preprovision", ENVIRONMENT)
    assert done.returncode == 1
    assert f"MISSING  {missing}" in done.stdout


def test_preprovision_names_tools_that_are_not_there(commands: Commands) -> None:
    commands.tools = ()
    done = commands.run("preprovision", ENVIRONMENT)
    assert done.returncode == 1
    for tool in ("az 2.60.0", "azd 1.18.0", "bicep 0.36.1"):
        assert f"MISSING  {tool} or later" in done.stdout


def test_postprovision_puts_both_secrets_without_showing_them(commands: Commands) -> None:
    commands.rules = [
        Rule(["rest", "get", "/secrets/"], err=NOT_FOUND, code=3),
        Rule(["rest", "put", "/secrets/"]),
        Rule(["rest", "post", "/configreferences/appsettings/refresh"]),
    ]
    done = commands.run("postprovision", PROVISIONED)
    assert (done.returncode, done.stderr) == (0, "")
    calls = commands.calls()
    put = {
        re.sub(r".*/secrets/|\?.*", "", url): json.loads(call["body"])["properties"]["value"]
        for call in calls
        if "put" in call["call"]
        for url in [call["call"][call["call"].index("--url") + 1]]
    }
    assert put.keys() == {"teams-webhook-url", "pseudonym-key"}
    assert put["teams-webhook-url"] == WEBHOOK
    assert len(base64.b64decode(put["pseudonym-key"], validate=True)) == 32
    shown = done.stdout + " ".join(word for call in calls for word in call["call"])
    assert not [secret for secret in put.values() if secret in shown]
    assert all(name in templates()["modules/vault.bicep"].text for name in put)
    assert "refresh" in " ".join(calls[-1]["call"])


def test_postprovision_leaves_secrets_that_are_there(commands: Commands) -> None:
    commands.rules = [Rule(["rest", "get", "/secrets/"], out="{}")]
    done = commands.run("postprovision", PROVISIONED)
    assert done.returncode == 0
    assert [call["call"][3] for call in commands.calls()] == ["get", "get"]


def test_postprovision_writes_nothing_where_it_can_not_know_what_is_there(commands: Commands) -> None:
    commands.rules = [Rule(["rest", "get", "/secrets/"], err=FORBIDDEN, code=1), Rule(["rest"])]
    done = commands.run("postprovision", PROVISIONED)
    assert done.returncode == 1
    assert not [call for call in commands.calls() if "put" in call["call"]]
    assert done.stdout.count("FAILED") == 2


def test_postprovision_makes_up_no_webhook(commands: Commands) -> None:
    commands.rules = [Rule(["rest", "get"], err=NOT_FOUND, code=3), Rule(["rest"])]
    done = commands.run("postprovision", {**PROVISIONED, "TEAMS_WEBHOOK_URL": ""})
    assert done.returncode == 1
    assert "MISSING  teams-webhook-url in the vault" in done.stdout
    assert ["pseudonym-key" in str(call["call"]) for call in commands.calls() if "put" in call["call"]] == [
        True
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"EXISTING_COMPONENT_ID": COMPONENT}, [("Monitoring Reader", COMPONENT)]),
        (
            {"EXISTING_WORKSPACE_ID": WORKSPACE, "CONTENT_PROFILE": "true"},
            [("Log Analytics Data Reader", WORKSPACE), ("Privileged Monitoring Data Reader", WORKSPACE)],
        ),
        ({"EXISTING_WORKSPACE_ID": WORKSPACE}, [("Log Analytics Data Reader", WORKSPACE)]),
        ({"EXISTING_COMPONENT_ID": COMPONENT, "ASSIGN_EXISTING_ROLES": "true"}, []),
    ],
)
def test_postprovision_prints_what_the_owner_has_to_run(
    commands: Commands, change: Mapping[str, str], expected: list[tuple[str, str]]
) -> None:
    commands.rules = [Rule(["rest", "get"], out="{}")]
    done = commands.run("postprovision", PROVISIONED | {"ASSIGN_EXISTING_ROLES": "false"} | change)
    lines = [shlex.split(line) for line in done.stdout.splitlines() if line.startswith("az ")]
    assert [(line[line.index("--role") + 1], line[line.index("--scope") + 1]) for line in lines] == expected
    for line in lines:
        assert line[:4] == ["az", "role", "assignment", "create"]
        assert (
            line[line.index("--assignee-object-id") + 1] == PROVISIONED["TRACEKEEPER_IDENTITY_PRINCIPAL_ID"]
        )
    assert not [call for call in commands.calls() if "role" in call["call"]]


def test_owners_are_asked_for_the_roles_that_the_bicep_assigns() -> None:
    for module, names in (
        ("existing-component", {postprovision.COMPONENT_READER}),
        ("existing-workspace", {postprovision.READER, postprovision.CONTENT_READER}),
    ):
        granted = {BUILT_IN_ROLES[guid] for guid in GUID.findall(templates()[f"modules/{module}.bicep"].text)}
        assert granted == names


def test_predeploy_is_content_with_what_is_here(commands: Commands) -> None:
    done = commands.run("predeploy", ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "ok       the config files in config hold" in done.stdout
    assert re.search(r"the package has \d+ files, [\d,]+ bytes compressed", done.stdout)


def test_predeploy_stops_a_deployment_with_a_mistake_in_a_site_file(
    commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "alerts.yaml").write_text("destinations: [{name: teams, kind: pigeon}]\n")
    done = commands.run("predeploy", {**ENVIRONMENT, "SITE_CONFIG_DIRECTORY": str(tmp_path)})
    assert done.returncode == 1
    assert "alerts.yaml" in done.stdout


def test_postdeploy_says_what_it_lacks_and_asks_nobody(commands: Commands) -> None:
    done = commands.run("postdeploy", {})
    assert done.returncode == 1
    assert "MISSING  AZURE_SUBSCRIPTION_ID" in done.stdout
    assert commands.calls() == []


def test_the_pipeline_signs_in_without_a_secret() -> None:
    workflows = list((ROOT / ".github/workflows").iterdir())
    assert workflows
    for path in workflows:
        text = path.read_text()
        workflow = yaml.safe_load(text)
        assert not re.search(r"secrets\.|client-secret|AZURE_CREDENTIALS", text)
        deploys = [job for job in workflow["jobs"].values() if "azd deploy" in str(job)]
        assert deploys
        for job in deploys:
            assert job["permissions"] == {"contents": "read", "id-token": "write"}
            assert job["needs"] == "test"
            assert "--federated-credential-provider github" in str(job)
        assert workflow["permissions"] == {"contents": "read"}
        for uses in re.findall(r"uses: (\S+)", text):
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", uses)
