"""Late rows, outages and throttling cost time and no violation: each is found once, and gaps are told."""

from collections import Counter

import pytest

from functions.configuration import SHIPPED, load_configuration
from tests.e2e.day import THROTTLED, Outcome, Planted, interruptions, plant, replay

HOURS = 7
CHECKS = ("skipped_lookup", "tool_retry_storm")
"""One that a late row makes fire wrongly, one that it keeps quiet; `python -m tests.e2e.day` has more."""

DEFINITIONS = {check.id: check for check in load_configuration(SHIPPED).checks}


@pytest.fixture(scope="module")
def planted() -> Planted:
    return plant(HOURS)


@pytest.fixture(scope="module")
def outcome(planted: Planted) -> Outcome:
    return replay(planted, CHECKS, HOURS)


def test_every_violation_is_found_once(planted: Planted, outcome: Outcome) -> None:
    expected = {violation for violation in planted.violations if violation[0] in CHECKS}
    assert len(expected) > 30
    assert outcome.found() == Counter(expected)


@pytest.mark.parametrize("check", CHECKS)
def test_the_late_rows_reported_are_those_that_came_late(
    planted: Planted, outcome: Outcome, check: str
) -> None:
    late = planted.late_rows(DEFINITIONS[check])
    assert late > 20
    assert outcome.coverage[check]["totals"]["late_rows"] == late


@pytest.mark.parametrize("check", CHECKS)
def test_the_interruptions_reported_are_those_that_were_made(outcome: Outcome, check: str) -> None:
    assert outcome.coverage[check]["interruptions"] == interruptions(DEFINITIONS[check], outcome.ticks)


@pytest.mark.parametrize("check", CHECKS)
def test_the_throttled_hour_is_told_as_errors(outcome: Outcome, check: str) -> None:
    failed = [tick for tick in outcome.ticks if tick in THROTTLED]
    assert outcome.coverage[check]["errors"] == [
        {
            "kind": "SourceThrottled",
            "from": f"{failed[0]:%Y-%m-%dT%H:%M:%SZ}",
            "to": f"{failed[-1]:%Y-%m-%dT%H:%M:%SZ}",
            "count": len(failed),
        }
    ]


def test_no_window_was_left_out(outcome: Outcome) -> None:
    assert [coverage["gaps"] for coverage in outcome.coverage.values()] == [[] for _ in CHECKS]


def test_late_rows_both_find_and_refute(outcome: Outcome) -> None:
    late = Counter(check for check, _, finding in outcome.findings() if finding["late"])
    withdrawn = Counter(check for check, _, finding in outcome.findings() for _ in finding["withdrawn"])
    assert late["tool_retry_storm"] > 0
    assert withdrawn["skipped_lookup"] > 0
    for check, coverage in outcome.coverage.items():
        assert coverage["totals"]["late_findings"] == late[check]
        assert coverage["totals"]["withdrawn"] == withdrawn[check]


def test_nobody_is_told_anything_twice(outcome: Outcome) -> None:
    assert len(set(outcome.cards)) == len(outcome.cards) > 0
