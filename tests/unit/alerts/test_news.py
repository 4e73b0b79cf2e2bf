"""What is told of an alert is how it differs from what was announced, whatever happened in between."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.alerts.alert import Announced, NoticeKind, Told
from functions.alerts.lifecycle import acknowledge, record_told
from functions.alerts.rules import DestinationRule, Route
from functions.checks.definition import CheckDefinition, Condition
from tests.unit.alerts.building import CHECK, RULES, START, advanced, found, two_destinations, window
from tests.unit.alerts.living import ABOVE, ID, Life

HOUR = timedelta(hours=1)
BELOW = replace(CHECK, condition=Condition("below", {"threshold": 100}))
ESCALATING = replace(
    two_destinations(), routes=(Route({}, ("teams",), escalate_after=HOUR, escalate_to=("pager",)),)
)


def test_news_that_was_lost_is_told_by_the_next_look() -> None:
    """The opening's notice was never put anywhere: the alert itself does not say that it was announced."""
    life = Life()
    life.lives("F")
    life.alerts = {ID: replace(life.alert, announced=None)}
    assert life.waits() == ["opened"]
    assert life.waits() == []


def test_what_was_announced_is_on_record() -> None:
    life = Life()
    life.lives("FF", value=40)
    assert life.alert.announced == Announced(1, over=False, worst=40, since=window(0).end)
    life.lives("...")
    assert life.alert.announced == Announced(1, over=True, worst=40, since=window(0).end)


@pytest.mark.parametrize(
    ("first", "then", "kind", "earlier"),
    [
        ("F...", "F", "reopened", 0),
        ("F...", "F...F", "reopened", 1),
        ("F", "...F", "reopened", 0),
        ("F", "...F...", "resolved", 1),
        ("F...", "F...", "passed", 0),
        ("F...", "F...F...", "passed", 1),
    ],
)
def test_one_notice_tells_all_that_happened_since_the_last(
    first: str, then: str, kind: str, earlier: int
) -> None:
    life = Life()
    life.lives(first)
    assert life.catches_up(then) == [kind]
    assert life.told[-1].earlier == earlier


def test_each_notice_has_a_key_of_its_own() -> None:
    life = Life(check=ABOVE)
    life.lives("F...F...F", value=95)
    life.lives("F", value=190)
    life.waits(5 * HOUR)
    assert [one.key.removeprefix(ID) for one in life.told] == [
        "-1-opened-1",
        "-1-resolved-2",
        "-2-reopened-1",
        "-2-resolved-2",
        "-3-reopened-1",
        "-3-worsened-2",
        "-3-repeated-3",
    ]


@pytest.mark.parametrize(
    ("check", "values", "kinds"),
    [
        (ABOVE, [40, 79], []),
        (ABOVE, [40, 80], ["worsened"]),
        (ABOVE, [40, 80, 81, 159, 160], ["worsened", "worsened"]),
        (ABOVE, [40, 80, 35, 80], ["worsened"]),
        (ABOVE, [0, 0, 5], []),  # nothing is so many times zero
        (BELOW, [50, 26], []),
        (BELOW, [50, 25], ["worsened"]),
        (BELOW, [50, 0, 0], ["worsened"]),
        (CHECK, [40, 80], []),  # `any` has no limit that a value could be beyond
        (replace(CHECK, condition=Condition("absence", {"after": 30})), [40, 80], []),
        (replace(CHECK, condition=Condition("spike", {})), [40, 80], ["worsened"]),
    ],
    ids=str,
)
def test_an_alert_is_told_again_once_it_is_so_many_times_worse_than_told(
    check: CheckDefinition, values: list[float], kinds: list[str]
) -> None:
    life = Life(check=check)
    told = [kind for value in values for kind in life.lives("F", value=value)]
    assert told == ["opened", *kinds]


def test_it_is_worse_than_what_was_told_last_whatever_the_notice() -> None:
    life = Life(check=ABOVE)
    life.lives("F", value=40)
    life.lives("F", value=70)
    assert life.waits(4 * HOUR) == ["repeated"]
    assert life.lives("F", value=100) == []
    assert life.lives("F", value=140) == ["worsened"]


def test_what_nobody_takes_on_is_told_further_once() -> None:
    life = Life(rules=ESCALATING)
    life.lives("F")
    assert life.waits(timedelta(minutes=59)) == []
    assert life.waits(timedelta(minutes=1)) == ["escalated"]
    assert (life.told[-1].destinations, life.alert.escalated_at) == (("pager",), life.now)
    assert life.waits(2 * HOUR) == []
    assert life.waits(HOUR) == ["repeated"]
    assert life.told[-1].destinations == ("teams",)


def test_what_was_told_further_is_told_to_be_over_there_too() -> None:
    life = Life(rules=ESCALATING)
    life.lives("F")
    life.waits(HOUR)
    life.lives("...")
    assert (life.told[-1].kind, life.told[-1].destinations) == ("resolved", ("teams", "pager"))


def test_what_was_told_further_only_has_still_to_be_told_to_the_others_when_it_is_worse() -> None:
    life = Life(check=ABOVE, rules=ESCALATING)
    life.lives("F", value=40)
    life.lives("F", value=70)
    assert life.waits(HOUR) == ["escalated"]
    assert life.lives("F", value=80) == ["worsened"]


def test_a_new_episode_is_told_further_anew() -> None:
    life = Life(rules=ESCALATING)
    life.lives("F")
    life.waits(HOUR)
    life.lives("...F")
    assert life.alert.escalated_at is None
    assert life.waits(HOUR) == ["escalated"]


def test_what_somebody_has_taken_on_is_neither_repeated_nor_told_further() -> None:
    life = Life(rules=ESCALATING, check=ABOVE)
    life.lives("F", value=40)
    life.is_taken_on()
    assert life.waits(100 * HOUR) == []
    assert life.lives("F", value=90) == ["worsened"]
    assert life.alert.state == "acknowledged"
    assert life.lives("...") == ["resolved"]
    assert life.lives("F") == ["reopened"]
    assert (life.alert.state, life.alert.acknowledged_at, life.alert.acknowledged_by) == ("open", None, None)


def test_the_first_who_takes_it_on_stays_on_record() -> None:
    life = Life()
    life.lives("F")
    once = acknowledge(life.alert, "first", START)
    assert (once.state, once.acknowledged_by, once.acknowledged_at) == ("acknowledged", "first", START)
    assert acknowledge(once, "second", START + HOUR) is once


def test_an_episode_that_begins_as_the_one_before_ends_is_taken_on_by_nobody() -> None:
    life = Life()
    life.lives("F")
    life.is_taken_on()
    assert life.catches_up("...F") == ["reopened"]
    assert (life.alert.state, life.alert.acknowledged_by) == ("open", None)


@pytest.mark.parametrize("marks", ["F...", "F"], ids=["resolved", "pending"])
def test_only_an_open_alert_can_be_taken_on(marks: str) -> None:
    life = Life(check=CHECK if marks == "F..." else replace(CHECK, windows_in_a_row=2))
    life.lives(marks)
    assert acknowledge(life.alert, "somebody", START) is life.alert


@pytest.mark.parametrize(
    ("heard", "destinations"), [("opened", ("teams", "pager")), ("resolved", ("teams",))]
)
def test_whoever_thinks_it_open_hears_that_it_is_over(
    heard: NoticeKind, destinations: tuple[str, ...]
) -> None:
    """Routes may have changed meanwhile."""
    rules = replace(two_destinations(), routes=(Route({}, ("teams",)),))
    alerts = advanced({}, found(0, of=1), rules=rules).alerts
    alerts = record_told(alerts, ID, Told("pager", heard, 1, START))
    (notice,) = advanced(alerts, found(of=4)[1:], rules=rules).notices
    assert notice.destinations == destinations


def test_whoever_is_still_to_hear_of_it_hears_that_it_is_over_after_that() -> None:
    rules = replace(two_destinations(), routes=(Route({}, ("teams",)),))
    alerts = advanced({}, found(0, of=1), rules=rules).alerts
    (notice,) = advanced(alerts, found(of=4)[1:], rules=rules, waiting=[(ID, "pager")]).notices
    assert notice.destinations == ("teams", "pager")


def test_a_destination_that_is_no_longer_configured_is_told_nothing() -> None:
    alerts = record_told(advanced({}, found(0, of=1)).alerts, ID, Told("gone", "opened", 1, START))
    (notice,) = advanced(alerts, found(of=4)[1:]).notices
    assert notice.destinations == ("teams",)


def test_a_new_destination_is_told_of_what_is_open_when_it_is_due_again() -> None:
    life = Life()
    life.lives("F")
    pager = DestinationRule("pager", "webhook", "PAGER_WEBHOOK_URL")
    life.rules = replace(RULES, destinations=(*RULES.destinations, pager))
    assert life.waits(3.9 * HOUR) == []
    assert life.waits(0.1 * HOUR) == ["repeated"]
    assert life.told[-1].destinations == ("teams", "pager")


@pytest.mark.parametrize(
    ("back", "kinds"),
    [(timedelta(seconds=5), []), (3.9 * HOUR, []), (4 * HOUR, ["repeated"]), (9000 * HOUR, ["repeated"])],
    ids=str,
)
def test_a_clock_that_was_set_back_neither_repeats_at_once_nor_makes_for_silence(
    back: timedelta, kinds: list[str]
) -> None:
    life = Life()
    life.lives("F")
    assert life.waits(-back) == kinds
    assert life.waits(timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("marks", "state"),
    [
        ("F...", "open"),
        ("F" + 11 * ".", "open"),
        ("F" + 12 * ".", "resolved"),
        ("F" + 11 * "." + "F.", "open"),
    ],
)
def test_an_alert_stays_open_for_a_while_after_its_last_finding(marks: str, state: str) -> None:
    life = Life(rules=replace(RULES, keep_open_for=HOUR))
    life.lives(marks)
    assert life.alert.state == state


def test_a_window_before_the_last_finding_is_no_evidence_that_it_is_over() -> None:
    alerts = advanced({}, found(9, of=10)).alerts
    again = advanced(alerts, found(of=9), now=window(9).end)
    assert (again.alerts[ID].state, again.alerts[ID].quiet, again.notices) == ("open", 0, ())
