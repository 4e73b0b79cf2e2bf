"""Says how probable a change for the worse would be if nothing had changed. Pure; exact where it can be."""

import math
from dataclasses import dataclass

_STEPS = 100_000
"""More than the continued fraction ever takes: about the square root of the degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Proportions:
    """How many of the runs were hit, now and before; no more hits than runs, and at least one run each."""

    hits: int
    runs: int
    baseline_hits: int
    baseline_runs: int

    def ratio(self) -> float:
        """Return how many times the earlier share the present one is; infinite where it was none."""
        if self.baseline_hits == 0:
            return math.inf if self.hits else 1.0
        return (self.hits * self.baseline_runs) / (self.baseline_hits * self.runs)

    def chance(self) -> float:
        """Return the one-sided p of Fisher's exact test: that chance alone gives so many hits now, or more.

        The hits of both sides together are taken as given, so that those of now are hypergeometric
        (R. A. Fisher, The Logic of Inductive Inference, 1935).
        """
        if self.hits * (self.runs + self.baseline_runs) > self.runs * (self.hits + self.baseline_hits):
            return self._tail(self.hits, up=True)
        return 1.0 - self._tail(self.hits - 1, up=False)

    def _tail(self, hits: int, *, up: bool) -> float:
        """Sum the probabilities from `hits` outwards; called away from the middle, so that they only fall."""
        drawn, of = self.hits + self.baseline_hits, self.runs + self.baseline_runs
        rest = self.baseline_runs - drawn
        if hits < max(0, -rest):
            return 0.0
        term = total = math.exp(
            _log_choices(self.runs, hits)
            + _log_choices(self.baseline_runs, drawn - hits)
            - _log_choices(of, drawn)
        )
        while term > total * 1e-17:
            if up:
                term *= (drawn - hits) * (self.runs - hits) / ((hits + 1) * (rest + hits + 1))
                hits += 1
            else:
                term *= hits * (rest + hits) / ((drawn - hits + 1) * (self.runs - hits + 1))
                hits -= 1
            total += term
        return total


@dataclass(frozen=True, slots=True)
class Means:
    """A mean over runs, now and before, with the sample's standard deviation; two runs or more each.

    Quantities that can't be negative: durations, tokens, costs, counts.
    """

    value: float
    deviation: float
    runs: int
    baseline: float
    baseline_deviation: float
    baseline_runs: int

    def ratio(self) -> float:
        """Return how many times the earlier mean the present one is; infinite where it was zero."""
        if self.baseline == 0:
            return math.inf if self.value else 1.0
        return self.value / self.baseline

    def chance(self) -> float:
        """Return the one-sided p of Welch's t-test: that equal means give a difference like this, or more.

        The variances need not be equal (B. L. Welch, The generalization of "Student's" problem, 1947; the
        degrees of freedom after F. E. Satterthwaite, 1946).
        """
        difference = self.value - self.baseline
        error = self.deviation / math.sqrt(self.runs)
        earlier_error = self.baseline_deviation / math.sqrt(self.baseline_runs)
        both = math.hypot(error, earlier_error)
        if both == 0:
            return 0.0 if difference > 0 else 1.0
        share, earlier_share = (error / both) ** 2, (earlier_error / both) ** 2
        freedom = 1 / (share**2 / (self.runs - 1) + earlier_share**2 / (self.baseline_runs - 1))
        return student_survival(difference / both, freedom)


Change = Proportions | Means


def student_survival(t: float, freedom: float) -> float:
    """Return the probability that Student's t exceeds `t` (https://dlmf.nist.gov/8.17, Abramowitz 26.7.1)."""
    squared = t * t / freedom
    if squared == 0:
        return 0.5
    tail = incomplete_beta(freedom / 2, 0.5, 1 / (1 + squared), 1 / (1 + 1 / squared)) / 2
    return tail if t > 0 else 1 - tail


def incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """Return the regularized incomplete beta function I_x(a, b), to about nine digits or better.

    By its continued fraction (https://dlmf.nist.gov/8.17#E22) with Lentz's method.

    Args:
        a: Above 0.
        b: Above 0.
        x: From 0 to 1.
        rest: 1 - x, given apart because the difference loses digits where x is near 1.
    """
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, rest, x)
    if x == 0:
        return 0.0
    factor = math.exp(
        a * math.log(x) + b * math.log(rest) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    )
    return factor / a / _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    value = upper = 1.0
    lower = 0.0
    for step in range(1, _STEPS):
        m, odd = divmod(step, 2)
        top = -(a + m) * (a + b + m) if odd else m * (b - m)
        coefficient = top * x / ((a + step - 1) * (a + step))
        lower = 1 / (1 + coefficient * lower)
        upper = 1 + coefficient / upper
        value *= upper * lower
        if abs(upper * lower - 1) < 1e-15:
            break
    return value


def _log_choices(of: int, chosen: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)
