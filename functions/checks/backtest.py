"""Says when a check would have fired over past windows, and how well that agrees with labels. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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

    Attributes:
        key: What it is about.
        start: The start of its first window with a finding.
        end: The end of its last one.
        worst: The finding farthest beyond its threshold.
        windows: How many windows had a finding.
        violations: How many times in all of them.
    """

    key: Key
    start: datetime
    end: datetime
    worst: Finding
    windows: int
    violations: int


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
    """How the traces that findings name agree with the labelled ones.

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


def firings(judged: Sequence[JudgedWindow], *, resolve_after_quiet: int) -> tuple[Firing, ...]:
    """Return the alerts that would have been opened, by their start.

    Args:
        judged: Windows in order, without a gap.
        resolve_after_quiet: After how many windows without a finding an alert is over, as in alerts.yaml.
    """
    done: list[Firing] = []
    going: dict[Key, tuple[Firing, int]] = {}
    for number, one in enumerate(judged):
        for finding in one.findings:
            key = tuple(finding.key.values())
            begun, last = going.get(key, (None, number))
            if begun is not None and number - last <= resolve_after_quiet:
                going[key] = (_gone_on(begun, finding), number)
                continue
            if begun is not None:
                done.append(begun)
            start, end = finding.window.start, finding.window.end
            going[key] = (Firing(key, start, end, finding, 1, finding.violations), number)
    done += [firing for firing, _ in going.values()]
    return tuple(sorted(done, key=lambda firing: (firing.start, firing.key)))


def firings_a_day(fired: Sequence[Firing]) -> Mapping[date, int]:
    """Return how many began on each day (UTC) on which any did, in order."""
    return dict(sorted(Counter(firing.start.date() for firing in fired).items()))


def series(
    check: CheckDefinition, measured: Sequence[Measurement], judgement: Judgement
) -> Mapping[Key, tuple[Point, ...]]:
    """Return each key's points in the judged windows, in order of time; the worst key first.

    Worst is the key with the most findings; among equals the one farthest beyond its threshold.
    """
    found = {
        (one.window.start, tuple(finding.key.values())): finding
        for one in judgement.judged
        for finding in one.findings
    }
    asked = {one.window.start for one in judgement.judged}
    limits = _limits(check, measured)
    points = {
        (m.window, m.key): Point(m.window, m.value, limits[m.window, m.key], found=False)
        for m in measured
        if m.window in asked
    }
    points |= {
        place: Point(place[0], finding.value, finding.threshold, found=True)
        for place, finding in found.items()
    }
    of_key: dict[Key, list[Point]] = {}
    for (_, key), point in sorted(points.items()):
        of_key.setdefault(key, []).append(point)
    ranked = sorted(of_key.items(), key=lambda item: (_badness(item[1]), item[0]))
    return {key: tuple(its) for key, its in ranked}


def score(judged: Sequence[JudgedWindow], labels: Mapping[str, bool]) -> Score:
    """Hold the traces that findings name against `labels` (trace id to whether it should be found)."""
    named = {trace for one in judged for finding in one.findings for trace in finding.trace_ids}
    return Score(
        right=sum(labels.get(trace, False) for trace in named),
        wrong=sum(not labels[trace] for trace in named if trace in labels),
        missed=sum(true for trace, true in labels.items() if trace not in named),
        unlabelled=sum(trace not in labels for trace in named),
    )


def _gone_on(firing: Firing, finding: Finding) -> Firing:
    return replace(
        firing,
        end=finding.window.end,
        worst=max(firing.worst, finding, key=_excess),
        windows=firing.windows + 1,
        violations=firing.violations + finding.violations,
    )


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
        fixed = options.get("threshold")
        return {(m.window, m.key): m.threshold if fixed is None else fixed for m in measured}
    reach = timedelta(hours=options["history"])
    of_key: dict[Key, list[Measurement]] = {}
    for measurement in sorted(measured, key=lambda m: m.window):
        of_key.setdefault(measurement.key, []).append(measurement)
    return {
        (m.window, key): spike_threshold(
            [e.value for e in its[:number] if e.window >= m.window - reach], options
        )
        for key, its in of_key.items()
        for number, m in enumerate(its)
    }
