"""Decides which rows of a check's result are findings. Pure: rows in, judged windows out."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.measurement import Measurement, measurements
from functions.checks.windows import Batch
from functions.errors import ConfigurationError
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
        unjudged: Those of them with too little history to be called usual or unusual.
    """

    judged: tuple[JudgedWindow, ...]
    rows: int
    unjudged: int


def judge(check: CheckDefinition, rows: Rows, batch: Batch) -> Judgement:
    """Judge a batch by the rows of its one query; rows of earlier windows are a spike's history.

    Raises:
        ConfigurationError: The result breaks the contract (measurement.py). Nothing is judged then: a row
            that can't be read must never count as a row that passed.
    """
    measured = measurements(check, rows, batch.width)
    asked = {window.start: window for window in batch.windows}
    history = _history(measured)
    findings: dict[Window, list[Finding]] = {window: [] for window in batch.windows}
    unjudged = 0
    current = [m for m in measured if m.window in asked]
    for measurement in current:
        limit = _limit(check, measurement, history[measurement.key])
        if limit is None:
            unjudged += 1
        elif measurement.value > limit:
            window = asked[measurement.window]
            findings[window].append(_finding(check, measurement, window, limit))
    return Judgement(
        judged=tuple(
            JudgedWindow(window, tuple(sorted(found, key=lambda finding: tuple(finding.key.values()))))
            for window, found in findings.items()
        ),
        rows=len(current),
        unjudged=unjudged,
    )


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


def _history(measured: Sequence[Measurement]) -> Mapping[tuple[str, ...], _History]:
    history: defaultdict[tuple[str, ...], _History] = defaultdict(lambda: _History([], []))
    for measurement in sorted(measured, key=lambda m: m.window):
        history[measurement.key].starts.append(measurement.window)
        history[measurement.key].values.append(measurement.value)
    return history


def _limit(check: CheckDefinition, measurement: Measurement, history: _History) -> float | None:
    """Return the value above which this measurement is a finding; None where nothing can be said."""
    options = check.condition.options
    match check.condition.kind:
        case "any":
            return -math.inf
        case "above":
            return options["threshold"]
        case "spike":
            reach = timedelta(hours=options["history"])
            return spike_threshold(history.before(measurement.window, reach), options)
        case kind:
            raise ConfigurationError(
                f"checks/{check.id}.yaml: the condition {kind} can't be judged yet.",
                next_step="Take another condition.",
            )


def _finding(check: CheckDefinition, measurement: Measurement, window: Window, limit: float) -> Finding:
    return Finding(
        check_id=check.id,
        key=dict(zip(check.key, measurement.key, strict=True)),
        window=window,
        value=measurement.value,
        threshold=limit if math.isfinite(limit) else measurement.threshold,
        violations=measurement.violations,
        trace_ids=measurement.trace_ids,
        shows=measurement.shows,
    )
