"""What the report of an export costs: traces taken one by one, then written once.

    python -m bench.report [--smoke]

Each trace has 30 rows: a run with three model calls, three tool calls of which one fails, and 23 log lines.
Twice: no run fails a control, and every run fails three.

- add: milliseconds for each trace, verdicts included;
- write: milliseconds for report.html;
- size: of report.html, kB;
- held: what the builder itself keeps of all traces, kB (tracemalloc, in a second run).

The limits are our own: they bound a regression.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, Growth, Part, Progress, Scale, at_most
from bench.measuring import main
from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.evidence.controls.verdicts import Control, Result, RunVerdicts, Verdict
from functions.evidence.report.report import Account, ReportBuilder
from functions.overlay.basis import Basis
from functions.traces.model import TraceRow

SIZES = (100, 1_000, 10_000)
SMOKE = (10, 20, 40)
LIMITS = {
    "add a trace": ("ms", 0.5),
    "write": ("ms", 1_000.0),
    "size": ("kB", 2_000.0),
    "held until then": ("kB", 5_000.0),
}

_NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
_FAILING = frozenset({Control.DATA_FRESH, Control.REQUIRED_LOOKUPS, Control.CORRELATION})
_COMPLETE = {"complete": True, "slices": []}


def _row(
    number: int,
    table: str = "AppDependencies",
    names: Mapping[str, str] | None = None,
    *,
    success: bool = True,
) -> TraceRow:
    span_id = f"{number:016x}" if table == "AppDependencies" else ""
    at = _NOON + timedelta(milliseconds=10 * number)
    columns = {"Success": success, "DurationMs": 8.0} if span_id else {"SeverityLevel": 1}
    return TraceRow(table, "", span_id, f"{0:016x}" if number else "", at, at, columns, names or {})


def _rows() -> tuple[TraceRow, ...]:
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "dispatcher"}
    chat = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    chat |= {"gen_ai.usage.input_tokens": "900", "gen_ai.usage.output_tokens": "90"}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_shipment_status"}
    spans = [_row(0, names=agent)]
    for number in range(1, 7, 2):
        spans += (_row(number, names=chat), _row(number + 1, names=tool, success=number != 3))
    return (*spans, *(_row(number, "AppTraces") for number in range(7, 30)))


def _verdicts(trace_id: str, *, fails: bool) -> tuple[RunVerdicts, ...]:
    verdicts = tuple(
        Verdict(one, Result.FAIL if fails and one in _FAILING else Result.PASS, "data 9 h old")
        for one in Control
    )
    return (
        RunVerdicts(trace_id, f"{0:016x}", _NOON, "dispatcher", "2.0", "ab" * 32, Basis.OBSERVED, verdicts),
    )


def _filled(
    configuration: Configuration,
    rows: Sequence[TraceRow],
    judged: Sequence[tuple[str, Sequence[RunVerdicts]]],
) -> ReportBuilder:
    builder = ReportBuilder(configuration.agents.attributes, configuration.prices)
    for trace_id, verdicts in judged:
        builder.add(trace_id, rows, verdicts)
    return builder


def measure(progress: Progress, scale: Scale) -> list[Figure]:
    """Measure both kinds of report at each size."""
    configuration = load_configuration(SHIPPED)
    sizes = SMOKE if scale is Scale.SMOKE else SIZES
    figures = []
    for which, fails in (("no run fails", False), ("every run fails three controls", True)):
        progress(f"report: {which}")
        found = {traces: _report(configuration, traces, fails=fails) for traces in sizes}
        figures += [
            Figure(
                Part.REPORT,
                f"{sizes[-1]:,} traces, {which}: {what}",
                found[sizes[-1]][what],
                unit,
                goal=at_most(limit),
                growth=Growth("traces", {traces: each[what] for traces, each in found.items()}),
            )
            for what, (unit, limit) in LIMITS.items()
        ]
    return figures


def _report(configuration: Configuration, traces: int, *, fails: bool) -> dict[str, float]:
    """Write a report of so many traces, and return what LIMITS names."""
    rows = _rows()
    ids = [f"{number:031x}e" for number in range(traces)]
    judged = [(trace_id, _verdicts(trace_id, fails=fails)) for trace_id in ids]
    gc.collect()
    begun = time.perf_counter()
    builder = _filled(configuration, rows, judged)
    filled = time.perf_counter()
    page = builder.render(Account({}, _COMPLETE, {}, {}))
    written = time.perf_counter()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = _filled(configuration, rows, judged)
    gc.collect()
    held = (tracemalloc.get_traced_memory()[0] - before) / 1e3
    tracemalloc.stop()
    del kept
    return {
        "add a trace": (filled - begun) / traces * 1e3,
        "write": (written - filled) * 1e3,
        "size": len(page) / 1e3,
        "held until then": held,
    }


if __name__ == "__main__":
    sys.exit(main(measure))
