"""The workbook, the views as functions and the alarm rules: the language service takes them, rows answer."""

import gzip
import json
import logging
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from functions.configuration import SHIPPED, load_configuration
from functions.traces.kql import instant
from functions.watch.heartbeat import Heart
from functions.watch.turn import CheckTick
from functions.watch.watch import TickReport
from infra.workbook.build import COLUMNS, GENERATED, OF_AGENTS, OF_WATCH, files, queries
from local.azure_monitor.ingestion import Telemetry
from local.azure_monitor.schema import tables
from local.node import find_node
from tests.fakes.destinations import Reply
from tests.fakes.storage import MemoryDocuments
from tests.infra.bicep import INFRA, ROOT
from tests.unit.alerts.building import CHECK
from tests.unit.watch.world import World, minutes_until

CONFIGURATION = load_configuration(SHIPPED)
CAPTURE = ROOT / "../shared/captures/agent-framework/envelopes.jsonl.gz"
APP = "func-prod-abc123"
DIMENSIONS = tuple(CONFIGURATION.agents.attributes.dimensions)


@cache
def captured() -> tuple[Telemetry, datetime, datetime]:
    """Return real agents' telemetry, and between when it was received."""
    with gzip.open(CAPTURE, "rt") as lines:
        envelopes = [json.loads(line) for line in lines]
    times = [datetime.fromisoformat(envelope["time"]) for envelope in envelopes]
    telemetry = Telemetry()
    assert telemetry.ingest(envelopes, delay=timedelta(seconds=5)) == len(envelopes)
    return telemetry, min(times) - timedelta(minutes=1), max(times) + timedelta(hours=1)


def filled(kql: str, by: str = "agent") -> str:
    """Return a query as the workbook sends it."""
    _, since, until = captured()
    values = {
        "{By}": by,
        "{TimeRange:startISO}": since.isoformat(),
        "{TimeRange:endISO}": until.isoformat(),
        "$app": APP,
    }
    for name, value in values.items():
        kql = kql.replace(name, value)
    return kql


def view(name: str) -> str:
    """Return a workspace function's body as a query: its parameters bound."""
    _, since, until = captured()
    body = (GENERATED / f"{name}.kql").read_text(encoding="utf-8")
    return f"let ReceivedFrom = {instant(since)};\nlet ReceivedTo = {instant(until)};\n{body}"


def rule(name: str) -> str:
    """Return an alarm rule's query."""
    return (INFRA / "queries" / f"{name}.kql").read_text(encoding="utf-8").replace("$app", APP)


RUN = (" by", "by agent", f"by {DIMENSIONS[0]}")
"""Grouped by what: the others differ in one word that the language service has read."""

RULES = ("heartbeat", "dead-letters", "function-failures")
PANELS = [
    *((name, by) for name in OF_AGENTS for by in (*COLUMNS, *DIMENSIONS)),
    *((name, "") for name in OF_WATCH),
]


def every_query() -> dict[str, str]:
    asked = queries(CONFIGURATION)
    return (
        {f"{name} by {by}".strip(): filled(asked[name], by) for name, by in PANELS}
        | {f"view {name}": view(name) for name in ("spans", "runs")}
        | {f"rule {name}": rule(name) for name in RULES}
    )


@pytest.fixture(scope="module")
def verdicts() -> dict[str, dict[str, Any]]:
    answer = subprocess.run(
        [str(find_node()), str(ROOT / "local" / "kql_language_service.mjs")],
        input=json.dumps(
            {
                "tables": {name: dict(columns) for name, columns in tables().items()},
                "queries": every_query() | {"wrong": "AppRequests | project NoSuchColumn"},
            }
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, dict[str, Any]] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize("name", every_query())
def test_the_language_service_accepts_the_query(verdicts: dict[str, dict[str, Any]], name: str) -> None:
    assert verdicts[name]["errors"] == []


def test_the_language_service_would_refuse_what_is_wrong(verdicts: dict[str, dict[str, Any]]) -> None:
    assert verdicts["wrong"]["errors"]


@pytest.mark.parametrize(
    "name", [name for name in every_query() if "by" not in name.split() or name.endswith(RUN)]
)
def test_the_local_engine_runs_the_query_and_agrees_on_the_columns(
    verdicts: dict[str, dict[str, Any]], name: str
) -> None:
    assert dict(captured()[0].query(every_query()[name]).columns) == verdicts[name]["columns"]


@pytest.mark.parametrize("name", files(CONFIGURATION))
def test_what_the_templates_load_is_what_the_code_s_views_make(name: str) -> None:
    written = (GENERATED / name).read_text(encoding="utf-8")
    assert written == files(CONFIGURATION)[name], "run `make infra`"


def test_nothing_else_lies_there() -> None:
    assert {path.name for path in GENERATED.iterdir()} == files(CONFIGURATION).keys()


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEVELS = {logging.INFO: 1, logging.WARNING: 2, logging.ERROR: 3}


def records(kql: str, *envelopes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a query finds among these rows."""
    telemetry = Telemetry()
    assert telemetry.ingest(envelopes, delay=timedelta(seconds=5)) == len(envelopes)
    table = telemetry.query(kql)
    return [dict(zip([name for name, _ in table.columns], row, strict=True)) for row in table.rows]


def envelope(
    kind: str, base: dict[str, Any], *, role: str = APP, operation: str = "", name: str = ""
) -> dict[str, Any]:
    """Return a row as the Functions host sends it."""
    return {
        "name": f"Microsoft.ApplicationInsights.{kind}",
        "iKey": "00000000-0000-0000-0000-000000000001",
        "time": NOON.isoformat(),
        "tags": {"ai.cloud.role": role, "ai.operation.id": operation, "ai.operation.name": name},
        "data": {"baseType": f"{kind}Data", "baseData": {"ver": 2, **base}},
    }


def log(entries: Iterable[logging.LogRecord], role: str = APP) -> list[dict[str, Any]]:
    """Return the app's log as it arrives: what a person would read, with its level."""
    return [
        envelope(
            "Message", {"message": entry.getMessage(), "severityLevel": LEVELS[entry.levelno]}, role=role
        )
        for entry in entries
    ]


def request(name: str, *, success: bool, operation: str, role: str = APP) -> dict[str, Any]:
    base = {
        "name": name,
        "id": operation,
        "duration": "0.00:00:01.000",
        "responseCode": "0",
        "success": success,
    }
    return envelope("Request", base, role=role, operation=operation, name=name)


def test_a_tick_is_the_heartbeat_that_the_rule_misses(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    report = TickReport((CheckTick("slow_run", "evaluated"),), accepted=0, put_off=0, refused=0)
    Heart(MemoryDocuments(), None, clock=lambda: NOON).beat((report,))
    beats = log(caplog.records)
    assert len(records(rule("heartbeat"), *beats)) == 1
    assert records(rule("heartbeat"), *log(caplog.records, role="func-test-abc123")) == []
    assert records(rule("heartbeat"), request("watch_tick", success=False, operation="a")) == []


def test_a_watch_that_delivers_everything_is_no_dead_letter(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    world.run(minutes_until(0) + 5)
    assert world.accepted()
    assert records(rule("dead-letters"), *log(caplog.records)) == []


def test_what_is_refused_for_good_is_a_dead_letter_and_what_is_tried_again_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    World(replies=[Reply(503)] * 100).run(minutes_until(0) + 5)
    assert any("did not take" in entry.getMessage() for entry in caplog.records)
    assert records(rule("dead-letters"), *log(caplog.records)) == []
    caplog.clear()
    World(replies=[Reply(400)] * 100).run(minutes_until(0) + 5)
    assert records(rule("dead-letters"), *log(caplog.records)) != []


def test_what_waited_for_a_day_is_a_dead_letter(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = World(replies=[Reply(503)] * 10_000)
    world.run(minutes_until(0) + 5)
    world.now += timedelta(days=1)
    world.run(20)
    assert "not accepted within a day" in records(rule("dead-letters"), *log(caplog.records))[0]["Message"]


def test_failures_of_functions_are_ours_alone_and_ticks_count_from_five_on() -> None:
    failures = rule("function-failures")
    well = [
        request(name, success=True, operation=name) for name in ("watch_tick", "run_export", "GET /portal")
    ]
    agents = request("POST /ask", success=False, operation="theirs", role="harborline.dispatch-agent")
    ticks = [request("watch_tick", success=False, operation=f"tick{n}") for n in range(5)]
    assert records(failures, *well, agents, *ticks[:4]) == []
    assert records(failures, *well, *ticks) == [{"Function": "watch_tick", "Failures": 5}]
    assert records(failures, request("seal_days", success=False, operation="a")) == [
        {"Function": "seal_days", "Failures": 1}
    ]


def test_one_failure_that_is_told_twice_is_one() -> None:
    thrown = envelope(
        "Exception",
        {
            "severityLevel": 3,
            "exceptions": [{"typeName": "TracekeeperError", "message": "run_export failed"}],
        },
        operation="a",
        name="run_export",
    )
    thrown["time"] = (NOON + timedelta(seconds=1)).isoformat()
    found = records(rule("function-failures"), request("run_export", success=False, operation="a"), thrown)
    assert found == [{"Function": "run_export", "Failures": 1}]
    assert records(rule("function-failures"), thrown) == found


def test_the_workbook_tells_of_findings_and_of_what_was_not_evaluated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    world.run(minutes_until(0) + 5)
    asked = queries(CONFIGURATION)
    (found,) = records(filled(asked["findings"]), *log(caplog.records))
    assert (found["CheckId"], found["Findings"]) == (CHECK.id, 1)
    (covered,) = records(filled(asked["coverage"]), *log(caplog.records))
    assert covered["WindowsEvaluated"] > 0
    assert covered["TicksFailed"] == 0
    caplog.clear()
    world.runner.down.add(CHECK.id)
    world.run(30)
    (covered,) = records(filled(asked["coverage"]), *log(caplog.records))
    assert covered["TicksFailed"] > 0


def panel(name: str, by: str) -> list[dict[str, Any]]:
    table = captured()[0].query(filled(queries(CONFIGURATION)[name], by))
    return [dict(zip([column for column, _ in table.columns], row, strict=True)) for row in table.rows]


def test_the_workbook_counts_the_runs_of_real_agents_whatever_they_are_grouped_by() -> None:
    labels = (CAPTURE.parent / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    runs = {by: sum(row["Runs"] for row in panel("runs", by)) for by in ("agent", "release", *DIMENSIONS[:1])}
    assert len(set(runs.values())) == 1
    assert runs["agent"] == len(labels)
    assert {row["Group"] for row in panel("runs", "release")} == {"2.3.1", "2.4.0"}


def test_the_workbook_prices_calls_and_tells_steps_apart() -> None:
    costs = panel("costs", "agent")
    assert sum(row["Cost"] for row in costs) > 0
    steps = {row["Operation"] for row in panel("latency", "agent")}
    assert {"invoke_agent", "chat", "execute_tool"} <= steps
