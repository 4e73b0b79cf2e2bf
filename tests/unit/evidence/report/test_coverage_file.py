"""coverage.json tells evaluated time from gaps, from what is not judged yet and what nobody remembers."""

from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest

from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.coverage import Coverage
from functions.checks.finding import JudgedWindow, Window
from functions.checks.interruptions import Failures, Interruption, Interruptions
from functions.checks.tally import Tally
from functions.errors import StorageError
from functions.evidence.report.coverage import coverage_chapter
from functions.evidence.report.coverage_file import coverage_body, coverage_file
from tests.fakes.storage import MemoryDocuments
from tests.unit.checks.building import FIVE, NOON, check, window

HOUR = timedelta(hours=1)


def holding(state: CheckState) -> MemoryDocuments:
    documents = MemoryDocuments()
    documents.write(PREFIX + "slow_tool", state_to_json(state), version=None)
    return documents


def covering(*numbers: int) -> CheckState:
    coverage = Coverage()
    for number in numbers:
        coverage = coverage.after([window(number)], rows=1)
    return CheckState(watermark=window(numbers[-1]).end, coverage=coverage)


def told(
    documents: MemoryDocuments, since: datetime = NOON, until: datetime = NOON + HOUR
) -> dict[str, object]:
    (one,) = coverage_body(documents, [check()], since, until)["checks"]
    return {name: value for name, value in one.items() if value not in (None, [])}


def stretch(start: int, end: int) -> dict[str, str]:
    """Return a stretch by the numbers of its windows after noon."""
    return {"from": text(NOON + start * FIVE), "to": text(NOON + end * FIVE)}


def text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def test_a_time_that_was_evaluated_is_told_as_one() -> None:
    assert told(holding(covering(*range(-3, 15)))) == {
        "check": "slow_tool",
        "title": "A tool is slow",
        "severity": "high",
        "record": "kept",
        "share": 1.0,
        "evaluated": [stretch(0, 12)],
    }


def test_a_gap_what_lies_before_the_record_and_what_is_not_judged_yet_are_told_apart() -> None:
    one = told(holding(covering(2, 3, 6, 7)))
    assert one["evaluated"] == [stretch(2, 4), stretch(6, 8)]
    assert one["gaps"] == [stretch(4, 6)]
    assert one["not_remembered"] == stretch(0, 2)
    assert one["not_yet_judged"] == stretch(8, 12)
    assert one["share"] == pytest.approx(4 / 12)


@pytest.mark.parametrize(
    ("numbers", "field"),
    [((20, 21), "not_remembered"), ((-9, -8), "not_yet_judged")],
    ids=["later", "before"],
)
def test_a_record_of_another_time_says_nothing_about_this_one(numbers: tuple[int, int], field: str) -> None:
    one = told(holding(covering(*numbers)))
    assert one["share"] == 0
    assert one[field] == stretch(0, 12)
    assert "gaps" not in one


def test_a_check_that_never_ran_has_seen_nothing() -> None:
    one = told(MemoryDocuments())
    assert (one["record"], one["share"]) == ("never evaluated", 0)


def test_a_record_that_cannot_be_read_is_told_and_no_error() -> None:
    documents = MemoryDocuments()
    documents.write(PREFIX + "slow_tool", {"format": 3}, version=None)
    one = told(documents)
    assert (one["record"], one["share"]) == ("can't be understood", 0)


class SilentDocuments(MemoryDocuments):
    def read(self, name: str) -> None:
        raise StorageError(f"Storage does not answer for {name}.", next_step="Wait.")


def test_storage_that_does_not_answer_is_an_error_so_that_the_job_asks_again() -> None:
    with pytest.raises(StorageError):
        told(SilentDocuments())


def test_interruptions_failures_and_counts_of_the_time_are_told_and_no_others() -> None:
    after = NOON + 5 * HOUR
    interruptions = Interruptions(
        (
            Failures("SourceThrottled", NOON, NOON, 2),
            Failures("SourceBlind", after, after, 1),
        ),
        (
            Interruption(NOON, window(3).end, "not running"),
            Interruption(NOON + HOUR, after, "later"),
        ),
    )
    tally = Tally().judged([JudgedWindow(window(0), (), unjudged=({},), rows=1)])
    tally = tally.came_late({NOON: 3, NOON - timedelta(days=2): 5})
    state = replace(covering(*range(12)), interruptions=interruptions, tally=tally)
    one = told(holding(state))
    assert one["interruptions"] == [stretch(0, 4) | {"cause": "not running"}]
    assert one["failed_attempts"] == [stretch(0, 0) | {"kind": "SourceThrottled", "count": 2}]
    (day,) = one["days"]  # type: ignore[misc]
    assert (day["day"], day["blind_windows"], day["late_rows"]) == ("2026-11-03", 1, 3)


def test_the_same_past_gives_the_same_bytes_as_the_watch_goes_on() -> None:
    def file(state: CheckState) -> bytes:
        return coverage_file(holding(state), [check()], NOON, NOON + HOUR)

    assert file(covering(*range(12))) == file(covering(*range(30)))


def test_checks_stand_in_the_order_of_their_ids() -> None:
    checks = [check(id=name) for name in ("b", "a", "c")]
    body = orjson.loads(coverage_file(MemoryDocuments(), checks, NOON, NOON + HOUR))
    assert [one["check"] for one in body["checks"]] == ["a", "b", "c"]
    assert body["complete"] is False


def test_all_checks_that_saw_all_make_it_complete() -> None:
    assert coverage_body(holding(covering(*range(12))), [check()], NOON, NOON + HOUR)["complete"] is True


def test_no_check_at_all_is_not_complete() -> None:
    assert coverage_body(MemoryDocuments(), [], NOON, NOON + HOUR)["complete"] is False


def test_the_report_names_gaps_and_never_rounds_up_to_all() -> None:
    since, minute = NOON - timedelta(days=30), timedelta(minutes=1)
    coverage = Coverage().after([Window(since, NOON)], 1).after([Window(NOON + minute, NOON + HOUR)], 1)
    body = coverage_body(holding(replace(covering(0), coverage=coverage)), [check()], since, NOON + HOUR)
    chapter = coverage_chapter(body)
    assert "99.99 %" in chapter
    assert "100.00 %" not in chapter
    assert "0 of 1 check evaluated all of it" in chapter
    assert "gap 2026-11-03 12:00 to 2026-11-03 12:01" in chapter
