"""Answers KQL on DuckDB through duckdb-kql, within the limits of Azure Monitor's query service."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
from duckdb_kql import KqlError, KqlSyntaxError

from local.azure_monitor.encoding import encode_column, kql_type
from local.azure_monitor.rewriting import INGESTION_TIME, translate
from local.azure_monitor.schema import tables

Timespan = tuple[datetime, datetime]

MAX_ROWS = 500_000
MAX_BYTES = 104_857_600
"""Limits of one answer: https://learn.microsoft.com/azure/azure-monitor/service-limits#query-api"""

_TOO_LARGE = (
    f"The results of this query exceed the set limit of {MAX_ROWS} records or {MAX_BYTES} bytes, "
    "so not all records were returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003)."
)

_ROWS_A_FETCH = 20_000


@dataclass(frozen=True, slots=True)
class Table:
    """An answer.

    Attributes:
        columns: Name and KQL type of each column.
        rows: Cells as the query API encodes them in JSON: datetime, timespan and guid as text, dynamic as
            JSON text.
        problem: Why rows are missing (a limit was met), or None when the answer is complete.
    """

    columns: list[tuple[str, str]]
    rows: list[list[object]]
    problem: str | None = None


class QueryError(Exception):
    """The service answers 400.

    Attributes:
        kind: SyntaxError or SemanticError, the inner error's code.
        detail: What is wrong, for the person who wrote the query.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


def open_database() -> duckdb.DuckDBPyConnection:
    """Open an empty database in memory that reaches neither files nor the process's variables."""
    database = duckdb.connect(
        ":memory:", config={"enable_external_access": "false", "python_enable_replacements": "false"}
    )
    database.execute("SET TimeZone = 'UTC'")
    return database


def run_query(
    database: duckdb.DuckDBPyConnection,
    kql: str,
    timespan: Timespan | None,
    hidden: Collection[str] = (),
) -> Table:
    """Run one query on a cursor of its own; `hidden` tables have no rows for it.

    Raises:
        QueryError: The query is wrong, or uses what duckdb-kql does not know.
    """
    try:
        sql = translate(kql)
    except KqlSyntaxError as error:
        raise QueryError("SyntaxError", str(error)) from error
    except KqlError as error:
        raise QueryError("SemanticError", str(error)) from error
    except (AssertionError, RecursionError) as error:
        # How duckdb-kql fails on a tabular let function with parameters, and on thousands of nested terms.
        raise QueryError("SemanticError", "the stand-in can't translate this query") from error
    with database.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        if timespan is not None or hidden:
            _limit_to(cursor, timespan, hidden)
        try:
            cursor.execute(sql)
            return _read(cursor)
        except duckdb.Error as error:
            # The lines after the first quote the generated SQL, which the author of the KQL never saw.
            raise QueryError("SemanticError", str(error).partition("\n")[0]) from error


def count_stored(
    database: duckdb.DuckDBPyConnection, table: str, timespan: Timespan | None
) -> tuple[int, int]:
    """Return the rows of a table within `timespan`, and their bytes as they are billed."""
    with database.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        if timespan is not None:
            _limit_to(cursor, timespan, ())
        cursor.execute(f'SELECT count(*), coalesce(sum("_BilledSize"), 0) FROM "{table}"')  # noqa: S608 - a name of ours
        rows, size = cursor.fetchall()[0]
        return int(rows), int(size)


def _limit_to(cursor: duckdb.DuckDBPyConnection, timespan: Timespan | None, hidden: Collection[str]) -> None:
    """Shadow each table, for this cursor alone, by a view of the rows that it may see within the timespan."""
    within = "true"
    if timespan is not None:
        start, end = (f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'" for moment in timespan)
        within = f"TimeGenerated BETWEEN {start} AND {end}"
    for table in tables():
        cursor.execute(
            f'CREATE TEMP VIEW "{table}" AS SELECT * FROM memory.main."{table}" '  # noqa: S608 - own names and times
            f"WHERE {'false' if table in hidden else within}"
        )


def _read(cursor: duckdb.DuckDBPyConnection) -> Table:
    described = [(str(column[0]), str(column[1])) for column in cursor.description or []]
    shown = [index for index, (name, _) in enumerate(described) if not name.startswith(INGESTION_TIME)]
    columns = [(described[index][0], kql_type(described[index][1])) for index in shown]
    rows: list[list[object]] = []
    size = 0
    for batch in _batches(cursor):
        cells = [
            encode_column(kind, [row[index] for row in batch])
            for index, (_, kind) in zip(shown, columns, strict=True)
        ]
        for row in zip(*cells, strict=True):
            size += sum(len(cell) if isinstance(cell, str) else 8 for cell in row)
            if len(rows) == MAX_ROWS or size > MAX_BYTES:
                return Table(columns, rows, _TOO_LARGE)
            rows.append(list(row))
    return Table(columns, rows)


def _batches(cursor: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[object, ...]]]:
    while batch := cursor.fetchmany(_ROWS_A_FETCH):
        yield batch
