"""What a tick of all shipped checks costs us, outside the query engine, for a fleet of 1,000 agents.

    python -m bench.checks [--smoke | --large]

First every query that the tick asks is answered by the local engine, which is timed apart. Then the tick runs
for real (Watch, Runner, judgement, alerts, documents, cards) on those answers: what is measured is ours.

- own time: the seconds of a tick whose queries are answered at once; the processor's seconds stand beside it
  (where they are far fewer, the machine was busy with something else);
- own peak: the most memory that Python held during a second tick (tracemalloc), answers included.

Last, 24 hours that nobody judged: the queries of the tick that catches up.
"""

import gc
import pickle
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from bench.figures import Figure, Growth, Of, Part, Progress, Scale, at_most, below, not_measured
from bench.fleet import AGENTS, an_hour_of, declared
from bench.measuring import main, traced_peak_mb
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

SIZES = (1_000, 10_000, 100_000)
SMOKE = (100, 200, 400)
LARGE = 1_000_000
OWN_TIME = below(1.0, Of.VALUE)
OWN_PEAK = below(200.0, Of.VALUE)

_MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
"""Windows of every width end here, and so does the hour of telemetry."""


@dataclass(frozen=True)
class AtOnce:
    """A TraceSource that has its answers at hand."""

    answers: Mapping[str, Rows]

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:  # noqa: ARG002 - the interface's
        """Return the answer."""
        return self.answers[kql]


@dataclass(frozen=True)
class Answers:
    """A TraceSource that repeats what the engine answered, as fresh rows that take their memory anew."""

    pickled: Mapping[str, bytes]

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:  # noqa: ARG002 - the interface's
        """Repeat the answer."""
        rows: Rows = pickle.loads(self.pickled[kql])  # noqa: S301 - pickled below
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
    """One size: seconds in the engine, result rows, our own seconds, the processor's, and peak megabytes."""

    engine: float
    rows: int
    own: float
    processor: float
    peak_mb: float
    left_out: Sequence[str]


def measure(progress: Progress, scale: Scale) -> list[Figure]:
    """Measure a tick at each size, and then one that catches up."""
    shipped = load_configuration(SHIPPED)
    if scale is Scale.SMOKE:  # the engine takes about a second a query, however little there is
        shipped = replace(shipped, checks=shipped.checks[:3])
    agents = declared(shipped.agents, "dispatcher")
    runner = partial(Runner, agents=agents, prices=shipped.prices)
    sizes = SMOKE if scale is Scale.SMOKE else SIZES
    found: dict[int, Measured] = {}
    for spans in (*sizes, LARGE) if scale is Scale.LARGE else sizes:
        progress(f"tick: {spans:,} spans an hour")
        source = TelemetrySource(an_hour_of(spans, _MIDNIGHT - timedelta(hours=1)))
        found[spans] = _tick(source, shipped, runner, progress)
    figures = _figures({spans: found[spans] for spans in sizes})
    if scale is Scale.LARGE:
        figures += _figures({spans: each for spans, each in found.items() if spans != sizes[0]})
    else:
        figures += [
            not_measured(Part.TICK, _what("own time", LARGE), "s", "measured with --large", OWN_TIME),
            not_measured(Part.TICK, _what("own peak", LARGE), "MB", "measured with --large", OWN_PEAK),
        ]
    progress("tick: 24 hours that nobody judged")
    source = TelemetrySource(an_hour_of(sizes[1], _MIDNIGHT - timedelta(hours=1)))
    return [*figures, _catch_up(source, shipped)]


def _figures(found: Mapping[int, Measured]) -> list[Figure]:
    spans, last = list(found.items())[-1]

    def growth(of: Callable[[Measured], float]) -> Growth:
        return Growth("spans", {size: of(each) for size, each in found.items()})

    note = f"{last.processor:.2f} s of processor; {last.rows:,} rows answered; engine {last.engine:.0f} s"
    if last.left_out:
        note += f"; failed in the engine and left out: {', '.join(last.left_out)}"
    return [
        Figure(
            Part.TICK,
            _what("own time", spans),
            last.own,
            "s",
            goal=OWN_TIME,
            growth=growth(lambda each: each.own),
            note=note,
        ),
        Figure(
            Part.TICK,
            _what("own peak", spans),
            last.peak_mb,
            "MB",
            goal=OWN_PEAK,
            growth=growth(lambda each: each.peak_mb),
        ),
    ]


def _what(what: str, spans: int) -> str:
    return f"all checks, {AGENTS:,} agents, {spans:,} spans an hour: {what}"


def _tick(
    source: TelemetrySource, shipped: Configuration, runner: "partial[Runner]", progress: Progress
) -> Measured:
    recorder = Recorder(source)
    checks, left_out = [], []
    for check in shipped.checks:
        outcome = runner(recorder).judge_due(check, watermark=_MIDNIGHT - check.every, now=_now(shipped))
        if isinstance(outcome, EvaluationFailed):
            progress(f"  {check.id:28} failed and is left out: {outcome.error}")
            left_out.append(check.id)
        else:
            progress(f"  {check.id:28} {recorder.seconds[-1]:7.1f} s in the engine")
            checks.append(check)
    answers: dict[str, Rows] = {
        kql: pickle.loads(each)  # noqa: S301 - our own
        for kql, each in recorder.pickled.items()
    }
    watch = _watch(checks, runner(AtOnce(answers)), shipped, _due(checks))
    gc.collect()
    began, processor = time.perf_counter(), time.process_time()
    report = watch.tick()
    own, processor = time.perf_counter() - began, time.process_time() - processor
    stopped = [tick.check_id for tick in report.checks if tick.result != "evaluated"]
    if stopped:
        raise SystemExit(f"these checks were not evaluated: {', '.join(stopped)}")
    again = _watch(checks, runner(Answers(recorder.pickled)), shipped, _due(checks))
    return Measured(
        sum(recorder.seconds),
        sum(len(each.rows) for each in answers.values()),
        own,
        processor,
        traced_peak_mb(again.tick),
        left_out,
    )


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


def _catch_up(source: TelemetrySource, shipped: Configuration) -> Figure:
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
    return Figure(
        Part.TICK,
        "queries of the tick after 24 hours that nobody judged",
        len(asked),
        "",
        goal=at_most(len(shipped.checks)),
        note=f"one a check is the limit; {windows:,} windows, {evaluated} checks evaluated",
    )


if __name__ == "__main__":
    sys.exit(main(measure))
