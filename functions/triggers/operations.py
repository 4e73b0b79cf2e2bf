"""The routes of those who run the service, and of those who look over their shoulders."""

import re

from functions.access.chain import chain_body
from functions.access.roles import Role
from functions.alerts import reading
from functions.alerts.coverage_map import MOST_DAYS, coverage_map
from functions.canary.looking import read_sight, sight_to_json
from functions.errors import InvalidRequest, NotFound
from functions.overlay.history import read_whole
from functions.overlay.standing import standing_report
from functions.triggers.http import Answer, Endpoint, Request
from functions.wiring import Services

MOST_ENTRIES = 1_000
"""Entries of the access log in one answer."""

_HASH = re.compile(r"[0-9a-f]{64}")


def show_health(services: Services, request: Request) -> Answer:  # noqa: ARG001 - a handler's shape
    """Say that the watch is at work, by usable settings and config files, and no more: it is open."""
    services.heart.check()
    return Answer({"status": "ok"})


def list_checks(services: Services, request: Request) -> Answer:
    """List the checks, and what can be seen."""
    sight = read_sight(services.documents)
    return Answer(
        {
            "checks": reading.list_checks(services.documents, services.configuration.checks, request.scope),
            "sight": sight and sight_to_json(sight),
        }
    )


def show_coverage(services: Services, request: Request) -> Answer:
    """Show which windows a check has evaluated."""
    return Answer(
        reading.check_coverage(services.documents, services.configuration.checks, request.route["check_id"])
    )


def show_coverage_map(services: Services, request: Request) -> Answer:
    """Show how much of the latest days each check has evaluated, quarter day by quarter day."""
    days = number_in_query(request, "days", default=7, most=MOST_DAYS)
    checks = services.configuration.checks
    return Answer(coverage_map(services.documents, checks, days, services.reading.clock()))


def show_configuration(services: Services, request: Request) -> Answer:
    """Show which configuration is in force, since when, and what is refused; by a hash, the files of one."""
    name = request.query.get("hash")
    if name is None:
        return Answer(standing_report(services.standing))
    # Its files name all agents, and who may see which.
    texts = (
        read_whole(services.documents, name) if _HASH.fullmatch(name) and request.scope.unlimited else None
    )
    if texts is None:
        raise NotFound(
            "There is no such configuration that you may see.",
            next_step="Take its hash from a bundle's controls.csv, or from GET api/v1/configuration.",
        )
    return Answer(
        {"configuration": name, "files": {file: text.data.decode() for file, text in sorted(texts.items())}}
    )


def list_accesses(services: Services, request: Request) -> Answer:
    """List the latest accesses, newest first, and what was checked of the chain before they were given."""
    count = number_in_query(request, "count", default=100, most=MOST_ENTRIES)
    latest = services.ledger.latest(count)
    return Answer({"entries": latest.entries, "chain": chain_body(latest, services.record.heads.newest())})


def number_in_query(request: Request, name: str, *, default: int, most: int) -> int:
    """Return a number from 1 to `most` that the query gives, or the default.

    Raises:
        InvalidRequest: It is none.
    """
    given = request.query.get(name, str(default))
    digits = given.isascii() and given.isdigit() and len(given) <= len(str(most))
    if not (digits and 1 <= int(given) <= most):
        raise InvalidRequest(
            f"The parameter {name} must be a number from 1 to {most}.", next_step="Correct it."
        )
    return int(given)


ENDPOINTS = (
    Endpoint(
        name="show_health",
        action="health",
        role=None,
        recorded=False,
        handle=show_health,
    ),
    Endpoint(
        name="list_checks",
        action="checks.list",
        role=Role.ALERTS_READ,
        recorded=False,
        handle=list_checks,
    ),
    Endpoint(
        name="show_coverage",
        action="checks.coverage",
        role=Role.ALERTS_READ,
        recorded=False,
        handle=show_coverage,
    ),
    Endpoint(
        name="show_coverage_map",
        action="coverage.read",
        role=Role.ALERTS_READ,
        recorded=False,
        handle=show_coverage_map,
        query=frozenset({"days"}),
    ),
    Endpoint(
        name="show_configuration",
        action="configuration.read",
        role=Role.ALERTS_READ,
        recorded=False,
        handle=show_configuration,
        query=frozenset({"hash"}),
    ),
    Endpoint(
        name="list_accesses",
        action="access-log.read",
        role=Role.AUDIT_READ,
        recorded=True,
        handle=list_accesses,
        query=frozenset({"count"}),
    ),
)
