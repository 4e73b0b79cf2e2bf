"""What alerts cost us: a tick that finds 10,000 keys of one check while 10,000 alerts are open.

    python -m bench.alerts [--smoke]

Nothing is asked: a judge of ours finds the keys at once. All else runs for real (Watch, lifecycle, outbox,
documents, cards) but the destination and the storage, which are in memory. Two ticks are measured: the one
that opens the alerts, and the next one, which finds them all again. Time is the processor's, and the peak
that of a tick in a second world (tracemalloc), so that the two can't slow each other.

The limits were set after figures were seen: they bound a regression.
"""

import gc
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.figures import Figure, Growth, Part, Progress, Scale, at_most
from bench.measuring import main, traced_peak_mb
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

SIZES = (100, 1_000, 10_000)
SMOKE = (10, 20, 40)
LIMITS = {
    "processor": ("s", 15.0),
    "peak memory": ("MB", 700.0),
    "written": ("MB", 60.0),
    "writes": ("", 20.0),
}

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


def measure(progress: Progress, scale: Scale) -> list[Figure]:
    """Measure both ticks at each size."""
    sizes = SMOKE if scale is Scale.SMOKE else SIZES
    found: dict[str, dict[int, dict[str, float]]] = {}
    for alerts in sizes:
        progress(f"alerts: {alerts:,}")
        timed, traced = World(alerts), World(alerts)
        for tick in ("opened", "found again"):
            found.setdefault(tick, {})[alerts] = _tick(timed, traced)
    return [
        Figure(
            Part.ALERTS,
            f"{sizes[-1]:,} alerts {tick} in a tick: {what}",
            values[sizes[-1]][what],
            unit,
            goal=at_most(limit),
            growth=Growth("alerts", {alerts: each[what] for alerts, each in values.items()}),
        )
        for tick, values in found.items()
        for what, (unit, limit) in LIMITS.items()
    ]


def _tick(timed: World, traced: World) -> dict[str, float]:
    """Let both worlds tick once, and return what LIMITS names."""
    gc.collect()
    writes, written = timed.documents.writes, timed.documents.written
    processor = time.process_time()
    timed.tick()
    processor = time.process_time() - processor
    return {
        "processor": processor,
        "peak memory": traced_peak_mb(traced.tick),
        "written": (timed.documents.written - written) / 1e6,
        "writes": timed.documents.writes - writes,
    }


if __name__ == "__main__":
    sys.exit(main(measure))
