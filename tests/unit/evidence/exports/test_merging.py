"""Parts are merged in order, holding a little of each."""

import tracemalloc
from datetime import timedelta
from itertools import groupby, pairwise

import pytest

from functions.evidence.exports.merging import Part, by_trace, merged
from functions.evidence.exports.parts import Account, account_of, encode_part, row_line, row_of
from functions.traces.model import TABLES, TraceRow
from tests.fakes.storage import MemoryObjects
from tests.unit.evidence.material import NOON, row

EMPTY = Account((), {"rows": 0}, 1, 2, 3, 4)


def rows(part: int, count: int) -> list[TraceRow]:
    """Return rows of many traces, each trace in several parts."""
    return [
        row(
            TABLES[part % len(TABLES)],
            trace_id=f"{number * 7919 % count:032x}",
            span_id=f"{part * count + number:016x}" if part % len(TABLES) < 2 else "",
            time=NOON + timedelta(milliseconds=number * 31 % 977),
            properties={"gen_ai.operation.name": "chat", "number": str(number)},
        )
        for number in range(count)
    ]


def stored(parts: int, count: int) -> MemoryObjects:
    objects = MemoryObjects()
    for number in range(parts):
        lines = sorted(map(row_line, rows(number, count)))
        objects.put(str(number), encode_part(EMPTY, lines))
    return objects


def opened(objects: MemoryObjects, parts: int) -> list[Part]:
    return [Part(objects, str(number), beside=parts) for number in range(parts)]


@pytest.mark.parametrize(("parts", "count"), [(0, 0), (1, 0), (3, 1), (7, 400)])
def test_all_lines_come_in_order(parts: int, count: int) -> None:
    found = list(merged(opened(stored(parts, count), parts)))
    expected = [row_line(one) for number in range(parts) for one in rows(number, count)]
    assert found == sorted(expected)


def test_lines_sort_as_the_rows_do() -> None:
    def key(one: TraceRow) -> tuple[object, ...]:
        table = TABLES.index(one.table)
        return one.trace_id, one.time, table, one.span_id, one.parent_id, one.received

    some = [one for number in range(5) for one in rows(number, 60)]
    in_order = [row_of(line) for line in sorted(map(row_line, some))]
    assert all(key(one) <= key(other) for one, other in pairwise(in_order))


def test_a_row_comes_back_as_it_was() -> None:
    for one in (
        *rows(0, 3),
        row("AppTraces", columns={"SeverityLevel": 1, "Success": False, "DurationMs": 0.5}),
    ):
        assert row_of(row_line(one)) == one


def test_the_first_line_is_the_account() -> None:
    (part,) = opened(stored(1, 5), 1)
    assert account_of(part.head) == EMPTY


def test_a_trace_comes_once_with_the_rows_of_all_parts() -> None:
    traces = [trace_id for trace_id, _ in by_trace(merged(opened(stored(5, 50), 5)))]
    assert traces == [trace_id for trace_id, _ in groupby(sorted(traces))]
    assert len(traces) == 50


def test_memory_holds_a_little_of_each_part() -> None:
    """Of a merge that holds everything the peak is more than all lines together."""
    objects = stored(20, 6_000)
    tracemalloc.start()
    held = sum(map(len, merged(opened(objects, 20))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held > 25_000_000
    assert peak < held / 2
