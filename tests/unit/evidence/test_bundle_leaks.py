"""Whole bundles, from telemetry in the stand-in's tables to the ZIP: what of the planted values is in them?

The job is the deployed one, with real controls and the real report. The telemetry is what an agent sent,
where the captures are there, and what is made up here.
"""

import gzip
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import orjson
import pytest

from functions.errors import RedactionFailure
from functions.evidence.controls.judging import Controls
from functions.evidence.exports.export import State
from functions.evidence.redaction.policy import Keep, Policy, Profile, Rule, Rules
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.evidence.selection.selection import Selection, TraceIds
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import NOON, protection
from tests.unit.evidence.planted import CLAIMED, DRESSES, KINDS, plant
from tests.unit.evidence.rig import ASKER, RememberingSource, Rig, shipped

CAPTURES = sorted((Path(__file__).parents[3] / "../shared/captures").glob("*/envelopes.jsonl.gz"))
CLAIMED_THERE = {*CLAIMED, "email_urlencoded"}
Routing = Literal["table", "inline"]
ROUTINGS: list[Routing] = ["table", "inline"]

Envelope = dict[str, Any]


@dataclass(frozen=True)
class World:
    """Telemetry as sent, and what was planted in it."""

    envelopes: tuple[Envelope, ...]
    values: tuple[tuple[str, str], ...]

    @property
    def trace_ids(self) -> tuple[str, ...]:
        return tuple(
            sorted({e["tags"]["ai.operation.id"] for e in self.envelopes if "ai.operation.id" in e["tags"]})
        )


@cache
def made_up() -> World:
    """Return a trace for each of five values of each kind, which stands in every field of each envelope."""
    values = [plant(kind, seed) for kind in sorted(KINDS) for seed in range(5)]
    envelopes = [
        envelope
        for number, one in enumerate(values)
        for envelope in spoilt(number, one.value, one.told, DRESSES[number % len(DRESSES)])
    ]
    return World(tuple(envelopes), tuple((one.kind, one.value) for one in values))


def spoilt(number: int, value: str, told: str, dress: Callable[[str], str]) -> Iterator[Envelope]:
    """Yield the envelopes of a trace that hold a value wherever there is a place for one."""
    text = dress(told)
    call = {"type": "tool_call", "id": value, "name": value, "arguments": json.dumps({told: text})}
    message = [{"role": "user", "parts": [{"type": "text", "content": text}, call], "name": value}]
    properties = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": value,
        "gen_ai.tool.name": value,
        "gen_ai.tool.description": text,
        "gen_ai.request.model": value,
        "gen_ai.response.finish_reasons": f"('{value}',)",
        "gen_ai.usage.input_tokens": value,
        "gen_ai.conversation.id": value,
        "gen_ai.input.messages": json.dumps(message),
        "gen_ai.tool.call.arguments": json.dumps({"note": text}),
        "gen_ai.tool.call.result": text,
        "gen_ai.prompt.0.content": text,
        "input.value": text,
        "tenant.id": value,
        "app.intent": value,
        "retrieval.document_ids": f"POL-1,{value}",
        "tool.data_as_of": value,
        "customer.note": text,
        value: text,
        f"llm.input_messages.{value}": text,
    }
    fault = {"typeName": value, "message": text, "hasFullStack": True, "stack": text}
    span = {"duration": "0.00:00:00.050", "success": True, "properties": properties}
    tags = {
        "ai.operation.id": f"{0xA1 + number:032x}",
        "ai.operation.parentId": value,
        "ai.operation.name": text,
        "ai.cloud.role": value,
        "ai.cloud.roleInstance": text,
        "ai.application.ver": value,
        "ai.location.ip": value,
        "ai.session.id": value,
        "ai.user.authUserId": value,
        "ai.user.userAgent": text,
    }
    for place, (kind, data) in enumerate((
        ("Request", {"id": f"{number:015x}a", "name": text, "responseCode": value, "url": text, **span}),
        ("RemoteDependency", {"id": value, "name": text, "type": value, "data": text, **span}),
        ("Message", {"message": text, "severityLevel": 1, "properties": properties}),
        ("Exception", {"exceptions": [fault], "severityLevel": 3, "properties": properties}),
        ("Event", {"name": value, "properties": properties}),
    )):  # fmt: skip
        yield {
            "name": f"Microsoft.ApplicationInsights.{kind}",
            "iKey": "00000000-0000-0000-0000-000000000001",
            "time": (NOON + timedelta(seconds=number, milliseconds=place)).isoformat(),
            "tags": tags,
            "data": {"baseType": f"{kind}Data", "baseData": {"ver": 2, **data}},
        }


@cache
def captured() -> World:
    envelopes, values = [], []
    for path in CAPTURES:
        envelopes += _lines(path)
        values += [(one["kind"], one["value"]) for one in _lines(path.with_name("canaries.jsonl.gz"))]
    return World(tuple(envelopes), tuple(values))


def _lines(path: Path) -> list[Any]:
    with gzip.open(path, "rb") as lines:
        return list(map(orjson.loads, lines))


WORLDS = {"made_up": made_up}
if CAPTURES:
    WORLDS["captured"] = captured


@cache
def source_of(world: str, routing: Routing) -> tuple[RememberingSource, datetime]:
    telemetry = Telemetry(content_routing=routing)
    sent = WORLDS[world]().envelopes
    telemetry.ingest(sent, delay=timedelta(seconds=2))
    last = max(datetime.fromisoformat(envelope["time"]) for envelope in sent)
    return RememberingSource(TelemetrySource(telemetry)), last + timedelta(hours=1)


def rig_of(world: str, routing: Routing, policy: Policy | None = None) -> Rig:
    rig = Rig()
    rig.source, rig.now = source_of(world, routing)
    if policy is not None:
        rig.protection = lambda: replace(protection(), policy=policy)
    by = rig.protection()
    rig.judge = Controls(
        rig.source,
        lambda _: [],
        shipped().agents,
        lambda: Sanitizer(by.policy.for_profile("metadata"), by.pseudonyms, by.detectors),
        by.pseudonyms,
    )
    return rig


def files_of(rig: Rig, world: str, profile: Profile) -> Mapping[str, bytes]:
    """Return the files of a bundle of all traces, by their names; under "" stand these names."""
    trace_ids = WORLDS[world]().trace_ids
    asked = Selection(TraceIds(trace_ids), profile, "a claim is disputed", "CASE-7")
    export_id = rig.exports.request(asked, requester=ASKER).id
    rig.run(export_id)
    export = rig.exports.get(export_id)
    if export.state is not State.DONE:
        raise RedactionFailure(export.failure or "", next_step="Look why.")
    assert export.counts is not None
    assert export.counts.traces == len(trace_ids)
    with zipfile.ZipFile(io.BytesIO(rig.bundle(export_id))) as archive:
        files = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    return files | {"": "\n".join(files).encode()}


def leaks(values: Sequence[tuple[str, str]], files: Mapping[str, bytes]) -> Counter[str]:
    """Count by kind the values that stand in one of the files in some form."""
    # Lines differ in ids mostly: each distinct member of theirs is searched once.
    members = (data.replace(b"\n", b',"').split(b',"') for data in files.values())
    whole = b"\n".join({piece for each in members for piece in each})
    return Counter(
        kind for kind, value in set(values) if any(form.encode() in whole for form in _forms(value))
    )


def _forms(value: str) -> set[str]:
    escaped = json.dumps(value)[1:-1]
    return {value, escaped, json.dumps(escaped)[1:-1], escape(value), quote(value), quote(value, safe="")}


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize("world", WORLDS)
def test_no_planted_value_is_in_a_metadata_bundle(world: str, routing: Routing) -> None:
    files = files_of(rig_of(world, routing), world, "metadata")
    shown = {"traces.otlp.jsonl", "spans.csv", "report.html", "controls.csv"}
    assert {f"data/{name}" for name in shown} <= files.keys()
    assert leaks(WORLDS[world]().values, files) == Counter()


@pytest.mark.parametrize("routing", ROUTINGS)
@pytest.mark.parametrize("world", WORLDS)
def test_no_value_that_is_claimed_is_in_a_content_bundle(world: str, routing: Routing) -> None:
    files = files_of(rig_of(world, routing), world, "content")
    values = WORLDS[world]().values
    found = leaks(values, files)
    phones = sum(kind == "phone" for kind, _ in set(values))
    assert {kind for kind in found if kind in CLAIMED_THERE} <= {"phone"}
    assert found["phone"] <= 0.15 * phones
    assert found["name"] > 0
    others = {name: data for name, data in files.items() if name != "data/content.jsonl"}
    assert leaks(values, others) == Counter()


def test_a_policy_that_keeps_what_was_said_has_its_bundle_withheld() -> None:
    policy = protection().policy
    loose = Rule("gen_ai.input.messages", Keep(lambda value: value, searched=False))
    general = policy.rules["properties", ""]
    careless = Rules({**general.exact, loose.name: loose}, general.prefixes)
    weakened = replace(policy, rules={**policy.rules, ("properties", ""): careless})
    with pytest.raises(RedactionFailure, match="Withheld"):
        files_of(rig_of("made_up", "inline", weakened), "made_up", "metadata")
