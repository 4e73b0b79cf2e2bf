"""A watch on fakes: what is wrong when is written down beforehand, the clock is turned by hand."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from functions.alerts.rules import AlertRules
from functions.alerts.state import CheckState, state_from_json
from functions.alerts.told_as import told_as_it_is
from functions.checks.definition import CheckDefinition
from functions.checks.finding import JudgedWindow
from functions.checks.memory import Memory
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue, Outcome
from functions.checks.windows import due_windows
from functions.delivery.cards.writer import CardWriter
from functions.delivery.events import EventWriter
from functions.delivery.interface import Channel, Destination, Writer
from functions.errors import SourceUnavailable
from functions.storage.documents import Documents
from functions.watch.watch import TickReport, Watch
from tests.fakes.destinations import MemoryDestination
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK, DISPATCHER, RULES, START, finding, two_destinations

OTHER = replace(CHECK, id="skipped_lookup", title="An agent answered without its look-up")
EVENTS = EventWriter("https://tracekeeper.example.net", told_as_it_is)
CARDS = CardWriter("https://tracekeeper.example.net", told_as_it_is, {})
MINUTE = timedelta(minutes=1)

Plan = Mapping[str, Mapping[int, Iterable[Mapping[str, str]]]]
"""Check id to the numbers of the windows in which something is wrong, and for which keys."""


@dataclass(slots=True)
class PlannedRunner:
    """Judges as the real runner does, but finds what was planned.

    Attributes:
        plan: What is found.
        down: Check ids that can't be evaluated.
        broken: Check ids at which the runner itself falls over.
    """

    plan: Plan
    down: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    def judge_due(
        self,
        check: CheckDefinition,
        *,
        watermark: datetime | None,
        now: datetime,
        memory: Memory | None,  # noqa: ARG002 - the interface's
    ) -> Outcome:
        if check.id in self.broken:
            raise RuntimeError("a text that quotes <telemetry>")
        begun = watermark or START
        batch = due_windows(every=check.every, settle=check.settle, watermark=begun, now=now)
        if batch is None:
            return NothingDue()
        if check.id in self.down:
            return EvaluationFailed(SourceUnavailable("It is down.", next_step="Wait."), batch.windows)
        judged = tuple(
            JudgedWindow(
                window,
                tuple(
                    replace(finding(number, key), check_id=check.id)
                    for key in self.plan.get(check.id, {}).get(number, ())
                ),
            )
            for window in batch.windows
            for number in [(window.start - START) // check.every]
        )
        return Evaluated(judged, batch.windows[-1].end, rows=len(judged), unjudged=0)


class World:
    """Everything that outlives a process, and the means to run a tick in a new one.

    Attributes:
        documents: What a tick writes to; a test may put its own in front of it.
        destinations: What a tick sends to, likewise.
        teams: The destination "teams" itself.
        runner: Evaluates.
        now: The present instant.
        pauses: For how many seconds a tick would have waited to keep a destination's rate.
        patience: For how many seconds it waits for a check that hangs.
    """

    def __init__(
        self,
        plan: Plan | None = None,
        *,
        checks: tuple[CheckDefinition, ...] = (CHECK,),
        replies: Iterable[Any] = (),
        destinations: int = 1,
        writer: Writer = CARDS,
        rules: AlertRules | None = None,
    ) -> None:
        self.held = MemoryDocuments()
        self.documents: Documents = self.held
        self.now = START
        self.pauses: list[float] = []
        self.patience = 10.0
        self.teams = MemoryDestination(replies, clock=lambda: self.now)
        self.destinations: dict[str, Destination] = {"teams": self.teams}
        self.runner = PlannedRunner(plan or {CHECK.id: {0: [DISPATCHER]}})
        self._checks = checks
        self._rules = rules or (two_destinations() if destinations == 2 else RULES)
        self._writer = writer

    def tick(self, *, documents: Documents | None = None) -> TickReport:
        """Run one tick with objects of its own."""
        watch = Watch(
            documents or self.documents,
            self.runner,
            self._checks,
            self._rules,
            {name: Channel(one, self._writer) for name, one in self.destinations.items()},
            clock=lambda: self.now,
            jitter=lambda: 0.0,
            pause=self.pauses.append,
            announcements=True,
            patience_seconds=self.patience,
        )
        return watch.tick()

    def run(self, minutes: int, after: Callable[[], None] = lambda: None) -> list[TickReport]:
        """Run a tick every minute."""
        reports = []
        for _ in range(minutes):
            self.now += MINUTE
            reports.append(self.tick())
            after()
        return reports

    def state(self, check: CheckDefinition = CHECK) -> CheckState:
        """Return what is on record about a check."""
        held = self.held.read(f"checks/{check.id}")
        return state_from_json("", held.body) if held else CheckState()

    def accepted(self) -> list[str]:
        """Return the idempotency keys that "teams" accepted, without the alert's id, in order."""
        return [posted.idempotency_key.split("-", 1)[1] for posted in self.teams.accepted]


def minutes_until(number: int) -> int:
    """Return after how many minutes the n-th window is settled and due."""
    settled = START + (number + 1) * CHECK.every + CHECK.settle
    return int((settled - START).total_seconds() // 60)
