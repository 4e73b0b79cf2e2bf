"""One tick of the watch: judge what is due, carry the alerts on, write it all at once, then tell people."""

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import asdict, dataclass
from datetime import datetime
from random import SystemRandom
from typing import Literal, Protocol

from functions.alerts.circumstances import Circumstances, nobody
from functions.alerts.delivery.interface import Channel
from functions.alerts.dispatch import Dispatch, Round
from functions.alerts.progress import carry_on, carry_on_by_sweep
from functions.alerts.quieting import Quieted
from functions.alerts.routing import inhibiting, inhibiting_first
from functions.alerts.rules import AlertRules
from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.checks.definition import CheckDefinition
from functions.checks.memory import Memory
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue, Outcome
from functions.checks.sweep import Swept
from functions.checks.unswept import Unswept
from functions.checks.windows import Batch
from functions.errors import DocumentConflict, TracekeeperError
from functions.storage.documents import Documents, encode

_log = logging.getLogger(__name__)
_RANDOM = SystemRandom()


JUDGED_AT_ONCE = 5
"""As many queries as Log Analytics runs at once for one identity."""


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
class TickReport:
    """What one tick did: each check, and how many messages were accepted, put off and refused."""

    checks: tuple[CheckTick, ...]
    accepted: int
    put_off: int
    refused: int


class Watch:
    """Runs ticks. Holds no state: that is in the documents, so that any host can run the next one.

    Args:
        documents: Where the checks' states are.
        runner: Evaluates a check.
        checks: What to evaluate, in this order.
        rules: When alerts are told again and count as over.
        channels: By the destinations' names in alerts.yaml.
        clock: The present instant, UTC.
        jitter: Random numbers in [0, 1) that spread retries.
        sweeper: Judges windows once more for late rows; without it none is.
        workers: Runs so many calls side by side as it is given, and begins them in the order given.
        quieting: Returns what says by which silences and inhibitions an alert is kept quiet now; asked before
            each writing, so that one that has just ended keeps nothing quiet.
    """

    def __init__(
        self,
        documents: Documents,
        runner: Judge,
        checks: Sequence[CheckDefinition],
        rules: AlertRules,
        channels: Mapping[str, Channel],
        *,
        clock: Callable[[], datetime],
        jitter: Callable[[], float] = _RANDOM.random,
        sweeper: Sweeper | None = None,
        workers: Callable[[int], Executor] = ThreadPoolExecutor,
        quieting: Callable[[], Quieted] = lambda: nobody,
    ) -> None:
        self._documents = documents
        self._workers = workers
        self._runner = runner
        self._checks = checks
        self._rules = rules
        self._sweeper = sweeper
        self._quieting = quieting
        self._clock = clock
        self._dispatch = Dispatch(documents, channels, clock=clock, jitter=jitter)

    def tick(self) -> TickReport:
        """Run every check's turn; whatever happens to one, the others have theirs.

        Checks are judged side by side, so that one that hangs holds up nobody's news but its own. Messages
        are sent one after another: the destinations' rates are shared.
        """
        this_round = Round()
        checks = {check.id: check for check in self._checks}
        with self._workers(JUDGED_AT_ONCE) as judges:
            judging: dict[str, Future[CheckTick]] = {}
            for check_id in inhibiting_first(tuple(checks), self._rules):
                before = [judging[by] for by in inhibiting(check_id, self._rules) if by in judging]
                judging[check_id] = judges.submit(self._judged, checks[check_id], before)
            ids = {judged: check_id for check_id, judged in judging.items()}
            done = {}
            for judged in as_completed(ids):
                check = checks[ids[judged]]
                done[check.id] = judged.result()
                if done[check.id].result not in {"conflict", "stopped"}:
                    self._deliver(check, this_round)
        ticks = tuple(done[check.id] for check in self._checks)
        answers = this_round.answers
        report = TickReport(ticks, answers["accepted"], answers["put_off"], answers["refused"])
        _log.info("%s", encode({"event": "watch.tick", **asdict(report)}).decode())
        return report

    def _judged(self, check: CheckDefinition, before: Sequence[Future[CheckTick]]) -> CheckTick:
        """Evaluate a check and commit what follows; whatever happens is the tick's result."""
        try:
            return self._judge(check, before)
        except DocumentConflict:
            return CheckTick(check.id, "conflict")
        except Exception as error:  # noqa: BLE001 - one check's bug or broken document must not stop the others
            _log_stop(check, error)
            return CheckTick(check.id, "stopped", error=type(error).__name__)

    def _deliver(self, check: CheckDefinition, this_round: Round) -> None:
        """Send what a check has to tell."""
        try:
            self._dispatch.deliver(check, this_round)
        except DocumentConflict:
            _log.warning("Someone else works on %s; the rest of its notices is theirs to send.", check.id)
        except Exception as error:  # noqa: BLE001 - as above
            _log_stop(check, error)

    def _judge(self, check: CheckDefinition, before: Sequence[Future[CheckTick]]) -> CheckTick:
        """Evaluate a check and commit what follows, all of it or nothing.

        What may keep its alerts quiet, `before`, has written first; they are asked side by side all the same.
        """
        name = PREFIX + check.id
        held = self._documents.read(name)
        state = state_from_json(name, held.body) if held else CheckState()
        outcome = self._runner.judge_due(
            check, watermark=state.watermark, now=self._clock(), memory=state.memory
        )
        wait(before)
        now = self._clock()
        after, notices = carry_on(state, outcome, check, self._circumstances(now))
        sweep = self._sweep(check, state, outcome, now)
        if sweep is not None:
            after, late = carry_on_by_sweep(after, sweep, check, self._circumstances(self._clock()))
            notices += late
        if after is not state:
            self._documents.write(name, state_to_json(after), version=held.version if held else None)
        return _tick(check, outcome, sweep, len(notices))

    def _circumstances(self, now: datetime) -> Circumstances:
        return Circumstances(self._rules, now, quieted=self._quieting())

    def _sweep(
        self, check: CheckDefinition, state: CheckState, outcome: Outcome, now: datetime
    ) -> Swept | EvaluationFailed | None:
        """Sweep what is due, unless the check fails or catches up: then one question a tick is enough."""
        if self._sweeper is None or isinstance(outcome, EvaluationFailed) or state.consecutive_failures:
            return None
        if isinstance(outcome, Evaluated) and outcome.catches_up(check.every):
            return None
        batch = state.unswept.due(check.settle, now)
        return self._sweeper.sweep(check, batch, state.unswept) if batch else None


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
