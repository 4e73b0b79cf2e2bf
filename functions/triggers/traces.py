"""The routes of those who look at single traces: find some, read one, or one that an alert names."""

from datetime import UTC, datetime

from functions.access.roles import Role
from functions.alerts.reading import read_alert
from functions.errors import InvalidRequest, NotFound
from functions.evidence.reading.reading import Asked
from functions.evidence.reading.search_request import TICKET_HEADER
from functions.triggers.http import Answer, Endpoint, Request
from functions.wiring import Services


def read_trace(services: Services, request: Request) -> Answer:
    """Give one sanitized trace at once; where a ticket is named, the ledger keeps it however it ends."""
    if (ticket := request.headers.get(TICKET_HEADER)) is not None:
        request.noted["ticket"] = services.searching.ticket(ticket)
    asked = Asked(_around(request.query.get("around")), request.query.get("agent"))
    return Answer(services.reading.read(request.route["trace_id"], scope=request.scope, asked=asked))


def search_traces(services: Services, request: Request) -> Answer:
    """Find traces; the ids that they are found by travel in the body, and never in a URL or the ledger."""
    search = services.searching.parse(request.json())
    request.noted.update(services.searching.note(search))
    found = services.searching.find(search, request.scope)
    return Answer(found, on={"found": str(len(found["traces"])), "cut": str(found["cut"]).lower()})


def read_alert_trace(services: Services, request: Request) -> Answer:
    """Give one sanitized trace to somebody who sees alerts: of the alert's own traces, and of no others.

    Raises:
        NotFound: The alert names no such trace, there is no such alert, or the trace is gone with the
            retention: who asks can't tell these apart.
    """
    trace_id = request.route["trace_id"].lower()
    try:
        alert = read_alert(services.documents, request.route["alert_id"], request.scope)
        if any(trace_id in map(str.lower, finding["trace_ids"]) for finding in alert["findings"]):
            return Answer(services.reading.read(trace_id, scope=request.scope))
    except NotFound:
        pass
    raise NotFound(
        "There is no such trace of such an alert.",
        next_step="GET /api/v1/alerts/{alert_id} names its traces; old ones are gone with the retention.",
    )


def _around(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        around = datetime.fromisoformat(given) if len(given) <= 40 else None
    except ValueError:
        around = None
    if around is None or around.tzinfo is None or not 2000 <= around.year <= 2200:
        raise InvalidRequest(
            "The parameter around must be a time with an offset, for example 2026-11-01T00:00:00Z.",
            next_step="Correct it.",
        )
    return around.astimezone(UTC)


ENDPOINTS = (
    Endpoint(
        name="search_traces",
        action="traces.search",
        role=Role.TRACES_READ,
        recorded=True,
        handle=search_traces,
    ),
    Endpoint(
        name="read_trace",
        action="traces.read",
        role=Role.TRACES_READ,
        recorded=True,
        handle=read_trace,
        query=frozenset({"around", "agent"}),
    ),
    Endpoint(
        name="read_alert_trace",
        action="alerts.read-trace",
        role=Role.ALERTS_READ,
        recorded=True,
        handle=read_alert_trace,
    ),
)
