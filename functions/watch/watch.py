"""One tick of the watch: judge what is due, carry the alerts on, write it all at once, then tell people."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from datetime import datetime
from random import SystemRandom
from time import sleep

from functions.alerts.announcements import NAME as ANNOUNCEMENTS
from functions.alerts.circumstances import nobody
from functions.alerts.routing import inhibiting, inhibiting_first
from functions.alerts.rules import AlertRules
from functions.alerts.state import PREFIX
from functions.checks.definition import CheckDefinition
from functions.delivery.boxes import Boxes
from functions.delivery.dispatch import Dispatch
from functions.delivery.interface import Channel
from functions.errors import StorageError
from functions.storage.documents import Documents, encode
from functions.watch.quieting import Quieted
from functions.watch.turn import CheckTick, Judge, Judged, Sweeper, Turns

_log = logging.getLogger(__name__)
_RANDOM = SystemRandom()

JUDGED_AT_ONCE = 5
"""As many queries as Log Analytics runs at once for one identity."""


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
        announcements: Whether it delivers what is announced, beside its own checks' notices.
        pause: Waits for so many seconds, to keep a destination's rate.
        patience_seconds: How long the news of other checks waits for one that hangs.
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
        announcements: bool = False,
        pause: Callable[[float], None] = sleep,
        patience_seconds: float = 10.0,
    ) -> None:
        self._documents = documents
        self._workers = workers
        self._checks = checks
        self._rules = rules
        self._turns = Turns(documents, runner, rules, clock, patience_seconds, sweeper, quieting)
        self._announcements = announcements
        self._patience = patience_seconds
        self._boxes = Boxes(documents, checks)
        self._dispatch = Dispatch(
            documents,
            channels,
            self._boxes,
            digest_above=rules.digest_above,
            clock=clock,
            jitter=jitter,
            pause=pause,
            workers=workers,
        )

    def tick(self) -> TickReport:
        """Run every check's turn, then tell people; whatever happens to one, the others have theirs.

        Checks are judged side by side, those that keep others quiet first. What they have to tell goes out
        together, but nobody's news waits for a check that hangs, save of what it may keep quiet.
        """
        checks = {check.id: check for check in self._checks}
        done: dict[str, Judged] = {}
        answers: Counter[str] = Counter()
        announcements = self._announcements
        workers = self._workers(JUDGED_AT_ONCE)
        try:
            judging: dict[str, Future[Judged]] = {}
            for check_id in inhibiting_first(tuple(checks), self._rules):
                before = [judging[by] for by in inhibiting(check_id, self._rules) if by in judging]
                judging[check_id] = workers.submit(self._turns.take, checks[check_id], before)
            pending = set(judging.values())
            while pending or announcements:
                ended, pending = wait(pending, timeout=self._patience)
                judged = [one.result() for one in ended]
                done |= {one.tick.check_id: one for one in judged}
                answers += self._deliver(judged, announcements=announcements)
                announcements = False
        finally:
            workers.shutdown()
        ticks = tuple(done[check.id].tick for check in self._checks)
        report = TickReport(ticks, answers["accepted"], answers["put_off"], answers["refused"])
        _log.info("%s", encode({"event": "watch.tick", **asdict(report)}).decode())
        return report

    def _deliver(self, judged: Iterable[Judged], *, announcements: bool) -> Counter[str]:
        seen = {PREFIX + one.tick.check_id: one.outbox for one in judged if one.outbox is not None}
        if announcements:
            try:
                seen[ANNOUNCEMENTS] = self._boxes.read(ANNOUNCEMENTS)
            except StorageError as error:
                _log.error("Nothing is announced: %s", error)
        return self._dispatch.deliver(seen)
