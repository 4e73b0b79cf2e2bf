"""release.yaml: the shipped one approves nothing; mistakes are named by file, line, rule and fix."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from functions.configuration import SHIPPED, load_configuration, read_folder
from functions.errors import ConfigurationError
from functions.release.gate_config import RELEASE_FILE, load_policy
from functions.release.gate_policy import GateException
from functions.release.gate_rules import RULES
from functions.release.samplers import SAMPLERS
from functions.release.switches import FRAMEWORKS

SCHEMA = json.loads((SHIPPED / "schemas/release.schema.json").read_text("utf-8"))
OWN = SCHEMA["$defs"]["policy"]["properties"]
WORKSPACE = (
    "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/Agents/providers/"
    "Microsoft.OperationalInsights/workspaces/Approved"
)
RIGHT = f"""defaults:
  workspaces: [{WORKSPACE}]
  frameworks: [agent_framework, openai]
  content_recording: off
  settings_attributes: [release]
  trace_attributes: [release, tenant]
  sampling: {{samplers: [always_on], minimum_ratio: 1}}
  retention_days: 90
  diagnostic_settings: []
  minimum_runs: 1
environments:
  production: {{}}
  staging:
    content_recording: on
    retention_days: 30
exceptions:
  - rule: trace_attribute
    subject: tenant
    environment: staging
    reason: Until the migration is over (CHG-1)
    owner: dispatch
    until: 2027-01-31
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "release.yaml"
    path.write_text(text, "utf-8")
    return path


def refusal(folder: Path, text: str, environment: str = "production") -> str:
    with pytest.raises(ConfigurationError) as refused:
        load_policy(written(folder, text), environment)
    return str(refused.value)


def test_the_shipped_policy_is_right_and_approves_no_workspace() -> None:
    policy = load_policy(RELEASE_FILE, "production")
    (workspace,) = policy.workspaces
    assert workspace.startswith("/subscriptions/00000000-0000-0000-0000-000000000000/")
    assert not policy.content_recording
    assert policy.minimum_ratio == 1
    assert policy.exceptions == ()


def test_an_environment_s_own_keys_replace_the_defaults(tmp_path: Path) -> None:
    path = written(tmp_path, RIGHT)
    production, staging = load_policy(path, "production"), load_policy(path, "staging")
    assert (production.content_recording, staging.content_recording) == (False, True)
    assert (production.retention_days, staging.retention_days) == (90, 30)
    assert production.workspaces == staging.workspaces == {WORKSPACE.lower()}
    assert production.exceptions == ()
    assert staging.exceptions == (
        GateException(
            "trace_attribute", "tenant", "Until the migration is over (CHG-1)", "dispatch", date(2027, 1, 31)
        ),
    )


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("retention_days: 90", "retention: 90", 8, "is not a known key"),
        ("  retention_days: 90\n", "", 11, "lacks the key `retention_days`, as do the defaults"),
        ("minimum_ratio: 1", "minimum_ratio: 0", 7, "must be above 0"),
        ("[always_on]", "[sometimes]", 7, "must be one of always_on"),
        ("[agent_framework, openai]", "[autogen]", 3, "must be one of agent_framework"),
        ("content_recording: off", "content_recording: maybe", 4, "must be of type boolean"),
        (WORKSPACE, "approved", 2, "must match"),
        ("[release, tenant]", "[release, customer]", 6, "must be one of release"),
        ("rule: trace_attribute", "rule: everything", 17, "is no rule"),
        ("    subject: tenant\n", "", 17, "needs a subject"),
        ("rule: trace_attribute", "rule: retention", 17, "must have no subject"),
        ("environment: staging", "environment: test", 19, "is no environment of this file"),
        ("until: 2027-01-31", "until: 2027-02-30", 22, "must be a date"),
        ("    owner: dispatch\n", "", 17, "lacks the key `owner`"),
        ("reason: Until the migration is over (CHG-1)", "reason: why", 20, "minLength"),
    ],
)
def test_a_mistake_is_named_by_file_line_rule_and_fix(
    tmp_path: Path, before: str, after: str, line: int, said: str
) -> None:
    assert before in RIGHT
    told = refusal(tmp_path, RIGHT.replace(before, after)).splitlines()
    wanted = f"{tmp_path / 'release.yaml'}, line {line}: "
    assert any(one.startswith(wanted) and said in one for one in told), told


def test_an_environment_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    told = refusal(tmp_path, RIGHT, "live")
    assert "line 11" in told
    assert "production, staging" in told


def test_the_schema_knows_what_the_rules_know() -> None:
    assert set(OWN["frameworks"]["items"]["enum"]) == FRAMEWORKS.keys()
    assert set(OWN["sampling"]["properties"]["samplers"]["items"]["enum"]) == set(SAMPLERS)


def test_the_page_names_every_rule_framework_and_switch() -> None:
    page = (SHIPPED.parent / "docs/release-gate.md").read_text("utf-8")
    switches = {switch.setting for each in FRAMEWORKS.values() for switch in each.content}
    assert [name for name in (*RULES, *FRAMEWORKS) if f"| `{name}` |" not in page] == []
    # One is written as the other with an ending.
    assert [name for name in switches if name not in page] == []


def test_the_file_is_no_part_of_the_app_s_configuration(tmp_path: Path) -> None:
    assert "release.yaml" not in read_folder(SHIPPED)
    before = load_configuration(SHIPPED).hash
    written(tmp_path, RIGHT)
    assert load_configuration(SHIPPED, tmp_path).hash == before
    nested: dict[str, Any] = dict(read_folder(tmp_path))
    assert nested == {}
