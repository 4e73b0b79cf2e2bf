"""Watermark, coverage, alerts and outbox of a check move together or not at all."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.alerts.circumstances import Circumstances
from functions.alerts.progress import carry_on
from functions.alerts.state import CheckState
from functions.checks.asking import Asked
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue
from functions.errors import SourceBlind, SourceRefused
from functions.traces.source import AskingCost
from tests.unit.alerts.building import CHECK, RULES, START, finding, judged, window

FOUND = Evaluated((judged(0, finding(0)),), window(0).end, rows=1, unjudged=2)
FAILED = EvaluationFailed(SourceRefused("No role.", next_step="Grant it."), (window(1), window(2)))
LONG_AFTER = START + timedelta(days=1)


def after_a_finding() -> CheckState:
    return carry_on(CheckState(), FOUND, CHECK, Circumstances(RULES, window(0).end))[0]


def told() -> CheckState:
    """Return the same with nothing waiting."""
    state = after_a_finding()
    return replace(state, outbox=replace(state.outbox, waiting=()))


def test_an_evaluation_moves_everything() -> None:
    state = after_a_finding()
    assert (state.watermark, state.consecutive_failures) == (window(0).end, 0)
    assert state.coverage.gaps(window(0)) == ()
    assert len(state.alerts) == len(state.outbox.waiting) == 1
    last = state.last_evaluation
    assert last is not None
    assert (last.ok, last.windows, last.rows, last.unjudged, last.error) == (True, 1, 1, 2, None)


def test_every_question_that_was_asked_is_counted_answered_or_not() -> None:
    took = replace(FOUND, asking=AskingCost(rows=1, seconds=0.5, bytes_read=64))
    state, _ = carry_on(CheckState(), took, CHECK, Circumstances(RULES, window(0).end))
    for asking in (AskingCost(), None):
        state, _ = carry_on(state, replace(FAILED, asking=asking), CHECK, Circumstances(RULES, window(0).end))
    (day,) = state.asking.days
    assert day.asked == Asked(queries=2, rows=1, seconds=0.5, timed=1, bytes_read=64, measured=1)


def test_a_failure_moves_nothing_but_the_count_of_failures() -> None:
    before = after_a_finding()
    state, notices = carry_on(before, FAILED, CHECK, Circumstances(RULES, LONG_AFTER))
    last = state.last_evaluation
    assert notices == ()
    assert state == replace(
        before,
        interruptions=state.interruptions,
        last_evaluation=last,
        consecutive_failures=1,
        asking=state.asking,
    )
    assert last is not None
    assert (last.ok, last.windows, last.error) == (False, 2, "SourceRefused")


def test_a_check_that_is_blind_fails_without_an_alert_of_its_own() -> None:
    blind = EvaluationFailed(SourceBlind("It can't be read.", next_step="Grant it."), (window(1),))
    state = after_a_finding()
    for _ in range(RULES.report_failure_after + 1):
        state, notices = carry_on(state, blind, CHECK, Circumstances(RULES, LONG_AFTER))
        assert notices == ()
    assert {alert.check_id for alert in state.alerts.values()} == {CHECK.id}
    assert state.last_evaluation is not None
    assert (state.last_evaluation.ok, state.last_evaluation.error) == (False, "SourceBlind")
    assert state.watermark == window(0).end


@pytest.mark.parametrize(("failures", "kinds"), [(0, ["repeated"]), (1, [])], ids=["healthy", "failing"])
def test_with_nothing_due_an_open_alert_repeats_unless_its_check_fails(
    failures: int, kinds: list[str]
) -> None:
    before = replace(told(), consecutive_failures=failures)
    state, notices = carry_on(before, NothingDue(), CHECK, Circumstances(RULES, LONG_AFTER))
    assert [notice.kind for notice in notices] == kinds
    assert (state is before) == (not kinds)
    assert [alert.notices for alert in state.alerts.values()] == [1 + len(kinds)]


def test_with_nothing_due_and_nothing_to_say_the_state_is_the_same_object() -> None:
    state = after_a_finding()
    assert carry_on(state, NothingDue(), CHECK, Circumstances(RULES, LONG_AFTER))[0] is state
