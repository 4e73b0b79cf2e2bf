"""What it costs to seal a day and to hold an export against it, beside what the engine takes to answer.

    python -m bench.seals [--smoke | --large]

A run is ten spans, of 1,000 agents, spread over a day. The engine's answers are timed apart and repeated from
memory, so that what is measured is ours:

- seal: the seconds of a tick that seals the day, and the most memory that Python held (tracemalloc), answers
  included;
- reconcile: the same of an export of the whole day from which one trace vanished;
- find: the seconds to look for one trace in 90 days of as many runs as the largest size of every day has.

The limits of memory are our own: they bound a regression.
"""

import gc
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.checks import Answers, Recorder
from bench.figures import Figure, Growth, Of, Part, Progress, Scale, below, not_measured
from bench.fleet import SPANS_A_RUN, declared, spread
from bench.measuring import main, traced_peak_mb
from functions.configuration import SHIPPED, load_configuration
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.seals.reconciling import Reconciler, SealAccount
from functions.evidence.seals.sealing import Sealing, SealReport
from functions.evidence.seals.seals import SealedRun, make_seal
from functions.evidence.seals.store import Reach, Seals
from functions.evidence.selection.selection import Selection
from functions.evidence.selection.selectors import TimeWindow
from functions.traces.source import TraceSource
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects
from tests.fakes.telemetry import TelemetrySource

SIZES = (200, 2_000, 20_000)
SMOKE = (10, 20, 40)
LARGE = 200_000
KEPT = 90
PEAK = below(300.0, Of.VALUE)

_DAY = datetime(2026, 11, 23, tzinfo=UTC)
_NOW = _DAY + timedelta(days=1, hours=2)
_PSEUDONYMS = Pseudonyms(b"k" * 32, "bench")
_AGENTS = declared(load_configuration(SHIPPED).agents, "dispatcher")


@dataclass(frozen=True)
class Found:
    """What resolving gave: every trace asked for."""

    missing: tuple[str, ...] = ()


class Store:
    """A store of evidence, and what may be asked of its seals."""

    def __init__(self) -> None:
        self.objects, self.documents, self.log = MemoryObjects(), MemoryDocuments(), MemoryAppendLog()
        self.seals = Seals(self.objects, self.documents)

    def seal(self, source: TraceSource) -> SealReport:
        """Seal the day."""
        return Sealing(
            source=source,
            seals=self.seals,
            ledger=self.log,
            agents=_AGENTS,
            pseudonyms=_PSEUDONYMS,
            hindrance=lambda: None,
            retention=timedelta(days=KEPT),
            clock=lambda: _NOW,
        ).tick()

    def reconcile(self, source: TraceSource) -> SealAccount:
        """Hold an export of the day against its seal."""
        window = TimeWindow(_DAY, _DAY + timedelta(days=1))
        selection = Selection(window, "metadata", "bench", "T-1")
        reconciler = Reconciler(source, self.seals, _PSEUDONYMS, timedelta(days=KEPT), self.log, lambda: _NOW)
        return reconciler.reconcile(selection, Found(), at=_NOW, export_id="e" * 32)


@dataclass(frozen=True)
class Cost:
    """Our own seconds, peak megabytes, and the engine's seconds to answer."""

    seconds: float
    peak_mb: float
    engine: float


def measure(progress: Progress, scale: Scale) -> list[Figure]:
    """Measure a day at each size, and the search for a trace."""
    sizes = SMOKE if scale is Scale.SMOKE else SIZES
    days = {}
    for runs in (*sizes, LARGE) if scale is Scale.LARGE else sizes:
        progress(f"seals: a day of {runs:,} runs of {SPANS_A_RUN} spans")
        days[runs] = _day(runs)
    figures = _figures({runs: days[runs] for runs in sizes})
    if scale is Scale.LARGE:
        figures += _figures({runs: day for runs, day in days.items() if runs != sizes[0]})
    else:
        figures += [
            not_measured(Part.SEALS, _what(work, "peak", LARGE), "MB", "measured with --large", PEAK)
            for work in ("seal", "reconcile")
        ]
    progress(f"seals: one trace in {KEPT} days")
    return [*figures, *_find(sizes[-1])]


def _figures(days: Mapping[int, Mapping[str, Cost]]) -> list[Figure]:
    runs, last = list(days.items())[-1]
    figures = []
    for work, cost in last.items():
        seconds = Growth("runs", {size: day[work].seconds for size, day in days.items()})
        peaks = Growth("runs", {size: day[work].peak_mb for size, day in days.items()})
        engine = f"the engine's answers: {cost.engine:.1f} s"
        what = _what(work, "own time", runs)
        figures += [
            Figure(Part.SEALS, what, cost.seconds, "s", growth=seconds, note=engine),
            Figure(Part.SEALS, _what(work, "peak", runs), cost.peak_mb, "MB", goal=PEAK, growth=peaks),
        ]
    return figures


def _what(work: str, what: str, runs: int) -> str:
    return f"{work} a day of {runs:,} runs: {what}"


def _day(runs: int) -> dict[str, Cost]:
    """Measure a day of so many runs: its seal, and an export held against it."""
    telemetry = spread(runs * SPANS_A_RUN, _DAY, timedelta(days=1))
    recorder, store = Recorder(TelemetrySource(telemetry)), Store()
    store.seal(recorder)
    pages = len(recorder.seconds)
    for table in ("AppRequests", "AppDependencies"):
        purge = f'DELETE FROM "{table}" WHERE "OperationId" = \'{runs // 2:032x}\''  # noqa: S608 - ours
        telemetry._database.execute(purge)  # noqa: SLF001 - nothing of ours can do it
    vanished = store.reconcile(recorder).body["vanished"]["traces"]
    seal = store.seals.day(_DAY.date())
    # The last second of the day is received on the next one.
    if seal is None or not runs - 1 - runs // 1_000 <= seal.traces <= runs or vanished != 1:
        raise SystemExit("the day was not sealed, or what vanished was not found")
    return {
        "seal": _cost(lambda: Store().seal(Answers(recorder.pickled)), sum(recorder.seconds[:pages])),
        "reconcile": _cost(lambda: store.reconcile(Answers(recorder.pickled)), sum(recorder.seconds[pages:])),
    }


def _cost(work: Callable[[], object], engine: float) -> Cost:
    gc.collect()
    began = time.perf_counter()
    work()
    return Cost(time.perf_counter() - began, traced_peak_mb(work), engine)


def _find(runs: int) -> list[Figure]:
    store, first = Store(), _DAY.date() - timedelta(days=KEPT)
    sealed = [SealedRun(f"{n * 2**108:032x}", _DAY, f"agent-{n % 1_000:04}", "", "") for n in range(runs)]
    for n in range(KEPT):
        seal = make_seal(sealed, day=first + timedelta(days=n), unusable=0, sealed_at=_NOW, key_id="bench")
        store.seals.put(*seal)
    store.seals.extend(Reach(first, first + timedelta(days=KEPT)), None)
    figures = []
    for which in ("for the first time", "again"):
        began = time.perf_counter()
        if store.seals.find_seal("1" * 32) is not None:
            raise SystemExit("found what is in no seal")
        seconds = time.perf_counter() - began
        what = f"look for a trace in {KEPT} days of {runs:,} runs, {which}"
        figures.append(Figure(Part.SEALS, what, seconds, "s"))
    return figures


if __name__ == "__main__":
    sys.exit(main(measure))
