import gzip
import json
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.monitor.query import LogsQueryPartialResult, LogsQueryResult

from functions.traces.statistics import bytes_read, execution_seconds
from local.azure_monitor.engine import Table, Timespan
from local.azure_monitor.faults import Faults
from local.azure_monitor.ingestion import Telemetry
from local.azure_monitor.service import MAX_AT_ONCE, create_app

WORKSPACE = "00000000-0000-0000-0000-00000000da7a"
RESOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/components/c"
DAY = (datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))

EACH_TYPE = """print B = true, I = int(5), L = long(9007199254740993), R = 1.5, S = "text",
    T = datetime(2026-11-20T10:00:00.1234560Z), D = dynamic({"a": [1, "x"]}), W = -90s,
    G = toguid("74be27de-1e4e-49d9-b579-fe0b331d3642")"""


def ask(monitor: Any, kql: str, **options: Any) -> Any:
    with monitor.server.client() as client:
        return client.query_workspace(WORKSPACE, kql, timespan=None, **options)


def failure(monitor: Any, kql: str = "AppRequests | count") -> HttpResponseError:
    with pytest.raises(HttpResponseError) as failed:
        ask(monitor, kql)
    return failed.value


def test_each_type_arrives_as_the_client_knows_it(monitor: Any) -> None:
    answer = ask(monitor, EACH_TYPE)
    assert isinstance(answer, LogsQueryResult)
    [table] = answer.tables
    assert table.name == "PrimaryResult"
    kinds = ["bool", "int", "long", "real", "string", "datetime", "dynamic", "timespan", "guid"]
    assert table.columns_types == kinds
    assert list(table.rows[0]) == [
        True,
        5,
        9007199254740993,
        1.5,
        "text",
        datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC),
        '{"a":[1,"x"]}',
        "-00:01:30",
        "74be27de-1e4e-49d9-b579-fe0b331d3642",
    ]


def test_statistics_are_told_where_they_are_asked_for(monitor: Any) -> None:
    kql = "AppRequests | union AppDependencies | count"
    assert ask(monitor, kql).statistics is None
    told = ask(monitor, kql, include_statistics=True).statistics
    stored = monitor.telemetry.stored(["AppRequests", "AppDependencies"])
    assert stored.rows == ask(monitor, kql).tables[0].rows[0][0] > 1
    assert stored.billed_bytes > 100 * stored.rows
    assert bytes_read(told) == stored.billed_bytes
    seconds = execution_seconds(told)
    assert seconds is not None
    assert 0 < seconds < 60
    assert told["query"]["datasetStatistics"] == [{"tableRowCount": 1}]


def test_only_what_lies_within_the_time_asked_about_is_read(monitor: Any) -> None:
    with monitor.server.client() as client:
        answer = client.query_workspace(
            WORKSPACE, "AppRequests", timespan=(DAY[1], DAY[1] + timedelta(days=1)), include_statistics=True
        )
    assert bytes_read(answer.statistics) == 0


def test_nulls_arrive_as_the_client_knows_them(monitor: Any) -> None:
    answer = ask(
        monitor, "print long(null), real(null), datetime(null), dynamic(null), bool(null), timespan(null)"
    )
    # The client itself turns a null timespan into this word.
    assert list(answer.tables[0].rows[0]) == [None, None, None, None, None, "None"]


@pytest.mark.parametrize(
    ("timespan", "count"),
    [
        (None, 1),
        (DAY, 1),
        ((DAY[0], timedelta(hours=9)), 0),
        ((DAY[1], DAY[1] + timedelta(days=1)), 0),
        (timedelta(days=36500), 1),
    ],
)
@pytest.mark.parametrize("scope", ["workspace", "resource"])
def test_a_query_is_limited_to_its_timespan(monitor: Any, scope: str, timespan: Any, count: int) -> None:
    with monitor.server.client() as client:
        asked: Callable[..., Any] = client.query_workspace
        where = WORKSPACE
        if scope == "resource":
            asked, where = client.query_resource, RESOURCE
        assert asked(where, "AppRequests | count", timespan=timespan).tables[0].rows[0][0] == count


def test_an_answer_over_the_limit_is_partial(monitor: Any) -> None:
    answer = ask(monitor, "range x from 1 to 500001 step 1 | project x = 1")
    assert isinstance(answer, LogsQueryPartialResult)
    assert len(answer.partial_data[0].rows) == 500_000
    assert answer.partial_error is not None
    assert answer.partial_error.code == "PartialError"
    assert "E_QUERY_RESULT_SET_TOO_LARGE" in str(answer.partial_error.details)


def test_a_partial_answer_asked_for_has_an_error_and_some_of_the_rows(monitor: Any) -> None:
    monitor.faults.add("partial")
    kql = "range x from 1 to 10 step 1"
    cut, whole = ask(monitor, kql), ask(monitor, kql)
    assert isinstance(cut, LogsQueryPartialResult)
    assert len(cut.partial_data[0].rows) == 5
    assert isinstance(whole, LogsQueryResult)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("throttled", 429, "ThrottledError"),
        ("unavailable", 503, "ServiceUnavailable"),
        ("timeout", 504, "GatewayTimeout"),
        ("refused", 403, "InsufficientAccessError"),
    ],
)
def test_a_fault_asked_for_is_met_once(monitor: Any, kind: Any, status: int, code: str) -> None:
    monitor.faults.add(kind, matching="AppRequests", retry_after=9)
    assert isinstance(ask(monitor, "AppEvents | count"), LogsQueryResult)
    met = failure(monitor)
    assert met.status_code == status
    assert met.response is not None
    assert met.response.headers["Retry-After"] == "9"
    assert met.model.code == code
    assert isinstance(ask(monitor, "AppRequests | count"), LogsQueryResult)


def test_the_client_itself_waits_out_a_throttled_query(monitor: Any) -> None:
    monitor.faults.add("throttled", retry_after=0)
    answer = ask(monitor, "AppRequests | count", retry_total=1, retry_on_methods=frozenset(["POST"]))
    assert answer.tables[0].rows[0][0] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "throttled", "matching": "AppRequests"}, 204),
        ({"kind": "flood"}, 400),
        ({"times": 2}, 400),
        ([], 400),
    ],
)
def test_another_process_can_add_a_fault(monitor: Any, body: object, status: int) -> None:
    told = monitor.server.post("/local/faults", json=body)
    assert told.status_code == status
    if status == 204:
        assert failure(monitor).status_code == 429


def test_a_protected_table_answers_with_no_rows_and_no_error_until_the_role_is_there(monitor: Any) -> None:
    count = "AppGenAIContent | count"
    assert ask(monitor, count).tables[0].rows[0][0] > 0
    assert monitor.server.post("/local/faults", json={"protected": True}).status_code == 204
    answer = ask(monitor, count)
    assert isinstance(answer, LogsQueryResult)
    assert answer.tables[0].rows[0][0] == 0
    assert ask(monitor, "AppRequests | count").tables[0].rows[0][0] == 1
    monitor.server.post("/local/faults", json={"protected": False})
    assert ask(monitor, count).tables[0].rows[0][0] > 0


def test_rows_can_be_made_to_come_late(monitor: Any, envelopes: list[dict[str, Any]]) -> None:
    monitor.server.post("/local/faults", json={"late_minutes": 40})
    assert monitor.server.post("/v2.1/track", json=envelopes).json()["itemsAccepted"] == len(envelopes)
    assert ask(monitor, "AppRequests | count").tables[0].rows[0][0] == 1


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("other", 401), ("made-up", 200)])
def test_a_component_without_local_authentication_takes_telemetry_with_a_token_only(
    monitor: Any, envelopes: list[dict[str, Any]], token: str | None, status: int
) -> None:
    key = envelopes[0]["iKey"]
    monitor.server.switch.app = create_app(
        monitor.telemetry,
        monitor.faults,
        token_ok=lambda _: False,
        may_send={key: lambda given: given == "made-up"},
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    sent = monitor.server.post("/v2.1/track", json=envelopes, headers=headers)
    assert sent.status_code == status
    assert sent.json()["itemsAccepted"] == (len(envelopes) if status == 200 else 0)
    others = [{**envelope, "iKey": "another"} for envelope in envelopes]
    assert monitor.server.post("/v2.1/track", json=others).status_code == 200


def test_a_wrong_query_is_refused_with_the_reason_inside(monitor: Any) -> None:
    for kql, inner in (("AppRequests | wher x", "SyntaxError"), ("NoSuchTable", "SemanticError")):
        met = failure(monitor, kql)
        assert met.status_code == 400
        assert met.response is not None
        told = json.loads(met.response.text())["error"]
        assert (told["code"], told["innererror"]["code"]) == ("BadArgumentError", inner)
    assert "NoSuchTable" in str(met.model.message)


def test_a_query_needs_a_token_that_is_good(monitor: Any) -> None:
    with monitor.server.client(token="other") as client, pytest.raises(HttpResponseError) as failed:
        client.query_workspace(WORKSPACE, "AppRequests", timespan=None)
    assert failed.value.status_code == 401
    bare = monitor.server.post(f"/v1/workspaces/{WORKSPACE}/query", json={"query": "AppRequests"})
    assert bare.status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/workspaces/not-a-guid/query", {"query": "print 1"}, 404),
        ("/v1/workspaces", {"query": "print 1"}, 404),
        (f"/v1/workspaces/{WORKSPACE}/query", {"query": "print 1", "timespan": "soon"}, 400),
        (f"/v1/workspaces/{WORKSPACE}/query", {"query": 1}, 400),
        (f"/v1/workspaces/{WORKSPACE}/query", {}, 400),
        (f"/v1/workspaces/{WORKSPACE}/query", [], 400),
    ],
)
def test_a_malformed_request_is_refused(monitor: Any, path: str, body: object, status: int) -> None:
    headers = {"Authorization": "Bearer made-up"}
    told = monitor.server.post(path, json=body, headers=headers)
    assert told.status_code == status
    assert told.json()["error"]["code"]


class Slow(Telemetry):
    """Telemetry whose every answer waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()

    def query(self, kql: str, timespan: Timespan | None = None, *, hidden: Collection[str] = ()) -> Table:
        self.asked.release()
        assert self.go.wait(30)
        return super().query(kql, timespan, hidden=hidden)


def test_the_sixth_query_at_once_is_throttled(server: Any) -> None:
    slow = Slow()
    server.switch.app = create_app(slow, Faults(), token_ok=lambda _token: True)

    def one() -> Any:
        with server.client() as client:
            return client.query_workspace(WORKSPACE, "print 1", timespan=None)

    with ThreadPoolExecutor(MAX_AT_ONCE) as pool:
        waiting = [pool.submit(one) for _ in range(MAX_AT_ONCE)]
        for _ in waiting:
            assert slow.asked.acquire(timeout=30)
        with pytest.raises(HttpResponseError) as failed:
            one()
        slow.go.set()
        assert [future.result().tables[0].rows[0][0] for future in waiting] == [1] * MAX_AT_ONCE
    assert failed.value.status_code == 429
    assert isinstance(one(), LogsQueryResult)


@pytest.mark.parametrize("path", ["/v2.1/track", "/v2/track"])
@pytest.mark.parametrize("form", ["array", "lines"])
@pytest.mark.parametrize("compressed", [False, True])
def test_envelopes_are_taken_in_every_form(
    monitor: Any, envelopes: list[dict[str, Any]], path: str, form: str, *, compressed: bool
) -> None:
    text = json.dumps(envelopes) if form == "array" else "\n".join(map(json.dumps, envelopes)) + "\n"
    told = monitor.server.post(
        path,
        data=gzip.compress(text.encode()) if compressed else text.encode(),
        headers={"Content-Encoding": "gzip"} if compressed else {},
    )
    assert told.status_code == 200
    assert told.json() == {"itemsReceived": len(envelopes), "itemsAccepted": len(envelopes), "errors": []}
    assert monitor.telemetry.query("AppRequests | count").rows == [[2]]


@pytest.mark.parametrize(
    ("body", "status", "accepted", "index"),
    [('[{"data": 1}]', 206, 0, 0), ("not json", 400, 0, 0), ("[5]", 206, 0, 0)],
)
def test_what_is_no_envelope_is_named(
    monitor: Any, body: str, status: int, accepted: int, index: int
) -> None:
    told = monitor.server.post("/v2.1/track", data=body)
    assert told.status_code == status
    assert told.json()["itemsAccepted"] == accepted
    assert [one["index"] for one in told.json()["errors"]] == [index]
