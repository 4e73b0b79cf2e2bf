"""Asks Log Analytics through azure-monitor-query: a bounded question, then all of its answer or an error."""

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult, LogsQueryResult, LogsTable

from functions.errors import SourceError
from functions.traces.failures import failure, incomplete, no_identity, too_large
from functions.traces.source import Cell, Rows
from functions.traces.statistics import bytes_read, execution_seconds

MOST_AT_ONCE = 5
"""Queries that one identity may run at once; a sixth queues for up to 3 minutes, then gets 429. This and the
next: https://learn.microsoft.com/azure/azure-monitor/service-limits#log-analytics-workspaces"""

MOST_AT_ONCE_OF_BASIC = 2
"""Queries on tables of the Basic plan, likewise:
https://learn.microsoft.com/azure/azure-monitor/logs/basic-logs-query"""

MOST_ROWS = 500_000
"""Rows that an answer holds at most; one with as many may lack some."""

SERVER_TIMEOUT_SECONDS = 180
"""The service ends a query that runs longer, with 504."""

READ_TIMEOUT_SECONDS = 380
"""How long to wait for an answer: 3 minutes in the service's queue, 3 of work, and some for the way."""

LONGEST_PAUSE_SECONDS = 60
"""A longer Retry-After is not waited out: the next tick asks again."""


def client_options() -> Mapping[str, Any]:
    """Return the keyword options that a LogsQueryClient for this source is made with; new at each call."""
    return {
        "retry_policy": QueryRetryPolicy(),
        "connection_timeout": 10,
        "read_timeout": READ_TIMEOUT_SECONDS,
    }


def log_analytics(
    client: LogsQueryClient, *, workspace_id: str | None = None, resource_id: str | None = None
) -> "LogAnalytics":
    """Return the source for a workspace (its GUID) or a resource (its ARM id); give exactly one."""
    if workspace_id is not None and resource_id is None:
        return LogAnalytics(partial(client.query_workspace, workspace_id))
    if resource_id is not None and workspace_id is None:
        return LogAnalytics(partial(client.query_resource, resource_id.strip("/")))
    raise ValueError("give either a workspace or a resource")


def basic_tables(client: LogsQueryClient, *, workspace_id: str) -> "LogAnalytics":
    """Return the source for the workspace's tables of the Basic plan, which `query` refuses to read."""
    return LogAnalytics(
        partial(_search, partial(client.query_workspace, workspace_id)), at_once=MOST_AT_ONCE_OF_BASIC
    )


class QueryRetryPolicy(RetryPolicy[Any, Any]):
    """Tries again at once what a short pause can mend: 429, 500, 502, 503 and connections that break.

    Not a time-out, the service's (504) or ours: the same heavy query would run again. A longer pause than
    `LONGEST_PAUSE_SECONDS` is left to the next tick, as is all that `READ_TIMEOUT_SECONDS` did not mend.
    """

    def __init__(self) -> None:
        super().__init__(
            retry_total=3, retry_connect=2, retry_read=1, retry_status=3, timeout=READ_TIMEOUT_SECONDS
        )

    def is_retry(self, settings: dict[str, Any], response: Any) -> Any:
        """Say whether this answer is asked for again."""
        if response.http_response.status_code not in {408, 429, 500, 502, 503}:
            return False
        pause = self.get_retry_after(response) or 0
        return pause <= LONGEST_PAUSE_SECONDS and super().is_retry(settings, response)

    def increment(
        self, settings: dict[str, Any], response: Any = None, error: Exception | None = None
    ) -> bool:
        """Count a failure and say whether there is a further attempt."""
        if isinstance(error, ServiceResponseTimeoutError):
            return False
        if isinstance(error, IncompleteReadError):
            error = ServiceResponseError("cut")  # counted as what it is: a connection that broke
        return super().increment(settings, response, error)


class _Ask(Protocol):
    """`query_workspace` or `query_resource` of the client with its target already given."""

    def __call__(
        self, query: str, *, timespan: tuple[datetime, datetime], server_timeout: int, **options: Any
    ) -> LogsQueryResult | LogsQueryPartialResult: ...


class LogAnalytics:
    """A TraceSource. At most so many queries run at a time; further callers wait."""

    def __init__(self, ask: _Ask, *, at_once: int = MOST_AT_ONCE) -> None:
        self._ask = ask
        self._places = threading.BoundedSemaphore(at_once)

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        """Run one query over rows whose TimeGenerated lies in [since, until], both UTC-aware.

        Raises:
            SourceError: Anything but a complete answer.
            ValueError: The bounds are no stretch of time.
        """
        if since.tzinfo is None or until.tzinfo is None or since >= until:
            raise ValueError("a query is bounded: since must lie before until, both UTC-aware")
        statuses: list[int] = []
        try:
            with self._places:
                answer = self._ask(
                    kql,
                    timespan=(since, until),
                    server_timeout=SERVER_TIMEOUT_SECONDS,
                    include_statistics=True,
                    retry_on_methods=frozenset(["POST"]),  # the SDK leaves most failures of a POST alone
                    raw_response_hook=lambda seen: statuses.append(seen.http_response.status_code),
                )
            return _rows(answer)
        except (AzureError, ValueError, TypeError, LookupError, AttributeError) as error:
            # Beside its own errors the SDK lets those of its parser through when an answer is not the JSON
            # that it expects, a gateway's page for example.
            raise _failure(error, statuses) from None


def _search(
    ask: Callable[..., LogsQueryResult | LogsQueryPartialResult],
    query: str,
    *,
    timespan: tuple[datetime, datetime],
    **options: Any,
) -> LogsQueryResult | LogsQueryPartialResult:
    """Ask by `search`, which the SDK does not know: like `query`, but the time is part of the URL."""
    between = urlencode({"timespan": "/".join(map(_iso, timespan))})

    def to_search(request: PipelineRequest[HttpRequest]) -> None:
        url = request.http_request.url
        request.http_request.url = f"{url.removesuffix('/query')}/search?{between}"

    return ask(query, timespan=None, raw_request_hook=to_search, **options)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _failure(error: Exception, statuses: list[int]) -> SourceError:
    """Map what the SDK raised; `statuses` are those of the service's answers to this query so far."""
    if not isinstance(error, AzureError):
        return failure(statuses[-1] if statuses else None)
    if not isinstance(error, HttpResponseError):
        return failure(None)
    if error.response is None or not statuses:  # what failed was getting a token, or reading the answer
        no_token = isinstance(error.__context__, ClientAuthenticationError)
        return no_identity() if no_token else failure(None)
    try:
        body = orjson.loads(error.response.text())
    except ValueError:
        body = None
    return failure(statuses[-1], body)


def _rows(answer: LogsQueryResult | LogsQueryPartialResult) -> Rows:
    if isinstance(answer, LogsQueryPartialResult):
        error = answer.partial_error
        raise incomplete(str(error) if error else "")
    (table,) = answer.tables
    if len(table.rows) >= MOST_ROWS:
        raise too_large()
    if any(len(row) != len(table.columns) for row in table.rows):
        raise incomplete("")  # the engine reports a late failure as an object in place of a row
    return Rows(
        columns=tuple(table.columns),
        rows=tuple(_cells(table)),
        seconds=execution_seconds(answer.statistics),
        bytes_read=bytes_read(answer.statistics),
    )


def _cells(table: LogsTable) -> Iterator[tuple[Cell, ...]]:
    for row in table.rows:
        yield tuple(_cell(kind, cell) for kind, cell in zip(table.columns_types, row, strict=True))


def _cell(kind: str, cell: Any) -> Cell:
    """Undo what JSON and the SDK do: NaN and infinity are text, a null guid or timespan is the word None."""
    if kind == "real" and cell is not None:
        return float(cell)
    if kind in {"guid", "timespan"} and cell == "None":
        return None
    kept: Cell = cell
    return kept
