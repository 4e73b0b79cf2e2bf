"""What a tick of all shipped checks costs us, outside the query engine, for a fleet of 1,000 agents.

    python -m bench.checks [SPANS ...]      by default 10000 100000 1000000

First every query that the tick asks is answered by the local engine, which is timed apart. Then the tick runs
for real (Watch, Runner, judgement, alerts, documents, cards) on those answers: what is measured is ours.

- own time: the seconds of that tick, less those inside `source.query`; the processor's seconds stand beside
  it (where they are far fewer, the machine was busy with something else);
- own peak: the most memory that Python held during a second such tick (tracemalloc), answers included.
"""

import gc
import pickle
import sys
import threading
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from bench.fleet import AGENTS, an_hour_of, declared
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.alerts.told_as import told_as_it_is
from functions.checks.definition import CheckDefinition
from functions.checks.runner import EvaluationFailed, Runner
from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.delivery.cards.writer import CardWriter
from functions.delivery.interface import Channel
from functions.traces.source import Rows
from functions.watch.watch import Watch
from tests.fakes.destinations import MemoryDestination
from tests.fakes.storage import MemoryDocuments
from tests.fakes.telemetry import TelemetrySource

SIZES = (10_000, 100_000, 1_000_000)
LIMIT_SECONDS = 1.0
LIMIT_MB = 200.0

_MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
"""Windows of every width end here, and so does the hour of telemetry."""

_say = partial(print, flush=True)


@dataclass(frozen=True)
class Answers:
    """A TraceSource that repeats what the engine answered, as fresh rows, and counts what it is asked."""

    pickled: Mapping[str, bytes]
    asked: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:  # noqa: ARG002 - the interface's
        """Repeat the answer."""
        began = time.perf_counter()
        rows: Rows = pickle.loads(self.pickled[kql])  # noqa: S301 - pickled below
        self.asked.append(kql)
        self.seconds.append(time.perf_counter() - began)
        return rows


@dataclass(frozen=True)
class Recorder:
    """A TraceSource that asks the engine, and keeps its answers and how long they took."""

    source: TelemetrySource
    pickled: dict[str, bytes] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        """Ask the engine."""
        began = time.perf_counter()
        rows = self.source.query(kql, since=since, until=until)
        self.seconds.append(time.perf_counter() - began)
        self.pickled[kql] = pickle.dumps(rows)
        return rows


@dataclass(frozen=True)
class Measured:
    """One size: spans, seconds in the engine, result rows, our own seconds and peak megabytes."""

    spans: int
    engine: float
    rows: int
    own: float
    peak_mb: float


def main(sizes: Sequence[int]) -> None:
    """Measure each size and print the table."""
    shipped = load_configuration(SHIPPED)
    agents = declared(shipped.agents, "dispatcher")
    _say(f"{len(shipped.checks)} checks, {AGENTS:,} agents, {len(agents.by_name):,} of them declared")
    measured = []
    for spans in sizes:
        began = time.perf_counter()
        source = TelemetrySource(an_hour_of(spans, _MIDNIGHT - timedelta(hours=1)))
        _say(f"\n{spans:,} spans an hour, loaded in {time.perf_counter() - began:.1f} s")
        measured.append(
            _measure(spans, source, shipped, partial(Runner, agents=agents, prices=shipped.prices))
        )
    _table(measured)
    _catch_up(TelemetrySource(an_hour_of(10_000, _MIDNIGHT - timedelta(hours=1))), shipped)


def _measure(
    spans: int, source: TelemetrySource, shipped: Configuration, runner: "partial[Runner]"
) -> Measured:
    recorder = Recorder(source)
    checks = [check for check in shipped.checks if _judged(check, runner(recorder), shipped, recorder)]
    gc.collect()
    answers = Answers(recorder.pickled)
    watch = _watch(checks, runner(answers), shipped, _due(checks))
    began, processor = time.perf_counter(), time.process_time()
    report = watch.tick()
    total, processor = time.perf_counter() - began, time.process_time() - processor
    own = total - sum(answers.seconds)
    stopped = [tick.check_id for tick in report.checks if tick.result != "evaluated"]
    if stopped:
        raise SystemExit(f"these checks were not evaluated: {', '.join(stopped)}")
    peak = _peak_mb(_watch(checks, runner(Answers(recorder.pickled)), shipped, _due(checks)))
    rows = sum(len(pickle.loads(each).rows) for each in recorder.pickled.values())  # noqa: S301 - our own
    findings = sum(tick.findings for tick in report.checks)
    _say(
        f"  tick: {findings} findings, {report.accepted} cards; "
        f"own {own:.2f} s ({processor:.2f} s of processor), peak {peak:.0f} MB"
    )
    return Measured(spans, sum(recorder.seconds), rows, own, peak)


def _judged(check: CheckDefinition, runner: Runner, shipped: Configuration, recorder: Recorder) -> bool:
    """Let the engine answer one check's query, and say how it went."""
    outcome = runner.judge_due(check, watermark=_MIDNIGHT - check.every, now=_now(shipped))
    if isinstance(outcome, EvaluationFailed):
        _say(f"  {check.id:28} failed and is left out: {outcome.error}")
        return False
    _say(f"  {check.id:28} {recorder.seconds[-1]:7.1f} s in the engine")
    return True


def _now(shipped: Configuration) -> datetime:
    """Return the instant at which every check may judge the windows that end at midnight."""
    return _MIDNIGHT + max(check.settle for check in shipped.checks)


def _due(checks: Sequence[CheckDefinition]) -> Mapping[str, datetime]:
    return {check.id: _MIDNIGHT - check.every for check in checks}


def _watch(
    checks: Sequence[CheckDefinition],
    runner: Runner,
    shipped: Configuration,
    watermarks: Mapping[str, datetime],
) -> Watch:
    documents = MemoryDocuments()
    for check_id, watermark in watermarks.items():
        documents.write(PREFIX + check_id, state_to_json(CheckState(watermark=watermark)), version=None)

    def clock() -> datetime:
        return _now(shipped)

    return Watch(
        documents,
        runner,
        checks,
        shipped.alerts,
        {
            rule.name: Channel(
                MemoryDestination(clock=clock), CardWriter("https://bench.example.com", told_as_it_is, {})
            )
            for rule in shipped.alerts.destinations
        },
        clock=clock,
        pause=lambda _: None,
    )


def _peak_mb(watch: Watch) -> float:
    gc.collect()
    tracemalloc.start()
    try:
        watch.tick()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def _table(measured: Sequence[Measured]) -> None:
    _say(f"\n{'spans':>10}  {'engine':>8}  {'rows':>8}  {'own time':>18}  {'own peak':>18}  growth")
    first = measured[0]
    for one in measured:
        _say(
            f"{one.spans:>10,}  {one.engine:6.1f} s  {one.rows:>8,}  "
            f"{one.own:6.2f} s = {one.own / LIMIT_SECONDS:4.0%} of 1 s  "
            f"{one.peak_mb:5.0f} MB = {one.peak_mb / LIMIT_MB:4.0%} of 200 MB  "
            f"spans x{one.spans / first.spans:.0f}, time x{one.own / first.own:.1f}, "
            f"memory x{one.peak_mb / first.peak_mb:.1f}"
        )


def _catch_up(source: TelemetrySource, shipped: Configuration) -> None:
    """Let 24 hours go by unjudged and count what one tick asks."""
    last = {check.id: _MIDNIGHT - timedelta(hours=24) for check in shipped.checks}
    lock, asked = threading.Lock(), []

    class Counting:
        def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
            with lock:
                asked.append(kql)
            return source.query(kql, since=since, until=until)

    runner = Runner(Counting(), shipped.agents, shipped.prices)
    report = _watch(shipped.checks, runner, shipped, last).tick()
    windows = sum(tick.windows for tick in report.checks)
    evaluated = sum(tick.result == "evaluated" for tick in report.checks)
    _say(
        f"\n24 missed hours: {len(asked)} queries by {len(shipped.checks)} checks in one tick "
        f"for {windows:,} windows ({evaluated} evaluated)"
    )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or SIZES)
