"""What the role matrix is made of: a row for each route, and a world in which each has something to hide."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal

import azure.functions as func
import orjson

from functions import triggers
from functions.access.roles import Role
from functions.access.scope import Scope
from functions.alerts.alert import alert_id
from functions.alerts.episode import opened
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.finding import Finding, Window
from functions.costs.costs import Costs
from functions.silences.body import Author
from functions.traces.source import TraceSource
from functions.triggers.http import Endpoint, Page
from functions.wiring import Services
from local.azure_monitor.ingestion import Telemetry
from tests.checks.telemetry import Trace
from tests.fakes.telemetry import TelemetrySource
from tests.unit.alerts.building import CHECK, EVERY
from tests.unit.evidence.material import ABSENT, TRACE
from tests.unit.evidence.rig import RememberingSource, telemetry_source
from tests.unit.triggers.rig import NOON, Rig, make_rig, request

MINE, OTHERS = "dispatcher", "broker"
"""The agent that everything in the world is of, and one that nothing is of."""

KEY = {"Agent": MINE}
ALERT = alert_id(CHECK.id, KEY)
SILENCE: dict[str, Any] = {
    "reason": "It moves.",
    "matchers": {"agent": [MINE]},
    "ends_at": "2026-11-24T16:00:00Z",
}
EXPORT_ID = "00112233445566778899aabbccddeeff"
EXPORT: dict[str, Any] = {
    "selector": {"alert_id": ALERT},
    "profile": "metadata",
    "reason": "a claim is disputed",
    "ticket": "CASE-7",
}
SEARCH = {
    "agent": MINE,
    "start": "2026-11-22T00:00:00Z",
    "end": "2026-11-23T00:00:00Z",
    "reason": "a claim is disputed",
    "ticket": "CASE-7",
}
DAYS = {"start": "2026-11-22", "end": "2026-11-23"}

Beyond = Literal["hidden", "empty", "forbidden", "all", "none"]
"""What somebody is answered whose role reaches other agents alone.

hidden: as if it were not there (404); empty: the list without it; forbidden: that it is not theirs to ask for
(403); all: the same as anybody, since it tells of no agent; none: the role can't be limited.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One route.

    Attributes:
        role: The role it needs; None: it needs none.
        beyond: What a scope that does not reach the world's agent makes of it.
        route: Its parameters, of things that there are.
        absent: Its parameters, of things that there are not.
        query: Its query.
        body: What is sent.
        listed: Under which key its answer lists what can be hidden.
        signed_in: Whether it needs a sign-in without a role; else, without a role, it is open.
    """

    role: Role | None
    beyond: Beyond = "none"
    route: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    listed: str = ""
    signed_in: bool = False


_ALERT = {"route": {"alert_id": ALERT}, "absent": {"alert_id": "f" * 16}}
_EXPORT = {"route": {"export_id": EXPORT_ID}, "absent": {"export_id": "f" * 32}}

ROWS: Mapping[str, Row] = {
    "show_health": Row(None),
    "show_me": Row(None, signed_in=True),
    "show_portal": Row(None),
    "show_portal_file": Row(None, route={"file": "nope.js"}),
    "list_checks": Row(Role.ALERTS_READ, "all"),
    "show_coverage": Row(Role.ALERTS_READ, "all", {"check_id": CHECK.id}),
    "show_coverage_map": Row(Role.ALERTS_READ, "all"),
    "show_configuration": Row(Role.ALERTS_READ, "all"),
    "list_alerts": Row(Role.ALERTS_READ, "empty", listed="alerts"),
    "show_alert": Row(Role.ALERTS_READ, "hidden", **_ALERT),
    "read_alert_trace": Row(
        Role.ALERTS_READ,
        "hidden",
        {"alert_id": ALERT, "trace_id": TRACE},
        {"alert_id": "f" * 16, "trace_id": TRACE},
    ),
    "acknowledge_alert": Row(Role.ALERTS_MANAGE, "hidden", body={}, **_ALERT),
    "list_silences": Row(Role.ALERTS_READ, "empty", listed="silences"),
    "add_silence": Row(Role.ALERTS_MANAGE, "forbidden", body=SILENCE),
    "end_silence": Row(Role.ALERTS_MANAGE, "hidden", {"silence_id": "@"}, {"silence_id": "f" * 12}),
    "search_traces": Row(Role.TRACES_READ, "empty", body=SEARCH, listed="traces"),
    "read_trace": Row(Role.TRACES_READ, "hidden", {"trace_id": TRACE}, {"trace_id": ABSENT}),
    "request_export": Row(Role.EVIDENCE_READ, "hidden", body=EXPORT),
    "list_exports": Row(Role.EVIDENCE_READ, "empty", listed="exports"),
    "approve_export": Row(
        Role.EVIDENCE_APPROVE, "hidden", body={"approved": True, "reason": "It is needed."}, **_EXPORT
    ),
    "cancel_export": Row(Role.EVIDENCE_READ, "hidden", **_EXPORT),
    "show_export": Row(Role.EVIDENCE_READ, "hidden", **_EXPORT),
    "download_bundle": Row(Role.EVIDENCE_READ, "hidden", **_EXPORT),
    "report_costs": Row(Role.COSTS_READ, "empty", query={**DAYS, "by": "agent"}, listed="groups"),
    "list_accesses": Row(Role.AUDIT_READ),
}
"""By the name of the endpoint."""


@cache
def endpoints() -> Mapping[str, Endpoint | Page]:
    """Return every endpoint that any module of triggers holds."""
    found = {}
    for module in pkgutil.iter_modules(triggers.__path__):
        held = vars(importlib.import_module(f"functions.triggers.{module.name}")).values()
        for value in held:
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, Endpoint | Page):
                    found[one.name] = one
    return found


def world() -> tuple[Rig, Services, Mapping[str, str]]:
    """Return a rig with somebody else's alert, silence and export, all of one agent; and ids to fill in."""
    rig = make_rig()
    found = Finding(CHECK.id, KEY, Window(NOON - EVERY, NOON), 9.0, 1.0, 1, (TRACE,), {})
    state = CheckState(alerts={ALERT: opened(ALERT, None, found, CHECK)})
    rig.documents.write(PREFIX + CHECK.id, state_to_json(state), version=None)
    silence = rig.services.silences.add(SILENCE, Author("person-2", "Bob"))
    selection = rig.services.exports.parse(EXPORT)
    mine = replace(selection, scope=Scope(frozenset({MINE})))
    rig.services.exports.request(mine, requester="person-2", export_id=EXPORT_ID)
    source = telemetry_source()
    services = replace(
        rig.services,
        reading=replace(rig.services.reading, source=source),
        searching=replace(rig.services.searching, source=source),
        costs=Costs(
            costs_source(),
            rig.services.configuration.agents,
            rig.services.configuration.prices,
            tenant_pseudonym=lambda _: "",
            clock=lambda: NOON,
        ),
    )
    services.heart.beat(())
    return rig, services, {"silence_id": silence.id}


@cache
def costs_source() -> TraceSource:
    """Return a source with one model call of the agent."""
    trace, telemetry = Trace(1, start=datetime(2026, 11, 22, 12, tzinfo=UTC)), Telemetry()
    trace.chat(trace.agent(MINE), (1000, 10), model="gpt-4o")
    telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    return RememberingSource(TelemetrySource(telemetry))


def asked(row: Row, ids: Mapping[str, str], header: str, *, absent: bool = False) -> func.HttpRequest:
    """Return the row's request; "@" in its route stands for an id of the world."""
    given = row.absent if absent else row.route
    route = {name: ids[name] if value == "@" else value for name, value in given.items()}
    body = b"" if row.body is None else orjson.dumps(row.body)
    headers = {"Content-Type": "application/json"}
    return request(header=header, route=route, query=row.query, body=body, headers=headers)
