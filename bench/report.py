"""What the report of an export costs: traces taken one by one, then written once.

    python -m bench.report [TRACES ...]      by default 1000 10000

Each trace has 30 rows: a run with three model calls, three tool calls of which one fails, and 23 log lines.
Twice: no run fails a control, and every run fails three.

- add: milliseconds for each trace, verdicts included;
- write: milliseconds for report.html;
- size: of report.html, kB;
- held: what the builder itself keeps of all traces, kB (tracemalloc, in a second run).

Ends with 1 where a figure is above its limit.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.evidence.controls.verdicts import Control, Result, RunVerdicts, Verdict
from functions.evidence.report.report import Account, ReportBuilder
from functions.overlay.history import Basis
from functions.traces.model import TraceRow

SIZES = (1_000, 10_000)
LIMIT_ADD_MS = 0.5
LIMIT_WRITE_MS = 1_000.0
LIMIT_SIZE_KB = 2_000.0
LIMIT_HELD_KB = 5_000.0

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


def _measure(configuration: Configuration, traces: int, *, fails: bool) -> bool:
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
    figures = (
        ("add, ms a trace", (filled - begun) / traces * 1e3, LIMIT_ADD_MS),
        ("write, ms", (written - filled) * 1e3, LIMIT_WRITE_MS),
        ("size, kB", len(page) / 1e3, LIMIT_SIZE_KB),
        ("held, kB", held, LIMIT_HELD_KB),
    )
    _say(f"{traces:,} traces, {'every run fails three controls' if fails else 'no run fails'}")
    for name, value, limit in figures:
        _say(f"  {name:16}{value:12,.3f}   limit {limit:9,.1f}   {'ok' if value <= limit else 'TOO MUCH'}")
    return all(value <= limit for _, value, limit in figures)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main(arguments: Sequence[str]) -> int:
    """Measure; 1 where a figure is above its limit."""
    configuration = load_configuration(SHIPPED)
    sizes = [int(each) for each in arguments] or SIZES
    kept = [_measure(configuration, size, fails=fails) for size in sizes for fails in (False, True)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
