"""What the gate says of good and of bad configurations."""

from collections.abc import Callable
from typing import Any

import pytest

from functions.release.gate_rules import RULES, WITH_SUBJECT, verdicts
from functions.release.gate_verdicts import Result, Verdict
from tests.unit.release.gate_cases import ALL, CONFIGURATIONS, KEY, SETTINGS, Case


def named(verdict: Verdict) -> str:
    return f"{verdict.rule}/{verdict.subject}" if verdict.subject else verdict.rule


def wrong(case: Case, judge: Callable[..., Any] = verdicts) -> list[str]:
    """Return which verdicts are not as the case expects."""
    expected = dict.fromkeys(case.fails, "fail") | dict.fromkeys(case.open, "not evaluable")
    found = {named(one): str(one.result) for one in judge(case.facts, case.policy, case.release)}
    names = expected.keys() | found.keys()
    return sorted(name for name in names if found.get(name) != expected.get(name, "pass"))


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_configuration_is_judged_as_it_must_be(case: Case) -> None:
    assert wrong(case) == []


def test_there_are_thirty_configurations_good_and_bad() -> None:
    good = [case for case in CONFIGURATIONS if not case.fails and not case.open]
    assert len(CONFIGURATIONS) >= 30
    assert 10 <= len(good) <= len(CONFIGURATIONS) - 10


def test_every_rule_passes_fails_and_cannot_be_told_in_some_configuration() -> None:
    seen = {(one.rule, one.result) for case in ALL for one in verdicts(case.facts, case.policy, case.release)}
    assert seen == {(rule, result) for rule in RULES for result in Result}


def test_only_rules_with_several_verdicts_have_subjects() -> None:
    found = {one.rule for case in ALL for one in verdicts(case.facts, case.policy) if one.subject}
    assert found == WITH_SUBJECT


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_no_verdict_repeats_a_value(case: Case) -> None:
    said = " ".join(
        f"{one.reason} {one.next_step}" for one in verdicts(case.facts, case.policy, case.release)
    )
    assert KEY not in said
    assert SETTINGS["APPLICATIONINSIGHTS_CONNECTION_STRING"] not in said
    assert "acme" not in said


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_whatever_stops_a_release_says_what_to_do(case: Case) -> None:
    for one in verdicts(case.facts, case.policy, case.release):
        assert one.reason
        assert bool(one.next_step) == (one.result is not Result.PASS)
