"""Decides which rows of a check's result are findings. Pure: rows in, judged windows out."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median

from functions.checks.budget import paces
from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.measurement import Measurement, measurements
from functions.checks.memory import Memory
from functions.checks.silence import silences
from functions.checks.windows import Batch
from functions.traces.agents import Agents
from functions.traces.source import Rows

MAD_TO_DEVIATION = 1.4826
"""Makes a median absolute deviation comparable with a standard deviation: 1/Φ⁻¹(3/4), for normal values
(Rousseeuw and Croux, Alternatives to the Median Absolute Deviation, 1993)."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a batch of windows came to.

    Attributes:
        judged: Every window of the batch, in order, each with its findings ordered by key.
        rows: Result rows that lie in these windows.
        unjudged: Those of them with too little history or too few runs to be called usual or unusual.
        measured: What was held against the condition.
        memory: From what the next windows go on; None where the condition needs nothing.
    """

    judged: tuple[JudgedWindow, ...]
    rows: int
    unjudged: int
    measured: tuple[Measurement, ...]
    memory: Memory | None


def judge(
    check: CheckDefinition,
    rows: Rows,
    batch: Batch,
    agents: Agents | None = None,
    memory: Memory | None = None,
) -> Judgement:
    """Judge a batch by the rows of its one query; rows of earlier windows are its history.

    Args:
        check: The check.
        rows: What its question was answered.
        batch: The windows.
        agents: Whose budgets or silences the condition is about; the other conditions need none.
        memory: What is known of the time before the windows; without it the rows have it.

    Raises:
        ConfigurationError: The result breaks the contract (measurement.py). Nothing is judged then: a row
            that can't be read must never count as a row that passed.
    """
    measured = measurements(check, rows, batch.width)
    history = _history(check, measured)
    asked = {window.start: _Window(window) for window in batch.windows}
    held, after = _held(check, measured, batch, agents, memory)
    for measurement in held:
        few = _too_few_runs(check, measurement)
        standing = None if few else _standing(check, measurement, history[measurement.key])
        asked[measurement.window].add(check, measurement, standing)
    return Judgement(
        judged=tuple(window.judged() for window in asked.values()),
        rows=sum(measurement.window in asked for measurement in measured),
        unjudged=sum(len(window.unjudged) for window in asked.values()),
        measured=tuple(held),
        memory=after,
    )


def _held(
    check: CheckDefinition,
    measured: Sequence[Measurement],
    batch: Batch,
    agents: Agents | None,
    memory: Memory | None,
) -> tuple[Sequence[Measurement], Memory | None]:
    """Return what is held against the condition in the windows of the batch, and what to remember."""
    match check.condition.kind:
        case "absence":
            return list(absences(check, measured, batch)), None
        case "budget" | "silence" as kind:
            if agents is None:
                message = f"a {kind} is judged by what is declared of agents"
                raise ValueError(message)
            return (paces if kind == "budget" else silences)(check, measured, batch, agents, memory)
    starts = {window.start for window in batch.windows}
    return [measurement for measurement in measured if measurement.window in starts], None


def absences(check: CheckDefinition, measured: Sequence[Measurement], batch: Batch) -> Iterator[Measurement]:
    """Measure how long each key has been without a row at the end of each window.

    Its last row may have come at any instant of its window, so that this is counted from that window's end: a
    key is absent for at least so long. A key whose last row is older than `history` is forgotten.

    Yields:
        One a window and key: the key's last row, with the minutes since as its value.
    """
    reach = timedelta(hours=check.condition.options["history"])
    by_key: defaultdict[tuple[str, ...], list[Measurement]] = defaultdict(list)
    for measurement in sorted(measured, key=lambda m: m.window):
        by_key[measurement.key].append(measurement)
    for seen in by_key.values():
        starts = [m.window for m in seen]
        for window in batch.windows:
            until = bisect_right(starts, window.start)
            if until and starts[until - 1] >= window.start - reach:
                minutes = (window.start - starts[until - 1]) / timedelta(minutes=1)
                yield replace(seen[until - 1], window=window.start, value=minutes, violations=1)


def spike_threshold(earlier: Sequence[float], options: Mapping[str, float]) -> float | None:
    """Return the value above which a window is a spike, or None where the history is too short to say.

    Median and MAD, so that a burst inside the history does not raise the bar for the next one. The factor
    keeps a perfectly steady history (MAD 0) from making every change a spike; the floor, a tiny one.

    Args:
        earlier: What the same key measured in the earlier windows that had a row.
        options: `minimum_windows`, `factor`, `deviations`, and `floor` in the check's unit.
    """
    if len(earlier) < options["minimum_windows"]:
        return None
    middle = median(earlier)
    deviation = MAD_TO_DEVIATION * median(abs(value - middle) for value in earlier)
    return max(options["floor"], options["factor"] * middle, middle + options["deviations"] * deviation)


@dataclass(frozen=True, slots=True)
class _History:
    """One key's windows that had a row, oldest first, and what they measured."""

    starts: list[datetime]
    values: list[float]

    def before(self, start: datetime, reach: timedelta) -> Sequence[float]:
        """Return the values of the windows that began in [start - reach, start)."""
        return self.values[bisect_left(self.starts, start - reach) : bisect_left(self.starts, start)]


def _history(check: CheckDefinition, measured: Sequence[Measurement]) -> Mapping[tuple[str, ...], _History]:
    """Collect what is usual; a window with too few runs to be judged is too small to say."""
    history: defaultdict[tuple[str, ...], _History] = defaultdict(lambda: _History([], []))
    for measurement in sorted(measured, key=lambda m: m.window):
        if not _too_few_runs(check, measurement):
            history[measurement.key].starts.append(measurement.window)
            history[measurement.key].values.append(measurement.value)
    return history


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where a measurement stands: whether it violates the limit it is held against, and which that is."""

    violates: bool
    limit: float | None


def _standing(check: CheckDefinition, measurement: Measurement, history: _History) -> _Standing | None:
    """Hold a measurement against the check's condition; None where nothing can be said."""
    value, options = measurement.value, check.condition.options
    match check.condition.kind:
        case "any" | "budget" | "silence" as kind:
            limit = measurement.threshold
            return _Standing(kind == "any" or (limit is not None and value > limit), limit)
        case "above":
            return _Standing(value > options["threshold"], options["threshold"])
        case "below":
            return _Standing(value < options["threshold"], options["threshold"])
        case "absence":
            return _Standing(value >= options["after"], options["after"])
        case "spike":
            reach = timedelta(hours=options["history"])
            limit = spike_threshold(history.before(measurement.window, reach), options)
            return None if limit is None else _Standing(value > limit, limit)
        case "change":
            return _changed(measurement, options)


def _changed(measurement: Measurement, options: Mapping[str, float]) -> _Standing | None:
    """Say whether a change is for the worse, large enough, and more than chance.

    The limit is `factor` times the baseline in the unit of Value, whatever multiple of the share that is.
    """
    if measurement.change is None:
        return None
    ratio = measurement.change.ratio()
    if ratio < options["factor"] or measurement.change.chance() >= options["alpha"]:
        return _Standing(violates=False, limit=None)
    return _Standing(violates=True, limit=options["factor"] * measurement.value / ratio)


def _too_few_runs(check: CheckDefinition, measurement: Measurement) -> bool:
    return (
        check.minimum_runs is not None
        and measurement.runs is not None
        and measurement.runs < check.minimum_runs
    )


@dataclass(frozen=True, slots=True)
class _Window:
    """One window while it is judged."""

    window: Window
    findings: list[Finding] = field(default_factory=list)
    continuing: list[Finding] = field(default_factory=list)
    unjudged: list[dict[str, str]] = field(default_factory=list)
    keys: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, check: CheckDefinition, measurement: Measurement, standing: _Standing | None) -> None:
        key = dict(zip(check.key, measurement.key, strict=True))
        self.keys.append(measurement.key)
        if standing is None:
            self.unjudged.append(key)
        elif standing.violates:
            self.findings.append(self._finding(check, key, measurement, standing.limit))
        elif check.clear_below is not None and measurement.value > check.clear_below:
            self.continuing.append(self._finding(check, key, measurement, check.clear_below))

    def judged(self) -> JudgedWindow:
        """Return what was found, in the order of the keys."""
        return JudgedWindow(
            self.window,
            findings=tuple(sorted(self.findings, key=lambda finding: tuple(finding.key.values()))),
            continuing=tuple(sorted(self.continuing, key=lambda finding: tuple(finding.key.values()))),
            unjudged=tuple(sorted(self.unjudged, key=lambda key: tuple(key.values()))),
            rows=len(self.keys),
        )

    def _finding(
        self, check: CheckDefinition, key: Mapping[str, str], measurement: Measurement, limit: float | None
    ) -> Finding:
        return Finding(
            check_id=check.id,
            key=key,
            window=self.window,
            value=measurement.value,
            threshold=limit,
            violations=measurement.violations,
            trace_ids=measurement.trace_ids,
            shows=measurement.shows,
        )
