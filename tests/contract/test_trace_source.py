"""What every TraceSource keeps: the script, and the real client on an endpoint that speaks the API's JSON."""

import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential
from azure.monitor.query import LogsQueryClient

from functions.errors import (
    PartialResult,
    QueryRejected,
    ResultTooLarge,
    SourceError,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
)
from functions.traces.log_analytics import (
    MOST_AT_ONCE,
    MOST_AT_ONCE_OF_BASIC,
    MOST_ROWS,
    LogAnalytics,
    basic_tables,
    client_options,
    log_analytics,
)
from functions.traces.source import AskingCost, Rows, TraceSource
from local.serving import Certificates, Service
from tests.fakes.log_analytics import LogAnalyticsService, Reply, answer, refusal
from tests.fakes.source import ScriptedSource

WORKSPACE = "6f1f3a3e-9b1c-4c57-8f39-0d3c1c3f9a11"
SECRET = "patient Anna Kowalska, card 4111111111111111"
NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
COLUMNS = {
    "Agent": "string",
    "Value": "real",
    "Violations": "long",
    "Window": "datetime",
    "TraceIds": "dynamic",
}
WIRE_ROW = ["dispatcher", 2, 3, "2026-11-03T11:00:00.1234567Z", '["a","b"]']
ROW = ("dispatcher", 2.0, 3, datetime(2026, 11, 3, 11, 0, 0, 123456, tzinfo=UTC), '["a","b"]')

OneAnswer = Callable[[Reply, Rows | SourceError], TraceSource]


class RecordingTransport(RequestsTransport):  # type: ignore[misc] # azure.core exports it lazily, as Any
    """The real transport, which notes the pauses that it is told to make instead of making them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pauses: list[float] = []

    def sleep(self, duration: float) -> None:
        self.pauses.append(duration)


class NoToken:
    """A credential of an app without an identity."""

    def get_token(self, *_: str, **_options: Any) -> AccessToken:
        raise CredentialUnavailableError(message=SECRET)


@dataclass(frozen=True)
class Real:
    """The adapter on the real client, and both ends of its connection."""

    source: LogAnalytics
    service: LogAnalyticsService
    transport: RecordingTransport

    def ask(self, kql: str = "spans") -> Rows:
        return self.source.query(kql, since=NOW - timedelta(days=1), until=NOW)


class Endpoint:
    """Stays up while the tests change the service behind it: to stop a server takes half a second."""

    def __init__(self) -> None:
        self.service = LogAnalyticsService([])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.service(environ, start_response)


@pytest.fixture(scope="module")
def endpoint(certificates: Certificates) -> Iterator[tuple[Endpoint, str]]:
    app = Endpoint()
    with Service(app, certificates) as served:
        yield app, served.url


@pytest.fixture
def real(
    certificates: Certificates, credential: ManagedIdentityCredential, endpoint: tuple[Endpoint, str]
) -> Iterator[Callable[..., Real]]:
    app, url = endpoint
    with ExitStack() as stack:

        def start(*replies: Reply, hold_seconds: float = 0, basic: bool = False, **target: str) -> Real:
            app.service = service = LogAnalyticsService(replies, hold_seconds=hold_seconds)
            transport = RecordingTransport(connection_verify=str(certificates.authority), read_timeout=2)
            client = LogsQueryClient(
                credential,
                endpoint=url,
                audience="https://api.loganalytics.azure.com",
                transport=transport,
                **client_options(),
            )
            stack.enter_context(client)
            target = target or {"workspace_id": WORKSPACE}
            source = basic_tables(client, **target) if basic else log_analytics(client, **target)
            return Real(source, service, transport)

        yield start


@pytest.fixture(params=["script", "log_analytics"])
def source_of(request: pytest.FixtureRequest, real: Callable[..., Real]) -> OneAnswer:
    """A source whose one answer is the given reply on the wire, or what it means."""
    if request.param == "script":
        return lambda _, meaning: ScriptedSource([meaning] * 10)
    return lambda reply, _: real(reply).source


def partial_error(inner_code: str, text: str) -> Reply:
    return answer(
        COLUMNS,
        [WIRE_ROW],
        error={
            "code": "PartialError",
            "message": "There were some errors when processing your query.",
            "details": [
                {"code": "EngineError", "message": text, "innererror": {"code": inner_code, "message": text}}
            ],
        },
    )


CASES = [
    pytest.param(refusal(429, "ThrottledError", text=SECRET), SourceThrottled, id="throttled"),
    pytest.param(refusal(504, "GatewayTimeout", text=SECRET), SourceUnavailable, id="timed out"),
    pytest.param(refusal(403, "InsufficientAccessError", text=SECRET), SourceRefused, id="no role"),
    pytest.param(refusal(401, "InvalidTokenError", text=SECRET), SourceRefused, id="bad token"),
    pytest.param(refusal(404, "WorkspaceNotFoundError", text=SECRET), SourceRefused, id="no workspace"),
    pytest.param(
        refusal(400, "BadArgumentError", inner="SyntaxError", text=SECRET), QueryRejected, id="bad KQL"
    ),
    pytest.param(partial_error("-2133196797", SECRET), ResultTooLarge, id="truncated"),
    pytest.param(partial_error("-2133740001", SECRET), PartialResult, id="partial"),
]


def query(source: TraceSource) -> Rows:
    return source.query("spans", since=NOW - timedelta(days=1), until=NOW)


def test_a_complete_answer_arrives_with_typed_cells(source_of: OneAnswer) -> None:
    rows = query(source_of(answer(COLUMNS, [WIRE_ROW]), Rows(tuple(COLUMNS), (ROW,))))
    assert rows.columns == tuple(COLUMNS)
    assert rows.rows == (ROW,)
    assert rows.records()[0]["Agent"] == "dispatcher"


def test_no_rows_is_an_answer(source_of: OneAnswer) -> None:
    assert query(source_of(answer(COLUMNS, []), Rows(tuple(COLUMNS), ()))) == Rows(tuple(COLUMNS), ())


@pytest.mark.parametrize(("reply", "meaning"), CASES)
def test_anything_less_is_an_error(source_of: OneAnswer, reply: Reply, meaning: type[SourceError]) -> None:
    with pytest.raises(meaning) as raised:
        query(source_of(reply, meaning("It failed.", next_step="Look.")))
    assert type(raised.value) is meaning
    assert raised.value.next_step


@pytest.mark.parametrize("until", [NOW, NOW - timedelta(seconds=1)])
def test_an_unbounded_query_is_refused(source_of: OneAnswer, until: datetime) -> None:
    source = source_of(answer(COLUMNS, []), Rows(tuple(COLUMNS), ()))
    with pytest.raises(ValueError, match="bounded"):
        source.query("spans", since=NOW, until=until)


def test_several_threads_may_ask_at_once(source_of: OneAnswer) -> None:
    source = source_of(answer(COLUMNS, [WIRE_ROW]), Rows(tuple(COLUMNS), (ROW,)))
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: query(source).rows, range(8))) == [(ROW,)] * 8


@pytest.mark.parametrize(("reply", "meaning"), CASES)
def test_no_error_repeats_what_the_service_said(
    real: Callable[..., Real], reply: Reply, meaning: type[SourceError]
) -> None:
    with pytest.raises(meaning) as raised:
        real(reply).ask()
    told = "".join(traceback.format_exception(raised.value))
    assert not any(word in told for word in SECRET.split())


def test_an_error_names_the_codes_of_the_service(real: Callable[..., Real]) -> None:
    reply = refusal(400, "BadArgumentError", inner="SemanticError")
    with pytest.raises(QueryRejected, match="400 BadArgumentError/SemanticError"):
        real(reply).ask()


@pytest.mark.parametrize(
    ("reply", "expected_calls", "pauses"),
    [
        pytest.param(refusal(429, "Throttled", Retry_After="7"), 2, [7], id="429 with Retry-After"),
        pytest.param(refusal(429, "Throttled"), 2, [], id="429 without"),
        pytest.param(refusal(503, "Unavailable", Retry_After="2"), 2, [2], id="503 with Retry-After"),
        pytest.param(refusal(502, "BadGateway"), 2, [], id="502"),
        pytest.param(refusal(500, "Internal"), 2, [], id="500"),
        pytest.param(answer(COLUMNS, [WIRE_ROW]), 1, [], id="no failure"),
        pytest.param(Reply(200, b"{}" + b" " * 5000, breaks_after=0), 2, [], id="cut before the answer"),
    ],
)
def test_what_a_pause_can_mend_is_asked_again(
    real: Callable[..., Real], reply: Reply, expected_calls: int, pauses: list[float]
) -> None:
    asked = real(reply, answer(COLUMNS, [WIRE_ROW]))
    assert asked.ask().rows == (ROW,)
    assert len(asked.service.requests) == expected_calls
    assert asked.transport.pauses == pauses


@pytest.mark.parametrize(
    ("reply", "meaning", "calls"),
    [
        pytest.param(refusal(429, "Throttled", Retry_After="1"), SourceThrottled, 4, id="429 for ever"),
        pytest.param(
            refusal(429, "Throttled", Retry_After="3600"), SourceThrottled, 1, id="told to wait an hour"
        ),
        pytest.param(refusal(429, "Throttled", Retry_After="soon"), SourceThrottled, 1, id="told nonsense"),
        pytest.param(refusal(504, "GatewayTimeout"), SourceUnavailable, 1, id="504 runs once"),
        pytest.param(
            refusal(504, "GatewayTimeout", Retry_After="1"), SourceUnavailable, 1, id="504 that invites"
        ),
        pytest.param(refusal(403, "Forbidden", Retry_After="1"), SourceRefused, 1, id="403"),
        pytest.param(refusal(503, "Unavailable"), SourceUnavailable, 4, id="503 for ever"),
        pytest.param(
            Reply(502, b"<html>Bad Gateway</html>", content_type="text/html"), SourceUnavailable, 4, id="page"
        ),
        pytest.param(Reply(429, b"", content_type="text/plain"), SourceThrottled, 4, id="429 without a body"),
        pytest.param(
            Reply(403, b"<html>no</html>", content_type="text/html"), SourceRefused, 1, id="403 as a page"
        ),
        pytest.param(
            Reply(200, b"<html>hello</html>", content_type="text/html"), SourceUnavailable, 1, id="200 page"
        ),
        pytest.param(Reply(200, b"not json"), SourceUnavailable, 1, id="200 broken JSON"),
        pytest.param(Reply(200, b"{}"), SourceUnavailable, 1, id="200 without a table"),
        pytest.param(
            Reply(200, b" " * 9000, breaks_after=0), SourceUnavailable, 2, id="connection cut at once"
        ),
        pytest.param(
            Reply(200, b'{"tables"' * 999, breaks_after=99), SourceUnavailable, 2, id="cut in the body"
        ),
    ],
)
def test_what_it_can_not_mend_fails(
    real: Callable[..., Real], reply: Reply, meaning: type[SourceError], calls: int
) -> None:
    asked = real(reply)
    with pytest.raises(meaning) as raised:
        asked.ask()
    assert type(raised.value) is meaning
    assert len(asked.service.requests) == calls


def test_an_answer_that_never_comes_is_not_asked_for_again(real: Callable[..., Real]) -> None:
    asked = real(answer(COLUMNS, []), hold_seconds=3)
    with pytest.raises(SourceUnavailable):
        asked.ask()
    assert len(asked.service.requests) == 1


def test_nobody_listening_is_unavailable(credential: ManagedIdentityCredential) -> None:
    with LogsQueryClient(credential, endpoint="https://127.0.0.1:9", **client_options()) as client:
        source = log_analytics(client, workspace_id=WORKSPACE)
        with pytest.raises(SourceUnavailable):
            query(source)


def test_no_token_is_a_refusal() -> None:
    with LogsQueryClient(NoToken(), endpoint="https://127.0.0.1:9", **client_options()) as client:
        source = log_analytics(client, workspace_id=WORKSPACE)
        with pytest.raises(SourceRefused, match="no token"):
            query(source)


def test_as_many_rows_as_the_limit_are_too_many(real: Callable[..., Real]) -> None:
    asked = real(answer({"N": "long"}, [[1]] * MOST_ROWS))
    with pytest.raises(ResultTooLarge):
        asked.ask()


def test_a_failure_in_place_of_a_row_is_not_an_answer(real: Callable[..., Real]) -> None:
    asked = real(answer(COLUMNS, [WIRE_ROW, {"OneApiErrors": [{"error": {"code": "LimitsExceeded"}}]}]))
    with pytest.raises(PartialResult):
        asked.ask()


@pytest.mark.parametrize(
    ("kind", "wire", "cell"),
    [
        ("real", "NaN", "nan"),
        ("real", "Infinity", "inf"),
        ("real", None, "None"),
        ("guid", None, "None"),
        ("timespan", None, "None"),
        ("datetime", None, "None"),
        ("string", "None", "'None'"),
        ("timespan", "00:05:00", "'00:05:00'"),
        ("bool", True, "True"),
        ("long", 9007199254740993, "9007199254740993"),
        ("decimal", "1.5", "'1.5'"),
    ],
)
def test_a_cell_arrives_as_what_it_is(real: Callable[..., Real], kind: str, wire: object, cell: str) -> None:
    assert repr(real(answer({"Cell": kind}, [[wire]])).ask().rows[0][0]) == cell


def test_every_question_is_bounded_in_time_and_effort(real: Callable[..., Real]) -> None:
    asked = real(answer(COLUMNS, []))
    asked.ask("spans | count")
    (request,) = asked.service.requests
    assert request.path == f"/v1/workspaces/{WORKSPACE}/query"
    assert request.body["query"] == "spans | count"
    assert request.body["timespan"] == "2026-11-02T12:00:00.000Z/2026-11-03T12:00:00.000Z"
    assert request.headers["Prefer"] == "wait=180,include-statistics=true"
    assert request.headers["Authorization"].startswith("Bearer ")


def test_an_answer_says_what_it_took(real: Callable[..., Real]) -> None:
    told = {
        "query": {
            "executionTime": 0.25,
            "resourceUsage": {"cache": {"shards": {"hot": {"hitbytes": 4096}}}},
        }
    }
    asked = real(answer(COLUMNS, [WIRE_ROW], statistics=told), answer(COLUMNS, [WIRE_ROW]))
    assert asked.ask().asking == AskingCost(rows=1, seconds=0.25, bytes_read=4096)
    assert asked.ask().asking == AskingCost(rows=1)


def test_a_resource_is_asked_by_its_id(real: Callable[..., Real]) -> None:
    resource = "/subscriptions/s/resourceGroups/g/providers/microsoft.insights/components/c"
    asked = real(answer(COLUMNS, []), resource_id=resource)
    asked.ask()
    assert asked.service.requests[0].path == f"/v1{resource}/query"


def test_at_most_five_run_at_once(real: Callable[..., Real]) -> None:
    asked = real(answer(COLUMNS, []), hold_seconds=0.2)
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda _: asked.ask(), range(12)))
    assert asked.service.most_at_once == MOST_AT_ONCE


def test_a_basic_table_is_searched_in_a_time_that_the_url_gives(real: Callable[..., Real]) -> None:
    busy = refusal(429, "ThrottledError", Retry_After="1")
    asked = real(busy, answer(COLUMNS, [WIRE_ROW]), basic=True)
    assert asked.ask("AppGenAIContent").rows == (ROW,)
    for request in asked.service.requests:
        assert request.path == f"/v1/workspaces/{WORKSPACE}/search"
        assert request.query == {"timespan": ["2026-11-02T12:00:00Z/2026-11-03T12:00:00Z"]}
        assert request.body["query"] == "AppGenAIContent"
        assert request.body.get("timespan") is None
    assert len(asked.service.requests) == 2


def test_a_search_that_fails_is_told_like_a_query(real: Callable[..., Real]) -> None:
    asked = real(refusal(400, "BadArgumentError", inner="SemanticError", text=SECRET), basic=True)
    with pytest.raises(QueryRejected) as failed:
        asked.ask()
    assert SECRET not in str(failed.value)


def test_at_most_two_searches_run_at_once(real: Callable[..., Real]) -> None:
    asked = real(answer(COLUMNS, []), hold_seconds=0.2, basic=True)
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: asked.ask(), range(6)))
    assert asked.service.most_at_once == MOST_AT_ONCE_OF_BASIC
