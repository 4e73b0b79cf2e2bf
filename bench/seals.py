"""What it costs to seal a day and to hold an export against it, beside what the engine takes to answer.

    python -m bench.seals [RUNS ...]      by default 20000 200000

A run is ten spans, of 1,000 agents, spread over a day. The engine's answers are timed apart and repeated from
memory, so that what is measured is ours:

- seal: the seconds of a tick that seals the day, and the most memory that Python held (tracemalloc), answers
  included; the size of the list and of the statement;
- reconcile: the same of an export of the whole day from which one trace vanished;
- find: the seconds to look for one trace in 90 days of 20,000 runs.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from bench.checks import Answers, Recorder
from bench.fleet import SPANS_A_RUN, declared, spread
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

SIZES = (20_000, 200_000)
KEPT = 90
LIMIT_MB = 300.0

_DAY = datetime(2026, 11, 23, tzinfo=UTC)
_NOW = _DAY + timedelta(days=1, hours=2)
_PSEUDONYMS = Pseudonyms(b"k" * 32, "bench")
_AGENTS = declared(load_configuration(SHIPPED).agents, "dispatcher")

_say = partial(print, flush=True)


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


def main(sizes: Sequence[int]) -> int:
    """Measure each size; return 1 where the peak is above the limit."""
    worst = max(_size(runs) for runs in sizes)
    _find()
    return int(worst > LIMIT_MB)


def _size(runs: int) -> float:
    """Measure a day of so many runs; return the highest peak in MB."""
    began = time.perf_counter()
    telemetry = spread(runs * SPANS_A_RUN, _DAY, timedelta(days=1))
    _say(f"\n{runs:,} runs of {SPANS_A_RUN} spans, loaded in {time.perf_counter() - began:.1f} s")
    recorder, store = Recorder(TelemetrySource(telemetry)), Store()
    store.seal(recorder)
    pages = len(recorder.seconds)
    for table in ("AppRequests", "AppDependencies"):
        purge = f'DELETE FROM "{table}" WHERE "OperationId" = \'{runs // 2:032x}\''  # noqa: S608 - ours
        telemetry._database.execute(purge)  # noqa: SLF001 - nothing of ours can do it
    vanished = store.reconcile(recorder).body["vanished"]["traces"]
    seal = store.seals.day(_DAY.date())
    # The last second of the day is received on the next one.
    if seal is None or not 0.999 * runs < seal.traces <= runs or vanished != 1:
        raise SystemExit("the day was not sealed, or what vanished was not found")
    sealing, reconciling = sum(recorder.seconds[:pages]), sum(recorder.seconds[pages:])
    statement = (store.objects.size(f"seals/{seal.day}/seal.json") or 0) / 1e3
    _say(f"  engine    {sealing:6.1f} s, {pages} questions, to seal; {reconciling:.1f} s to reconcile")
    _say(f"  list      {seal.list_bytes / 1e6:6.1f} MB; {statement:.0f} KB say what is in it")
    return max(
        _measure("seal", lambda: Store().seal(Answers(recorder.pickled))),
        _measure("reconcile", lambda: store.reconcile(Answers(recorder.pickled))),
    )


def _measure(what: str, work: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    gc.collect()
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    _say(f"  {what:9} {seconds:6.1f} s of our own, peak {peak:.0f} MB")
    return peak


def _find() -> None:
    store, first = Store(), _DAY.date() - timedelta(days=KEPT)
    runs = [SealedRun(f"{n * 2**108:032x}", _DAY, f"agent-{n % 1_000:04}", "", "") for n in range(SIZES[0])]
    for n in range(KEPT):
        seal = make_seal(runs, day=first + timedelta(days=n), unusable=0, sealed_at=_NOW, key_id="bench")
        store.seals.put(*seal)
    store.seals.extend(Reach(first, first + timedelta(days=KEPT)), None)
    for which in ("for the first time", "again"):
        began = time.perf_counter()
        if store.seals.find_seal("1" * 32) is not None:
            raise SystemExit("found what is in no seal")
        _say(f"  find      {time.perf_counter() - began:6.2f} s in {KEPT} days of {len(runs):,}, {which}")


if __name__ == "__main__":
    sys.exit(main([int(size) for size in sys.argv[1:]] or SIZES))
