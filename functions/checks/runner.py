"""Evaluates one check: works out what is due, asks, judges. A failure is an outcome, not a pass."""

import logging
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from functions.checks.definition import CheckDefinition
from functions.checks.evaluation import Judgement, judge
from functions.checks.finding import JudgedWindow, Window
from functions.checks.late_rows import split_late_rows
from functions.checks.memory import Memory, fitting
from functions.checks.question import question
from functions.checks.sweep import Swept, compare, is_swept, reading_after
from functions.checks.unswept import LATE_HORIZON, Unswept, final_windows
from functions.checks.windows import Batch, due_windows
from functions.costs.prices import Prices
from functions.errors import SourceBlind, TooMuchContent, TracekeeperError
from functions.traces.agents import Agents
from functions.traces.metering import Metered, total
from functions.traces.source import AskingCost, TraceSource

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NothingDue:
    """No window has ended and settled since the watermark."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """All of a batch was judged.

    Attributes:
        judged: Every window of the batch in order, with what was found there.
        watermark: The end of the last of them: where the next evaluation begins.
        rows: Result rows that lie in these windows.
        unjudged: Those of them with too little history to be called usual or unusual.
        asking: What the questions took.
        read_until: Rows received before this instant were read; None where late ones change nothing.
        late_rows: Rows that came too late for their window but were read all the same, by its start.
        memory: What the next evaluation goes on from; None where the check needs nothing.
    """

    judged: tuple[JudgedWindow, ...]
    watermark: datetime
    rows: int
    unjudged: int
    asking: AskingCost = field(default_factory=AskingCost)
    read_until: datetime | None = None
    late_rows: Mapping[datetime, int] = field(default_factory=dict)
    memory: Memory | None = None

    def catches_up(self, every: timedelta) -> bool:
        """Return whether this was more than what comes due from one tick to the next."""
        return self.judged[-1].window.end - self.judged[0].window.start > max(LATE_HORIZON, every)


@dataclass(frozen=True, slots=True)
class EvaluationFailed:
    """Nothing is known about these windows; they stay due.

    Attributes:
        error: Why, free of telemetry.
        windows: What was asked for.
        asking: What the questions took, as far as answers came; None where none was asked.
    """

    error: TracekeeperError
    windows: tuple[Window, ...]
    asking: AskingCost | None = None


Outcome = NothingDue | Evaluated | EvaluationFailed


Blindness = Callable[[CheckDefinition], str | None]
"""Says as a sentence, free of telemetry, why a check can't see what it needs; None where nothing is known to
keep it from seeing. Raises StorageError."""


def _sees_everything(check: CheckDefinition) -> None:
    """Stand in where nobody looks."""


class Runner:
    """Evaluates checks on one source, with what agents owe and models cost. Holds no state of its own.

    Args:
        source: Whom to ask.
        agents: What agents owe.
        prices: What models cost.
        blindness: Asked before each question; a check that is blind asks none, and its windows stay due.
        content: Whom to ask about AppGenAIContent where it must be asked alone; None where it need not be.
    """

    def __init__(
        self,
        source: TraceSource,
        agents: Agents,
        prices: Prices,
        blindness: Blindness = _sees_everything,
        content: TraceSource | None = None,
    ) -> None:
        self._source = source
        self._content = content
        self._agents = agents
        self._prices = prices
        self._blindness = blindness

    def judge_due(
        self,
        check: CheckDefinition,
        *,
        watermark: datetime | None,
        now: datetime,
        memory: Memory | None = None,
    ) -> Outcome:
        """Judge the windows that are due: the older ones alone where all have too much content for a query.

        Args:
            check: The check.
            watermark: The end of the last window judged; None before the first evaluation.
            now: The present instant, UTC.
            memory: What the last evaluation left; None before the first.
        """
        batch = due_windows(every=check.every, settle=check.settle, watermark=watermark, now=now)
        if batch is None:
            return NothingDue()
        spent: list[AskingCost] = []
        outcome = self._judge_batch(check, batch, memory, now, spent)
        while (
            isinstance(outcome, EvaluationFailed)
            and isinstance(outcome.error, TooMuchContent)
            and len(batch.windows) > 1
        ):
            # Else what came after an outage would stay due for ever.
            batch = Batch(batch.width, batch.windows[: len(batch.windows) // 2])
            outcome = self._judge_batch(check, batch, memory, now, spent)
        return outcome

    def _judge_batch(
        self,
        check: CheckDefinition,
        batch: Batch,
        memory: Memory | None,
        now: datetime,
        spent: list[AskingCost],
    ) -> Evaluated | EvaluationFailed:
        settle, end = reading_after(check, batch, now), batch.windows[-1].end
        final = final_windows(batch.windows, end + settle) if is_swept(check) else ()
        read_until = end + (settle if final else check.settle)
        answer = self._judged(
            check, batch, memory, settle=settle if final else None, final=final, spent=spent
        )
        if isinstance(answer, EvaluationFailed):
            return answer
        return Evaluated(
            answer.judgement.judged,
            end,
            answer.judgement.rows,
            answer.judgement.unjudged,
            asking=answer.asking,
            read_until=read_until if is_swept(check) else None,
            late_rows=answer.late_rows,
            memory=answer.judgement.memory,
        )

    def sweep(self, check: CheckDefinition, batch: Batch, unswept: Unswept) -> Swept | EvaluationFailed:
        """Judge windows once more, with the rows that came until LATE_HORIZON after them."""
        answer = self._judged(check, batch, None, settle=LATE_HORIZON, final=batch.windows, spent=[])
        if isinstance(answer, EvaluationFailed):
            return answer
        late, refuted = compare(unswept, answer.judgement.judged)
        return Swept(batch.windows, late, refuted, answer.late_rows, answer.asking)

    def _judged(
        self,
        check: CheckDefinition,
        batch: Batch,
        memory: Memory | None,
        *,
        settle: timedelta | None,
        final: Collection[Window],
        spent: list[AskingCost],
    ) -> "_Answer | EvaluationFailed":
        """Ask and judge; with a `settle`, count late rows of the `final` windows, which are all read.

        What is asked is added to what is `spent`.
        """
        content = None if self._content is None else Metered(self._content, spent)
        late_rows: Mapping[datetime, int] = {}
        try:
            self._see(check)
            known = fitting(memory, batch)
            asked = question(
                check,
                batch,
                self._agents,
                self._prices,
                memory=known,
                settle=settle,
                content_apart=content is not None,
            )
            rows = asked.ask(Metered(self._source, spent), content)
            asking = total(spent) or rows.asking
            if settle is not None:
                rows, late_rows = split_late_rows(rows, {window.start for window in final})
            return _Answer(judge(check, rows, batch, self._agents, known), late_rows, asking)
        except TracekeeperError as error:
            return EvaluationFailed(error, batch.windows, total(spent))
        except Exception as error:  # noqa: BLE001 - one check's bug must not stop the others; it is reported
            return EvaluationFailed(_unexpected(check, error), batch.windows, total(spent))

    def _see(self, check: CheckDefinition) -> None:
        why = self._blindness(check)
        if why is not None:
            raise SourceBlind(
                why,
                next_step="The alert about what can be seen says what to do; no window is lost till then.",
            )


@dataclass(frozen=True, slots=True)
class _Answer:
    judgement: Judgement
    late_rows: Mapping[datetime, int]
    asking: AskingCost


def _unexpected(check: CheckDefinition, error: Exception) -> TracekeeperError:
    """Name a bug by its type and place; its text may quote telemetry."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    _log.error(
        "Check %s stopped on %s at %s:%s", check.id, type(error).__name__, place.filename, place.lineno
    )
    return TracekeeperError(
        f"The check {check.id} stopped on an unexpected {type(error).__name__}.",
        next_step="Look for the check's id in the app's log; the windows are tried again at the next tick.",
    )
