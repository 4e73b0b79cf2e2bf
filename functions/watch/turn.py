"""One check's turn in a tick: judge what is due, carry its alerts on, and write all of it at once."""

import logging
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from functions.alerts.circumstances import Circumstances, nobody
from functions.alerts.outbox import Outbox
from functions.alerts.progress import carry_on, carry_on_by_sweep
from functions.alerts.rules import AlertRules
from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.checks.definition import CheckDefinition
from functions.checks.memory import Memory
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue, Outcome
from functions.checks.sweep import Swept
from functions.checks.unswept import Unswept
from functions.checks.windows import Batch
from functions.errors import DocumentConflict, TracekeeperError
from functions.storage.documents import Documents
from functions.watch.quieting import Quieted

_log = logging.getLogger(__name__)


class Sweeper(Protocol):
    """What sweeps a check's windows: `functions.checks.runner.Runner`."""

    def sweep(self, check: CheckDefinition, batch: Batch, unswept: Unswept) -> Swept | EvaluationFailed:
        """Judge windows once more; a failure is an outcome."""
        ...


class Judge(Protocol):
    """What evaluates a check: `functions.checks.runner.Runner`."""

    def judge_due(
        self, check: CheckDefinition, *, watermark: datetime | None, now: datetime, memory: Memory | None
    ) -> Outcome:
        """Judge the windows that are due; a failure is an outcome."""
        ...


@dataclass(frozen=True, slots=True)
class CheckTick:
    """What one tick did about one check.

    Attributes:
        check_id: The check.
        result: "nothing_due"; "evaluated"; "failed" (the windows stay due); "conflict" (someone else wrote,
            and nothing of this tick counts); "stopped" (its document can't be read or written, or a bug).
        windows: How many were due.
        findings: How many were found.
        notices: How many were put into the outbox.
        error: The kind of error of "failed" and "stopped".
        late: How many findings a sweep added.
    """

    check_id: str
    result: Literal["nothing_due", "evaluated", "failed", "conflict", "stopped"]
    windows: int = 0
    findings: int = 0
    notices: int = 0
    error: str | None = None
    late: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a check's turn.

    Attributes:
        tick: What was done.
        outbox: What has to be told; None where nothing of the turn counts: then another host tells it, or
            nobody can.
    """

    tick: CheckTick
    outbox: Outbox | None = None


@dataclass(frozen=True, slots=True)
class Turns:
    """Takes the turns of checks.

    Attributes:
        documents: Where their states are.
        runner: Evaluates a check.
        rules: When alerts are told again and count as over.
        clock: The present instant, UTC.
        patience_seconds: How long it waits for a check that hangs and may keep its alerts quiet.
        sweeper: Judges windows once more for late rows; without it none is.
        quieting: Returns what says by which silences and inhibitions an alert is kept quiet now; asked
            before each writing, so that one that has just ended keeps nothing quiet.
    """

    documents: Documents
    runner: Judge
    rules: AlertRules
    clock: Callable[[], datetime]
    patience_seconds: float
    sweeper: Sweeper | None = None
    quieting: Callable[[], Quieted] = lambda: nobody

    def take(self, check: CheckDefinition, before: Sequence[Future[Judged]]) -> Judged:
        """Evaluate a check and commit what follows; whatever happens is the tick's result."""
        try:
            return self._judge(check, before)
        except DocumentConflict:
            return Judged(CheckTick(check.id, "conflict"))
        except Exception as error:  # noqa: BLE001 - one check's bug or broken document must not stop the others
            _log_stop(check, error)
            return Judged(CheckTick(check.id, "stopped", error=type(error).__name__))

    def _judge(self, check: CheckDefinition, before: Sequence[Future[Judged]]) -> Judged:
        """Evaluate a check and commit what follows, all of it or nothing.

        What may keep its alerts quiet, `before`, has written first; they are asked side by side all the same.
        """
        name = PREFIX + check.id
        held = self.documents.read(name)
        state = state_from_json(name, held.body) if held else CheckState()
        outcome = self.runner.judge_due(
            check, watermark=state.watermark, now=self.clock(), memory=state.memory
        )
        sweep = self._sweep(check, state, outcome, self.clock())
        wait(before, timeout=self.patience_seconds)
        # After all questions: what is hidden must be written soon after it was asked what is in force.
        circumstances = self._circumstances(self.clock())
        after, notices = carry_on(state, outcome, check, circumstances)
        if sweep is not None:
            after, late = carry_on_by_sweep(after, sweep, check, circumstances)
            notices += late
        if after is not state:
            self.documents.write(name, state_to_json(after), version=held.version if held else None)
        return Judged(_tick(check, outcome, sweep, len(notices)), after.outbox)

    def _circumstances(self, now: datetime) -> Circumstances:
        return Circumstances(self.rules, now, quieted=self.quieting())

    def _sweep(
        self, check: CheckDefinition, state: CheckState, outcome: Outcome, now: datetime
    ) -> Swept | EvaluationFailed | None:
        """Sweep what is due, unless the check fails or catches up: then one question a tick is enough."""
        if self.sweeper is None or isinstance(outcome, EvaluationFailed) or state.consecutive_failures:
            return None
        if isinstance(outcome, Evaluated) and outcome.catches_up(check.every):
            return None
        batch = state.unswept.due(check.settle, now)
        return self.sweeper.sweep(check, batch, state.unswept) if batch else None


def _tick(
    check: CheckDefinition, outcome: Outcome, sweep: Swept | EvaluationFailed | None, notices: int
) -> CheckTick:
    late = len(sweep.late) if isinstance(sweep, Swept) else 0
    if isinstance(sweep, EvaluationFailed):
        _log.error("The check %s could not be swept: %s", check.id, sweep.error)
    match outcome:
        case NothingDue():
            return CheckTick(check.id, "nothing_due", late=late, notices=notices)
        case Evaluated():
            findings = sum(len(one.findings) for one in outcome.judged)
            return CheckTick(check.id, "evaluated", len(outcome.judged), findings, notices, late=late)
        case EvaluationFailed():
            _log.error("The check %s could not be evaluated: %s", check.id, outcome.error)
            error = type(outcome.error).__name__
            return CheckTick(check.id, "failed", len(outcome.windows), notices=notices, error=error)


def _log_stop(check: CheckDefinition, error: Exception) -> None:
    """Name an error by its place; only our own errors' texts are known to be free of content."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = str(error) if isinstance(error, TracekeeperError) else type(error).__name__
    _log.error("The turn of %s stopped at %s:%s: %s", check.id, place.filename, place.lineno, text)
