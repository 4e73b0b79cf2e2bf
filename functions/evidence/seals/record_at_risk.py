"""Turns what keeps the record from being kept into alerts: a clock that is off, days that nobody can seal."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from functions.access.clock import read_clock
from functions.checks.definition import CheckDefinition, without_query
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.judges import answer, window_due
from functions.checks.memory import Memory
from functions.checks.runner import NothingDue, Outcome
from functions.evidence.seals.sealing import SETTLE
from functions.evidence.seals.store import Seals
from functions.storage.documents import Documents

RECORD_AT_RISK = "record_at_risk"
"""Stands for a check's id in the alerts about the record."""

OVERDUE = timedelta(hours=6)
"""So long after it was due a day that is not sealed is told of; it was tried each hour."""

RECORD_CHECK = without_query(
    RECORD_AT_RISK,
    title="The record that evidence rests on is not kept as it should be",
    severity="high",
    owner="platform",
    every=timedelta(minutes=5),
    key=("Part",),
    shows=("Why",),
    unit="hours",
    false_positives="A short outage of the source ends by itself: the day is sealed then, wholly.",
    triage=(
        "Part clock: the app's clock differs from the storage service's by more than five minutes; dates in "
        "the ledger are wrong from the entry clock.off to clock.right, and no day is sealed. Part seals: "
        "look for the function seal_days in the app's log, which says each hour why a day is not sealed. "
        "Once the source's retention has ended for a day it can't be sealed any more."
    ),
)
"""What the alert is told as; it has no query."""


class RecordJudge:
    """Judges how the record is kept. There is nothing to say where nothing ever went wrong.

    Args:
        documents: Where it is remembered whether the clock is off.
        seals: The seals.
    """

    def __init__(self, documents: Documents, seals: Seals) -> None:
        self._documents = documents
        self._seals = seals

    def judge_due(
        self,
        check: CheckDefinition,
        *,
        watermark: datetime | None,
        now: datetime,
        memory: Memory | None = None,  # noqa: ARG002 - a judge's shape; it remembers nothing
    ) -> Outcome:
        """Judge the time since it was judged last. Raises StorageError."""
        window = window_due(check, watermark, now)
        if window is None:
            return NothingDue()
        return answer(JudgedWindow(window, tuple(self._findings(window))), watermark)

    def _findings(self, window: Window) -> Iterator[Finding]:
        clock = read_clock(self._documents)
        if clock.off:
            word = "ahead of" if clock.seconds > 0 else "behind"
            why = f"{abs(clock.seconds)} s {word} the storage service's"
            yield _finding("clock", window, abs(clock.seconds) / 3600, why)
        reach = self._seals.reach()
        if reach is None:
            return
        due = datetime.combine(reach.next + timedelta(days=1), time(), UTC) + SETTLE
        if window.end - due >= OVERDUE:
            hours = (window.end - due) / timedelta(hours=1)
            yield _finding("seals", window, hours, f"{reach.next} is not sealed")


def _finding(part: str, window: Window, value: float, why: str) -> Finding:
    return Finding(RECORD_AT_RISK, {"Part": part}, window, value, None, 1, trace_ids=(), shows={"Why": why})
