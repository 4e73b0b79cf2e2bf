"""Which alerts a silence keeps quiet, and when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.alerts.alert import Alert
from functions.silences.silence import Report, Silence, in_force, read_silence, silence_json, silenced_by
from functions.storage.documents import encode
from tests.unit.alerts.building import CHECK, DISPATCHER
from tests.unit.silences.silencing import HOUR, NOON, alert, silence

NIGHTLY = {"weekdays": ["mon", "tue"], "from": "22:00", "to": "06:00", "zone": "Europe/Berlin"}
IN_A_WEEK = (NOON + timedelta(days=7)).isoformat()


def quiet(matching: dict[str, list[str]], what: Alert) -> bool:
    return bool(silenced_by(what, in_force([silence(matchers=matching)], NOON), {"dispatcher": "logistics"}))


@pytest.mark.parametrize(
    "matching",
    [
        {"agent": ["dispatcher"]},
        {"agent": ["other", "disp*"]},
        {"check": [CHECK.id]},
        {"check": ["stale_*"]},
        {"severity": ["high"]},
        {"owner": ["platform"]},
        {"owner": ["logistics"]},
        {"alert": [alert().id]},
        {"Tool": ["get_*"]},
        {"agent": ["dispatcher"], "Tool": ["get_shipment_status"], "severity": ["low", "high"]},
    ],
)
def test_what_all_matchers_fit_is_quiet(matching: dict[str, list[str]]) -> None:
    assert quiet(matching, alert())


@pytest.mark.parametrize(
    "matching",
    [
        {"agent": ["Dispatcher"]},
        {"agent": ["disp"]},
        {"check": ["tool_data"]},
        {"severity": ["low", "medium"]},
        {"owner": ["desk"]},
        {"alert": ["0000000000000000"]},
        {"Tenant": ["*"]},
        {"agent": ["dispatcher"], "Tool": ["other"]},
        {"Agent": ["*"], "Tool": ["[!g]*"]},
    ],
)
def test_what_one_matcher_does_not_fit_is_heard(matching: dict[str, list[str]]) -> None:
    assert not quiet(matching, alert())


@pytest.mark.parametrize(
    "matching",
    [{"severity": ["*"]}, {"severity": ["crit*"]}, {"agent": ["*"]}, {"check": [CHECK.id]}, {"alert": ["*"]}],
)
def test_a_critical_alert_passes_a_silence_that_does_not_name_it(matching: dict[str, list[str]]) -> None:
    assert not quiet(matching, alert(severity="critical"))


@pytest.mark.parametrize(
    "matching", [{"severity": ["critical"]}, {"severity": ["low", "critical"]}, {"alert": [alert().id]}]
)
def test_a_critical_alert_that_a_silence_names_is_quiet(matching: dict[str, list[str]]) -> None:
    assert quiet(matching, alert(severity="critical"))


def test_naming_critical_does_not_widen_the_other_matchers() -> None:
    assert not quiet({"severity": ["critical"], "agent": ["other"]}, alert(severity="critical"))


@pytest.mark.parametrize("value", ["a[1]", "a*", "<at>all</at>", "\u202ea", "x" * 100_000, "a\nb"])
def test_a_hostile_value_fits_what_it_says_and_no_more(value: str) -> None:
    what = alert({**DISPATCHER, "Tool": value})
    assert quiet({"Tool": ["*"]}, what)
    assert not quiet({"Tool": ["get_shipment_status"]}, what)


def test_a_pattern_of_many_stars_is_answered_at_once() -> None:
    assert not quiet({"Tool": ["*a" * 99 + "*b"]}, alert({**DISPATCHER, "Tool": "a" * 10_000}))


def test_it_is_in_force_from_its_start_to_just_before_its_end() -> None:
    later = silence(starts_at=(NOON + HOUR).isoformat())
    hours = [bool(in_force([later], NOON + n * HOUR)) for n in range(6)]
    assert hours == [False, True, True, True, False, False]
    assert [later.state(NOON + n * HOUR) for n in (0, 1, 4)] == ["scheduled", "in_force", "ended"]


def test_one_that_was_ended_before_is_over() -> None:
    ended = replace(silence(), ended_at=NOON + HOUR, ended_by="person-2")
    assert [bool(in_force([ended], NOON + n * HOUR)) for n in (0, 1)] == [True, False]


def test_one_that_was_ended_before_it_began_never_was() -> None:
    assert replace(silence(starts_at=(NOON + HOUR).isoformat()), ended_at=NOON).occurrences() == ()


def test_a_recurring_one_has_a_name_for_each_time_it_comes() -> None:
    nightly = silence(recurrence=NIGHTLY, ends_at=IN_A_WEEK)
    at = {n: in_force([nightly], NOON + n * HOUR) for n in range(60)}
    assert {name for found in at.values() for name, _ in found} == {
        "0123456789ab@2026-05-04T20:00:00Z",
        "0123456789ab@2026-05-05T20:00:00Z",
    }
    assert [n for n, found in at.items() if found] == [*range(8, 16), *range(32, 40)]
    assert [nightly.state(NOON + n * HOUR) for n in (0, 8, 20)] == ["between", "in_force", "between"]


def test_several_may_keep_one_alert_quiet_and_each_is_named() -> None:
    both = [silence(), replace(silence(), id="ba9876543210")]
    assert silenced_by(alert(), in_force(both, NOON), {}) == tuple(
        f"{one}@2026-05-04T12:00:00Z" for one in ("0123456789ab", "ba9876543210")
    )


@pytest.mark.parametrize(
    "one",
    [
        silence(),
        silence(recurrence=NIGHTLY, ends_at=IN_A_WEEK),
        replace(
            silence(), ended_at=NOON, ended_by="p", reports=(Report(NOON, NOON + HOUR, 3, forgotten=True),)
        ),
    ],
)
def test_a_silence_is_read_as_it_was_written(one: Silence) -> None:
    body = silence_json(one)
    assert encode(body)
    assert read_silence(body) == one
