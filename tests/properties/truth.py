"""What is wrong when, and what must follow from it for alerts, said a second time and more simply.

Nothing here is taken from functions/alerts but the words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.memory import Memory
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue, Outcome
from functions.checks.windows import due_windows
from functions.errors import SourceUnavailable

Key = tuple[tuple[str, str], ...]
THRESHOLD = 30.0


@dataclass(slots=True)
class Truth:
    """Judges as the real runner does, but finds what was wrong as each window began.

    Attributes:
        begin: Where a check's first window starts.
        wrong: By check and key the value of windows that begin now.
        down: Checks that can't be evaluated.
        windows: What was wrong in which window, by check and start.
    """

    begin: datetime
    wrong: dict[tuple[str, Key], float] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    windows: dict[tuple[str, datetime], Mapping[Key, float]] = field(default_factory=dict)
    _begun: dict[str, datetime] = field(default_factory=dict)

    def judge_due(
        self,
        check: CheckDefinition,
        *,
        watermark: datetime | None,
        now: datetime,
        memory: Memory | None,  # noqa: ARG002 - the interface's
    ) -> Outcome:
        batch = due_windows(
            every=check.every, settle=check.settle, watermark=watermark or self.begin, now=now
        )
        if batch is None:
            return NothingDue()
        if check.id in self.down:
            return EvaluationFailed(SourceUnavailable("It is down.", next_step="Wait."), batch.windows)
        judged = tuple(JudgedWindow(window, self._findings(check, window)) for window in batch.windows)
        return Evaluated(judged, batch.windows[-1].end, rows=len(judged), unjudged=0)

    def happen(self, checks: Iterable[CheckDefinition], until: datetime) -> None:
        """Let all windows that have begun before `until` be as things are now, if they are not yet."""
        for check in checks:
            now = {key: value for (of, key), value in self.wrong.items() if of == check.id and value}
            start = self._begun.get(check.id, self.begin)
            while start < until:
                self.windows[check.id, start] = now
                start += check.every
            self._begun[check.id] = start

    def _findings(self, check: CheckDefinition, window: Window) -> tuple[Finding, ...]:
        found = self.windows[check.id, window.start]
        return tuple(
            Finding(check.id, dict(key), window, value, THRESHOLD, 1, (f"{window.start:%H%M}",))
            for key, value in found.items()
        )


@dataclass(slots=True)
class Life:
    """How it stands with one key of a check, as the windows say."""

    episode: int = 0
    active: bool = False
    opened_at: datetime | None = None
    resolved_at: datetime | None = None
    quiet: int = 0
    row: list[datetime] = field(default_factory=list)


@dataclass(slots=True)
class Expected:
    """What must be on record about one check whose windows were judged up to `until`."""

    check: CheckDefinition
    until: datetime
    resolve_after_quiet: int
    lives: dict[Key, Life] = field(default_factory=dict)

    def judge(self, truth: Truth, until: datetime) -> None:
        """Take in the windows up to `until`."""
        while self.until < until:
            found = truth.windows[self.check.id, self.until]
            for key in {*self.lives, *found}:
                self._window(self.lives.setdefault(key, Life()), self.until, found=key in found)
            self.until += self.check.every

    def _window(self, life: Life, start: datetime, *, found: bool) -> None:
        if not found:
            life.row = []
            life.quiet += 1
            if life.active and life.quiet == self.resolve_after_quiet:
                life.active, life.resolved_at = False, start + self.check.every
            return
        life.quiet = 0
        life.row = [*life.row, start]
        if not life.active and len(life.row) >= self.check.windows_in_a_row:
            life.active, life.episode = True, life.episode + 1
            life.opened_at, life.resolved_at = life.row[0], None
