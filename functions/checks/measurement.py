"""Reads a check's result rows as measurements; refuses a result that breaks the contract of a check's query.

The contract: one row for each window and key, with `Window` (datetime, the start of a window), the key
columns (string), `Value` (a finite number), `Violations` (a whole number), `TraceIds` (a list of strings as
JSON text), the columns under `shows`, and optionally `Threshold` (a finite number): the limit that the query
itself applied. A check with `minimum_runs` also returns `Runs` (a whole number); one whose condition is a
change returns the columns of both sides, `CHANGE_COLUMNS`. Other columns are ignored.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from functions.checks.definition import CheckDefinition
from functions.checks.significance import Change, Means, Proportions
from functions.checks.windows import window_start
from functions.errors import ConfigurationError
from functions.traces.source import Cell, Rows

MOST_TRACE_IDS = 1000
"""A finding names at most this many traces, as many as make_set(TraceId, 1000) keeps."""

CHANGE_COLUMNS = {
    "proportion": ("Runs", "BaselineRuns", "Hits", "BaselineHits"),
    "mean": ("Runs", "BaselineRuns", "Deviation", "Baseline", "BaselineDeviation"),
}
"""What a row says of both sides of a change. Counts of runs are never null (0 without a baseline), the
others only where a side has fewer runs than the condition asks for."""


ADDED_COLUMNS = {"budget": ("SpentUsd", "ExceededAt", "Calls", "CountedFrom"), "silence": ("LastHeard",)}
"""What a condition adds to a finding: a check may show it though its query doesn't return it."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One result row. Key and shows are hostile.

    Attributes:
        window: The start of its window.
        key: The values of the check's key columns, in their order.
        value: In the check's unit.
        threshold: The limit that the query itself applied; None where it has no such column.
        violations: How many times.
        trace_ids: Sorted, at most `MOST_TRACE_IDS`.
        shows: The columns that the check names under `shows`.
        runs: How many runs it is about; None where the check doesn't ask.
        change: Both sides of a change; None for other conditions, and where a side has too few runs.
    """

    window: datetime
    key: tuple[str, ...]
    value: float
    threshold: float | None
    violations: int
    trace_ids: tuple[str, ...]
    shows: Mapping[str, Cell]
    runs: int | None = None
    change: Change | None = None


def measurements(check: CheckDefinition, rows: Rows, width: timedelta) -> list[Measurement]:
    """Read every row.

    Raises:
        ConfigurationError: The check's query does not keep the contract; the message names the column.
    """
    contract = _Contract(check.id, width)
    contract.has_columns(
        rows, ("Window", *check.key, "Value", "Violations", "TraceIds", *_shown(check), *_asked(check))
    )
    shown, with_runs = _shown(check), bool(_asked(check))
    measured = [_measurement(check, record, contract, shown, with_runs) for record in rows.records()]
    if len({(m.window, m.key) for m in measured}) < len(measured):
        raise contract.broken("it has two rows for one window and key")
    return measured


def _shown(check: CheckDefinition) -> list[str]:
    """Return the columns under `shows` that the query has to return."""
    added = ADDED_COLUMNS.get(check.condition.kind, ())
    return [column for column in check.shows if column not in added]


def _asked(check: CheckDefinition) -> tuple[str, ...]:
    """Return the columns that the check's condition and options need beside the usual ones."""
    if check.condition.metric:
        return CHANGE_COLUMNS[check.condition.metric]
    return () if check.minimum_runs is None else ("Runs",)


def _measurement(
    check: CheckDefinition,
    record: Mapping[str, Cell],
    contract: "_Contract",
    shown: Sequence[str],
    with_runs: bool,  # noqa: FBT001 - what the check's options ask of every row
) -> Measurement:
    return Measurement(
        window=contract.window(record["Window"]),
        key=tuple(contract.text(column, record[column]) for column in check.key),
        value=contract.number("Value", record["Value"]),
        threshold=contract.number("Threshold", record["Threshold"]) if "Threshold" in record else None,
        violations=contract.count("Violations", record["Violations"]),
        trace_ids=contract.trace_ids(record["TraceIds"]),
        shows={column: record[column] for column in shown},
        runs=contract.count("Runs", record["Runs"]) if with_runs else None,
        change=_change(check, record, contract) if check.condition.metric else None,
    )


def _change(check: CheckDefinition, record: Mapping[str, Cell], contract: "_Contract") -> Change | None:
    runs = contract.count("Runs", record["Runs"])
    baseline_runs = contract.count("BaselineRuns", record["BaselineRuns"])
    if min(runs, baseline_runs) < check.condition.options["minimum_runs"]:
        return None
    if check.condition.metric == "mean":
        return Means(
            value=contract.amount("Value", record["Value"]),
            deviation=contract.amount("Deviation", record["Deviation"]),
            runs=runs,
            baseline=contract.amount("Baseline", record["Baseline"]),
            baseline_deviation=contract.amount("BaselineDeviation", record["BaselineDeviation"]),
            baseline_runs=baseline_runs,
        )
    return Proportions(
        hits=contract.hits("Hits", record["Hits"], runs),
        runs=runs,
        baseline_hits=contract.hits("BaselineHits", record["BaselineHits"], baseline_runs),
        baseline_runs=baseline_runs,
    )


@dataclass(frozen=True, slots=True)
class _Contract:
    """Takes cells for what the contract says they are, or raises. No cell is repeated in an error."""

    check_id: str
    width: timedelta
    starts: set[datetime] = field(default_factory=set)
    """Starts of windows that rows had: a result of thousands of rows has few."""

    def broken(self, how: str) -> ConfigurationError:
        return ConfigurationError(
            f"checks/{self.check_id}.yaml: the query's result can't be judged: {how}.",
            next_step="Correct the query; docs/checks.md says what a result holds.",
        )

    def has_columns(self, rows: Rows, expected: tuple[str, ...]) -> None:
        missing = [column for column in expected if column not in rows.columns]
        if missing:
            raise self.broken(f"it lacks the column {', '.join(missing)}")

    def window(self, cell: Cell) -> datetime:
        if not isinstance(cell, datetime):
            raise self.broken("Window is not the start of a window")
        if cell not in self.starts:
            if window_start(cell, self.width) != cell:
                raise self.broken("Window is not the start of a window")
            self.starts.add(cell)
        return cell

    def text(self, column: str, cell: Cell) -> str:
        if not isinstance(cell, str):
            raise self.broken(f"the key {column} is null or not a string")
        return cell

    def number(self, column: str, cell: Cell) -> float:
        if isinstance(cell, bool) or not isinstance(cell, int | float) or not math.isfinite(cell):
            raise self.broken(f"{column} is null or not a finite number")
        return float(cell)

    def amount(self, column: str, cell: Cell) -> float:
        number = self.number(column, cell)
        if number < 0:
            raise self.broken(f"{column} is negative")
        return number

    def count(self, column: str, cell: Cell) -> int:
        if isinstance(cell, bool) or not isinstance(cell, int) or cell < 0:
            raise self.broken(f"{column} is null or not a whole number")
        return cell

    def hits(self, column: str, cell: Cell, runs: int) -> int:
        hits = self.count(column, cell)
        if hits > runs:
            raise self.broken(f"{column} is more than its runs")
        return hits

    def trace_ids(self, cell: Cell) -> tuple[str, ...]:
        try:
            ids = orjson.loads(cell) if isinstance(cell, str) else None
        except orjson.JSONDecodeError:
            ids = None
        if not isinstance(ids, list) or not all(isinstance(trace_id, str) for trace_id in ids):
            raise self.broken("TraceIds is null or not a list of strings")
        return tuple(sorted(set(ids))[:MOST_TRACE_IDS])
