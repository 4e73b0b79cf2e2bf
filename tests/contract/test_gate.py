"""The gate as a process: a real query API with captured telemetry of the last hour, and an `az` on PATH."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from functions.configuration import SHIPPED, load_configuration
from local.retiming import retime
from local.serving import Certificates
from tests.fakes.azure_cli import write_program
from tests.fakes.workspace import GUID, Workspace

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT.parent / "shared" / "captures" / "agent-framework"
KEY = "00000000-0000-4000-8000-00000000000a"
GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/agents/providers"
COMPONENT = f"{GROUP}/Microsoft.Insights/components/agents"
WORKSPACE = f"{GROUP}/Microsoft.OperationalInsights/workspaces/approved"
APP = f"{GROUP}/Microsoft.Web/sites/agents"
CONNECTION = f"InstrumentationKey={KEY};IngestionEndpoint=https://example.in.applicationinsights.azure.com/"
SETTINGS = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING": CONNECTION,
    "OTEL_RESOURCE_ATTRIBUTES": (
        "service.version=2.4.0,prompt.version=v7,deployment.environment=production,tenant.id=acme"
    ),
    "OTEL_TRACES_SAMPLER": "always_on",
    "ENABLE_SENSITIVE_DATA": "true",
    "MODEL_KEY": "a-secret-of-the-app",
}
ANSWERS: dict[tuple[str, ...], Any] = {
    ("webapp", "config", "appsettings", "list", "--name", "agents"): [
        {"name": name, "slotSetting": False, "value": value} for name, value in SETTINGS.items()
    ],
    ("monitor", "app-insights", "component", "show", "--app", "agents"): {
        "connectionString": CONNECTION,
        "instrumentationKey": KEY,
        "samplingPercentage": None,
        "workspaceResourceId": WORKSPACE,
    },
    ("monitor", "log-analytics", "workspace", "show", "--workspace-name", "approved"): {
        "customerId": GUID,
        "retentionInDays": 90,
    },
    ("monitor", "log-analytics", "workspace", "table", "list"): [
        {"name": "AppTraces", "retentionInDays": 180}
    ],
}


def labels() -> list[dict[str, Any]]:
    lines = (CAPTURES / "labels.jsonl").read_text("utf-8").splitlines()
    return [one for one in map(json.loads, lines) if one["service_version"] == "2.4.0"]


@pytest.fixture(scope="module")
def replayed(certificates: Certificates) -> Iterator[dict[str, str]]:
    if not CAPTURES.is_dir():
        pytest.skip("the captured telemetry is not here")
    with gzip.open(CAPTURES / "envelopes.jsonl.gz", "rt") as lines:
        envelopes = [json.loads(line) for line in lines]
    ages = load_configuration(SHIPPED).agents.attributes.data_as_of
    end = datetime.now(UTC) - timedelta(minutes=1)
    workspace = Workspace()
    workspace.telemetry.ingest(
        retime(envelopes, end=end, over=timedelta(minutes=50), data_as_of=ages), delay=timedelta(seconds=1)
    )
    with workspace.served(certificates) as settings:
        yield settings


def policy(folder: Path, **changed: Any) -> Path:
    body = yaml.safe_load((SHIPPED / "release.yaml").read_text("utf-8"))
    body["defaults"] |= {"workspaces": [WORKSPACE]}
    exceptions = changed.pop("exceptions", [])
    body["environments"]["production"] = {"content_recording": True} | changed
    path = folder / "release.yaml"
    path.write_text(yaml.safe_dump(body | {"exceptions": exceptions}), "utf-8")
    return path


def gate(
    folder: Path, environment: dict[str, str], *extra: str, answers: dict[tuple[str, ...], Any] = ANSWERS
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the command, and return how it ended and its report; no secret may be in any of it."""
    program = write_program(folder, answers)
    command = ["gate", "--component", COMPONENT, "--environment", "production", "--release", "2.4.0"]
    command += ["--json", str(folder / "gate.json"), "--junit", str(folder / "gate.xml"), *extra]
    if "--settings" not in extra:
        command += ["--app", APP]
    done = subprocess.run(
        [sys.executable, "-m", "functions.cli", *command],
        cwd=ROOT,
        env={**os.environ, **environment, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout + done.stderr
    for name in ("gate.json", "gate.xml"):
        told += (folder / name).read_text("utf-8") if (folder / name).exists() else ""
    assert KEY not in told
    assert SETTINGS["MODEL_KEY"] not in told
    report = folder / "gate.json"
    return done, json.loads(report.read_text("utf-8")) if report.exists() else {}


def results(report: dict[str, Any]) -> dict[str, str]:
    return {"/".join(filter(None, (one["rule"], one["subject"]))): one["result"] for one in report["rules"]}


def test_the_captured_release_is_stopped_for_what_its_labels_say(
    replayed: dict[str, str], tmp_path: Path
) -> None:
    done, report = gate(tmp_path, replayed, "--policy", str(policy(tmp_path)), "--annotations", "github")
    found = {f"{one['rule']}/{one['subject']}": one for one in report["rules"]}
    assert (done.returncode, report["gate"]) == (1, "closed")
    assert {rule: result for rule, result in results(report).items() if result != "pass"} == {
        "trace_attribute/tenant": "fail",  # the labels say missing_correlation
        "trace_attribute/environment": "fail",  # no capture carries one
    }
    uncorrelated = sum(one["missing_correlation"] for one in labels())
    assert 0 < uncorrelated < len(labels())
    assert found["trace_attribute/tenant"]["reason"] == f"{uncorrelated} of {len(labels())} runs carry none."
    assert found["traces_arrive/None"]["reason"] == f"{len(labels())} runs arrived in the last hour."
    assert sum(line.startswith("::error ") for line in done.stdout.splitlines()) == 2
    suite = ET.parse(tmp_path / "gate.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("2", "0", "0")
    assert len(suite.findall("testcase/failure")) == 2


def test_it_may_go_on_where_that_is_excepted_and_stops_again_by_itself(
    replayed: dict[str, str], tmp_path: Path
) -> None:
    def excepted(until: datetime) -> Path:
        exceptions = [
            {
                "rule": "trace_attribute",
                "subject": subject,
                "environment": "production",
                "reason": "The captures have none",
                "owner": "dispatch",
                "until": f"{until:%Y-%m-%d}",
            }
            for subject in ("tenant", "environment")
        ]
        return policy(tmp_path, exceptions=exceptions)

    today = datetime.now(UTC)
    day = timedelta(days=1)
    # To tomorrow, in case midnight passes while it runs.
    done, report = gate(tmp_path, replayed, "--policy", str(excepted(today + day)), "--annotations", "azure")
    assert (done.returncode, report["gate"]) == (0, "open")
    assert results(report)["trace_attribute/tenant"] == "fail"
    assert done.stdout.count("##vso[task.logissue type=warning]") == 2
    assert "dispatch answers for it" in done.stdout
    suite = ET.parse(tmp_path / "gate.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "2")
    done, _ = gate(tmp_path, replayed, "--policy", str(excepted(today - day)))
    assert done.returncode == 1
    assert f"The exception ended on {today - day:%Y-%m-%d}." in done.stdout


def test_content_that_must_not_be_recorded_stops_it(replayed: dict[str, str], tmp_path: Path) -> None:
    forbidden = policy(tmp_path, content_recording=False, trace_attributes=[])
    _, report = gate(tmp_path, replayed, "--policy", str(forbidden))
    failed = {rule for rule, result in results(report).items() if result == "fail"}
    assert failed == {"content_recording", "content_in_traces"}


def test_what_can_t_be_read_stops_it(replayed: dict[str, str], tmp_path: Path) -> None:
    """Neither Azure nor the workspace answers; and no release of that name has sent anything."""
    unreachable = replayed | {"LOGS_WORKSPACE_ID": ""}
    done, report = gate(tmp_path, unreachable, "--policy", str(policy(tmp_path)), answers={})
    assert done.returncode == 1
    assert {result for rule, result in results(report).items() if rule != "diagnostic_settings"} == {
        "not evaluable"
    }
    assert ET.parse(tmp_path / "gate.xml").getroot()[0].get("errors") == str(len(report["rules"]) - 1)


def test_the_shipped_policy_approves_no_workspace(replayed: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "app.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in SETTINGS.items()), "utf-8")
    done, report = gate(tmp_path, replayed, "--settings", str(file))
    assert done.returncode == 1
    assert results(report)["workspace"] == "fail"
    assert results(report)["connection_string"] == "pass"


@pytest.mark.parametrize(
    "extra",
    [["--settings", "x", "--app", APP], ["--settings", "x", "--container", "y"], ["--annotations", "x"]],
)
def test_a_wrong_call_exits_2(extra: list[str], tmp_path: Path) -> None:
    done, report = gate(tmp_path, {}, *extra)
    assert (done.returncode, report) == (2, {})
