"""Real telemetry with planted secrets: not one of them is in what the shipped policy lets through."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from functions.evidence.detectors import standard_detectors
from functions.evidence.redaction.policy import redaction_policy
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.redactions import Redactions
from functions.evidence.redaction.rescan import rescan
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.traces.model import TraceRow

ROOT = Path(__file__).parents[3]
CAPTURES = sorted((ROOT / "../shared/captures").glob("*/envelopes.jsonl.gz"))

pytestmark = pytest.mark.skipif(not CAPTURES, reason="the captures lie outside the repository")

TABLES = {
    "RequestData": "AppRequests",
    "RemoteDependencyData": "AppDependencies",
    "MessageData": "AppTraces",
    "ExceptionData": "AppExceptions",
    "EventData": "AppEvents",
}
# Envelope field or tag -> column. What is not listed goes in under its own name: it must not pass either.
COLUMNS = {
    "name": "Name",
    "message": "Message",
    "url": "Url",
    "data": "Data",
    "target": "Target",
    "type": "DependencyType",
    "success": "Success",
    "resultCode": "ResultCode",
    "responseCode": "ResultCode",
    "severityLevel": "SeverityLevel",
    "typeName": "ExceptionType",
    "ai.location.ip": "ClientIP",
    "ai.operation.name": "OperationName",
    "ai.cloud.role": "AppRoleName",
    "ai.cloud.roleInstance": "AppRoleInstance",
    "ai.application.ver": "AppVersion",
    "ai.session.id": "SessionId",
    "ai.user.authUserId": "UserAuthenticatedId",
}
TIME = datetime(2026, 11, 22, tzinfo=UTC)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rb") as lines:
        yield from map(orjson.loads, lines)


def rows(path: Path) -> Iterator[TraceRow]:
    for envelope in read_lines(path):
        table = TABLES.get(envelope["data"]["baseType"])
        if table is not None:
            yield a_row(table, envelope["tags"], envelope["data"]["baseData"])


def a_row(table: str, tags: dict[str, Any], data: dict[str, Any]) -> TraceRow:
    properties = data.pop("properties", {})
    fields = tags | data | (data.get("exceptions") or [{}])[0]
    trace_id, parent_id = fields.pop("ai.operation.id", ""), fields.pop("ai.operation.parentId", "")
    span_id = data.get("id", "") if table in {"AppRequests", "AppDependencies"} else ""
    columns = {COLUMNS.get(name, name): value for name, value in fields.items()}
    return TraceRow(table, trace_id, span_id, parent_id, TIME, TIME, columns, properties)


@pytest.fixture(scope="module", params=CAPTURES, ids=lambda path: path.parent.name)
def capture(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_no_planted_value_leaves_and_the_facts_do(capture: Path) -> None:
    policy = redaction_policy(yaml.safe_load((ROOT / "config/redaction.yaml").read_bytes()))
    pseudonyms, detectors = Pseudonyms(bytes(range(32)), "keyA"), standard_detectors()
    sanitizer, redactions = Sanitizer(policy, pseudonyms, detectors), Redactions(policy, pseudonyms)
    output: list[bytes] = []
    kept: Counter[str] = Counter()
    for row in rows(capture):
        result = sanitizer.sanitize(row)
        redactions.add(result)
        kept.update(list(result.row.properties))
        output.append(orjson.dumps(result.row))
    output.append(orjson.dumps(redactions.body(rescanned=[])))

    # Rows differ in ids mostly: search each distinct member once (in a string the quote would be escaped).
    pieces = b"\n".join({member for line in output for member in line.split(b',"')})
    leaked: Counter[str] = Counter()
    for canary in read_lines(capture.with_name("canaries.jsonl.gz")):
        texts = {canary["value"].encode(), json.dumps(canary["value"])[1:-1].encode()}
        leaked[canary["kind"]] += any(text in pieces for text in texts)
    assert len(leaked) >= 10
    assert +leaked == Counter()

    rescan(b"\n".join(output), detectors)
    for name in (
        "gen_ai.agent.name",
        "gen_ai.tool.name",
        "gen_ai.usage.input_tokens",
        "gen_ai.request.model",
    ):
        assert kept[name] > 100, name
    misfits = {
        rule for rule in redactions.body(rescanned=[])["removed"] if rule.startswith(("misfit", "detector"))
    }
    assert misfits == set()
