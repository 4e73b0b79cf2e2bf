from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from local.azure_monitor import engine
from local.azure_monitor.engine import QueryError
from local.azure_monitor.ingestion import Telemetry

START = datetime(2026, 11, 20, 10, tzinfo=UTC)


STRINGS_ARE_NEVER_NULL = [
    (
        """AppRequests | join kind=leftouter (AppEvents | where Name == "none") on OperationId
        | where Name1 == "" | summarize count() by Name1""",
        [["", 1]],
    ),
    (
        """AppRequests | lookup (AppEvents | take 0 | project OperationId, Event = Name) on OperationId
        | project Event == "", Event != "x" """,
        [[True, True]],
    ),
    (
        """AppEvents | take 0 | join kind=rightouter (AppRequests) on OperationId
        | where Name == "" | count""",
        [[1]],
    ),
    (
        """union (AppRequests | project Id, Url), (AppDependencies | project Id) | where Url == "" | count""",
        [[1]],
    ),
    ("AppRequests | take 0 | summarize max(Name)", [[""]]),
]
NUMBERS_MAY_BE = [
    (
        """AppRequests | join kind=leftouter (AppTraces | take 0) on OperationId
        | where isnull(SeverityLevel) | count""",
        [[1]],
    ),
    (
        """AppDependencies | project tolong(Properties["gen_ai.usage.input_tokens"]),
        tolong(Properties["no.such"]), tostring(Properties["no.such"])""",
        [[330, None, ""]],
    ),
]
A_LIMIT_CUTS = [
    (
        """range x from 1 to 9 step 1
        | summarize array_length(make_set(x, 4)), array_length(make_set(x)), array_length(make_list(x, 2))""",
        [[4, 9, 2]],
    ),
]
A_COLUMN_BETWEEN_BRACKETS_NAMES_A_PROPERTY = [
    (
        """datatable(Bag: dynamic, Key: string)[
          dynamic({"a": "1", "b": "2"}), "b", dynamic({"a": "1"}), "b", dynamic({"x \\"y": "3"}), "x \\"y",
          dynamic({"a": "1"}), "", dynamic({"$.a": "4"}), "$.a"]
        | project Found = tostring(Bag[Key])""",
        [["2"], [""], ["3"], [""], ["4"]],
    ),
]
THE_INGESTION_TIME_IS_KNOWN_IN_EVERY_LEG = [
    (
        """union (AppRequests | extend R = ingestion_time()), (AppEvents | extend R = ingestion_time())
        | summarize count() by (R - TimeGenerated)""",
        [["00:00:04", 2]],
    ),
    (
        """let seen = AppRequests | extend R = ingestion_time(); seen | project bin(R, 5m)""",
        [["2026-11-20T10:00:00Z"]],
    ),
]
EMPTY_IS_WHAT_HAS_NO_TEXT = [
    (
        f"print X = {value} | project isempty(X), isnotempty(X)",
        [[empty, not empty]],
    )
    for value, empty in {
        '""': True,
        '" "': False,
        '"null"': False,
        'dynamic("")': True,
        "dynamic(null)": True,
        'dynamic({"a": 1}).b': True,
        "dynamic([])": False,
        'dynamic("x")': False,
        "dynamic(0)": False,
        "bool(null)": True,
        "false": False,
        "long(null)": True,
        "0": False,
        "real(null)": True,
        "real(nan)": False,
        "datetime(null)": True,
        "datetime(2026-11-20)": False,
        "timespan(null)": True,
        "0s": False,
    }.items()
]


@pytest.mark.parametrize(
    ("kql", "rows"),
    [
        *STRINGS_ARE_NEVER_NULL,
        *NUMBERS_MAY_BE,
        *A_LIMIT_CUTS,
        *A_COLUMN_BETWEEN_BRACKETS_NAMES_A_PROPERTY,
        *THE_INGESTION_TIME_IS_KNOWN_IN_EVERY_LEG,
        *EMPTY_IS_WHAT_HAS_NO_TEXT,
    ],
)
def test_the_engine_answers_as_kusto_would(telemetry: Telemetry, kql: str, rows: list[list[object]]) -> None:
    assert telemetry.query(kql).rows == rows


def test_a_set_limit_keeps_the_columns_own_name() -> None:
    answer = Telemetry().query("range x from 1 to 9 step 1 | summarize make_set(x, 1), l = make_list(x, 1)")
    assert answer.columns == [("set_x", "dynamic"), ("l", "dynamic")]


def test_the_hidden_columns_name_is_never_shown(telemetry: Telemetry) -> None:
    answer = telemetry.query("AppRequests | project ingestion_time(), bin(ingestion_time(), 1h)")
    assert [name for name, _ in answer.columns] == ["$IngestionTime", "Column1"]


def test_a_set_without_a_limit_stops_at_1048576() -> None:
    answer = Telemetry().query(
        "range x from 1 to 1048580 step 1 | summarize array_length(make_set(x)), array_length(make_list(x))"
    )
    assert answer.rows == [[1_048_576, 1_048_576]]


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        (timedelta(0), timedelta(seconds=0.4), 5),
        (timedelta(seconds=0.1), timedelta(seconds=0.3), 3),
        (timedelta(seconds=1), timedelta(seconds=9), 0),
    ],
)
def test_a_timespan_limits_every_table_to_its_own_times(
    telemetry: Telemetry, start: timedelta, end: timedelta, count: int
) -> None:
    kql = "union AppRequests, AppDependencies, AppTraces, AppExceptions, AppEvents | count"
    assert telemetry.query(kql, (START + start, START + end)).rows == [[count]]
    assert telemetry.query(kql).rows == [[5]]


@pytest.mark.parametrize(
    ("kql", "kind"),
    [
        ("AppRequests | wher Success", "SyntaxError"),
        ("AppRequests | where", "SyntaxError"),
        ("NoSuchTable | take 1", "SemanticError"),
        ("AppRequests | where NoSuchColumn == 1", "SemanticError"),
        ("AppRequests | extend x = no_such_function(Id)", "SemanticError"),
        ("AppRequests | union AppEvents | extend R = ingestion_time()", "SemanticError"),
        ("AppRequests | project _IngestionTime", "SemanticError"),
        ("AppRequests | where isempty(_IngestionTime)", "SemanticError"),
        ("AppRequests | where isempty(NoSuchColumn)", "SemanticError"),
        (".show tables", "SemanticError"),
        (".drop table AppRequests", "SemanticError"),
        ("let f = (T: (Id: string)) { T | count }; f(AppRequests)", "SemanticError"),
        ("print " + "+".join(["1"] * 3000), "SemanticError"),
        ("['/etc/hostname']", "SemanticError"),
        ("database('memory').AppRequests", "SemanticError"),
    ],
)
def test_a_query_that_azure_would_refuse_is_refused(telemetry: Telemetry, kql: str, kind: str) -> None:
    with pytest.raises(QueryError) as refused:
        telemetry.query(kql)
    assert refused.value.kind == kind


def test_the_engine_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    with pytest.raises(duckdb.PermissionException):
        engine.open_database().execute(f"SELECT * FROM '{secret}'")


@pytest.mark.parametrize(("asked", "kept", "complete"), [(500_000, 500_000, True), (500_001, 500_000, False)])
def test_rows_beyond_the_limit_are_missed_aloud(asked: int, kept: int, *, complete: bool) -> None:
    answer = Telemetry().query(f"range x from 1 to {asked} step 1")
    assert len(answer.rows) == kept
    assert (answer.problem is None) is complete


def test_bytes_beyond_the_limit_are_missed_aloud(telemetry: Telemetry) -> None:
    kql = 'range x from 1 to 200000 step 1 | project Text = strcat("{}", tostring(x))'.format("t" * 700)
    answer = telemetry.query(kql)
    assert answer.problem is not None
    assert 0 < len(answer.rows) < engine.MAX_BYTES / 700
