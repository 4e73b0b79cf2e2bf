"""What opens time and again is told once as such, and then is one alert until it is calm."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.alerts.alert import MAX_OPENINGS
from functions.alerts.rules import Flapping, Route
from tests.unit.alerts.building import RULES, START, two_destinations, window
from tests.unit.alerts.living import ABOVE, Life

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
FLAPPING = replace(RULES, flapping=Flapping(openings=3, within=2 * HOUR))
CALM = 23 * "."  # five minutes less than the two hours


def flapped(life: Life | None = None) -> Life:
    """Return an alert that was just told to flap: its third episode has begun, 40 minutes after the first."""
    life = life or Life(rules=FLAPPING)
    assert life.lives("F...F...F") == ["opened", "resolved", "reopened", "resolved", "reopened"]
    return life


def test_the_opening_that_makes_it_flap_says_so_and_when_it_opened() -> None:
    life = flapped()
    told = [(one.kind, one.alert.openings) for one in life.told]
    assert told[:-1] == [(kind, ()) for kind, _ in told[:-1]]
    assert told[-1] == ("reopened", (window(0).start, window(4).start, window(8).start))
    assert life.alert.announced is not None
    assert life.alert.announced.flapping


@pytest.mark.parametrize(
    ("apart", "flaps"),
    [(11, True), (12, False)],  # the third opens 22 or 24 windows after the first
)
def test_only_openings_within_the_time_count(apart: int, flaps: bool) -> None:
    life = Life(rules=FLAPPING)
    life.lives(("F" + (apart - 1) * ".") * 2 + "F")
    assert bool(life.told[-1].alert.openings) == flaps


def test_nothing_more_is_told_while_it_flaps() -> None:
    life = flapped()
    assert life.lives(4 * "...F") == []
    assert life.alert.episode == 7


def test_once_it_is_calm_and_over_that_is_told_with_how_often_it_opened_meanwhile() -> None:
    life = flapped()
    assert life.lives("...F...F..." + CALM) == []
    assert life.waits(5 * MINUTE) == ["resolved"]
    notice = life.told[-1]
    assert (notice.earlier, notice.alert.episode) == (2, 5)
    assert notice.alert.openings[-3:] == (window(8).start, window(12).start, window(16).start)
    assert life.waits(9 * HOUR) == []


def test_once_it_is_calm_and_open_nothing_has_to_be_told() -> None:
    life = flapped()
    assert life.lives("...F" + 30 * "F") == []
    assert life.lives("...") == ["resolved"]
    assert life.told[-1].earlier == 0


def test_an_episode_after_the_calm_is_told_again() -> None:
    life = flapped()
    life.lives("..." + CALM + ".")
    assert life.lives("F") == ["reopened"]
    assert life.told[-1].alert.openings == ()


def test_what_flaps_is_still_repeated_and_told_to_be_worse() -> None:
    life = flapped(Life(rules=replace(FLAPPING, flapping=Flapping(3, 10 * HOUR)), check=ABOVE))
    life.lives("...F", value=95)
    assert life.lives("F", value=190) == ["worsened"]
    assert life.told[-1].earlier == 1
    assert life.waits(4 * HOUR) == ["repeated"]
    assert life.told[-1].earlier == 0


def test_what_was_taken_on_stays_so_while_it_flaps_and_no_longer() -> None:
    life = flapped()
    life.is_taken_on()
    life.lives("...F")
    assert (life.alert.state, life.alert.episode, life.alert.acknowledged_by) == (
        "acknowledged",
        4,
        "somebody",
    )
    assert life.waits(9 * HOUR) == []
    life.lives("...")
    life.lives("F")
    assert (life.alert.state, life.alert.acknowledged_by) == ("open", None)


def test_what_was_taken_on_while_it_flapped_is_taken_on_by_nobody_when_it_opens_after_the_calm() -> None:
    life = flapped()
    life.is_taken_on()
    assert life.lives("..." + CALM + ".F") == ["resolved", "reopened"]
    assert (life.alert.state, life.alert.acknowledged_by) == ("open", None)


def test_what_flaps_is_told_further_once() -> None:
    further = Route({}, ("teams",), escalate_after=15 * MINUTE, escalate_to=("pager",))
    life = Life(rules=replace(FLAPPING, destinations=two_destinations().destinations, routes=(further,)))
    life.lives("F...F...F")
    assert life.lives("...F") == ["escalated"]
    assert life.lives("...F...F") == []


def test_a_rule_that_is_taken_back_lets_each_opening_be_told_again() -> None:
    life = flapped()
    life.lives("...F")
    life.rules = RULES
    assert life.waits() == ["reopened"]
    assert life.lives("...") == ["resolved"]


def test_nothing_flaps_without_a_rule() -> None:
    life = Life()
    assert life.lives(5 * "F...") == ["opened", *4 * ["resolved", "reopened"], "resolved"]
    assert [one.alert.openings for one in life.told] == 10 * [()]


def test_only_the_latest_openings_are_kept() -> None:
    life = Life()
    life.lives(25 * "F...")
    assert len(life.alert.openings) == MAX_OPENINGS
    assert life.alert.openings[-1] == window(96).start > START
