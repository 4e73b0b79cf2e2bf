"""By which words an alert is told: its check's, or what is wrong with that check."""

from dataclasses import replace

import pytest

from functions.alerts.alert import Alert, alert_id
from functions.alerts.definitions import UNKNOWN, Definitions
from functions.alerts.failures import failure_check
from functions.alerts.lifecycle import opened
from tests.unit.alerts.building import CHECK, finding

WATCH = replace(CHECK, id="delivery_failed", title="A destination takes nothing", unit="minutes")
DEFINITIONS = Definitions((CHECK, WATCH))


def an_alert(check_id: str, **key: str) -> Alert:
    return replace(opened(alert_id(check_id, key), None, finding(0, key), CHECK), check_id=check_id)


def test_an_alert_has_its_checks_words() -> None:
    assert DEFINITIONS.explained(an_alert(CHECK.id, Agent="dispatcher")) == {
        "title": CHECK.title,
        "unit": CHECK.unit,
        "triage": CHECK.triage,
        "false_positives": CHECK.false_positives,
    }


def test_an_alert_about_a_check_has_the_words_of_what_is_wrong_with_it() -> None:
    named = DEFINITIONS.named(an_alert("check_failed", Check=CHECK.id))
    assert named == {"title": failure_check(CHECK).title, "unit": "failed evaluations"}


def test_an_alert_of_the_watch_has_its_own_words() -> None:
    assert DEFINITIONS.named(an_alert(WATCH.id, Destination="teams"))["title"] == WATCH.title


@pytest.mark.parametrize(
    "alert",
    [
        an_alert("gone", Agent="a"),
        an_alert("check_failed", Check="gone"),
        an_alert("check_failed", Agent=CHECK.id),
    ],
    ids=["of a removed check", "about a removed check", "about no check"],
)
def test_of_a_check_that_was_removed_nothing_is_known(alert: Alert) -> None:
    assert DEFINITIONS.named(alert) == {"title": None, "unit": None}
    assert set(DEFINITIONS.explained(alert).values()) == {None}


def test_without_definitions_nothing_is_known() -> None:
    assert UNKNOWN.named(an_alert(CHECK.id, Agent="a")) == {"title": None, "unit": None}
