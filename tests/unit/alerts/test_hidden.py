"""What a silence or an inhibition hides is kept, once for each alert, and never twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.alerts.alert import Alert
from functions.alerts.episode import opened
from functions.alerts.hidden import hidden_json, hide, read_hidden
from functions.storage.documents import encode
from tests.unit.alerts.building import CHECK, DISPATCHER, finding

NIGHT = "5f0c@2026-03-01T22:00:00Z"


def hidden_alert() -> Alert:
    return replace(opened("a1b2c3d4e5f60718", None, finding(0, DISPATCHER), CHECK), quieted_by=(NIGHT,))


def test_a_hidden_alert_is_kept_with_what_a_report_of_it_needs() -> None:
    alert = hidden_alert()
    (record,) = hide((), [alert], CHECK)
    assert (record.silence, record.alert_id, record.title) == (NIGHT, alert.id, CHECK.title)
    assert (record.since, record.until, record.state) == (alert.opened_at, None, "open")
    assert (record.value, record.unit, record.episodes) == (alert.worst, CHECK.unit, 1)


def test_nothing_changes_while_the_alert_stays_as_it_is() -> None:
    before = hide((), [hidden_alert()], CHECK)
    assert hide(before, [hidden_alert()], CHECK) is before


def test_one_alert_has_one_record_for_each_that_hides_it() -> None:
    alert = hidden_alert()
    records = hide((), [replace(alert, quieted_by=(NIGHT, "agent gone"))], CHECK)
    records = hide(records, [replace(alert, worst=900.0)], CHECK)
    assert [(one.silence, one.value) for one in records] == [(NIGHT, 900.0), ("agent gone", alert.worst)]


def test_an_alert_that_nothing_hides_is_not_written_down() -> None:
    assert hide((), [replace(hidden_alert(), quieted_by=())], CHECK) == ()


def test_episodes_are_counted_those_too_that_came_and_went_between() -> None:
    first = hidden_alert()
    gone = replace(first, state="resolved", resolved_at=first.last_seen + timedelta(minutes=10))
    third = replace(first, episode=3, opened_at=first.opened_at + timedelta(hours=2))
    (record,) = hide(hide(hide((), [first], CHECK), [gone], CHECK), [third], CHECK)
    assert (record.episodes, record.since, record.until) == (3, first.opened_at, None)


def test_a_record_is_read_as_it_was_written() -> None:
    alert = hidden_alert()
    for one in (alert, replace(alert, state="resolved", resolved_at=alert.last_seen)):
        (record,) = hide((), [one], CHECK)
        body = hidden_json(record)
        assert encode(body)
        assert read_hidden(body) == record


def test_anything_else_is_no_record() -> None:
    (record,) = hide((), [hidden_alert()], CHECK)
    with pytest.raises(TypeError):
        read_hidden(hidden_json(record) | {"more": 1})
