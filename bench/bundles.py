"""Writes bundles as exports make them, with the service's own packing, for what reads them.

A trace is a run of ten spans with one log line. Ids, times, tokens and pseudonyms are drawn anew for each:
what repeats is inflated faster than a real export. Some 1.4 kB a span, packed to about an eleventh.
"""

import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import Any

import orjson

from functions.evidence.controls.verdicts import Control, Result, RunVerdicts, Verdict, encode_controls
from functions.evidence.packing.bundle import (
    COMPLETENESS,
    CONTROLS,
    COVERAGE,
    REDACTIONS,
    REPORT,
    REQUEST,
    TABLE,
    TRACES,
    BundleWriter,
    payload_names,
)
from functions.evidence.packing.otlp import encode_trace
from functions.evidence.packing.table import table_header, table_lines
from functions.overlay.basis import Basis
from functions.traces.model import Scalar, TraceRow

SPANS_A_TRACE = 10
ROWS_A_TRACE = SPANS_A_TRACE + 1

_NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
_STEPS = ("chat", "execute_tool", "chat", "execute_tool", "retrieval", "chat", "execute_tool", "chat")
_SERVICE: Mapping[str, Scalar] = {"AppRoleName": "dispatcher", "AppVersion": "2026.11.3", "ItemCount": 1}
_TOOLS = ("get_shipment_status", "search_knowledge_base", "get_customer_record")


def write_bundle(path: Path, spans: int) -> int:
    """Write a sound, unsigned metadata bundle of so many spans into a zip; return its payload's bytes."""
    drawn = Random(spans)  # noqa: S311 - material, not secrets
    traces = spans // SPANS_A_TRACE
    rows = traces * ROWS_A_TRACE
    with BundleWriter(payload_names("metadata"), rescan=lambda _: None, signer=None) as writer:
        files = {name: writer.open(name) for name in sorted(payload_names("metadata"))}
        files[TABLE].write(table_header())
        verdicts = []
        for trace_id in sorted(_hexadecimal(drawn, 32) for _ in range(traces)):
            trace = tuple(_rows(drawn, trace_id))
            for text in encode_trace(trace_id, [trace]):
                files[TRACES].write(text)
            files[TABLE].write(table_lines(trace))
            verdicts.append(_verdicts(trace[1]))
        for text in encode_controls(verdicts):
            files[CONTROLS].write(text)
        for name, body in _statements(rows).items():
            files[name].write(orjson.dumps(body, option=orjson.OPT_INDENT_2))
        files[REPORT].write(b"<!doctype html>\n<title>Report</title>\n")
        with writer.finish() as bundle, path.open("wb") as file:
            shutil.copyfileobj(bundle.file, file)
        return sum(file.size for file in files.values())


def _rows(drawn: Random, trace_id: str) -> Iterator[TraceRow]:
    at = _NOON + timedelta(microseconds=drawn.randrange(86_400_000_000))
    root, agent = _hexadecimal(drawn, 16), _hexadecimal(drawn, 16)
    asked = {"app.intent": "shipment_status", "tenant.id": _pseudonym(drawn)}
    run = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": f"agent-{drawn.randrange(1_000):04}",
        "gen_ai.conversation.id": _pseudonym(drawn),
    }

    def row(span_id: str, parent_id: str, names: Mapping[str, str]) -> TraceRow:
        table = "AppDependencies" if parent_id else "AppRequests"
        columns = {**_SERVICE} | {"Success": True, "ResultCode": "200"}
        columns |= {"DurationMs": drawn.randrange(9_000_000) / 1_000}
        columns |= {"DependencyType": "InProc"} if parent_id else {}
        return TraceRow(table, trace_id, span_id, parent_id, at, _received(drawn, at), columns, names)

    yield row(root, "", asked)
    yield row(agent, root, run)
    for number, step in enumerate(_STEPS):
        at += timedelta(microseconds=drawn.randrange(20_000, 900_000))
        yield row(_hexadecimal(drawn, 16), agent, _names(drawn, step, number, at))
    log = {**_SERVICE} | {"SeverityLevel": 1}
    yield TraceRow("AppTraces", trace_id, "", agent, at, _received(drawn, at), log, {})


def _received(drawn: Random, at: datetime) -> datetime:
    return at + timedelta(microseconds=drawn.randrange(500_000, 9_000_000))


def _names(drawn: Random, step: str, number: int, at: datetime) -> Mapping[str, str]:
    match step:
        case "chat":
            return {
                "gen_ai.operation.name": step,
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.response.model": "gpt-4o-2024-11-20",
                "gen_ai.usage.input_tokens": str(drawn.randrange(300, 9_000)),
                "gen_ai.usage.output_tokens": str(drawn.randrange(20, 900)),
            }
        case "execute_tool":
            as_of = at - timedelta(seconds=drawn.randrange(600))
            tool = _TOOLS[number % len(_TOOLS)]
            return {
                "gen_ai.operation.name": step,
                "gen_ai.tool.name": tool,
                "gen_ai.tool.call.id": _pseudonym(drawn),
                "tool.data_as_of": f"{as_of:%Y-%m-%dT%H:%M:%SZ}",
            }
        case _:
            return {
                "gen_ai.operation.name": step,
                "gen_ai.data_source.id": "policies",
                "retrieval.document_count": str(drawn.randrange(1, 9)),
            }


def _verdicts(run: TraceRow) -> RunVerdicts:
    verdicts = tuple(Verdict(control, Result.PASS, "") for control in Control)
    agent = run.properties["gen_ai.agent.name"]
    return RunVerdicts(
        run.trace_id, run.span_id, run.time, agent, "2026.11.3", "ab" * 32, Basis.OBSERVED, verdicts
    )


def _statements(rows: int) -> Mapping[str, Mapping[str, Any]]:
    counts = {"rows_at_source": rows, "rows_here": rows, "complete": True}
    return {
        REQUEST: {"profile": "metadata", "selector": {"agents": ["all"]}, "queries_hmac_sha256": "0" * 64},
        COMPLETENESS: {**counts, "missing_trace_ids": [], "slices": [counts]},
        REDACTIONS: {"rows": rows, "profile": "metadata", "rescan": {"found": 0}},
        COVERAGE: {},
    }


def _hexadecimal(drawn: Random, digits: int) -> str:
    return f"{drawn.getrandbits(4 * digits):0{digits}x}"


def _pseudonym(drawn: Random) -> str:
    return "".join(drawn.choices(ascii_lowercase[:16], k=24))
