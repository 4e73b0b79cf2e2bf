"""Says which of several measured differences are more than chance. Pure."""

from collections.abc import Iterable, Sequence
from math import floor
from statistics import fmean, stdev

from functions.checks.significance import Means, Proportions

ALPHA = 0.05
"""How probable it may be that a comparison of two equal releases of an agent calls any difference at all."""

FEW_RUNS = 30
"""With fewer runs of a release on either side a mean is not compared, and a share is said to rest on few."""


def share_chance(old: Sequence[bool], new: Sequence[bool]) -> float | None:
    """Return the two-sided p of Fisher's exact test, the smaller tail doubled; None where nothing can differ.

    Args:
        old: Of each run whether it was hit; at least one.
        new: Likewise.
    """
    hits, before = sum(new), sum(old)
    if hits + before in (0, len(new) + len(old)):
        return None
    more = Proportions(hits, len(new), before, len(old)).chance()
    fewer = Proportions(before, len(old), hits, len(new)).chance()
    return min(1.0, 2 * min(more, fewer))


def mean_chance(old: Sequence[float], new: Sequence[float]) -> float | None:
    """Return the two-sided p of Welch's t-test; None where all are alike.

    Args:
        old: Of each run how much; two or more.
        new: Likewise.
    """
    if len({*old, *new}) == 1:
        return None
    now = fmean(new), stdev(new), len(new)
    before = fmean(old), stdev(old), len(old)
    return min(1.0, 2 * min(Means(*now, *before).chance(), Means(*before, *now).chance()))


def percentile(values: Iterable[float], share: float = 0.95) -> float:
    """Return the smallest value that at least `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -floor(-share * len(ordered)) - 1))]


def tail_chance(old: Sequence[float], new: Sequence[float]) -> float | None:
    """Return the p that the slowest twentieth of all runs together falls on one side as it does, or more so.

    Which runs are the slowest is taken as given, so that Fisher's exact test holds whatever durations look
    like (the median test of A. M. Mood, 1950, at another quantile).
    """
    limit = percentile((*old, *new))
    return share_chance([value > limit for value in old], [value > limit for value in new])


def adjusted(chances: Sequence[float]) -> list[float]:
    """Return each p as it counts among all of them.

    By Holm's method (S. Holm, A simple sequentially rejective multiple test procedure, 1979): whatever the
    tests have to do with each other, any falls below alpha with a probability of alpha at most where nothing
    differs.
    """
    found = [1.0] * len(chances)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        highest = max(highest, min(1.0, (len(chances) - rank) * chances[place]))
        found[place] = highest
    return found
