"""What alerts cost us: a tick that finds 10,000 keys of one check while 10,000 alerts are open.

    python -m bench.alerts [ALERTS ...]      by default 1000 10000

Nothing is asked: a judge of ours finds the keys at once. All else runs for real (Watch, lifecycle, outbox,
documents, cards) but the destination and the storage, which are in memory. Two ticks are measured: the one
that opens the alerts, and the next one, which finds them all again.

- seconds, and the processor's beside them: of a tick, without tracemalloc;
- peak: the most memory that Python held during such a tick, measured in a second world (tracemalloc);
- written: bytes and number of the writes of that tick.

Ends with 1 where a figure is above its limit.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from functions.alerts.rules import AlertRules, DestinationRule
from functions.alerts.told_as import told_as_it_is
from functions.checks.definition import CheckDefinition, Condition
from functions.checks.finding import Finding, JudgedWindow
from functions.checks.memory import Memory
from functions.checks.runner import Evaluated, NothingDue, Outcome
from functions.checks.windows import due_windows
from functions.delivery.cards.writer import CardWriter
from functions.delivery.interface import Channel
from functions.storage.documents import Document, encode
from functions.watch.watch import Watch
from tests.fakes.destinations import MemoryDestination
from tests.fakes.storage import MemoryDocuments

SIZES = (1_000, 10_000)
LIMIT_SECONDS = 15.0
LIMIT_MB = 700.0
LIMIT_WRITTEN_MB = 60.0
LIMIT_WRITES = 20
LIMIT_GROWTH = 13.0
"""Times as much memory and as many bytes for ten times as many alerts."""
LIMIT_SLOWER = 30.0
"""Times the processor's seconds: the collector looks at all that lives, the more often the more there is."""

_EVERY = timedelta(minutes=5)
_BEGIN = datetime(2026, 11, 24, tzinfo=UTC)
_CHECK = CheckDefinition(
    id="stale_tool_data",
    title="A tool answered with stale data",
    severity="high",
    owner="platform",
    every=_EVERY,
    settle=timedelta(0),
    lookback=timedelta(0),
    key=("Agent", "Tool"),
    needs=("spans",),
    shows=("Runs", "Conversations", "Release"),
    query="",
    condition=Condition("above", {"threshold": 30.0}),
    unit="minutes",
    false_positives="The tool's clock is wrong.",
    triage="Open a sample trace and compare the tool's data-as-of with the source's own last update.",
)
_RULES = AlertRules(
    repeat_after=timedelta(hours=4),
    resolve_after_quiet=3,
    report_failure_after=3,
    destinations=(DestinationRule("teams", "teams", "TEAMS_WEBHOOK_URL"),),
)

_say = partial(print, flush=True)


@dataclass(frozen=True)
class Finds:
    """A Judge that finds so many keys in every window."""

    keys: int

    def judge_due(
        self,
        check: CheckDefinition,
        *,
        watermark: datetime | None,
        now: datetime,
        memory: Memory | None,  # noqa: ARG002 - the interface's
    ) -> Outcome:
        """Find them."""
        begun = watermark or _BEGIN
        batch = due_windows(every=check.every, settle=check.settle, watermark=begun, now=now)
        if batch is None:
            return NothingDue()
        judged = tuple(
            JudgedWindow(
                window,
                tuple(
                    Finding(
                        check.id,
                        {"Agent": f"agent-{number:05}", "Tool": "get_shipment_status"},
                        window,
                        95.0 + number % 7,
                        30.0,
                        3,
                        tuple(f"{number:016x}{trace:016x}" for trace in range(3)),
                        {"Runs": 3, "Conversations": 2, "Release": "1.4.2"},
                    )
                    for number in range(self.keys)
                ),
            )
            for window in batch.windows
        )
        return Evaluated(judged, batch.windows[-1].end, rows=self.keys, unjudged=0)


@dataclass
class CountedDocuments(MemoryDocuments):
    """Counts what is written."""

    writes: int = field(default=0, init=False)
    written: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        super().__init__()

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        """Write and count."""
        self.writes += 1
        self.written += len(encode(body))
        return super().write(name, body, version=version)


class World:
    """A watch whose clock is turned by hand."""

    def __init__(self, alerts: int) -> None:
        self.documents = CountedDocuments()
        self.now = _BEGIN
        self.destination = MemoryDestination(clock=lambda: self.now)
        self._judge = Finds(alerts)
        writer = CardWriter("https://bench.example.com", told_as_it_is, {})
        self._channels = {"teams": Channel(self.destination, writer)}

    def tick(self) -> None:
        """Go on by one window, and run a tick."""
        self.now += _EVERY
        report = Watch(
            self.documents, self._judge, (_CHECK,), _RULES, self._channels, clock=lambda: self.now
        ).tick()
        if report.checks[0].result != "evaluated":
            raise SystemExit(f"the tick went wrong: {report.checks[0]}")


@dataclass(frozen=True)
class Measured:
    """One tick: alerts, seconds, the processor's seconds, peak megabytes, megabytes written, writes."""

    alerts: int
    seconds: float
    processor: float
    peak_mb: float
    written_mb: float
    writes: int


def main(sizes: Sequence[int]) -> int:
    """Measure each size, print the table and return how the process ends."""
    _say(f"{'':>24}  {'alerts':>7}  {'seconds':>8}  {'processor':>9}  {'peak':>8}  {'written':>9}  writes")
    first: dict[str, Measured] = {}
    bad = []
    for alerts in sizes:
        timed, traced = World(alerts), World(alerts)
        for which in ("opens them all", "finds them all again"):
            one = _measure(alerts, timed, traced)
            _say(
                f"{which:>24}  {one.alerts:>7,}  {one.seconds:6.2f} s  {one.processor:7.2f} s  "
                f"{one.peak_mb:5.0f} MB  {one.written_mb:6.1f} MB  {one.writes:>6}"
            )
            bad += _above(which, one, first.setdefault(which, one))
    _say("\n".join(bad) or "Every figure is within its limit.")
    return 1 if bad else 0


def _measure(alerts: int, timed: World, traced: World) -> Measured:
    gc.collect()
    writes, written = timed.documents.writes, timed.documents.written
    began, processor = time.perf_counter(), time.process_time()
    timed.tick()
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    gc.collect()
    tracemalloc.start()
    try:
        traced.tick()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return Measured(
        alerts,
        seconds,
        processor,
        peak / 1e6,
        (timed.documents.written - written) / 1e6,
        timed.documents.writes - writes,
    )


def _above(which: str, one: Measured, first: Measured) -> list[str]:
    larger = one.alerts / first.alerts / 10
    limits = (
        ("processor", one.processor, LIMIT_SECONDS, "s"),
        ("peak", one.peak_mb, LIMIT_MB, "MB"),
        ("written", one.written_mb, LIMIT_WRITTEN_MB, "MB"),
        ("writes", one.writes, LIMIT_WRITES, "writes"),
        ("processor's growth", one.processor / first.processor, LIMIT_SLOWER * larger, "times"),
        ("peak's growth", one.peak_mb / first.peak_mb, LIMIT_GROWTH * larger, "times"),
        ("growth of what is written", one.written_mb / first.written_mb, LIMIT_GROWTH * larger, "times"),
    )
    return [
        f"{one.alerts:,} alerts, the tick that {which}: {what} {figure:.1f} {unit}, limit {limit:.0f}"
        for what, figure, limit, unit in limits
        if figure > max(limit, 1.0)
    ]


if __name__ == "__main__":
    sys.exit(main([int(size) for size in sys.argv[1:]] or SIZES))
