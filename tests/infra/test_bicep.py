"""The Bicep and the code say the same: parameters, settings, roles, containers, queues; little is granted."""

import json
import re

import pytest

from functions.access.roles import Role
from functions.settings import WHERE
from tests.infra.bicep import INFRA, ROOT, Template, members, read, strings, templates

TEMPLATES = templates()
MAIN = TEMPLATES["main.bicep"]

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BUILT_IN_ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "3b03c2da-16b3-4a49-8834-0f8130efdd3b": "Log Analytics Data Reader",
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": "Monitoring Reader",
    "dbc9c667-e97f-4491-aee6-90b9cf960190": "Privileged Monitoring Data Reader",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "12338af0-0e69-4776-bea7-57ae8d297424": "Key Vault Crypto User",
}
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""An application of Microsoft's, no role."""

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Set by the platform, or read by the host and by Microsoft's libraries rather than by our settings.
SET_BY_THE_PLATFORM = {"WEBSITE_AUTH_ENABLED", "WEBSITE_HOSTNAME"}
READ_BY_OTHERS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID",
}
NEVER_ON_FLEX = {
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_TIME_ZONE",
}
OUTSIDE_OUR_GROUP = {"modules/existing-component.bicep", "modules/existing-workspace.bicep"}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_another_parser_reads_it(template: Template) -> None:
    assert template.broken == ()


def test_the_other_parser_would_notice(tmp_path) -> None:
    broken = tmp_path / "broken.bicep"
    broken.write_text("param name string\nresource x 'T@1' = {\n  name: \n}\n")
    assert read(broken).broken


def test_modules_get_what_they_ask_for_and_nothing_else() -> None:
    for module in MAIN.modules:
        target = TEMPLATES[module.target]
        given = members(module.body["params"]).keys()
        required = {name for name, needed in target.parameters.items() if needed}
        assert given <= target.parameters.keys(), module.name
        assert required <= given, module.name


def test_every_module_is_used_and_every_output_that_is_read_exists() -> None:
    assert {module.target for module in MAIN.modules} == TEMPLATES.keys() - {"main.bicep"}
    outputs = {module.name: TEMPLATES[module.target].outputs for module in MAIN.modules}
    read_outputs = re.findall(r"\b(\w+)!?\.outputs\.(\w+)", MAIN.text)
    assert read_outputs
    assert [(name, output) for name, output in read_outputs if output not in outputs[name]] == []


def test_azd_fills_parameters_that_exist_and_all_that_have_no_default() -> None:
    filled = json.loads((INFRA / "main.parameters.json").read_bytes())["parameters"].keys()
    assert filled <= MAIN.parameters.keys()
    assert {name for name, needed in MAIN.parameters.items() if needed} <= filled


def test_the_app_gets_the_settings_that_the_code_reads() -> None:
    given = members(TEMPLATES["modules/app.bicep"].variables["settings"]).keys()
    assert given - READ_BY_OTHERS == WHERE.keys() - SET_BY_THE_PLATFORM
    assert given >= READ_BY_OTHERS
    assert not given & NEVER_ON_FLEX


def test_the_sample_has_the_settings_that_the_code_reads() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_bytes())["Values"].keys()
    assert {name for name in sample if not name.startswith("AzureWebJobsStorage")} == WHERE.keys()


def test_every_role_that_is_granted_is_the_one_it_is_called() -> None:
    granted = {guid for template in TEMPLATES.values() for guid in GUID.findall(template.text)}
    assert granted - {AZURE_CLI} == BUILT_IN_ROLES.keys()
    for template in TEMPLATES.values():
        named = dict(re.findall(rf"(\w+)(?::| =) '({GUID.pattern})'", template.text))
        for name, guid in named.items():
            if guid == AZURE_CLI:
                continue
            first, *others = BUILT_IN_ROLES[guid].split()
            assert name.casefold() in {f"{first}{''.join(others)}".casefold(), "".join(others).casefold()}


def test_every_role_assignment_says_why() -> None:
    for template in TEMPLATES.values():
        lines = template.text.splitlines()
        for number, line in enumerate(lines):
            if "Microsoft.Authorization/roleAssignments" in line:
                assert lines[number - 1].startswith("// "), f"{template.path}:{number + 1}"


def test_containers_and_queues_are_those_that_the_code_opens() -> None:
    storage = TEMPLATES["modules/storage.bicep"]
    source = "\n".join(path.read_text() for path in (ROOT / "functions").rglob("*.py"))
    opened = set(re.findall(r'get_container_client\("(\w+)"\)', source))
    made = set(strings(storage.variables["containers"])) | {"evidence"}
    assert opened == made
    declared = set(re.findall(r'(?:QUEUE = |queue_name=)"([\w-]+)"', source))
    assert declared == set(strings(storage.variables["queues"]))


def test_people_can_be_given_the_roles_that_the_code_asks_for() -> None:
    offered = re.findall(r"value: '([\w.]+)'", TEMPLATES["modules/entra.bicep"].variables["roles"])
    assert sorted(offered) == sorted(role.value for role in Role)


def test_only_the_right_to_read_is_written_outside_our_group() -> None:
    outside = {
        module.target
        for module in MAIN.modules
        if members("{\n" + f"  scope: {module.body['scope']}\n" + "}")["scope"] != "group"
    }
    assert outside == OUTSIDE_OUR_GROUP
    assert all(
        "assignExistingRoles" in module.conditional for module in MAIN.modules if module.target in outside
    )
    for path in outside:
        written = [one.target for one in TEMPLATES[path].resources if not one.existing]
        assert {target.partition("@")[0] for target in written} == {"Microsoft.Authorization/roleAssignments"}
        granted = {BUILT_IN_ROLES[guid] for guid in GUID.findall(TEMPLATES[path].text)}
        assert granted <= {
            "Monitoring Reader",
            "Log Analytics Data Reader",
            "Privileged Monitoring Data Reader",
        }


def test_who_reads_a_component_gets_no_right_to_content() -> None:
    granted = set(GUID.findall(TEMPLATES["modules/existing-component.bicep"].text))
    assert {BUILT_IN_ROLES[guid] for guid in granted} == {"Monitoring Reader"}


def test_content_may_be_looked_at_only_where_bundles_show_it() -> None:
    for template in TEMPLATES.values():
        for one in template.resources:
            if one.name == "contentReader":
                assert "contentProfile" in one.conditional, template.path


def test_nothing_of_the_existing_is_watched_by_marker_runs() -> None:
    app = members(next(module for module in MAIN.modules if module.name == "app").body["params"])
    assert app["canaries"] == "readsOwn"


def test_every_store_and_the_app_send_their_logs() -> None:
    scoped = {
        one.body["scope"]
        for template in TEMPLATES.values()
        for one in template.resources
        if one.target.startswith("Microsoft.Insights/diagnosticSettings")
    }
    assert scoped == {
        "blobs",
        "queueService",
        "tableService",
        "vault",
        "workspace",
        "site",
        "network",
        "appRules",
        "endpointRules",
    }
