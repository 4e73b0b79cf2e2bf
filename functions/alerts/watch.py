"""One tick of the watch: judge what is due, carry the alerts on, write it all at once, then tell people."""

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from random import SystemRandom
from typing import Literal, Protocol

from functions.alerts.delivery.interface import Destination
from functions.alerts.dispatch import Dispatch, Round
from functions.alerts.progress import carry_on
from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.checks.definition import CheckDefinition
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue, Outcome
from functions.configuration import Configuration
from functions.errors import DocumentConflict, TracekeeperError
from functions.storage.documents import Documents, encode

_log = logging.getLogger(__name__)
_RANDOM = SystemRandom()


class Judge(Protocol):
    """What evaluates a check: `functions.checks.runner.Runner`."""

    def judge_due(self, check: CheckDefinition, *, watermark: datetime | None, now: datetime) -> Outcome:
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
    """

    check_id: str
    result: Literal["nothing_due", "evaluated", "failed", "conflict", "stopped"]
    windows: int = 0
    findings: int = 0
    notices: int = 0
    error: str | None = None


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
        configuration: The checks and the rules of alerting.
        destinations: By their names in alerts.yaml.
        clock: The present instant, UTC.
        hostname: The host of the HTTP API, for the links in cards.
        jitter: Random numbers in [0, 1) that spread retries.
    """

    def __init__(
        self,
        documents: Documents,
        runner: Judge,
        configuration: Configuration,
        destinations: Mapping[str, Destination],
        *,
        clock: Callable[[], datetime],
        hostname: str,
        jitter: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._documents = documents
        self._runner = runner
        self._configuration = configuration
        self._clock = clock
        self._dispatch = Dispatch(
            documents, destinations, clock=clock, jitter=jitter, base_url=f"https://{hostname}"
        )

    def tick(self) -> TickReport:
        """Run every check's turn; whatever happens to one, the others have theirs."""
        this_round = Round()
        ticks = tuple(self._turn(check, this_round) for check in self._configuration.checks)
        answers = this_round.answers
        report = TickReport(ticks, answers["accepted"], answers["put_off"], answers["refused"])
        _log.info("%s", encode({"event": "watch.tick", **asdict(report)}).decode())
        return report

    def _turn(self, check: CheckDefinition, this_round: Round) -> CheckTick:
        try:
            tick, state, version = self._judge(check)
        except DocumentConflict:
            return CheckTick(check.id, "conflict")
        except Exception as error:  # noqa: BLE001 - one check's bug or broken document must not stop the others
            _log_stop(check, error)
            return CheckTick(check.id, "stopped", error=type(error).__name__)
        try:
            self._dispatch.deliver(check, state, version, this_round)
        except DocumentConflict:
            _log.warning("Someone else works on %s; the rest of its notices is theirs to send.", check.id)
        except Exception as error:  # noqa: BLE001 - as above
            _log_stop(check, error)
        return tick

    def _judge(self, check: CheckDefinition) -> tuple[CheckTick, CheckState, str | None]:
        """Evaluate a check and commit what follows, all of it or nothing."""
        name = PREFIX + check.id
        held = self._documents.read(name)
        state = state_from_json(name, held.body) if held else CheckState()
        version = held.version if held else None
        now = self._clock()
        outcome = self._runner.judge_due(check, watermark=state.watermark, now=now)
        after, notices = carry_on(state, outcome, check, self._configuration.alerts, now)
        if after is not state:
            version = self._documents.write(name, state_to_json(after), version=version).version
        return _tick(check, outcome, len(notices)), after, version


def _tick(check: CheckDefinition, outcome: Outcome, notices: int) -> CheckTick:
    match outcome:
        case NothingDue():
            return CheckTick(check.id, "nothing_due", notices=notices)
        case Evaluated():
            findings = sum(len(one.findings) for one in outcome.judged)
            return CheckTick(check.id, "evaluated", len(outcome.judged), findings, notices)
        case EvaluationFailed():
            _log.error("The check %s could not be evaluated: %s", check.id, outcome.error)
            error = type(outcome.error).__name__
            return CheckTick(check.id, "failed", len(outcome.windows), notices=notices, error=error)


def _log_stop(check: CheckDefinition, error: Exception) -> None:
    """Name an error by its place; only our own errors' texts are known to be free of content."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = str(error) if isinstance(error, TracekeeperError) else type(error).__name__
    _log.error("The turn of %s stopped at %s:%s: %s", check.id, place.filename, place.lineno, text)
