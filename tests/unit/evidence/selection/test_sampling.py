"""A draw favours nobody, is the same however the population is read, and gives every stratum its share."""

import hashlib
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.errors import ResultTooLarge, SourceError
from functions.evidence.selection.sampling import (
    MOST_STRATA,
    Drawn,
    Run,
    allot,
    draw,
    in_order,
    seed_of,
    ticket_of,
)


def runs(count: int, stratum: str = "") -> list[Run]:
    return [Run(f"{number:032x}", f"{number:016x}", stratum) for number in range(1, count + 1)]


def drawn(seed: str, population: Iterable[Run], size: int) -> list[Drawn]:
    return [one for stratum in draw(seed, population, size) for one in stratum.drawn]


def test_seed_and_ticket_are_what_the_docs_say() -> None:
    seed = hashlib.sha256(b"e1 h1").hexdigest()
    assert seed_of("e1", "h1") == seed
    assert ticket_of(seed, Run("t1", "r1", "x")) == hashlib.sha256(f"{seed} t1 r1".encode()).hexdigest()


def test_the_lowest_tickets_are_drawn() -> None:
    population, seed = runs(300), seed_of("export", "head")
    # Sorted in full, as somebody would who has all of them before them.
    expected = sorted((ticket_of(seed, run), run.trace_id, run.run_id) for run in population)[:20]
    assert [tuple(one) for one in drawn(seed, population, 20)] == expected


def test_a_population_that_is_smaller_than_the_sample_is_drawn_whole() -> None:
    (stratum,) = draw("seed", runs(3), 10)
    assert (stratum.runs, len(stratum.drawn)) == (3, 3)


def test_of_nothing_nothing_is_drawn() -> None:
    assert draw("seed", [], 10) == ()


def test_no_run_is_drawn_more_often_than_chance_has_it() -> None:
    population, size, seeds = runs(20), 5, 4_000
    times = Counter(
        one.run_id
        for number in range(seeds)
        for one in drawn(seed_of(f"{number:032x}", "0" * 64), population, size)
    )
    expected = seeds * size / len(population)
    # Draws without replacement vary less than independent ones, by (N - n) / (N - 1).
    spread = (len(population) - size) / (len(population) - 1)
    chi_square = sum((times[run.run_id] - expected) ** 2 / expected for run in population) / spread
    # 19 degrees of freedom: chance exceeds 43.8 once in a thousand, and is below 4.9 once in two thousand.
    assert 4.9 < chi_square < 43.8


def test_no_pair_of_runs_is_drawn_more_often_than_chance_has_it() -> None:
    population, size, seeds = runs(8), 2, 5_600
    pairs = Counter(
        frozenset(one.run_id for one in drawn(seed_of("x", str(number)), population, size))
        for number in range(seeds)
    )
    expected = seeds / 28
    # 27 degrees of freedom: chance exceeds 55.5 once in a thousand.
    assert len(pairs) == 28
    assert sum((times - expected) ** 2 / expected for times in pairs.values()) < 55.5


RUNS = st.builds(
    Run,
    trace_id=st.integers(1, 60).map("{:032x}".format),
    run_id=st.integers(1, 3).map("{:016x}".format),
    stratum=st.just(""),
)


@given(st.lists(RUNS, max_size=80), st.integers(1, 30), st.randoms())
def test_order_and_repetitions_change_nothing(population: list[Run], size: int, random: object) -> None:
    again = population * 2
    random.shuffle(again)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
    assert draw("seed", in_order([again]), size) == draw("seed", in_order([population]), size)


@given(st.lists(RUNS, max_size=80), st.integers(1, 30), st.integers(1, 59))
def test_where_a_page_ends_changes_nothing(population: list[Run], size: int, cut: int) -> None:
    pages = [
        [run for run in population if (int(run.trace_id, 16) <= cut) is first] for first in (True, False)
    ]
    assert draw("seed", in_order(pages), size) == draw("seed", in_order([population]), size)


@given(st.lists(RUNS, min_size=1, max_size=80), st.integers(1, 30))
def test_a_run_that_is_not_drawn_does_not_change_who_is(population: list[Run], size: int) -> None:
    first = drawn("seed", in_order([population]), size)
    ids = {(one.trace_id, one.run_id) for one in first}
    left = [run for run in population if (run.trace_id, run.run_id) in ids]
    assert drawn("seed", in_order([left]), size) == first


def test_a_page_out_of_place_is_refused() -> None:
    with pytest.raises(SourceError):
        list(in_order([runs(5)[3:], runs(5)[:3]]))


@given(st.lists(st.integers(1, 500), min_size=1, max_size=20), st.integers(0, 2_000))
def test_every_stratum_gets_its_share(sizes: list[int], more: int) -> None:
    size = len(sizes) + more
    shares = allot(sizes, size)
    assert sum(shares) == min(size, sum(sizes))
    assert all(1 <= share <= one for share, one in zip(shares, sizes, strict=True))
    exact = [size * one / sum(sizes) for one in sizes]
    if size < sum(sizes) and min(exact) >= 1:
        assert all(abs(share - one) < 1 for share, one in zip(shares, exact, strict=True))


@pytest.mark.parametrize(
    ("sizes", "size", "shares"),
    [
        ([90, 10], 10, [9, 1]),
        ([1, 1, 98], 10, [1, 1, 8]),
        ([5, 5], 3, [2, 1]),  # equal remainders: the lower number
        ([2, 2], 9, [2, 2]),
        ([50], 7, [7]),
    ],
)
def test_shares(sizes: list[int], size: int, shares: list[int]) -> None:
    assert allot(sizes, size) == shares


def test_strata_are_numbered_as_the_population_has_them() -> None:
    population = [Run(f"{n:032x}", f"{n:016x}", "b" if n % 4 == 1 else "a") for n in range(1, 41)]
    strata = draw("seed", population, 8)
    assert [(one.number, one.name, one.runs) for one in strata] == [(1, "b", 10), (2, "a", 30)]
    assert [len(one.drawn) for one in strata] == [2, 6]
    for stratum in strata:
        own = [run for run in population if run.stratum == stratum.name]
        assert list(stratum.drawn) == drawn("seed", own, len(stratum.drawn))


@pytest.mark.parametrize(("strata", "size"), [(3, 2), (MOST_STRATA + 1, 1_000)])
def test_more_strata_than_can_have_a_run_are_refused(strata: int, size: int) -> None:
    population = [Run(f"{n:032x}", f"{n:016x}", str(n)) for n in range(1, strata + 1)]
    with pytest.raises(ResultTooLarge):
        draw("seed", population, size)
