"""Replays hours of telemetry with late rows, outages and throttling, and knows beforehand what must come out.

    python -m tests.e2e.day [--hours 24] [--without-sweeps]

The watch, its runner and the Log Analytics client are the real ones, Azure Monitor is the stand-in over TLS;
the clock is turned by hand. Exits 1 where a planted violation was missed or found twice.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from azure.core.credentials import AccessToken
from azure.monitor.query import LogsQueryClient

from functions.alerts.reading import check_coverage, list_alerts, read_alert
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.alerts.told_as import told_as_it_is
from functions.checks.definition import CheckDefinition
from functions.checks.runner import Runner
from functions.checks.windows import window_start
from functions.configuration import SHIPPED, load_configuration
from functions.delivery.cards.writer import CardWriter
from functions.delivery.interface import Channel
from functions.traces.log_analytics import client_options, log_analytics
from functions.watch.watch import Watch
from local.azure_monitor.faults import Faults
from local.azure_monitor.ingestion import WORKSPACE_ID, Telemetry
from local.azure_monitor.service import create_app
from local.serving import Service, make_certificates
from tests.checks.telemetry import Trace
from tests.fakes.destinations import MemoryDestination
from tests.fakes.storage import MemoryDocuments

START = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STEP = 15 * MINUTE
PROMPT = timedelta(seconds=2)
AGENT, LOOKUP = "dispatcher", "get_shipment_status"
SWEPT_BY = timedelta(hours=2, minutes=45)
"""After the last telemetry the watch goes on for so long, so that every window is swept."""

FULL = ("skipped_lookup", "tool_retry_storm", "stale_tool_data", "unapproved_tool")

Violation = tuple[str, str, str]
"""Check, tool and trace; the agent is always the same."""


@dataclass(frozen=True)
class Stretch:
    """A half-open stretch of time."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end


OUTAGES = (
    Stretch(START + 70 * MINUTE, START + 120 * MINUTE),
    Stretch(START + 200 * MINUTE, START + 330 * MINUTE),
)
THROTTLED = Stretch(START + 370 * MINUTE, START + 430 * MINUTE)


@dataclass(frozen=True)
class Row:
    """One row on its way: whose run it belongs to, what is sent and when it is received."""

    trace_id: str
    is_run: bool
    envelope: Mapping[str, Any]
    delay: timedelta

    @property
    def received(self) -> datetime:
        return datetime.fromisoformat(str(self.envelope["time"])) + self.delay


@dataclass(frozen=True)
class Planted:
    """The telemetry of some hours, and what is wrong in it."""

    rows: tuple[Row, ...]
    violations: frozenset[Violation]

    def late_rows(self, check: CheckDefinition) -> int:
        """Count the rows that come too late for the window of their run, but within an hour after it."""
        ended = {
            row.trace_id: window_start(row.received, check.every) + check.every
            for row in self.rows
            if row.is_run
        }
        after = [row.received - ended[row.trace_id] for row in self.rows]
        return sum(check.settle <= one < timedelta(hours=1) for one in after)


def plant(hours: int, *, seed: int = 6) -> Planted:
    """Make a run every minute or so, some of them wrong, and delay every twentieth row."""
    chance = Random(seed)
    rows: list[Row] = []
    violations: set[Violation] = set()
    for number in range(1, hours * 60 + 1):
        start = START + (number - 1) * MINUTE + timedelta(seconds=chance.uniform(0, 50))
        trace = Trace(number, start=start)
        run = trace.agent(AGENT, trace.request(**{"app.intent": "shipment_status"}))
        for check, tool in _behave(trace, run, start, chance):
            violations.add((check, tool, trace.trace_id))
        for envelope in trace.envelopes:
            late = timedelta(seconds=chance.uniform(0, 40 * 60)) if chance.random() < 0.05 else PROMPT
            is_run = envelope["data"]["baseData"]["id"] == run
            rows.append(Row(trace.trace_id, is_run, envelope, max(late, PROMPT)))
    return Planted(tuple(rows), frozenset(violations))


def _behave(trace: Trace, run: str, start: datetime, chance: Random) -> Iterator[tuple[str, str]]:
    """Add a run's tool calls; yield what is wrong with them."""
    kind = chance.choices(["good", "skipped", "storm", "stale", "unapproved"], [4, 2, 2, 1, 1])[0]
    age = timedelta(hours=3) if kind == "stale" else 5 * MINUTE
    for call in range({"skipped": 0, "storm": 4}.get(kind, 1)):
        dated = {"tool.data_as_of": (start - age).isoformat()}
        trace.tool(LOOKUP, run, after=0.2 + call / 10, **dated)
    trace.tool("search_knowledge_base", run, after=0.9)
    match kind:
        case "skipped":
            yield "skipped_lookup", LOOKUP
        case "storm":
            yield "tool_retry_storm", LOOKUP
        case "stale":
            yield "stale_tool_data", LOOKUP
        case "unapproved":
            trace.tool("cancel_shipment", run, after=1.0)
            yield "unapproved_tool", "cancel_shipment"


@dataclass(frozen=True)
class Outcome:
    """What the service said in the end.

    Attributes:
        coverage: Check id to what GET checks/{id}/coverage answers.
        alerts: Each as GET alerts/{id} answers.
        ticks: When the watch ran.
        cards: Idempotency keys of the accepted messages.
    """

    coverage: Mapping[str, Mapping[str, Any]]
    alerts: tuple[Mapping[str, Any], ...]
    ticks: tuple[datetime, ...]
    cards: tuple[str, ...]

    def findings(self) -> Iterator[tuple[str, Mapping[str, str], Mapping[str, Any]]]:
        """Yield check, key and finding."""
        for alert in self.alerts:
            for finding in alert["findings"]:
                yield alert["check_id"], alert["key"], finding

    def found(self) -> Counter[Violation]:
        """Count how often each violation was found and not withdrawn."""
        return Counter(
            (check, key["Tool"], trace)
            for check, key, finding in self.findings()
            for trace in finding["trace_ids"]
            if trace not in finding["withdrawn"] and "Tool" in key
        )


class _Anyone:
    """A credential that the stand-in takes."""

    def get_token(self, *_: str, **_options: Any) -> AccessToken:
        return AccessToken("token", int(time.time()) + 3600)


def replay(planted: Planted, check_ids: Sequence[str], hours: int, *, sweeps: bool = True) -> Outcome:
    """Run the watch over the telemetry as it comes in, and return what it says afterwards."""
    configuration = load_configuration(SHIPPED)
    checks = [check for check in configuration.checks if check.id in check_ids]
    documents, faults, telemetry = MemoryDocuments(), Faults(), Telemetry()
    for check in checks:
        documents.write(PREFIX + check.id, state_to_json(CheckState(watermark=START)), version=None)
    now = START
    teams = MemoryDestination(clock=lambda: now)
    ticks = []
    with tempfile.TemporaryDirectory() as folder:
        certificates = make_certificates(Path(folder))
        app = create_app(telemetry, faults, token_ok=lambda _: True)
        with (
            Service(app, certificates) as service,
            LogsQueryClient(
                _Anyone(),
                endpoint=service.url,
                connection_verify=str(certificates.authority),
                **client_options(),
            ) as client,
        ):
            source = log_analytics(client, workspace_id=WORKSPACE_ID)
            runner = Runner(source, configuration.agents, configuration.prices)
            watch = Watch(
                documents,
                runner,
                checks,
                configuration.alerts,
                {"teams": Channel(teams, CardWriter("https://tracekeeper.example.net", told_as_it_is, {}))},
                clock=lambda: now,
                sweeper=runner if sweeps else None,
                pause=lambda _: None,
            )
            waiting = sorted(planted.rows, key=lambda row: row.received)
            while now < START + timedelta(hours=hours) + SWEPT_BY:
                now += STEP
                waiting = _received(telemetry, waiting, now)
                if any(now in outage for outage in OUTAGES):
                    continue
                while now not in THROTTLED and faults.take(""):
                    pass  # the service has recovered
                if now in THROTTLED:
                    faults.add("throttled", times=1_000, retry_after=0)
                ticks.append(now)
                watch.tick()
    return Outcome(
        coverage={check.id: check_coverage(documents, checks, check.id) for check in checks},
        alerts=tuple(read_alert(documents, alert["id"]) for alert in list_alerts(documents)["alerts"]),
        ticks=tuple(ticks),
        cards=tuple(posted.idempotency_key for posted in teams.accepted),
    )


def _received(telemetry: Telemetry, waiting: Sequence[Row], now: datetime) -> list[Row]:
    """Store the rows that have arrived by now; return the others."""
    here = [row for row in waiting if row.received <= now]
    telemetry.ingest([row.envelope for row in here if row.delay == PROMPT], delay=PROMPT)
    for row in here:
        if row.delay != PROMPT:
            telemetry.ingest([row.envelope], delay=row.delay)
    return list(waiting[len(here) :])


def interruptions(check: CheckDefinition, ticks: Sequence[datetime]) -> list[dict[str, str]]:
    """Return what must be reported: from when the first missed window was due until the next good tick."""
    expected = []
    made = [*((outage, "not running") for outage in OUTAGES), (THROTTLED, "SourceThrottled")]
    for stretch, cause in made:
        before = max(tick for tick in ticks if tick < stretch.start)
        judged_until = window_start(before - check.settle, check.every)
        due = judged_until + check.every + check.settle
        after = min(tick for tick in ticks if tick >= stretch.end)
        expected.append({"from": _text(due), "to": _text(after), "cause": cause})
    return expected


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def main() -> int:
    """Replay, print the figures and compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.day")
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--without-sweeps", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    planted = plant(options.hours)
    outcome = replay(planted, FULL, options.hours, sweeps=not options.without_sweeps)
    found = outcome.found()
    late = sum(row.delay != PROMPT for row in planted.rows)
    said = [
        f"{len(planted.rows)} rows, {late} of them late; {len(outcome.ticks)} ticks of {len(FULL)} checks",
        f"planted {len(planted.violations)}, missed {len(planted.violations - found.keys())}",
        f"false {len(found.keys() - planted.violations)}, twice {sum(n > 1 for n in found.values())}",
    ]
    for check, coverage in outcome.coverage.items():
        said += [check, *(f"  {coverage[name]}" for name in ("totals", "interruptions", "errors"))]
    said.append(f"{time.monotonic() - began:.0f} s\n")
    sys.stdout.write("\n".join(said))
    return 0 if found == Counter(planted.violations) else 1


if __name__ == "__main__":
    sys.exit(main())
