"""Time in which windows were not judged is told with its cause."""

from datetime import timedelta

import orjson
import pytest

from functions.checks.coverage import KEPT
from functions.checks.interruptions import MOST_KEPT, Interruptions, interruptions_from_json
from tests.unit.checks.building import NOON

MINUTE = timedelta(minutes=1)


def attempts(*tried: tuple[int, str | None], due: int = 0) -> Interruptions:
    """Try at these minutes after noon; a kind of error failed, None went well."""
    record, failing = Interruptions(), False
    for minute, kind in tried:
        now, fell_due = NOON + minute * MINUTE, NOON + due * MINUTE
        if kind is None:
            record = record.tried(due=fell_due, now=now)
        else:
            record = record.failed(kind, due=fell_due, in_a_row=failing, now=now)
        failing = kind is not None
    return record


def told(record: Interruptions) -> list[tuple[float, float, str]]:
    return [((one.start - NOON) / MINUTE, (one.end - NOON) / MINUTE, one.cause) for one in record.stretches]


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        ([(15, None)], []),
        ([(50, None)], [(0, 50, "not running")]),
        ([(0, "A"), (10, "A"), (20, None)], [(0, 20, "A")]),
        ([(0, "A"), (10, "A"), (20, "A")], [(0, 20, "A")]),
        ([(30, "A"), (40, "A"), (50, None)], [(0, 30, "not running"), (30, 50, "A")]),
        ([(0, "A"), (10, "B"), (20, None)], [(0, 10, "A"), (10, 20, "B")]),
        ([(0, "A"), (5, "A"), (60, None)], [(0, 5, "A"), (5, 60, "not running")]),
    ],
)
def test_a_stretch_has_its_cause(
    tried: list[tuple[int, str | None]], expected: list[tuple[float, float, str]]
) -> None:
    assert told(attempts(*tried)) == expected


def test_failures_in_a_row_are_one_entry_and_a_success_ends_it() -> None:
    record = attempts((0, "A"), (1, "A"), (2, None), (3, "A"), (4, "B"))
    assert [(one.kind, one.count) for one in record.errors] == [("A", 2), ("A", 1), ("B", 1)]


def test_a_second_batch_of_one_outage_is_no_second_interruption() -> None:
    record = attempts((3000, None)).tried(due=NOON + 1440 * MINUTE, now=NOON + 3001 * MINUTE)
    assert told(record) == [(0, 3000, "not running")]


def test_a_first_evaluation_that_looks_back_is_no_interruption() -> None:
    assert Interruptions().tried(due=None, now=NOON) == Interruptions()


def test_it_stays_small_and_forgets() -> None:
    record = Interruptions()
    for n in range(2 * MOST_KEPT):
        record = record.failed("A", due=None, in_a_row=False, now=NOON + n * MINUTE)
    assert len(record.errors) == MOST_KEPT
    later = NOON + KEPT + timedelta(days=2)
    assert len(record.failed("B", due=None, in_a_row=False, now=later).errors) == 1


def test_it_is_read_back_as_it_was_written() -> None:
    record = attempts((30, "A"), (40, "A"), (50, None))
    assert interruptions_from_json(orjson.loads(orjson.dumps(record.to_json()))) == record
