"""The telemetry of one workspace: takes Application Insights envelopes in, answers KQL about them."""

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import duckdb
import orjson

from local.azure_monitor import engine
from local.azure_monitor.content import move_content
from local.azure_monitor.engine import Table, Timespan
from local.azure_monitor.envelopes import EnvelopeError, Row, row_of
from local.azure_monitor.faults import Lasting
from local.azure_monitor.rewriting import INGESTION_TIME, TIME_RECEIVED
from local.azure_monitor.schema import tables
from local.azure_monitor.statistics import Stored

WORKSPACE_ID = "00000000-0000-0000-0000-00000000da7a"
"""The workspace's guid, the TenantId of every row."""

OLDEST = timedelta(days=2)
"""A row whose own time is older than this when received gets the received time instead.

https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns#timegenerated
"""

_STORED = {"string": "VARCHAR", "int": "INTEGER", "real": "DOUBLE", "bool": "BOOLEAN"}
# Times and JSON travel as text and are cast on insertion.
_STORED_AS_TEXT = {"datetime": "TIMESTAMP", "dynamic": "JSON"}
_ROWS_A_STATEMENT = 2_000


class Telemetry:
    """Six App* tables in memory. Safe to use from several threads.

    Args:
        content_routing: "table" moves GenAI content into AppGenAIContent, as since 2026-09-30;
            "inline" leaves it in Properties, as before and for subscriptions that opted out.
    """

    def __init__(self, *, content_routing: Literal["table", "inline"] = "table") -> None:
        self._routed = content_routing == "table"
        self._database = engine.open_database()
        self._writing = threading.Lock()
        self._rows = 0
        self._on_their_way: list[tuple[datetime, str, dict[str, Any]]] = []
        for table, columns in tables().items():
            described = ", ".join(
                f'"{name}" {(_STORED | _STORED_AS_TEXT)[kind]}' for name, kind in _stored_columns(columns)
            )
            self._database.execute(f'CREATE TABLE "{table}" ({described})')

    def ingest(
        self,
        envelopes: Iterable[Mapping[str, Any]],
        *,
        delay: timedelta | None = None,
        lasting: Lasting = Lasting(),  # noqa: B008 - frozen
    ) -> int:
        """Store envelopes and return how many were accepted; the others are dropped, as the service does.

        Args:
            envelopes: Parsed envelopes as posted to /v2.1/track.
            delay: How long after its own time each row counts as ingested (telemetry of another time is
                replayed so). Without it the rows are ingested now.
            lasting: What is wrong with the pipeline: late rows can't be queried before they are ingested.
        """
        arrived = datetime.now(UTC)
        with self._writing:
            rows, accepted = _accepted_rows(envelopes)
            now = datetime.now(UTC)
            stored: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for row in rows:
                self._rows += 1
                late = lasting.late_by if self._rows % lasting.late_every == 0 else timedelta(0)
                received = arrived if delay is None else row.time + delay / 2
                ingested = (now if delay is None else row.time + delay) + late
                for part in self._parts(row, inline=lasting.content_inline):
                    kept = _stored_row(part, received, ingested)
                    if late:
                        self._on_their_way.append((ingested, part.table, kept))
                    else:
                        stored[part.table].append(kept)
            self._insert_all(stored)
        return accepted

    def query(self, kql: str, timespan: Timespan | None = None, *, hidden: Collection[str] = ()) -> Table:
        """Answer a KQL query over the rows whose TimeGenerated lies within `timespan`, both ends included.

        Args:
            kql: The query.
            timespan: None for all times.
            hidden: Tables that are protected from this reader: they have no rows for it.

        Raises:
            QueryError: The query is wrong, or uses what the stand-in does not know.
        """
        with self._writing:
            self._insert_all(self._come_by(datetime.now(UTC)))
        return engine.run_query(self._database, kql, timespan, hidden)

    def _come_by(self, now: datetime) -> Mapping[str, list[dict[str, Any]]]:
        """Take the late rows that are there by now."""
        come: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for ingested, table, row in self._on_their_way:
            if ingested <= now:
                come[table].append(row)
        self._on_their_way = [late for late in self._on_their_way if late[0] > now]
        return come

    def stored(self, names: Iterable[str], timespan: Timespan | None = None) -> Stored:
        """Return how much lies in these tables within `timespan`, both ends included."""
        counted = [engine.count_stored(self._database, name, timespan) for name in names]
        return Stored(sum(rows for rows, _ in counted), sum(size for _, size in counted))

    def _insert_all(self, stored: Mapping[str, list[dict[str, Any]]]) -> None:
        if not stored:
            return
        self._database.begin()
        try:
            for table, rows in stored.items():
                _insert(self._database, table, rows)
        except duckdb.Error:
            self._database.rollback()
            raise
        self._database.commit()

    def _parts(self, row: Row, *, inline: bool) -> Iterator[Row]:
        if inline or not self._routed:
            yield row
            return
        kept, content = move_content(row)
        yield kept
        if content is not None:
            yield content


def _accepted_rows(envelopes: Iterable[Mapping[str, Any]]) -> tuple[list[Row], int]:
    rows, accepted = [], 0
    for envelope in envelopes:
        try:
            row = row_of(envelope)
        except EnvelopeError:
            continue
        accepted += 1
        if row is not None:
            rows.append(row)
    return rows, accepted


def _stored_columns(columns: Mapping[str, str]) -> list[tuple[str, str]]:
    return [*columns.items(), (TIME_RECEIVED, "datetime"), (INGESTION_TIME, "datetime")]


def _stored_row(row: Row, received: datetime, ingested: datetime) -> dict[str, Any]:
    time = row.time if received - row.time <= OLDEST else received
    known = tables()[row.table]
    # Kusto strings are never null: what is absent is empty.
    blank = {name: "" for name, kind in known.items() if kind == "string"}
    values = {
        **blank,
        **row.values,
        "TimeGenerated": _instant(time),
        TIME_RECEIVED: _instant(received),
        INGESTION_TIME: _instant(ingested),
        "TenantId": WORKSPACE_ID,
        "Type": row.table,
        "SourceSystem": "Azure",
        "_IsBillable": "True",
        # The service's own measure of a row is near this, and nowhere given exactly.
        "_BilledSize": len(orjson.dumps(row.values, default=str)),
    }
    return {name: _stored_text(value) if name in blank else value for name, value in values.items()}


def _stored_text(value: object) -> str:
    return "" if value is None else str(value)


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _insert(database: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    columns = _stored_columns(tables()[table])
    shape = orjson.dumps(
        [{name: "JSON" if kind == "dynamic" else _STORED.get(kind, "VARCHAR") for name, kind in columns}]
    ).decode()
    names = ", ".join(f'"{name}"' for name, _ in columns)
    statement = (
        f'INSERT INTO "{table}" SELECT {names} FROM '  # noqa: S608 - names are the schema's own
        f"(SELECT unnest(from_json($rows::JSON, '{shape}'), recursive := true))"
    )
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        text = orjson.dumps(rows[start : start + _ROWS_A_STATEMENT]).decode()
        database.execute(statement, {"rows": text})
