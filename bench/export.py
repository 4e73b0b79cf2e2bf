"""What an export costs: spans a second, the worker's peak, and where its time goes.

    python -m bench.export [SPANS ...]      by default 100000 1000000

The local stack is up as in the demo: storage emulator, query API, key vault, managed identity. An hour of a
large fleet lies in the engine. The worker is a process of its own: the deployed code with the real clients,
fed with its messages one after the other, as the host of one instance does. Stages are timed inside it:

- source: waiting for the query API and reading its answers (plan, slices, runs);
- sanitize: the policy, row by row;
- judge: what controls add to the source's time; parts: sorting, packing, storing and reading parts;
- merge and encode: merging lines, OTLP, CSV and the report;
- rescan, deflate (and hash), upload: of the finished files.

The peak is the operating system's own (VmHWM): the interpreter, the libraries and all. Not ru_maxrss: a child
begins with what its parent had, which holds the whole engine here.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bench.fleet import an_hour_of
from functions.access.scope import EVERYTHING
from functions.clients import connect
from functions.configuration import SHIPPED, load_configuration
from functions.evidence.exports import assembly, slicing
from functions.evidence.exports.steps import ASSEMBLE, Step, read_step
from functions.evidence.packing import bundle
from functions.evidence.redaction import sanitizer
from functions.evidence.selection.selection import Selection, TimeWindow
from functions.settings import read_settings
from functions.wiring_evidence import build_evidence, protect
from local.stack import Stack

SIZES = (100_000, 1_000_000)
LIMIT_MB = 300
LIMIT_GROWTH = 1.2

_BEGIN = datetime(2026, 11, 20, 9, tzinfo=UTC)
_say = partial(print, flush=True)


def main(sizes: Sequence[int]) -> int:
    """Measure each size, print the table, and return 1 where a limit is not held."""
    measured = {spans: _measure(spans) for spans in sizes}
    _say("\n     spans       rows  slices  seconds  spans/s  peak MB  zip MB")
    for spans, found in measured.items():
        _say(
            f"{spans:>10,} {found['rows']:>10,} {found['slices']:>7} {found['seconds']:>8.1f} "
            f"{found['spans'] / found['seconds']:>8,.0f} {found['peak_mb']:>8.0f} {found['zip_mb']:>7.1f}"
        )
    for spans, found in measured.items():
        _say(f"\n{spans:,} spans, seconds by stage")
        for stage, seconds in sorted(found["stages"].items(), key=lambda item: -item[1]):
            _say(f"  {stage:<18}{seconds:>8.1f} {seconds / found['seconds']:>6.0%}")
    peaks = [found["peak_mb"] for found in measured.values()]
    held = max(peaks) < LIMIT_MB and max(peaks) <= LIMIT_GROWTH * peaks[0]
    _say(
        f"\npeaks: {'within' if held else 'NOT within'} {LIMIT_MB} MB and {LIMIT_GROWTH - 1:.0%} of the first"
    )
    return 0 if held else 1


def _measure(spans: int) -> dict[str, Any]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-export-") as folder:
        stack = Stack(Path(folder))
        stack.telemetry = an_hour_of(spans, _BEGIN)
        _say(f"{spans:,} spans loaded in {time.monotonic() - began:.0f} s")
        with stack:
            environment = {**os.environ, **stack.settings, **stack.trust()}
            command = [sys.executable, "-m", "bench.export", "--worker"]
            ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)  # noqa: S603 - our own
    found: dict[str, Any] = json.loads(ran.stdout)
    _say(f"{spans:,} spans exported: {found['state']}, complete: {found['complete']}")
    return found


class Stopwatch:
    """Adds up seconds by stage; what a stage inside another takes is the inner one's alone."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._stages: list[str] = []
        self._since = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time within to a stage."""
        self._pass()
        self._stages.append(name)
        yield
        self._pass()
        self._stages.pop()

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that counts its time to a stage."""

        def run(*arguments: Any, **named: Any) -> Any:
            with self.stage(name):
                return call(*arguments, **named)

        return run

    def drawn(self, name: str, call: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """Return a function whose iterator counts the time of each of its items to a stage."""

        def run(*arguments: Any, **named: Any) -> Iterator[Any]:
            items = iter(call(*arguments, **named))
            while True:
                with self.stage(name):
                    item = next(items, self)
                if item is self:
                    return
                yield item

        return run

    def _pass(self) -> None:
        now = time.perf_counter()
        self.seconds[self._stages[-1] if self._stages else "else"] += now - self._since
        self._since = now


class Watched:
    """Passes everything on to `inner`, some calls timed."""

    def __init__(self, inner: Any, timed: Mapping[str, Callable[..., Any]]) -> None:
        self._inner = inner
        self.__dict__.update(timed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def work() -> None:
    """Export everything in this process, and print what it took as JSON."""
    watch = Stopwatch()
    # Measured from outside: the code itself has no stopwatch in it.
    for holder, name, stage in (
        (sanitizer.Sanitizer, "sanitize", "sanitize"),
        (slicing, "encode_part", "parts"),
        (assembly, "rescan", "rescan"),
        (bundle.PayloadFile, "_pack", "deflate"),
    ):
        setattr(holder, name, watch.timed(stage, getattr(holder, name)))
    clients = connect(read_settings())
    clients = replace(
        clients,
        source=Watched(clients.source, {"query": watch.timed("source", clients.source.query)}),
        work=Watched(
            clients.work,
            {
                "put": watch.timed("parts", clients.work.put),
                "read": watch.drawn("parts", clients.work.read),
            },
        ),
        evidence=Watched(
            clients.evidence,
            {
                "put": watch.timed("upload", clients.evidence.put),
                "read": watch.drawn("upload", clients.evidence.read),
            },
        ),
    )
    configuration = load_configuration(SHIPPED)
    protection = protect(clients.settings, configuration)
    services = build_evidence(clients, configuration, protection, clock=lambda: datetime.now(UTC))
    judge = Watched(services.controls, {"judge": watch.timed("judge", services.controls.judge)})
    worker = replace(services.worker, reader=replace(services.worker.reader, judge=judge))
    window = TimeWindow(_BEGIN - timedelta(hours=1), _BEGIN + timedelta(hours=2))
    selection = Selection(window, "metadata", "how long it takes", "BENCH-1", EVERYTHING)
    began = time.perf_counter()
    watch.seconds.clear()
    export_id = services.exports.request(selection, requester="bench").id
    queue, slices = [Step(export_id).message()], 0
    while queue:
        message = queue.pop(0)
        slices += read_step(message).step == "slice"
        with watch.stage("merge and encode" if read_step(message).step == ASSEMBLE else "else"):
            queue += worker.run(message)
    seconds = time.perf_counter() - began
    export = services.exports.get(export_id)
    if export.counts is None or export.bundle is None:
        sys.exit(f"the export is {export.state}: {export.failure}")
    found = {
        "state": export.state,
        "complete": export.counts.complete,
        "spans": export.counts.spans,
        "rows": export.counts.rows,
        "slices": slices,
        "seconds": seconds,
        "peak_mb": _peak_mb(),
        "zip_mb": export.bundle.size / 1e6,
        "stages": watch.seconds,
    }
    _say(json.dumps(found))


def _peak_mb() -> float:
    """Return the most memory that this process ever had in use, in MB."""
    status = Path("/proc/self/status").read_text("ascii").splitlines()
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM:"))
    return int(peak) / 1024


if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        work()
    else:
        sys.exit(main([int(size) for size in sys.argv[1:]] or SIZES))
