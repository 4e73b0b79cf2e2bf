"""What a check's questions took is kept by UTC day; what the service does not tell is not taken for zero."""

from datetime import date, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.checks.asking import Asked, AskedDay, AskingRecord, asking_from_json
from functions.checks.coverage import KEPT
from functions.traces.source import AskingCost
from tests.unit.checks.building import NOON

TOLD = AskingCost(rows=10, seconds=0.25, bytes_read=4096)
UNTOLD = AskingCost(rows=3)
THIRD = date(2026, 11, 3)


def record(*asked: tuple[AskingCost, datetime]) -> AskingRecord:
    kept = AskingRecord()
    for cost, at in asked:
        kept = kept.after(cost, at)
    return kept


def test_a_day_adds_up_its_questions() -> None:
    assert record((TOLD, NOON), (UNTOLD, NOON), (TOLD, NOON)).days == (
        AskedDay(THIRD, Asked(queries=3, rows=23, seconds=0.5, timed=2, bytes_read=8192, measured=2)),
    )


def test_what_two_questions_took_together_counts_as_two() -> None:
    assert record((TOLD + TOLD, NOON)).days == (
        AskedDay(THIRD, Asked(queries=2, rows=20, seconds=0.5, timed=2, bytes_read=8192, measured=2)),
    )


def test_of_two_questions_nothing_is_known_that_one_does_not_tell() -> None:
    assert record((TOLD + UNTOLD, NOON)).days == (AskedDay(THIRD, Asked(queries=2, rows=13)),)


def test_a_question_without_an_answer_counts() -> None:
    assert record((AskingCost(), NOON)).days == (AskedDay(THIRD, Asked(queries=1)),)


@pytest.mark.parametrize(
    ("at", "days"),
    [
        (NOON + timedelta(hours=11, minutes=59), [THIRD]),
        (NOON + timedelta(hours=12), [THIRD, date(2026, 11, 4)]),
        (datetime(2026, 11, 4, 1, tzinfo=timezone(timedelta(hours=2))), [THIRD]),
        (NOON - timedelta(days=1), [THIRD]),
    ],
    ids=["before midnight", "midnight", "another zone's next day", "a clock that goes backwards"],
)
def test_a_day_is_utc_s_and_days_stay_in_order(at: datetime, days: list[date]) -> None:
    assert [one.day for one in record((TOLD, NOON), (TOLD, at)).days] == days


def test_no_more_than_five_weeks_are_kept() -> None:
    kept = record(*((TOLD, NOON + timedelta(days=n)) for n in range(100)))
    assert len(kept.days) == KEPT.days == 35
    assert kept.days[-1].day == THIRD + timedelta(days=99)


def test_what_is_not_told_is_null_and_not_zero() -> None:
    assert record((UNTOLD, NOON)).to_json() == [
        {
            "day": "2026-11-03",
            "queries": 1,
            "rows": 3,
            "seconds": None,
            "timed": 0,
            "bytes_read": None,
            "measured": 0,
        }
    ]


@given(
    st.lists(
        st.builds(
            AskingCost,
            st.integers(0, 500_000),
            st.none() | st.floats(0, 600),
            st.none() | st.integers(0, 2**50),
        ),
        max_size=5,
    )
)
def test_what_is_written_is_read_back(costs: list[AskingCost]) -> None:
    kept = record(*((cost, NOON + n * timedelta(hours=9)) for n, cost in enumerate(costs)))
    assert asking_from_json(orjson.loads(orjson.dumps(kept.to_json()))) == kept


def test_days_are_added_up_from_one_to_another() -> None:
    kept = record((TOLD, NOON), (UNTOLD, NOON + timedelta(days=1)), (TOLD, NOON + timedelta(days=2)))
    assert kept.total(THIRD, THIRD + timedelta(days=1)).rows == 13
    assert kept.total(THIRD + timedelta(days=1), THIRD + timedelta(days=9)).rows == 13
    assert kept.total(THIRD + timedelta(days=3), THIRD + timedelta(days=9)) == Asked()


def test_nothing_asked_leaves_the_record_alone() -> None:
    kept = record((TOLD, NOON))
    assert kept.after(None, NOON) is kept
