"""What an export costs: spans a second, the worker's peak, and where its time goes.

    python -m bench.export [--smoke | --large]

The local stack is up as in the demo: storage emulator, query API, key vault, managed identity. An hour of a
large fleet lies in the engine. The worker is a process of its own: the deployed code with the real clients,
fed with its messages one after the other, as the host of one instance does. Stages are timed inside it:

- source: waiting for the query API and reading its answers (plan, slices, runs);
- sanitize: the policy, row by row;
- judge: what controls add to the source's time; parts: sorting, packing, storing and reading parts;
- merge and encode: merging lines, OTLP, CSV and the report;
- rescan, deflate and hash, upload: of the finished files.

The peak is the operating system's own: the worker is a process of its own since a child begins with what its
parent had, which holds the whole engine here.
"""

import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.figures import (
    Figure,
    Growth,
    Of,
    Part,
    Peer,
    Progress,
    Scale,
    at_least,
    at_most,
    below,
    not_measured,
)
from bench.fleet import an_hour_of
from bench.measuring import in_subprocess, main, peak_mb
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

SIZES = (1_000, 10_000, 100_000)
SMOKE = (100, 200, 400)
LARGE = 1_000_000
SPEED = "speed"
PEAK = "the worker's peak"
NOT_OURS = "waiting for the source, deflate and hash"
STEADY = "the worker's peak beside a smaller export's"
PEAK_GOAL = below(300, Of.VALUE)
NOT_OURS_GOAL = at_least(50, Of.VALUE)
STEADY_GOAL = at_most(1.2, Of.RATIO)

_BEGIN = datetime(2026, 11, 20, 9, tzinfo=UTC)


def measure(progress: Progress, scale: Scale) -> list[Figure]:
    """Export an hour of each size."""
    sizes = SMOKE if scale is Scale.SMOKE else SIZES
    found = {
        spans: _export(spans, progress) for spans in ((*sizes, LARGE) if scale is Scale.LARGE else sizes)
    }
    figures = _figures({spans: found[spans] for spans in sizes})
    if scale is Scale.LARGE:
        peak, before = found[LARGE]["peak_mb"], Peer(f"at {sizes[-1]:,}", found[sizes[-1]]["peak_mb"])
        figures += _figures({spans: each for spans, each in found.items() if spans != sizes[0]})
        return [*figures, Figure(Part.EXPORT, _what(LARGE, STEADY), peak, "MB", before, STEADY_GOAL)]
    return figures + [
        not_measured(Part.EXPORT, _what(LARGE, what), unit, "measured with --large", goal)
        for what, unit, goal in (
            (SPEED, "spans/s", None),
            (PEAK, "MB", PEAK_GOAL),
            (NOT_OURS, "% of its time", NOT_OURS_GOAL),
            (STEADY, "MB", STEADY_GOAL),
        )
    ]


def _figures(found: Mapping[int, Mapping[str, Any]]) -> list[Figure]:
    spans, last = list(found.items())[-1]
    stages = sorted(last["stages"].items(), key=lambda item: -item[1])
    by_stage = ", ".join(
        f"{stage} {seconds:.1f} ({last['processor'][stage]:.1f})" for stage, seconds in stages
    )
    speeds = {size: each["spans"] / each["seconds"] for size, each in found.items()}
    return [
        Figure(
            Part.EXPORT,
            _what(spans, SPEED),
            speeds[spans],
            "spans/s",
            growth=Growth("spans", speeds),
            note=f"seconds (of the worker's processor): {by_stage}; {last['zip_mb']:.1f} MB",
        ),
        Figure(
            Part.EXPORT,
            _what(spans, PEAK),
            last["peak_mb"],
            "MB",
            goal=PEAK_GOAL,
            growth=Growth("spans", {size: each["peak_mb"] for size, each in found.items()}),
        ),
        Figure(
            Part.EXPORT,
            _what(spans, NOT_OURS),
            _not_ours(last),
            "% of its time",
            goal=NOT_OURS_GOAL,
            growth=Growth("spans", {size: _not_ours(each) for size, each in found.items()}),
            note="the rest is Python's, reading the source's answers included",
        ),
    ]


def _what(spans: int, what: str) -> str:
    return f"{spans:,} spans: {what}"


def _not_ours(found: Mapping[str, Any]) -> float:
    stages: Mapping[str, float] = found["stages"]
    waiting = stages["source"] - float(found["processor"]["source"])
    return 100 * (waiting + stages["deflate and hash"]) / sum(stages.values())


def _export(spans: int, progress: Progress) -> Mapping[str, Any]:
    """Return what the worker says of its work."""
    progress(f"export: {spans:,} spans")
    with tempfile.TemporaryDirectory(prefix="bench-export-") as folder:
        stack = Stack(Path(folder))
        stack.telemetry = an_hour_of(spans, _BEGIN)
        with stack:
            environment = {**os.environ, **stack.settings, **stack.trust()}
            command = [sys.executable, "-m", "bench.export", "--worker"]
            found: Mapping[str, Any] = in_subprocess(command, environment)
    if not (found["complete"] and found["spans"] == spans):
        raise SystemExit(f"the export of {spans:,} spans has {found['spans']:,}")
    return found


class Stopwatch:
    """Adds up seconds by stage, and the processor's; what a stage inside another takes is the inner one's."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.processor: defaultdict[str, float] = defaultdict(float)
        self._stages: list[str] = []
        self._since, self._worked = time.perf_counter(), time.process_time()

    def restart(self) -> None:
        """Forget what was before."""
        self._pass()
        self.seconds.clear()
        self.processor.clear()

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
        now, worked = time.perf_counter(), time.process_time()
        stage = self._stages[-1] if self._stages else "else"
        self.seconds[stage] += now - self._since
        self.processor[stage] += worked - self._worked
        self._since, self._worked = now, worked


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
        (bundle.PayloadFile, "_pack", "deflate and hash"),
        (bundle.BundleWriter, "_stitch", "deflate and hash"),
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
    watch.restart()
    export_id = services.exports.request(selection, requester="bench").id
    queue = [Step(export_id).message()]
    while queue:
        message = queue.pop(0)
        with watch.stage("merge and encode" if read_step(message).step == ASSEMBLE else "else"):
            queue += worker.run(message)
    seconds = time.perf_counter() - began
    export = services.exports.get(export_id)
    if export.counts is None or export.bundle is None:
        sys.exit(f"the export is {export.state}: {export.failure}")
    found = {
        "complete": export.counts.complete,
        "spans": export.counts.spans,
        "seconds": seconds,
        "peak_mb": peak_mb(),
        "zip_mb": export.bundle.size / 1e6,
        "stages": watch.seconds,
        "processor": watch.processor,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        work()
    else:
        sys.exit(main(measure))
