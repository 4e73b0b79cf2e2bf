"""Rows that are gathered in memory, for who reads one trace."""

from collections import Counter
from datetime import timedelta

import orjson
import pytest

from functions.errors import ResultTooLarge
from functions.evidence.reading import gathering
from functions.evidence.reading.gathering import describe_rows, gather_rows
from functions.traces.model import TraceRow
from functions.traces.rows import Scope
from functions.traces.slices import Slice, SliceRows
from tests.unit.evidence.material import ABSENT, AMONG, NOON, ROWS, SECRET, TRACE, protection, row

DAY = timedelta(days=1)


def slices(*rows: TraceRow, more: int = 0) -> list[SliceRows]:
    bounds = (NOON - DAY, NOON + DAY, NOON, NOON + DAY)
    return [SliceRows(Slice("AppRequests", AMONG, *bounds), len(rows) + more, rows)]


def scope(*missing: str) -> Scope:
    return Scope((TRACE,), missing, 0, NOON - DAY, NOON + DAY)


def test_a_trace_is_described_with_its_spans_and_events_apart() -> None:
    described = describe_rows(gather_rows(scope(), slices(*reversed(ROWS)), protection()))
    assert [span["table"] for span in described["spans"]] == ["AppRequests", "AppDependencies"]
    assert [event["name"] for event in described["events"]] == ["log", "exception"]
    assert described["redactions"]["removed"]["drop:Message"] == 1
    assert SECRET.encode() not in orjson.dumps(described)


def test_each_row_says_what_was_removed_from_it_and_all_add_up() -> None:
    described = describe_rows(gather_rows(scope(), slices(*reversed(ROWS)), protection()))
    rows = [*described["spans"], *described["events"]]
    removed = sum((Counter(row["removed"]) for row in rows), Counter[str]())
    assert removed == described["redactions"]["removed"]
    assert [row["name"] for row in rows if row["removed"].get("drop:Message")] == ["log"]


@pytest.mark.parametrize(
    ("more", "missing", "complete"), [(0, (), True), (1, (), False), (0, (ABSENT,), False)]
)
def test_what_is_gathered_says_whether_it_is_complete(
    more: int, missing: tuple[str, ...], complete: bool
) -> None:
    gathered = gather_rows(scope(*missing), slices(*ROWS, more=more), protection())
    assert (gathered.counts.traces, gathered.counts.rows, gathered.counts.complete) == (1, 4, complete)


def test_too_many_rows_are_refused_before_they_fill_the_memory() -> None:
    crowd = slices(*[row()] * (gathering.MOST_ROWS + 1))
    with pytest.raises(ResultTooLarge):
        gather_rows(scope(), crowd, protection())
