"""What it costs to make spans safe, beside reading and writing them as JSON, in one run.

    python -m bench.sanitizer [--smoke]

The rows are those that the query API would give: spans whose content lies in AppGenAIContent or in them;
made-up ones, and captured ones where there are some (bench/material.py). The peer is orjson's loads and dumps
of the same rows, one after the other. Ours is all that stands between a row and the finished bytes of
traces.otlp.jsonl: sanitizing and counting, encoding, and the rescan. What the same spans cost once more as
spans.csv, its rescan included, stands in the note. Times are the processor's, so that what else the machine
does counts for little.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import batched, groupby, pairwise
from typing import Any

import orjson
import yaml

from bench.figures import Figure, Growth, Part, Peer, Progress, Scale, at_least, not_measured
from bench.material import CAPTURES
from bench.measuring import best_of, main
from functions.configuration import SHIPPED
from functions.evidence.detectors import Detectors, standard_detectors
from functions.evidence.packing.otlp import encode_traces
from functions.evidence.packing.table import encode_table
from functions.evidence.redaction.policy import redaction_policy
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.redactions import Redactions
from functions.evidence.redaction.rescan import rescan
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.traces.model import TraceRow
from local.azure_monitor.content import move_content
from local.azure_monitor.envelopes import Row, row_of
from local.retiming import read_envelopes

GOAL = at_least(0.12)
SIZES = (1_000, 5_000, 20_000)
SMOKE = (50, 100, 200)
REPEATS = 5
BLOCK = 1 << 20
AT_ONCE = 1_000
STAGES = ("sanitize", "encode", "rescan", "as a table")
_SPAN_TABLES = frozenset({"AppRequests", "AppDependencies"})
_OWN = frozenset({"Id", "OperationId", "ParentId", "Properties", "Measurements", "IKey"})


def measure(progress: Progress, scale: Scale) -> list[Figure]:
    """Measure both routings, for spans made up and captured."""
    sizes = SMOKE if scale is Scale.SMOKE else SIZES
    figures = []
    for material, envelopes in (("made up", list(_generated())), ("captured", _captured())):
        for routing in ("table", "inline"):
            what = f"spans {material}, content in {'a table' if routing == 'table' else 'the spans'}"
            if envelopes:
                progress(f"sanitizer: {what}")
                rows = _rows(envelopes, routing, sizes[-1])
                figures.append(_figure(what, rows, sizes))
            else:
                why = "captured spans are not there (BENCH_CAPTURES)"
                figures.append(not_measured(Part.SANITIZER, what, "spans/s", why, GOAL))
    return figures


def _figure(what: str, rows: Sequence[TraceRow], sizes: Sequence[int]) -> Figure:
    detectors = standard_detectors()
    every = [orjson.dumps(row) for row in rows]
    speeds = {}
    for size in sizes:
        lines = every[:size]
        json = best_of(REPEATS, partial(_read_and_write, lines), time.process_time)
        seconds = [min(each) for each in zip(*(_ours(lines, detectors) for _ in range(REPEATS)), strict=True)]
        speeds[size] = size / sum(seconds[:3])
    stages = ", ".join(
        f"{stage} {1e6 * part / size:.1f}" for stage, part in zip(STAGES, seconds, strict=True)
    )
    return Figure(
        Part.SANITIZER,
        what,
        speeds[size],
        "spans/s",
        Peer("orjson loads and dumps", size / json),
        GOAL,
        Growth("spans", speeds),
        f"microseconds a span of {sum(map(len, lines)) / size / 1e3:.1f} KB: {stages}; "
        f"with the table {json / sum(seconds):.3f} of orjson",
    )


def _captured() -> list[dict[str, Any]]:
    return list(read_envelopes(CAPTURES)) if CAPTURES.is_file() else []


def _read_and_write(lines: Sequence[bytes]) -> None:
    for line in lines:
        orjson.dumps(orjson.loads(line))


def _ours(lines: Sequence[bytes], detectors: Detectors) -> tuple[float, ...]:
    """Return the seconds that each of `STAGES` takes; only the detectors remember what was before."""
    pseudonyms = Pseudonyms(bytes(range(32)), "bench")
    policy = redaction_policy(yaml.safe_load((SHIPPED / "redaction.yaml").read_bytes()))
    sanitizer, redactions = Sanitizer(policy, pseudonyms, detectors), Redactions(policy, pseudonyms)
    spent = [0.0] * len(STAGES)
    for some in batched(lines, AT_ONCE, strict=False):
        rows = [_read(line) for line in some]  # as they come from a slice's answer; in nobody's time
        times = [time.process_time()]
        safe = []
        for row in rows:
            result = sanitizer.sanitize(row)
            redactions.add(result)
            safe.append(result.row)
        times.append(time.process_time())
        spans = encode_traces(safe).data
        times.append(time.process_time())
        _rescan(spans, detectors)
        times.append(time.process_time())
        _rescan(encode_table(safe), detectors)
        times.append(time.process_time())
        spent = [total + end - start for total, (start, end) in zip(spent, pairwise(times), strict=True)]
    redactions.body(rescanned=[])
    return tuple(spent)


def _read(line: bytes) -> TraceRow:
    body = orjson.loads(line)
    times = {name: datetime.fromisoformat(body[name]) for name in ("time", "received")}
    return TraceRow(**{**body, **times})


def _rescan(data: bytes, detectors: Detectors) -> None:
    for block in _blocks(data):
        rescan(block, detectors)


def _blocks(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + BLOCK) + 1 or len(data)
        yield data[start:end]
        start = end


def _rows(envelopes: Sequence[dict[str, Any]], routing: str, spans: int) -> list[TraceRow]:
    """Return so many spans, trace by trace; the same again under other ids until there are enough."""
    known = [row for envelope in envelopes if (row := row_of(envelope)) and row.table in _SPAN_TABLES]
    known.sort(key=lambda row: str(row.values.get("OperationId")))
    traces = [list(group) for _, group in groupby(known, key=lambda row: row.values.get("OperationId"))]
    rows: list[TraceRow] = []
    copy = 0
    while len(rows) < spans:
        copy += 1
        for trace in traces:
            rows += [_row(move_content(row)[0] if routing == "table" else row, copy) for row in trace]
    return sorted(rows[:spans], key=lambda row: row.trace_id)


def _row(row: Row, copy: int) -> TraceRow:
    values = row.values
    trace_id = f"{int(values.get('OperationId') or '0', 16) ^ (copy << 96):032x}"
    columns = {name: value for name, value in values.items() if name not in _OWN and value not in {None, ""}}
    return TraceRow(
        table=row.table,
        trace_id=trace_id,
        span_id=str(values.get("Id", "")),
        parent_id=str(values.get("ParentId", "")),
        time=row.time,
        received=row.time + timedelta(seconds=2),
        columns=columns,
        properties=values["Properties"],
    )


def _generated() -> Iterator[dict[str, Any]]:
    """Yield the spans of 500 traces of a small agent: a request, a run, two model calls, two tools."""
    for trace in range(500):
        trace_id = f"{0x9E3779B97F4A7C15F39CC0605CEDC835 * (trace + 1) % (1 << 128):032x}"
        for number, (operation, facts) in enumerate(_STEPS):
            span_id = f"{0xD1B54A32D192ED03 * (trace * 8 + number + 1) % (1 << 64):016x}"
            at = datetime(2026, 11, 22, tzinfo=UTC) + timedelta(milliseconds=trace * 700 + number * 35)
            common = {"tenant.id": f"tenant-{trace % 7}", "prompt.version": "dispatch-p7"}
            words = f"Please tell {trace_id[:9]} where the shipment of {span_id[:5]} is, and why it is late."
            content = {
                "gen_ai.input.messages": orjson.dumps([{"role": "user", "content": words * 8}]).decode()
            }
            yield {
                "time": at.isoformat(),
                "tags": {
                    "ai.operation.id": trace_id,
                    "ai.operation.parentId": "",
                    "ai.operation.name": "POST /ask",
                    "ai.cloud.role": "shop.assistant",
                    "ai.cloud.roleInstance": "host-1",
                    "ai.application.ver": "2.3.1",
                    "ai.location.ip": "203.0.113.9",
                },
                "data": {
                    "baseType": "RequestData" if operation == "" else "RemoteDependencyData",
                    "baseData": {
                        "id": span_id,
                        "name": words[:40],
                        "duration": f"0.00:00:00.{100 + trace % 800}",
                        "success": True,
                        "resultCode": "0",
                        "type": "InProc",
                        "properties": {**common, **facts, **(content if operation else {})},
                    },
                },
            }


_USAGE = {"gen_ai.usage.input_tokens": "513", "gen_ai.usage.output_tokens": "41"}
_CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-11-20",
    "gen_ai.response.finish_reasons": "('stop',)",
    "gen_ai.response.id": "chatcmpl-1",
    **_USAGE,
}
_TOOL = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "get_shipment_status",
    "gen_ai.tool.type": "function",
    "gen_ai.tool.description": "Say where a shipment is.",
    "tool.data_as_of": "2026-11-22T09:56:15Z",
}
_STEPS: Sequence[tuple[str, dict[str, str]]] = (
    ("", {"app.intent": "shipment_status", "customer.ref": "R-1"}),
    ("run", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "dispatcher", **_USAGE}),
    ("chat", _CHAT),
    ("tool", _TOOL),
    ("tool", _TOOL),
    ("chat", _CHAT),
)


if __name__ == "__main__":
    sys.exit(main(measure))
