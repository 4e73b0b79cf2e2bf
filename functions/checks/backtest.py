"""Says when a check would have fired over past windows, and how well that agrees with labels. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from functions.checks.definition import CheckDefinition
from functions.checks.evaluation import Judgement, spike_threshold
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.measurement import Measurement
from functions.checks.windows import Batch, window_start

Key = tuple[str, ...]
"""The values of a check's key columns, in their order. Hostile."""


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert as it would have been: a key's findings until enough quiet windows passed.

    What `clear_below` keeps open belongs to it, but is never its worst.

    Attributes:
        key: What it is about.
        start: The start of its first window with a finding.
        end: The end of its last one.
        worst: The finding farthest beyond its threshold.
        windows: How many windows had a finding.
        violations: How many times in all of them.
        trace_ids: The traces that its findings name.
    """

    key: Key
    start: datetime
    end: datetime
    worst: Finding
    windows: int
    violations: int
    trace_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Point:
    """What one key measured in one window, in the check's unit.

    Attributes:
        window: The start of the window.
        value: What was measured.
        threshold: What it was held against; None where nothing was, or where only the condition knows.
        found: Whether it is a finding.
    """

    window: datetime
    value: float
    threshold: float | None
    found: bool


@dataclass(frozen=True, slots=True)
class Score:
    """How the traces that alerts name agree with the labelled ones.

    Attributes:
        right: Named, and labelled true.
        wrong: Named, and labelled false.
        missed: Labelled true, and not named.
        unlabelled: Named, and without a label; in neither share.
    """

    right: int
    wrong: int
    missed: int
    unlabelled: int

    @property
    def precision(self) -> float | None:
        """The share of the named traces that are labelled true; None where none was named."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        """The share of the traces labelled true that were named; None where none is."""
        return self.right / (self.right + self.missed) if self.right + self.missed else None


def past_windows(check: CheckDefinition, days: int, now: datetime) -> Batch:
    """Return all windows of the last `days` days that have ended and settled at `now` (UTC)."""
    end = window_start(now - check.settle, check.every)
    count = timedelta(days=days) // check.every
    starts = [end - (count - i) * check.every for i in range(count)]
    return Batch(check.every, tuple(Window(start, start + check.every) for start in starts))


def firings(
    check: CheckDefinition,
    judged: Sequence[JudgedWindow],
    *,
    resolve_after_quiet: int,
    keep_open_for: timedelta = timedelta(0),
) -> tuple[Firing, ...]:
    """Return the alerts that the service would have opened, by their start.

    Args:
        check: The check; its `for` says how many windows in a row open one.
        judged: Windows in order, without a gap.
        resolve_after_quiet: After how many windows without a finding an alert is over, as in alerts.yaml.
        keep_open_for: How long after its last finding it is open at least, likewise.
    """
    done: list[Firing] = []
    going: dict[Key, _Course] = {}
    for one in judged:
        for finding in one.findings:
            going.setdefault(_key(finding.key), _Course()).found(finding, check.windows_in_a_row)
        for finding in one.continuing:
            if (course := going.get(_key(finding.key))) is not None:
                course.continued(finding)
        unjudged = set(map(_key, one.unjudged))
        for key, course in list(going.items()):
            if key not in unjudged and course.passed(one.window, resolve_after_quiet, keep_open_for):
                done += [course.firing] if course.firing else []
                del going[key]
    done += [course.firing for course in going.values() if course.firing]
    return tuple(sorted(done, key=lambda firing: (firing.start, firing.key)))


def firings_a_day(fired: Sequence[Firing]) -> Mapping[date, int]:
    """Return how many began on each day (UTC) on which any did, in order."""
    return dict(sorted(Counter(firing.start.date() for firing in fired).items()))


def series(
    check: CheckDefinition, measured: Sequence[Measurement], judgement: Judgement, batch: Batch
) -> Mapping[Key, tuple[Point, ...]]:
    """Return each key's points in the judged windows, in order of time; the worst key first.

    Worst is the key with the most findings; among equals the one farthest beyond its threshold.
    """
    shown = judgement.measured if check.condition.kind in {"absence", "budget", "silence"} else measured
    asked = {window.start for window in batch.windows}
    limits = _limits(check, shown)
    points = {
        (m.window, m.key): Point(m.window, m.value, limits[m.window, m.key], found=False)
        for m in shown
        if m.window in asked
    }
    points |= {
        (one.window.start, _key(f.key)): Point(one.window.start, f.value, f.threshold, found=True)
        for one in judgement.judged
        for f in one.findings
    }
    of_key: dict[Key, list[Point]] = {}
    for (_, key), point in sorted(points.items(), key=lambda item: item[0]):
        of_key.setdefault(key, []).append(point)
    ranked = sorted(of_key.items(), key=lambda item: (_badness(item[1]), item[0]))
    return {key: tuple(its) for key, its in ranked}


def score(fired: Sequence[Firing], labels: Mapping[str, bool]) -> Score:
    """Hold the traces that alerts name against `labels` (trace id to whether it should be named)."""
    named = frozenset[str]().union(*(firing.trace_ids for firing in fired))
    return Score(
        right=sum(labels.get(trace, False) for trace in named),
        wrong=sum(not labels[trace] for trace in named if trace in labels),
        missed=sum(true for trace, true in labels.items() if trace not in named),
        unlabelled=sum(trace not in labels for trace in named),
    )


@dataclass(slots=True)
class _Course:
    """What becomes of one key while windows pass."""

    firing: Firing | None = None
    pending: list[Finding] = field(default_factory=list)
    seen: Window | None = None
    quiet: int = 0

    def found(self, finding: Finding, windows_in_a_row: int) -> None:
        self.seen = finding.window
        if self.firing is None:
            self.pending.append(finding)
            if len(self.pending) < windows_in_a_row:
                return
            first, *rest = self.pending
            self.firing = _began(first)
        else:
            rest = [finding]
        for later in rest:
            self.firing = _went_on(self.firing, later, max(self.firing.worst, later, key=_excess))

    def continued(self, finding: Finding) -> None:
        if self.firing is not None:
            self.seen = finding.window
            self.firing = _went_on(self.firing, finding, self.firing.worst)

    def passed(self, window: Window, resolve_after_quiet: int, keep_open_for: timedelta) -> bool:
        """Note that a window was judged, and say whether all is over."""
        if self.seen == window:
            self.quiet = 0
            return False
        self.quiet += 1
        if self.firing is None:
            return True
        return self.quiet >= resolve_after_quiet and window.end - self.firing.end >= keep_open_for


def _began(finding: Finding) -> Firing:
    return Firing(
        key=_key(finding.key),
        start=finding.window.start,
        end=finding.window.end,
        worst=finding,
        windows=1,
        violations=finding.violations,
        trace_ids=frozenset(finding.trace_ids),
    )


def _went_on(firing: Firing, finding: Finding, worst: Finding) -> Firing:
    return replace(
        firing,
        end=finding.window.end,
        worst=worst,
        windows=firing.windows + 1,
        violations=firing.violations + finding.violations,
        trace_ids=firing.trace_ids.union(finding.trace_ids),
    )


def _key(key: Mapping[str, str]) -> Key:
    return tuple(key.values())


def _excess(finding: Finding | Point) -> float:
    """Say how far a value lies from its threshold, on whichever side findings of the check lie."""
    return finding.value if finding.threshold is None else abs(finding.value - finding.threshold)


def _badness(points: Sequence[Point]) -> tuple[int, float]:
    found = [point for point in points if point.found]
    return -len(found), -max((_excess(point) for point in found), default=0.0)


def _limits(
    check: CheckDefinition, measured: Sequence[Measurement]
) -> Mapping[tuple[datetime, Key], float | None]:
    """Return what each measurement is held against, as far as it can be told without judging."""
    options = check.condition.options
    if check.condition.kind != "spike":
        fixed = options.get("after", options.get("threshold"))
        return {(m.window, m.key): m.threshold if fixed is None else fixed for m in measured}
    reach = timedelta(hours=options["history"])
    usual: dict[Key, list[Measurement]] = {}
    limits = {}
    for m in sorted(measured, key=lambda m: m.window):
        earlier = usual.setdefault(m.key, [])
        few = check.minimum_runs is not None and m.runs is not None and m.runs < check.minimum_runs
        limits[m.window, m.key] = (
            None
            if few
            else spike_threshold([e.value for e in earlier if e.window >= m.window - reach], options)
        )
        if not few:
            earlier.append(m)
    return limits
