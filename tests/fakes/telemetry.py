"""A TraceSource over the stand-in's KQL engine in this process: real queries, no network."""

from datetime import UTC, datetime
from itertools import starmap

from functions.errors import QueryRejected, ResultTooLarge
from functions.traces.source import Cell, Rows
from local.azure_monitor.engine import QueryError
from local.azure_monitor.ingestion import Telemetry


class TelemetrySource:
    """Answers from `telemetry`, with cells as the real adapter gives them."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self.asked: list[str] = []

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        self.asked.append(kql)
        try:
            table = self.telemetry.query(kql, (since, until))
        except QueryError as error:
            raise QueryRejected(str(error), next_step="Correct the query.") from error
        if table.problem is not None:
            raise ResultTooLarge(table.problem, next_step="Ask for less.")
        kinds = [kind for _, kind in table.columns]
        return Rows(
            tuple(name for name, _ in table.columns),
            tuple(tuple(starmap(_cell, zip(row, kinds, strict=True))) for row in table.rows),
        )


def _cell(cell: object, kind: str) -> Cell:
    if kind == "datetime" and isinstance(cell, str):
        return datetime.fromisoformat(cell).astimezone(UTC)
    assert cell is None or isinstance(cell, str | int | float | bool)
    return cell
