"""Asks what can be seen, remembers the answer, and says which checks are blind for it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.canary import question
from functions.canary.canary import Markers, read_markers
from functions.canary.sight import (
    CONTENT,
    IN_TIME,
    REMEMBERED,
    SPANS,
    WORDS,
    NeedSight,
    Place,
    Sight,
    Verdict,
    carried_on,
    judge_content,
    judge_pointers,
    judge_spans,
)
from functions.canary.telling import judged
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Window
from functions.checks.memory import Memory
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue, Outcome
from functions.checks.windows import FIRST_LOOKBACK, window_start
from functions.errors import SourceError
from functions.storage.documents import Document, Documents
from functions.traces.source import TraceSource

DOCUMENT = "canary/sight"
"""Written by the watch alone."""

STALE = timedelta(minutes=15)
"""An answer that is older says nothing about the present."""

_log = logging.getLogger(__name__)


class Looking:
    """Evaluates the sight check for the watch (a `Judge`), and answers which other checks are blind.

    Args:
        documents: Where markers and sight are remembered.
        source: Where to ask.
        checks: Those that can be blind.
        canaries: Whether marker runs are sent.
        expected: Where content should lie.
        clock: The present instant, UTC.
        content: Whom to ask about AppGenAIContent; `source` unless given.
    """

    def __init__(
        self,
        documents: Documents,
        source: TraceSource,
        checks: Sequence[CheckDefinition],
        *,
        canaries: bool,
        expected: Place,
        clock: Callable[[], datetime],
        content: TraceSource | None = None,
    ) -> None:
        self._documents = documents
        self._source = source
        self._holder = content or source
        self._checks = checks
        self._canaries = canaries
        self._expected = expected
        self._clock = clock

    def judge_due(
        self,
        check: CheckDefinition,
        *,
        watermark: datetime | None,
        now: datetime,
        memory: Memory | None = None,  # noqa: ARG002 - the interface's
    ) -> Outcome:
        """Ask, remember, and judge all the time since the last question by the answer.

        Raises:
            StorageError: A document could not be read or written.
        """
        held = self._documents.read(DOCUMENT)
        before = sight_from_json(held.body) if held else None
        if not _due(before, check.every, watermark, now):
            return NothingDue()
        window = Window(watermark or now - check.every, now)
        markers = read_markers(self._documents)
        try:
            verdicts = self._by_markers(markers, now) if self._canaries else self._by_pointers(before, now)
        except SourceError as error:
            return EvaluationFailed(error, (window,))
        sight = carried_on(before, verdicts, now)
        self._remember(held, sight)
        answer = judged(sight, self._checks, window=window, not_sent=markers.error)
        return Evaluated((answer,), watermark=now, rows=len(verdicts), unjudged=len(answer.unjudged))

    def blindness(self, check: CheckDefinition) -> str | None:
        """Return why a check can't see what it needs, as a sentence, or None where nothing says so.

        Where nobody knows, only a check that needs content is blind: a protected table hides it without a
        word. The ordinary tables answer or fail by themselves; a canary that can't send must not stop
        every check.

        Raises:
            StorageError: The document could not be read.
        """
        sight = read_sight(self._documents)
        if sight is None or self._clock() - sight.asked_at > STALE:
            return "What can be seen has not been asked for lately." if CONTENT in check.needs else None
        for need in check.needs:
            known = sight.needs.get(need)
            if known is None or known.answer == "pass" or (need, known.answer) == (SPANS, "unknown"):
                continue
            return f"{need}: {WORDS[known.answer]} since {known.since:%Y-%m-%d %H:%M} UTC. {known.why}"
        return None

    def _by_markers(self, markers: Markers, now: datetime) -> Mapping[str, Verdict]:
        accepted = [one for one in markers.accepted if now - one.at < REMEMBERED]
        rows = question.ask_markers(self._source, [one.trace_id for one in accepted], now=now)
        content = self._content(
            lambda: question.ask_markers_content(self._holder, [row.trace_id for row in rows], now=now)
        )
        return {
            SPANS: judge_spans(accepted, rows, now=now),
            CONTENT: judge_content(rows, content, expected=self._expected, now=now),
        }

    def _by_pointers(self, before: Sight | None, now: datetime) -> Mapping[str, Verdict]:
        """Look at all spans since the last good answer: catching up must not outrun what was looked at."""
        earlier = before.needs.get(CONTENT) if before else None
        good_until = before.asked_at if before else now - FIRST_LOOKBACK
        if earlier and earlier.answer != "pass":
            good_until = earlier.since
        pointers = question.ask_pointers(
            self._source,
            received_from=max(good_until - REMEMBERED, now - FIRST_LOOKBACK - REMEMBERED),
            received_to=now - IN_TIME,
        )
        content = self._content(lambda: question.ask_content(self._holder, pointers))
        return {CONTENT: judge_pointers(pointers, content, before=earlier, now=now)}

    @staticmethod
    def _content[Found](ask: Callable[[], Found]) -> Found | None:
        """Ask AppGenAIContent; where only that fails, only what needs content is blind."""
        try:
            return ask()
        except SourceError as error:
            _log.warning("AppGenAIContent could not be asked: %s", error)
            return None

    def _remember(self, held: Document | None, sight: Sight) -> None:
        self._documents.write(DOCUMENT, sight_to_json(sight), version=held.version if held else None)


def read_sight(documents: Documents) -> Sight | None:
    """Return what could be seen when last asked for; None before the first time. Raises StorageError."""
    held = documents.read(DOCUMENT)
    return sight_from_json(held.body) if held else None


def sight_to_json(sight: Sight) -> dict[str, Any]:
    """Return the document's body, which the HTTP API shows too."""
    return {
        "asked_at": _text(sight.asked_at),
        "needs": {
            need: {"answer": known.answer, "why": known.why, "since": _text(known.since)}
            for need, known in sight.needs.items()
        },
    }


def sight_from_json(body: Mapping[str, Any]) -> Sight:
    """Read back what `sight_to_json` wrote."""
    needs = {
        need: NeedSight(known["answer"], known["why"], datetime.fromisoformat(known["since"]))
        for need, known in body["needs"].items()
    }
    return Sight(datetime.fromisoformat(body["asked_at"]), needs)


def _due(before: Sight | None, every: timedelta, watermark: datetime | None, now: datetime) -> bool:
    if before is None or watermark is None:
        return True
    # What is mended is noticed at once; what is good is asked for less often.
    if any(known.answer != "pass" for known in before.needs.values()):
        return now > watermark
    return window_start(now, every) > watermark


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
