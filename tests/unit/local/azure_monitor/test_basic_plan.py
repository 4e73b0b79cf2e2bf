"""On the Basic plan content is read by `search` and alone, or not at all; a check never passes for it."""

from pathlib import Path
from typing import Any

import pytest

from functions.configuration import SHIPPED, load_configuration
from functions.errors import QueryRejected
from functions.traces.log_analytics import basic_tables, log_analytics
from local.azure_monitor.basic_plan import refused
from local.azure_monitor.faults import Faults, Lasting
from local.azure_monitor.service import create_app
from tests.checks.bench import SITE, Workspace, build
from tests.checks.expectations import complaints
from tests.checks.fixtures import FIXTURES, read_cases

GUID = "00000000-0000-0000-0000-00000000da7a"
CHECK = next(check for check in load_configuration(SHIPPED, SITE).checks if check.id == "duplicate_retrieval")
CASES = {case.name: case for case in read_cases(FIXTURES / CHECK.id)}
AGAIN, OTHER = "the same arguments moved out of the spans", "other arguments, moved out of the spans"
SEARCH = f"/v1/workspaces/{GUID}/search"
QUERY = f"/v1/workspaces/{GUID}/query"
DAY = "2026-11-20T00:00:00Z/2026-11-21T00:00:00Z"
TOKEN = {"Authorization": "Bearer made-up"}


def served(case: str, server: Any, folder: Path) -> Workspace:
    """Serve the workspace of a case, with AppGenAIContent on the Basic plan."""
    (made,) = build(CHECK, [CASES[case]], folder)
    faults = Faults()
    faults.lasting = Lasting(content_basic=True)
    server.switch.app = create_app(made.telemetry, faults, token_ok=lambda _: True)
    return made


def test_asked_as_if_it_were_on_the_analytics_plan_the_check_fails(server: Any, tmp_path: Path) -> None:
    workspace = served(OTHER, server, tmp_path)
    with server.client() as client, pytest.raises(QueryRejected):
        workspace.findings(CHECK, log_analytics(client, workspace_id=GUID))


@pytest.mark.parametrize(("case", "findings"), [(AGAIN, 1), (OTHER, 0)])
def test_asked_alone_it_finds_what_was_searched_twice_and_nothing_else(
    server: Any, tmp_path: Path, case: str, findings: int
) -> None:
    workspace = served(case, server, tmp_path)
    with server.client() as client:
        ((built, found),) = workspace.findings(
            CHECK, log_analytics(client, workspace_id=GUID), basic_tables(client, workspace_id=GUID)
        )
    assert complaints(built, found) == []
    assert len(found) == findings


@pytest.mark.parametrize(
    ("kql", "by_search", "answered"),
    [
        ("AppGenAIContent | count", False, False),
        ("AppGenAIContent | count", True, True),
        ("AppRequests | count // not AppGenAIContent", False, True),
        ("AppGenAIContent | join kind=inner AppRequests on $left.TraceId == $right.OperationId", True, False),
        ("AppGenAIContent | where TraceId in (AppRequests | project OperationId)", True, False),
        ("AppGenAIContent | union (AppGenAIContent)", True, False),
    ],
)
def test_a_basic_table_is_read_by_search_and_alone(kql: str, *, by_search: bool, answered: bool) -> None:
    assert (refused(kql, by_search=by_search) is None) == answered


@pytest.mark.parametrize(
    ("path", "parameters", "body", "status"),
    [
        (SEARCH, {"timespan": DAY}, {"query": "AppGenAIContent | count"}, 200),
        (SEARCH, {}, {"query": "AppGenAIContent | count"}, 400),
        (SEARCH, {}, {"query": "AppGenAIContent | count", "timespan": DAY}, 400),
        (SEARCH, {"timespan": DAY}, [], 400),
        (QUERY, {}, {"query": "AppGenAIContent | count", "timespan": DAY}, 400),
        (QUERY, {}, {"query": "AppRequests | count", "timespan": DAY}, 200),
        ("/v1/subscriptions/s/search", {"timespan": DAY}, {"query": "AppRequests | count"}, 404),
    ],
)
def test_what_the_service_answers(
    monitor: Any, path: str, parameters: dict[str, str], body: object, status: int
) -> None:
    assert monitor.server.post("/local/faults", json={"content_basic": True}).status_code == 204
    told = monitor.server.post(path, params=parameters, json=body, headers=TOKEN)
    assert told.status_code == status


def test_a_refusal_says_what_to_use_instead(monitor: Any) -> None:
    monitor.server.post("/local/faults", json={"content_basic": True})
    told = monitor.server.post(QUERY, json={"query": "AppGenAIContent"}, headers=TOKEN).json()["error"]
    assert told["innererror"]["code"] == "UnsupportedApiQueryValidationError"
    assert "search" in told["innererror"]["message"]
