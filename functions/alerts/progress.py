"""Carries a check's whole state over one evaluation: watermark, alerts and outbox move together. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from functions.alerts import outbox
from functions.alerts.alert import Alert, Notice
from functions.alerts.circumstances import Circumstances
from functions.alerts.failures import report_failure, report_success
from functions.alerts.hidden import Hidden, hide, is_silence
from functions.alerts.late import found_late
from functions.alerts.lifecycle import Advance, advance, told_of
from functions.alerts.state import CheckState, LastEvaluation
from functions.alerts.watchfulness import is_behind, report_behind, report_blind_day, report_nothing_new
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Window
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue, Outcome
from functions.checks.sweep import Swept
from functions.errors import SourceBlind


def carry_on(
    state: CheckState, outcome: Outcome, check: CheckDefinition, circumstances: Circumstances
) -> tuple[CheckState, tuple[Notice, ...]]:
    """Return the state that follows from an evaluation, and what was put into its outbox.

    The very same state comes back where nothing has changed. The alerts of a check that fails stay as they
    are until it can be evaluated again: nobody knows whether they are over.

    Args:
        state: As the check's document has it.
        outcome: What the evaluation came to.
        check: The check.
        circumstances: The rules, the present instant, what keeps what quiet; what waits is in the state.
    """
    now = circumstances.now
    circumstances = replace(circumstances, waiting=outbox.waiting_pairs(state.outbox))
    match outcome:
        case NothingDue():
            if state.consecutive_failures:
                return state, ()
            moved = told_of(state.alerts, check, circumstances)
            moved = moved.then(report_nothing_new(moved.alerts, check, circumstances))
            return _moved(state, moved), moved.notices
        case Evaluated():
            moved = advance(state.alerts, outcome.judged, check=check, circumstances=circumstances)
            after = _evaluated(state, outcome, check, now)
            moved = moved.then(report_success(moved.alerts, check=check, circumstances=circumstances))
            moved = moved.then(_about_itself(after, moved.alerts, state.watermark, check, circumstances))
        case EvaluationFailed():
            after = _failed(state, outcome, check, now)
            if isinstance(outcome.error, SourceBlind):
                return after, ()  # the canary tells of it once, for all checks
            moved = report_failure(
                state.alerts,
                check=check,
                error=type(outcome.error).__name__,
                failures=after.consecutive_failures,
                windows=outcome.windows,
                circumstances=circumstances,
            )
    return _moved(after, moved), moved.notices


def carry_on_by_sweep(
    state: CheckState,
    sweep: Swept | EvaluationFailed,
    check: CheckDefinition,
    circumstances: Circumstances,
) -> tuple[CheckState, tuple[Notice, ...]]:
    """Return the state that follows from a sweep, and what was put into its outbox.

    A sweep that fails is tried again later; it says nothing about the check, whose windows were judged.
    """
    now = circumstances.now
    asking = state.asking.after(sweep.asking, now)
    if isinstance(sweep, EvaluationFailed):
        kind = type(sweep.error).__name__
        errors = state.interruptions.failed(kind, due=None, in_a_row=False, now=now)
        unswept = replace(state.unswept, failed_at=now)
        return replace(state, asking=asking, interruptions=errors, unswept=unswept), ()
    moved = found_late(
        state.alerts,
        sweep,
        check=check,
        circumstances=replace(circumstances, waiting=outbox.waiting_pairs(state.outbox)),
        judged_until=state.watermark or now,
    )
    tally = state.tally.came_late(sweep.late_rows)
    for finding in sweep.late:
        tally = tally.plus(finding.window.start, late_findings=1)
    for refuted in sweep.refuted:
        tally = tally.plus(refuted.start, withdrawn=max(1, len(refuted.traces)))
    after = replace(
        state,
        asking=asking,
        tally=tally,
        unswept=state.unswept.swept(sweep.windows),
    )
    return _moved(after, moved), moved.notices


def _moved(state: CheckState, moved: Advance) -> CheckState:
    """Return the state with its alerts moved; the very same where nothing has."""
    hidden = _hidden(state.hidden, moved)
    if moved.alerts == state.alerts and not moved.notices and hidden == state.hidden:
        return state
    return replace(
        state, alerts=moved.alerts, hidden=hidden, outbox=outbox.enqueue(state.outbox, moved.notices)
    )


def _hidden(hidden: tuple[Hidden, ...], moved: Advance) -> tuple[Hidden, ...]:
    """Write down what was withheld, and forget what an inhibition hid once people are told or it is gone.

    What a silence hid is kept till its report is made.
    """
    for about in {about.id: about for _, about in moved.withheld}.values():
        hidden = hide(hidden, (alert for alert, of in moved.withheld if of.id == about.id), about)
    told = {notice.alert.id for notice in moved.notices}
    return tuple(
        one
        for one in hidden
        if is_silence(one.silence) or (one.alert_id in moved.alerts and one.alert_id not in told)
    )


def _evaluated(state: CheckState, outcome: Evaluated, check: CheckDefinition, now: datetime) -> CheckState:
    windows = [one.window for one in outcome.judged]
    unswept = state.unswept
    if outcome.read_until is not None:
        unswept = unswept.after(outcome.judged, outcome.read_until)
    return replace(
        state,
        watermark=outcome.watermark,
        last_evaluation=LastEvaluation(
            at=now, ok=True, windows=len(windows), rows=outcome.rows, unjudged=outcome.unjudged, error=None
        ),
        consecutive_failures=0,
        coverage=state.coverage.after(windows, outcome.rows),
        asking=state.asking.after(outcome.asking, now),
        interruptions=state.interruptions.tried(due=_due(state, windows, check), now=now),
        tally=state.tally.judged(outcome.judged).came_late(outcome.late_rows),
        unswept=unswept,
        behind=state.behind + 1 if is_behind(check, outcome.watermark, now) else 0,
        memory=outcome.memory,
    )


def _about_itself(
    after: CheckState,
    alerts: Mapping[str, Alert],
    before: datetime | None,
    check: CheckDefinition,
    circumstances: Circumstances,
) -> Advance:
    """Tell of a check that is behind, or that was blind for a day."""
    behind = report_behind(
        alerts,
        check=check,
        judged_until=after.watermark or circumstances.now,
        in_a_row=after.behind,
        circumstances=circumstances,
    )
    blind = report_blind_day(
        behind.alerts,
        check=check,
        coverage=after.coverage,
        tally=after.tally,
        before=before,
        circumstances=circumstances,
    )
    return behind.then(blind)


def _failed(
    state: CheckState, outcome: EvaluationFailed, check: CheckDefinition, now: datetime
) -> CheckState:
    error = type(outcome.error).__name__
    return replace(
        state,
        last_evaluation=LastEvaluation(
            at=now, ok=False, windows=len(outcome.windows), rows=0, unjudged=0, error=error
        ),
        consecutive_failures=state.consecutive_failures + 1,
        asking=state.asking.after(outcome.asking, now),
        interruptions=state.interruptions.failed(
            error,
            due=_due(state, outcome.windows, check),
            in_a_row=state.consecutive_failures > 0,
            now=now,
        ),
    )


def _due(state: CheckState, windows: Sequence[Window], check: CheckDefinition) -> datetime | None:
    """Return when the first of the windows was due; None where a check's first evaluation looks back."""
    return windows[0].end + check.settle if state.watermark else None
