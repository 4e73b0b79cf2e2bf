"""What chance alone would give: held against published values, closed forms and exact fractions."""

import math
from fractions import Fraction
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.checks.significance import Means, Proportions, student_survival

SLEEP = (
    (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0),
    (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4),
)
"""Hours of sleep gained by two drugs: Student, The probable error of a mean, 1908."""


@st.composite
def proportions(draw: st.DrawFn) -> Proportions:
    runs, baseline_runs = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    return Proportions(draw(st.integers(0, runs)), runs, draw(st.integers(0, baseline_runs)), baseline_runs)


def exactly(change: Proportions) -> Fraction:
    """Return Fisher's p as a fraction, by counting all ways."""
    drawn = change.hits + change.baseline_hits
    ways = sum(
        math.comb(change.runs, hits) * math.comb(change.baseline_runs, drawn - hits)
        for hits in range(change.hits, min(change.runs, drawn) + 1)
    )
    return Fraction(ways, math.comb(change.runs + change.baseline_runs, drawn))


@pytest.mark.parametrize(
    ("change", "chance"),
    [
        # Fisher, The Design of Experiments, 1935: the lady tasting tea.
        (Proportions(4, 4, 0, 4), 1 / 70),
        (Proportions(3, 4, 1, 4), 17 / 70),
        (Proportions(0, 4, 4, 4), 1.0),
        # https://en.wikipedia.org/wiki/Fisher%27s_exact_test: who is on a diet.
        (Proportions(9, 12, 1, 12), 0.001379728),
        # R's documentation of fisher.test: convictions of twins, after Fisher; p-value = 0.0004652.
        (Proportions(10, 13, 2, 17), 0.0004651809),
        (Proportions(0, 10, 0, 10), 1.0),
        (Proportions(10, 10, 10, 10), 1.0),
    ],
)
def test_fishers_test_gives_the_published_values(change: Proportions, chance: float) -> None:
    assert change.chance() == pytest.approx(chance, rel=1e-6)


@given(proportions())
def test_fishers_test_is_exact(change: Proportions) -> None:
    assert change.chance() == pytest.approx(float(exactly(change)), rel=1e-9, abs=1e-12)


@given(proportions())
def test_one_more_hit_is_never_likelier(change: Proportions) -> None:
    more = Proportions(
        min(change.hits + 1, change.runs), change.runs, change.baseline_hits, change.baseline_runs
    )
    assert more.chance() <= change.chance() + 1e-12


def test_a_million_runs_are_compared_as_well_as_ten() -> None:
    assert Proportions(60_000, 1_000_000, 50_000, 1_000_000).chance() < 1e-200
    assert Proportions(10_000, 1_000_000, 60_000, 1_000_000).chance() == pytest.approx(1.0)
    # The normal approximation with continuity correction.
    z = 1009 / math.sqrt(2_000_000 * 0.050505 * 0.949495)
    expected = math.erfc(z / math.sqrt(2)) / 2
    assert Proportions(51_010, 1_000_000, 50_000, 1_000_000).chance() == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("t", "freedom", "chance"),
    [
        # https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm
        (6.314, 1, 0.05),
        (318.313, 1, 0.001),
        (2.920, 2, 0.05),
        (2.571, 5, 0.025),
        (1.812, 10, 0.05),
        (4.144, 10, 0.001),
        (2.457, 30, 0.01),
        (1.660, 100, 0.05),
        (1.645, 1e9, 0.05),
    ],
)
def test_students_t_is_that_of_the_tables(t: float, freedom: float, chance: float) -> None:
    assert student_survival(t, freedom) == pytest.approx(chance, rel=2e-3)
    assert student_survival(-t, freedom) == pytest.approx(1 - chance, rel=2e-3)


@given(st.floats(-1e6, 1e6))
def test_students_t_has_its_closed_forms(t: float) -> None:
    """Of one, two and four degrees of freedom (https://en.wikipedia.org/wiki/Student%27s_t-distribution)."""
    cauchy = math.atan2(1, t) / math.pi
    two = (1 - t / math.sqrt(2 + t * t)) / 2
    c = t / math.sqrt(4 + t * t)
    four = (1 - c * (1 + 2 / (4 + t * t))) / 2
    assert student_survival(t, 1) == pytest.approx(cauchy, rel=1e-9)
    assert student_survival(t, 2) == pytest.approx(two, rel=1e-9, abs=1e-14)
    assert student_survival(t, 4) == pytest.approx(four, rel=1e-9, abs=1e-14)


@given(st.floats(0.5, 1e5), st.floats(-50, 50), st.floats(0, 10))
def test_a_larger_t_is_never_likelier(freedom: float, t: float, more: float) -> None:
    assert 0 <= student_survival(t + more, freedom) <= student_survival(t, freedom) * (1 + 1e-9) <= 1 + 1e-9


def test_welchs_test_gives_the_published_value() -> None:
    """R's documentation of t.test: t = -1.8608, df = 17.776, p-value = 0.07939, on both sides."""
    before, now = SLEEP
    change = Means(mean(now), stdev(now), len(now), mean(before), stdev(before), len(before))
    assert change.chance() == pytest.approx(0.07939 / 2, rel=1e-4)


def test_welchs_degrees_of_freedom_lean_towards_the_side_that_varies() -> None:
    """With all variance on one side they are that side's runs less one."""
    change = Means(value=12.0, deviation=3.0, runs=9, baseline=10.0, baseline_deviation=0, baseline_runs=900)
    assert change.chance() == pytest.approx(student_survival(2.0, 8))
    mirrored = Means(12.0, 0, 900, 10.0, 3.0, 9)
    assert mirrored.chance() == pytest.approx(student_survival(2.0, 8))


@pytest.mark.parametrize(("value", "baseline", "chance"), [(2.0, 1.0, 0.0), (1.0, 1.0, 1.0), (1.0, 2.0, 1.0)])
def test_without_any_deviation_a_difference_is_certain(value: float, baseline: float, chance: float) -> None:
    assert Means(value, 0.0, 5, baseline, 0.0, 5).chance() == chance


MAGNITUDES = st.floats(0, 1e150)


@given(MAGNITUDES, MAGNITUDES, st.integers(2, 10**7), MAGNITUDES, MAGNITUDES, st.integers(2, 10**7))
def test_means_of_any_magnitude_have_a_chance(  # noqa: PLR0917 - hypothesis hands over one by one
    value: float, deviation: float, runs: int, baseline: float, earlier: float, baseline_runs: int
) -> None:
    chance = Means(value, deviation, runs, baseline, earlier, baseline_runs).chance()
    assert 0 <= chance <= 1
    if value < baseline:
        assert chance >= 0.5


@pytest.mark.parametrize(
    ("change", "ratio"),
    [
        (Proportions(3, 10, 1, 10), 3.0),
        (Proportions(3, 30, 5, 10), 0.2),
        (Proportions(1, 10, 0, 10), math.inf),
        (Proportions(0, 10, 0, 10), 1.0),
        (Proportions(0, 10, 3, 10), 0.0),
        (Means(3.0, 1, 9, 2.0, 1, 9), 1.5),
        (Means(3.0, 1, 9, 0.0, 0, 9), math.inf),
        (Means(0.0, 0, 9, 0.0, 0, 9), 1.0),
    ],
)
def test_the_ratio_says_how_many_times_the_baseline(change: Proportions | Means, ratio: float) -> None:
    assert change.ratio() == ratio
