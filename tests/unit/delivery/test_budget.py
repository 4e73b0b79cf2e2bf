"""No stretch of time holds more messages than a destination takes, whatever was sent before."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.delivery.budget import HORIZON, LIMITS, remembered, slots

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def seconds(found: tuple[datetime, ...]) -> list[float]:
    return [(at - NOW).total_seconds() for at in found]


def test_four_go_at_once_and_the_next_a_second_later() -> None:
    assert seconds(slots((), NOW, 10)) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_no_more_are_reserved_than_a_tick_waits_for() -> None:
    found = slots((), NOW, 1_000)
    assert len(found) == 60
    assert found[-1] <= NOW + HORIZON


def test_after_a_hundred_in_an_hour_the_next_waits_for_the_hour_to_be_over() -> None:
    sent = tuple(NOW - timedelta(minutes=59, seconds=30) + timedelta(seconds=n) for n in range(100))
    assert slots(sent, NOW, 5) == ()
    later = sent[0] + timedelta(hours=1)
    assert slots(sent, later, 5)[:1] == (later,)


def test_what_a_wrong_clock_has_reserved_far_ahead_does_not_count() -> None:
    ahead = tuple(NOW + timedelta(days=1, seconds=n) for n in range(100))
    assert remembered(ahead, NOW) == ()
    assert len(slots(ahead, NOW, 4)) == 4


@given(st.lists(st.tuples(st.floats(0, 900), st.integers(1, 90)), max_size=30))
def test_no_stretch_ever_holds_too_many(asked: list[tuple[float, int]]) -> None:
    now, sent = NOW, tuple[datetime, ...]()
    everything: list[datetime] = []
    for pause, wanted in asked:
        now += timedelta(seconds=pause)
        found = slots(sent, now, wanted)
        everything += found
        sent = (*remembered(sent, now), *found)
    assert everything == sorted(everything)
    for most, stretch in LIMITS:
        for n in range(len(everything) - most):
            assert everything[n + most] - everything[n] >= stretch
