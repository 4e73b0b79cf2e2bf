"""Counts, along with a check's own question, the rows that came too late for the window of their run.

A row is late for a window of a check if it belongs to a run whose own span was received in that window, and
was itself received `settle` or more after the window's end; it counts up to LATE_HORIZON after it. Rows are
counted, not what they stand for. A row that belongs to no run is not counted, nor is the run's own span: it
is judged in the window in which it came.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from functions.checks.unswept import LATE_HORIZON
from functions.traces.kql import span
from functions.traces.source import Rows

COLUMN = "_LateRows"
"""Tells the rows of the count from those of the check; no check may return a column of this name."""


def with_late_rows(query: str, settle: timedelta) -> str:
    """Return a check's query with one row more for each window in which rows came late.

    Args:
        query: KQL whose last statement is a pipe of operators.
        settle: How long the check waits for late rows.
    """
    return f"""{query.rstrip()}
| union (spans
    | where isnotempty(RunId)
    | join kind=inner (runs | project TraceId, RunId, RunWindow = Window) on TraceId, RunId
    | extend After = Received - RunWindow - Every
    | where After >= {span(settle)} and After < {span(LATE_HORIZON)}
    | summarize {COLUMN} = count() by Window = RunWindow)
"""


def split_late_rows(rows: Rows, windows: Collection[datetime]) -> tuple[Rows, Mapping[datetime, int]]:
    """Return the check's own rows, and how many came late for each of the windows that begin then."""
    place = rows.columns.index(COLUMN)
    window = rows.columns.index("Window")
    late: dict[datetime, int] = {}
    own = []
    for row in rows.rows:
        count, start = row[place], row[window]
        if not isinstance(count, int):
            own.append(row)
        elif isinstance(start, datetime) and start in windows:
            late[start] = count
    return replace(rows, rows=tuple(own)), late
