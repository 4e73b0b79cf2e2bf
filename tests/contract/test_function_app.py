"""Microsoft's own runtime indexes function_app.py: what starts each function and where its results go."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]

# In a process of its own: the runtime keeps its registry in module globals, one app a process.
INDEX = """
import json, sys
from pathlib import Path
from local.host.functions_runtime import FunctionsRuntime
functions = FunctionsRuntime(Path(sys.argv[1])).functions.values()
print(json.dumps({
    function.name: {
        "trigger": [function.trigger.type, dict(function.trigger.settings)],
        "outputs": [[output.type, dict(output.settings)] for output in function.outputs],
    } for function in functions
}, default=str))
"""

# What the worker has loaded before is its own affair: the runtime and azure.functions.
START = """
import azure.functions, json, sys
from pathlib import Path
from local.host.functions_runtime import FunctionsRuntime
from local.host.invocations import HttpCall
def loaded():
    return set(sys.modules)
before = loaded()
runtime = FunctionsRuntime(Path(sys.argv[1]))
indexed = loaded()
page = HttpCall("GET", "https://app.example.com/portal", {}, {}, {}, b"")
status = runtime.invoke(runtime.functions["show_portal"], page).answer.status
print(json.dumps({
    "index": sorted(indexed - before), "page": sorted(loaded() - before), "status": status,
}))
"""

HTTP = {
    "show_health": ("GET", "api/v1/health"),
    "list_checks": ("GET", "api/v1/checks"),
    "show_configuration": ("GET", "api/v1/configuration"),
    "show_coverage": ("GET", "api/v1/checks/{check_id}/coverage"),
    "show_coverage_map": ("GET", "api/v1/coverage"),
    "list_alerts": ("GET", "api/v1/alerts"),
    "show_alert": ("GET", "api/v1/alerts/{alert_id}"),
    "read_alert_trace": ("GET", "api/v1/alerts/{alert_id}/traces/{trace_id}"),
    "acknowledge_alert": ("POST", "api/v1/alerts/{alert_id}/acknowledge"),
    "list_silences": ("GET", "api/v1/silences"),
    "add_silence": ("POST", "api/v1/silences"),
    "end_silence": ("DELETE", "api/v1/silences/{silence_id}"),
    "show_me": ("GET", "api/v1/me"),
    "show_portal": ("GET", "portal"),
    "show_portal_file": ("GET", "portal/{file}"),
    "list_accesses": ("GET", "api/v1/access-log"),
    "report_costs": ("GET", "api/v1/costs"),
    "request_export": ("POST", "api/v1/exports"),
    "list_exports": ("GET", "api/v1/exports"),
    "show_export": ("GET", "api/v1/exports/{export_id}"),
    "approve_export": ("POST", "api/v1/exports/{export_id}/approve"),
    "cancel_export": ("POST", "api/v1/exports/{export_id}/cancel"),
    "download_bundle": ("GET", "api/v1/exports/{export_id}/bundle"),
    "search_traces": ("POST", "api/v1/traces/search"),
    "read_trace": ("GET", "api/v1/traces/{trace_id}"),
}
TIMERS = {
    "sweep_exports",
    "watch_tick",
    "send_canary",
    "weekly_summary",
    "seal_days",
    "note_head",
    "check_clock",
}
QUEUES = {"run_export": "exports", "export_poisoned": "exports-poison"}


def run(script: str) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-c", script, str(REPOSITORY)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return told


@pytest.fixture(scope="module")
def indexed() -> dict[str, dict[str, Any]]:
    return run(INDEX)


@pytest.fixture(scope="module")
def started() -> dict[str, Any]:
    """What a start has loaded once the app is indexed, and once a page is answered as well."""
    return run(START)


def test_the_app_has_these_functions_and_no_others(indexed: dict[str, dict[str, Any]]) -> None:
    assert indexed.keys() == HTTP.keys() | QUEUES.keys() | TIMERS


@pytest.mark.parametrize("name", HTTP)
def test_an_http_function_has_its_method_and_route(indexed: dict[str, dict[str, Any]], name: str) -> None:
    kind, settings = indexed[name]["trigger"]
    assert kind == "httpTrigger"
    assert (settings["methods"], settings["route"]) == ([HTTP[name][0]], HTTP[name][1])
    assert settings["authLevel"].lower() == "anonymous"  # App Service authentication stands before it


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_function_reads_its_queue(indexed: dict[str, dict[str, Any]], name: str) -> None:
    kind, settings = indexed[name]["trigger"]
    assert (kind, settings["queueName"]) == ("queueTrigger", QUEUES[name])
    assert settings["connection"] == "AzureWebJobsStorage"


def test_the_watch_ticks_every_minute_and_not_at_start(indexed: dict[str, dict[str, Any]]) -> None:
    kind, settings = indexed["watch_tick"]["trigger"]
    assert (kind, settings["schedule"], settings["runOnStartup"]) == ("timerTrigger", "0 * * * * *", False)


def test_a_marker_run_is_sent_every_five_minutes(indexed: dict[str, dict[str, Any]]) -> None:
    kind, settings = indexed["send_canary"]["trigger"]
    assert (kind, settings["schedule"], settings["runOnStartup"]) == ("timerTrigger", "30 */5 * * * *", False)


def test_a_summary_is_looked_for_every_five_minutes(indexed: dict[str, dict[str, Any]]) -> None:
    kind, settings = indexed["weekly_summary"]["trigger"]
    assert (kind, settings["schedule"], settings["runOnStartup"]) == ("timerTrigger", "45 */5 * * * *", False)


@pytest.mark.parametrize(
    ("name", "schedule"),
    [("seal_days", "0 12 * * * *"), ("note_head", "30 7 * * * *"), ("check_clock", "15 */5 * * * *")],
)
def test_the_record_is_kept_all_day_long(
    indexed: dict[str, dict[str, Any]], name: str, schedule: str
) -> None:
    kind, settings = indexed[name]["trigger"]
    assert (kind, settings["schedule"], settings["runOnStartup"]) == ("timerTrigger", schedule, False)


@pytest.mark.parametrize("name", ["request_export", "watch_tick"])
def test_who_asks_for_an_export_writes_to_the_queue_that_the_job_reads(
    indexed: dict[str, dict[str, Any]], name: str
) -> None:
    queues = [settings for kind, settings in indexed[name]["outputs"] if kind == "queue"]
    assert [settings["queueName"] for settings in queues] == [QUEUES["run_export"]]


@pytest.mark.parametrize("when", ["index", "page"])
def test_a_start_loads_no_library_but_the_host_s_own(started: dict[str, Any], when: str) -> None:
    ours = {"functions", "function_app"}
    tops = {name.partition(".")[0] for name in started[when]}
    assert started["status"] == 200
    assert tops - ours - sys.stdlib_module_names == set()
    assert [name for name in started[when] if name.startswith("azure.")] == []


def test_the_index_loads_nothing_that_serves(started: dict[str, Any]) -> None:
    rooms = {".".join(name.split(".")[:2]) for name in started["index"] if name.startswith("functions.")}
    assert rooms == {"functions.triggers", "functions.evidence", "functions.errors", "functions.problems"}
    jobs = {name for name in started["index"] if name.startswith("functions.evidence.")}
    assert jobs == {"functions.evidence.exports", "functions.evidence.exports.steps"}


def test_a_page_needs_no_services(started: dict[str, Any]) -> None:
    assert {"functions.wiring", "functions.clients", "functions.configuration"}.isdisjoint(started["page"])
