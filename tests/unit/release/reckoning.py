"""Reckons anew, by other means than the product's, which measured differences are more than chance."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from statistics import fmean, variance

ALPHA = Fraction(1, 20)
"""What compare promises: one comparison in twenty of equal releases, at most, calls any difference."""


def fisher(old: Sequence[bool], new: Sequence[bool]) -> float:
    """Return twice the smaller tail of the hypergeometric distribution, summed exactly."""
    hits, drawn, of = sum(new), sum(old) + sum(new), len(old) + len(new)

    def chance_of(k: int) -> Fraction:
        return Fraction(math.comb(len(new), k) * math.comb(len(old), drawn - k), math.comb(of, drawn))

    possible = range(max(0, drawn - len(old)), min(drawn, len(new)) + 1)
    upper = sum((chance_of(k) for k in possible if k >= hits), Fraction())
    lower = sum((chance_of(k) for k in possible if k <= hits), Fraction())
    return min(1.0, float(2 * min(upper, lower)))


def welch(old: Sequence[float], new: Sequence[float]) -> float:
    """Return the two-sided p, by integrating the density of Student's t with Simpson's rule."""
    errors = variance(old) / len(old), variance(new) / len(new)
    if not sum(errors):
        return 0.0
    t = abs(fmean(new) - fmean(old)) / math.sqrt(sum(errors))
    freedom = sum(errors) ** 2 / (errors[0] ** 2 / (len(old) - 1) + errors[1] ** 2 / (len(new) - 1))
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)

    def density(x: float) -> float:
        return float(scale * (1 + x * x / freedom) ** (-(freedom + 1) / 2))

    steps = 2000
    width = t / steps
    inner = sum(density(n * width) * (4 if n % 2 else 2) for n in range(1, steps))
    return max(0.0, 1 - 2 * width / 3 * (density(0) + inner + density(t)))


def slow(old: Sequence[float], new: Sequence[float]) -> float:
    """Return Fisher's p of how the slowest twentieth of all runs falls on the releases."""
    every = sorted([*old, *new])
    limit = next(value for value in every if sum(one <= value for one in every) * 20 >= 19 * len(every))
    return fisher([one > limit for one in old], [one > limit for one in new])


def held(chances: Mapping[str, float]) -> set[str]:
    """Return those that stand among all of them, by Holm's steps."""
    found: set[str] = set()
    for rank, (name, chance) in enumerate(sorted(chances.items(), key=lambda item: item[1])):
        if chance * (len(chances) - rank) >= ALPHA:
            break
        found.add(name)
    return found
