"""Azure Monitor over HTTP: the ingestion endpoint for exporters and the query API for clients."""

import gzip
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from wsgiref.types import WSGIApplication

import orjson
from werkzeug import Request, Response

from local.azure_monitor import answers, basic_plan
from local.azure_monitor.engine import QueryError, Timespan
from local.azure_monitor.envelopes import EnvelopeError, row_of
from local.azure_monitor.faults import PROTECTED_TABLE, Faults
from local.azure_monitor.ingestion import Telemetry
from local.azure_monitor.statistics import asked_for, statistics, tables_of
from local.azure_monitor.timespans import read_timespan
from local.roles import CONTENT, READING, READING_COMPONENT, SENDING, Roles

MAX_AT_ONCE = 5
"""Queries at once for each user: https://learn.microsoft.com/azure/azure-monitor/service-limits#query-api

The real service first queues up to 200 more for three minutes; here the sixth is throttled at once.
"""

_TRACK = re.compile(r"/v2(\.1)?/track")
_QUERY = re.compile(r"/v1/(workspaces/[0-9a-fA-F-]{36}|/?subscriptions/.+)/query")
_COMPONENT = "/providers/microsoft.insights/components/"
"""In the path of a query that one component answers. No role on the workspace is needed for it, but one that
has microsoft.insights/logs/*/read. Here all rows are that component's."""
_SEARCH = re.compile(r"/v1/workspaces/[0-9a-fA-F-]{36}/search")
_STATUS_OF_FAULT = {"throttled": 429, "timeout": 504, "unavailable": 503, "refused": 403}


def create_app(
    telemetry: Telemetry,
    faults: Faults,
    *,
    token_ok: Callable[[str], bool],
    may_send: Mapping[str, Callable[[str], bool]] = MappingProxyType({}),
    roles: Roles | None = None,
    scope: str = "",
) -> WSGIApplication:
    """Return the WSGI app.

    Args:
        telemetry: What is ingested into and asked about.
        faults: What queries and telemetry meet; POST /local/faults adds to it, or says what lasts.
        token_ok: Says whether a bearer token may ask.
        may_send: For each component with local authentication off, by instrumentation key: says whether a
            bearer token may send to it. All others take telemetry without a token.
        roles: What whoever has a token may do; None: everything.
        scope: The only resource that may be asked, by its id, as with a role on it alone; "": all.
    """
    granted = roles or Roles()
    slots = threading.BoundedSemaphore(MAX_AT_ONCE)

    def answer_query(request: Request) -> Response:
        if not token_ok(_bearer(request)):
            return answers.error(401)
        by_component = _COMPONENT in request.path.lower()
        needed = READING_COMPONENT if by_component else READING
        if not granted.has(needed) or not _within(request.path, scope):
            return answers.error(403)
        if not slots.acquire(blocking=False):
            return answers.error(429)
        try:
            return _query(request, telemetry, faults, granted)
        finally:
            slots.release()

    @Request.application
    def app(request: Request) -> Response:
        if request.method != "POST":
            return answers.error(404)
        if _TRACK.fullmatch(request.path):
            return _track(request, telemetry, faults, may_send, granted)
        if request.path == "/local/faults":
            return _add_fault(request, faults)
        if _QUERY.fullmatch(request.path) or _SEARCH.fullmatch(request.path):
            return answer_query(request)
        return answers.error(404)

    return app


def _within(path: str, scope: str) -> bool:
    return not scope or path.lower() == f"/v1/{scope.strip('/')}/query".lower()


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""


def _track(
    request: Request,
    telemetry: Telemetry,
    faults: Faults,
    may_send: Mapping[str, Callable[[str], bool]],
    roles: Roles,
) -> Response:
    try:
        envelopes = _envelopes(request)
    except (ValueError, OSError):
        problem = {"index": 0, "statusCode": 400, "message": "Invalid JSON"}
        return answers.json_answer({"itemsReceived": 0, "itemsAccepted": 0, "errors": [problem]}, 400)
    token = _bearer(request)
    keys = {str(envelope.get("iKey")) for envelope in envelopes if isinstance(envelope, Mapping)}
    if not all(may_send[key](token) for key in keys & may_send.keys()):
        return answers.json_answer({"itemsReceived": 0, "itemsAccepted": 0, "errors": []}, 401)
    if keys & may_send.keys() and not roles.has(SENDING):
        return answers.json_answer({"itemsReceived": 0, "itemsAccepted": 0, "errors": []}, 403)
    accepted = telemetry.ingest(envelopes, lasting=faults.lasting)
    body = {
        "itemsReceived": len(envelopes),
        "itemsAccepted": accepted,
        "errors": [] if accepted == len(envelopes) else _problems(envelopes),
    }
    return answers.json_answer(body, 206 if body["errors"] else 200)


def _envelopes(request: Request) -> list[Mapping[str, Any]]:
    """Parse a body that is a JSON array, or one envelope a line, perhaps compressed."""
    body = request.get_data()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if body.lstrip().startswith(b"["):
        parsed: list[Mapping[str, Any]] = orjson.loads(body)
        return parsed
    return [orjson.loads(line) for line in body.splitlines() if line.strip()]


def _problems(envelopes: list[Mapping[str, Any]]) -> list[dict[str, object]]:
    problems: list[dict[str, object]] = []
    for index, envelope in enumerate(envelopes):
        try:
            row_of(envelope)
        except EnvelopeError as error:
            problems.append({"index": index, "statusCode": 400, "message": str(error)})
    return problems


def _add_fault(request: Request, faults: Faults) -> Response:
    try:
        asked = orjson.loads(request.get_data())
        if "kind" in asked:
            faults.add(**asked)
        else:
            faults.lasting = replace(faults.lasting, **asked)
    except (TypeError, ValueError):
        return answers.error(400)
    return Response(status=204)


def _query(request: Request, telemetry: Telemetry, faults: Faults, roles: Roles) -> Response:
    by_search = _SEARCH.fullmatch(request.path) is not None
    try:
        body = orjson.loads(request.get_data())
        kql, timespan = _searched(body, request.args.get("timespan")) if by_search else _asked(body)
    except ValueError:
        return answers.error(400)
    refused = basic_plan.refused(kql, by_search=by_search) if faults.lasting.content_basic else None
    if refused is not None:
        return answers.error(400, inner=refused)
    fault = faults.take(kql)
    if fault is not None and fault.kind != "partial":
        return answers.error(_STATUS_OF_FAULT[fault.kind], retry_after=fault.retry_after)
    begun = time.perf_counter()
    try:
        hidden = faults.lasting.hidden if roles.has(CONTENT) else frozenset({PROTECTED_TABLE})
        table = telemetry.query(kql, timespan, hidden=hidden)
    except QueryError as error:
        return answers.refusal(error)
    took = time.perf_counter() - begun
    told = None
    if asked_for(request.headers.get("Prefer", "")):
        told = statistics(table, took, telemetry.stored(tables_of(kql), timespan))
    if fault is not None:
        some = table.rows[: len(table.rows) // 2]
        table = replace(table, rows=some, problem="The query was stopped before it was complete")
    return answers.result(table, told)


def _asked(body: object) -> tuple[str, Timespan | None]:
    match body:
        case {"query": str(kql), "timespan": str(timespan)}:
            return kql, read_timespan(timespan, datetime.now(UTC))
        case {"query": str(kql), **others} if others.get("timespan") is None:
            return kql, None
    message = "not a query request"
    raise ValueError(message)


def _searched(body: object, timespan: str | None) -> tuple[str, Timespan]:
    match body:
        case {"query": str(kql), **others} if timespan is not None and others.get("timespan") is None:
            return kql, read_timespan(timespan, datetime.now(UTC))
    message = "not a search request"
    raise ValueError(message)
