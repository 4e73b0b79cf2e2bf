"""The routes of those who look at single traces: read one, or one that an alert names."""

from functions.access.roles import Role
from functions.errors import NotFound
from functions.triggers.http import Answer, Endpoint, Request, endpoints_blueprint
from functions.wiring import Services, services


def read_trace(services: Services, request: Request) -> Answer:
    """Give one sanitized trace at once."""
    return Answer(services.reading.read(request.route["trace_id"]))


def read_alert_trace(services: Services, request: Request) -> Answer:
    """Give one sanitized trace to somebody who sees alerts: of the alert's own traces, and of no others.

    Raises:
        NotFound: The alert names no such trace, there is no such alert, or the trace is gone with the
            retention: who asks can't tell these apart.
    """
    trace_id = request.route["trace_id"].lower()
    try:
        if trace_id in map(str.lower, services.exports.resolve_alert(request.route["alert_id"])):
            return Answer(services.reading.read(trace_id))
    except NotFound:
        pass
    raise NotFound(
        "There is no such trace of such an alert.",
        next_step="GET /api/v1/alerts/{alert_id} names its traces; old ones are gone with the retention.",
    )


ENDPOINTS = (
    Endpoint(
        name="read_trace",
        method="GET",
        path="api/v1/traces/{trace_id}",
        action="traces.read",
        role=Role.TRACES_READ,
        recorded=True,
        handle=read_trace,
    ),
    Endpoint(
        name="read_alert_trace",
        method="GET",
        path="api/v1/alerts/{alert_id}/traces/{trace_id}",
        action="alerts.read-trace",
        role=Role.ALERTS_READ,
        recorded=True,
        handle=read_alert_trace,
    ),
)

blueprint = endpoints_blueprint(ENDPOINTS, services)
