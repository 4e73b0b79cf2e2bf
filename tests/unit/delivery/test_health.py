"""A destination that fails is left alone for longer and longer, and one good answer makes up for all."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.alerts.answer import Accepted, Rejected
from functions.delivery.health import (
    LONGEST_OPEN,
    MAX_LOSSES,
    after_answer,
    is_left_alone,
    is_tried,
    with_loss,
)
from functions.delivery.record import Record

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
BUSY = Rejected(retryable=True, retry_after_seconds=None, reason="HTTP 503")
REFUSED = Rejected(retryable=False, retry_after_seconds=None, reason="HTTP 413")


def failed(times: int, jitter: float = 0.0) -> Record:
    record = Record()
    for _ in range(times):
        record = after_answer(record, BUSY, NOW, jitter)
    return record


def seconds_open(record: Record) -> float | None:
    return record.open_until and (record.open_until - NOW).total_seconds()


def test_the_third_failure_opens_the_circuit_and_each_further_one_for_twice_as_long() -> None:
    assert [seconds_open(failed(n)) for n in range(1, 9)] == [None, None, 30, 60, 120, 240, 450, 450]
    assert seconds_open(failed(10_000, jitter=0.999)) == pytest.approx(LONGEST_OPEN.total_seconds(), rel=1e-2)


def test_once_its_time_is_over_one_message_tries_it() -> None:
    record = failed(3)
    assert is_left_alone(record, NOW + timedelta(seconds=29))
    assert not is_left_alone(record, NOW + timedelta(seconds=30))
    assert is_tried(record)
    assert not is_tried(failed(2))


@pytest.mark.parametrize("answer", [Accepted(202), REFUSED], ids=["accepted", "refused"])
def test_any_final_answer_shows_that_it_works(answer: Accepted | Rejected) -> None:
    record = after_answer(failed(5), answer, NOW, 0.0)
    assert not is_left_alone(record, NOW)
    assert not is_tried(record)
    assert record.failing_since is None


@pytest.mark.parametrize(("asked", "kept"), [(0.0, 0), (90.0, 90), (1e12, 3600), (float("inf"), 3600)])
def test_retry_after_is_kept_within_reason_and_opens_no_circuit(asked: float, kept: float) -> None:
    record = Record()
    for _ in range(5):
        record = after_answer(record, Rejected(True, asked, "HTTP 429"), NOW, 0.0)
    assert record.resting_until == NOW + timedelta(seconds=kept)
    assert not is_tried(record)
    assert record.failing_since == NOW


def test_a_clock_that_was_a_day_ahead_leaves_nobody_alone() -> None:
    ahead = after_answer(failed(8), Rejected(True, 600.0, "HTTP 429"), NOW, 0.0)
    assert not is_left_alone(ahead, NOW - timedelta(days=1))


def test_the_latest_losses_are_kept() -> None:
    record = Record()
    for n in range(MAX_LOSSES + 3):
        record = with_loss(record, REFUSED, n, NOW)
    assert [one.count for one in record.losses] == list(range(3, MAX_LOSSES + 3))
    assert record.losses[0].reason == "HTTP 413"
