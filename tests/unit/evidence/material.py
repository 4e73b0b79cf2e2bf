"""Telemetry of two small traces, as envelopes and as rows, and the product's own protection."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import yaml

from functions.evidence.controls.verdicts import RunVerdicts
from functions.evidence.detectors import standard_detectors
from functions.evidence.exports.assembly import Assembly, Report
from functions.evidence.exports.export import Export, State
from functions.evidence.exports.plan import Plan, Planned
from functions.evidence.exports.slicing import Reader
from functions.evidence.exports.work import part_name
from functions.evidence.redaction.policy import redaction_policy
from functions.evidence.redaction.protection import Protection
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.report.report import Account as ReportAccount
from functions.evidence.selection.membership import Resolved
from functions.evidence.selection.selection import Selection, parse_selection
from functions.traces.membership import Membership
from functions.traces.model import TABLES, Scalar, TraceRow
from functions.traces.slices import Slice
from functions.traces.source import Rows
from tests.fakes.storage import MemoryWorkObjects

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "0af7651916cd43dd8448eb211c80319c"
ABSENT = "ffffffffffffffffffffffffffffffff"
REQUEST, AGENT, TOOL = "00f067aa0ba902b7", "b7ad6b7169203331", "00f067aa0ba902b9"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "Ada Lovelace lives in Marylebone, card 4111111111111111"
SOUND = {"profile": "metadata", "reason": "weekly review", "ticket": "OPS-1"}


@cache
def protection() -> Protection:
    shipped = Path(__file__).parents[3] / "config/redaction.yaml"
    policy = redaction_policy(yaml.safe_load(shipped.read_text(encoding="utf-8")))
    return Protection(policy, Pseudonyms(bytes(range(32)), "test"), standard_detectors())


def selection(selector: Mapping[str, Any] | None = None) -> Selection:
    body = SOUND | {"selector": selector or {"trace_ids": [TRACE]}}
    return parse_selection(body, resolve_alert=lambda _: [TRACE])


def row(table: str = "AppDependencies", /, **changes: Any) -> TraceRow:
    columns: Mapping[str, Scalar] = {"AppRoleName": "shop.assistant", "AppVersion": "2.0", "ItemCount": 1}
    facts: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": TOOL if table in {"AppRequests", "AppDependencies"} else "",
        "parent_id": "",
        "time": NOON,
        "received": NOON + timedelta(seconds=2),
        "columns": columns,
        "properties": {},
    }
    return TraceRow(table=table, **(facts | changes))


def envelopes(trace_id: str = TRACE, at: datetime = NOON, *, sampled: int = 1) -> list[dict[str, Any]]:
    """Return the seven envelopes of a trace: a request, two spans, two logs, an exception and an event."""
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_shipment_status"}
    agent = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "dispatcher",
        "customer.name": SECRET,
    }
    fault = {"typeName": "TimeoutError", "message": SECRET, "hasFullStack": True, "stack": SECRET}
    parts: list[tuple[str, str, dict[str, Any]]] = [
        (
            "Request",
            "",
            {"id": REQUEST, "name": "POST /ask", "responseCode": "200", "url": f"https://x/?q={SECRET}"},
        ),
        ("RemoteDependency", REQUEST, {"id": AGENT, "name": SECRET, "type": "InProc", "properties": agent}),
        (
            "RemoteDependency",
            AGENT,
            {"id": TOOL, "name": "execute_tool", "type": "InProc", "properties": tool, "success": False},
        ),
        ("Message", TOOL, {"message": SECRET, "severityLevel": 1}),
        ("Message", "dddddddddddddddd", {"message": SECRET, "severityLevel": 1}),
        ("Exception", TOOL, {"exceptions": [fault], "severityLevel": 3}),
        (
            "Event",
            AGENT,
            {"name": "gen_ai.evaluation.result", "properties": {"gen_ai.evaluation.name": "tone"}},
        ),
    ]
    return [
        _envelope(kind, data, sampled, at + timedelta(milliseconds=number))
        | {"tags": _TAGS | {"ai.operation.id": trace_id, "ai.operation.parentId": parent}}
        for number, (kind, parent, data) in enumerate(parts)
    ]


_TAGS = {"ai.cloud.role": "shop.assistant", "ai.application.ver": "2.0"}


def _envelope(kind: str, data: dict[str, Any], sampled: int, at: datetime) -> dict[str, Any]:
    span = {"duration": "0.00:00:00.050", "success": True} if kind in {"Request", "RemoteDependency"} else {}
    return {
        "name": f"Microsoft.ApplicationInsights.{kind}",
        "iKey": "00000000-0000-0000-0000-000000000001",
        "time": at.isoformat().replace("+00:00", "Z"),
        "sampleRate": 100 / sampled,
        "data": {"baseType": f"{kind}Data", "baseData": {"ver": 2, **span, **data}},
    }


DAY = timedelta(days=1)
AMONG = Membership("", f'where OperationId in ("{TRACE}")')


class NoRuns:
    """Judges no run."""

    def judge(self, part: Slice, *, cutoff: datetime) -> list[RunVerdicts]:  # noqa: ARG002 - a judge's
        return []


class NoReport:
    """Writes a report that says nothing."""

    def add(
        self, trace_id: str, rows: Sequence[TraceRow], verdicts: Sequence[RunVerdicts], **_: object
    ) -> None:
        pass

    def render(self, account: ReportAccount) -> bytes:  # noqa: ARG002 - a report's
        return b"<!doctype html><title>Evidence</title>\n"


class RowsSource:
    """Gives rows that are given as rows: as many as it has of the table, and counts some more."""

    def __init__(self, rows: Sequence[TraceRow], more_at_source: int = 0) -> None:
        self._rows, self._more = rows, more_at_source

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:  # noqa: ARG002 - a source's
        mine = [row for row in self._rows if kql.startswith(row.table)]
        if "summarize" in kql:
            return Rows(("Rows",), ((len(mine) + self._more,),))
        fixed = ("TimeGenerated", "Received", "OperationId", "ParentId", "Id", "Properties")
        columns = kql.partition("OperationId, ParentId, ")[2].partition("Properties")[0].split(", ")
        others = [name for name in columns if name and name != "Id"]
        return Rows(
            (*fixed, *others),
            tuple(
                (
                    row.time,
                    row.received,
                    row.trace_id,
                    row.parent_id,
                    row.span_id,
                    orjson.dumps(dict(row.properties)).decode(),
                    *(row.columns.get(name) for name in others),
                )
                for row in mine
            ),
        )


def assembled(
    *rows: TraceRow,
    missing: tuple[str, ...] = (),
    more_at_source: int = 0,
    asked: Selection | None = None,
    by: Protection | None = None,
    keep_parts: Protection | None = None,
    seals: Mapping[str, Any] | None = None,
    report: Report | None = None,
) -> bytes:
    """Return the bundle of these rows; the source counts `more_at_source` more in the first table.

    Parts are made by `keep_parts` where that differs from what assembles them.
    """
    by = by or protection()
    export = Export("0" * 32, State.RUNNING, asked or selection(), "", NOON)
    bounds = (NOON - DAY, NOON + DAY, NOON - DAY, NOON + DAY)
    counts = {table: sum(row.table == table for row in rows) for table in TABLES}
    planned = tuple(Planned(Slice(table, AMONG, *bounds), counts[table]) for table in TABLES)
    resolved = Resolved((AMONG,), *bounds[:2], missing=missing)
    plan = Plan(resolved, planned, seals or {}, {"complete": True, "checks": []})
    work = MemoryWorkObjects()
    for number, one in enumerate(planned):
        more = more_at_source if number == 0 else 0
        source = RowsSource(rows, more)
        counted = Planned(one.slice, one.rows + more)
        part = Reader(source, source, NoRuns()).read(counted, NOON, keep_parts or by)
        work.put(part_name(export.id, by.fingerprint, number), part)
    assembly = Assembly(export, plan, work, by, report or NoReport(), None, "", lambda: None)
    with assembly.run().bundle as bundle:
        return bundle.file.read()


ROWS = (
    row("AppRequests", span_id=REQUEST),
    row(span_id=AGENT, parent_id=REQUEST, properties={"gen_ai.agent.name": "dispatcher", "customer": SECRET}),
    row("AppTraces", parent_id=AGENT, columns={"Message": SECRET}),
    row("AppExceptions", parent_id=AGENT, columns={"ExceptionType": "TimeoutError", "OuterMessage": SECRET}),
)


def bundle(*rows: TraceRow) -> bytes:
    return assembled(*(rows or ROWS))
