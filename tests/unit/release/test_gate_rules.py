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
    expected = dict.fromkeys(expected_names(case), "pass")
    expected |= dict.fromkeys(case.fails, "fail") | dict.fromkeys(case.open, "not evaluable")
    judged = judge(case.facts, case.policy, case.release)
    found = {named(one): str(one.result) for one in judged}
    differ = sorted(name for name in expected.keys() | found.keys() if found.get(name) != expected.get(name))
    differ += [
        f"{named(one)} does not say what to do"
        for one in judged
        if not one.reason or bool(one.next_step) == (one.result is Result.PASS)
    ]
    return differ or ([] if any(case.says in one.reason for one in judged) else [f"nothing says {case.says}"])


def expected_names(case: Case) -> list[str]:
    resources = [f"diagnostic_settings/{one.resource_id}" for one in case.policy.diagnostics]
    return [
        "connection_string",
        "tracing_on",
        "content_recording",
        *(f"resource_attribute/{name}" for name in case.policy.settings_attributes),
        "sampling",
        "ingestion_sampling",
        "workspace",
        "retention",
        *(resources or ["diagnostic_settings"]),
        "traces_arrive",
        *(f"trace_attribute/{name}" for name in case.policy.trace_attributes),
        "content_in_traces",
        "sampling_in_traces",
    ]


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
