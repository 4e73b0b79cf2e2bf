"""The routes of the app: what the host asks for at every cold start, apart from what serves them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes:
        name: The function's name in the app, and its endpoint's.
        method: The HTTP method.
        path: The route's template.
        module: The module of functions/triggers whose endpoint it is.
    """

    name: str
    method: str
    path: str
    module: str


_ROUTES: Mapping[str, Mapping[str, str]] = {
    "evidence": {
        "request_export": "POST api/v1/exports",
        "list_exports": "GET api/v1/exports",
        "show_export": "GET api/v1/exports/{export_id}",
        "approve_export": "POST api/v1/exports/{export_id}/approve",
        "cancel_export": "POST api/v1/exports/{export_id}/cancel",
        "download_bundle": "GET api/v1/exports/{export_id}/bundle",
    },
    "traces": {
        "search_traces": "POST api/v1/traces/search",
        "read_trace": "GET api/v1/traces/{trace_id}",
        "read_alert_trace": "GET api/v1/alerts/{alert_id}/traces/{trace_id}",
    },
    "costs": {
        "report_costs": "GET api/v1/costs",
    },
    "alerts": {
        "list_alerts": "GET api/v1/alerts",
        "show_alert": "GET api/v1/alerts/{alert_id}",
        "acknowledge_alert": "POST api/v1/alerts/{alert_id}/acknowledge",
        "list_silences": "GET api/v1/silences",
        "add_silence": "POST api/v1/silences",
        "end_silence": "DELETE api/v1/silences/{silence_id}",
    },
    "operations": {
        "show_health": "GET api/v1/health",
        "list_checks": "GET api/v1/checks",
        "show_coverage": "GET api/v1/checks/{check_id}/coverage",
        "show_coverage_map": "GET api/v1/coverage",
        "show_configuration": "GET api/v1/configuration",
        "list_accesses": "GET api/v1/access-log",
    },
    "portal": {
        "show_portal": "GET portal",
        "show_portal_file": "GET portal/{file}",
        "show_me": "GET api/v1/me",
    },
}


def _route(module: str, name: str, described: str) -> Route:
    method, path = described.split(" ")
    return Route(name, method, path, module)


ROUTES: Mapping[str, Route] = {
    name: _route(module, name, described)
    for module, routes in _ROUTES.items()
    for name, described in routes.items()
}
"""By name."""
