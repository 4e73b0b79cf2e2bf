"""Carries a check's whole state over one evaluation: watermark, alerts and outbox move together. Pure."""

from dataclasses import replace
from datetime import datetime

from functions.alerts import outbox
from functions.alerts.alert import Notice
from functions.alerts.failures import report_failure, report_success
from functions.alerts.lifecycle import advance
from functions.alerts.rules import AlertRules
from functions.alerts.state import CheckState, LastEvaluation
from functions.checks.definition import CheckDefinition
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue, Outcome
from functions.errors import SourceBlind


def carry_on(
    state: CheckState, outcome: Outcome, check: CheckDefinition, rules: AlertRules, now: datetime
) -> tuple[CheckState, tuple[Notice, ...]]:
    """Return the state that follows from an evaluation, and what was put into its outbox.

    The very same state comes back where nothing has changed. The alerts of a check that fails stay as they
    are until it can be evaluated again: nobody knows whether they are over.
    """
    waiting = outbox.waiting_pairs(state.outbox)
    match outcome:
        case NothingDue():
            if state.consecutive_failures:
                return state, ()
            moved = advance(state.alerts, (), check=check, rules=rules, waiting=waiting, now=now)
            if not moved.notices:
                return state, ()
            after, notices = replace(state, alerts=moved.alerts), moved.notices
        case Evaluated():
            moved = advance(state.alerts, outcome.judged, check=check, rules=rules, waiting=waiting, now=now)
            works = report_success(moved.alerts, check=check, rules=rules, waiting=waiting, now=now)
            after = replace(_evaluated(state, outcome, now), alerts=works.alerts)
            notices = moved.notices + works.notices
        case EvaluationFailed():
            after = _failed(state, outcome, now)
            if isinstance(outcome.error, SourceBlind):
                return after, ()  # the canary tells of it once, for all checks
            moved = report_failure(
                state.alerts,
                check=check,
                error=type(outcome.error).__name__,
                failures=after.consecutive_failures,
                windows=outcome.windows,
                rules=rules,
                waiting=waiting,
                now=now,
            )
            after, notices = replace(after, alerts=moved.alerts), moved.notices
    return replace(after, outbox=outbox.enqueue(after.outbox, notices)), notices


def _evaluated(state: CheckState, outcome: Evaluated, now: datetime) -> CheckState:
    windows = [one.window for one in outcome.judged]
    return replace(
        state,
        watermark=outcome.watermark,
        last_evaluation=LastEvaluation(
            at=now, ok=True, windows=len(windows), rows=outcome.rows, unjudged=outcome.unjudged, error=None
        ),
        consecutive_failures=0,
        coverage=state.coverage.after(windows, outcome.rows),
        asking=state.asking.after(outcome.asking, now),
    )


def _failed(state: CheckState, outcome: EvaluationFailed, now: datetime) -> CheckState:
    error = type(outcome.error).__name__
    return replace(
        state,
        last_evaluation=LastEvaluation(
            at=now, ok=False, windows=len(outcome.windows), rows=0, unjudged=0, error=error
        ),
        consecutive_failures=state.consecutive_failures + 1,
        asking=state.asking.after(outcome.asking, now),
    )
