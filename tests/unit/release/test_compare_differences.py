"""What is called a difference between two releases, on runs whose truth is known."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from functions.evidence.controls.verdicts import Control, Result
from functions.release.compare import AgentComparison, Line, compare
from functions.release.compare_facts import Run
from functions.release.compare_measures import Called
from functions.release.compare_significance import (
    ALPHA,
    adjusted,
    mean_chance,
    percentile,
    share_chance,
    tail_chance,
)
from tests.unit.release.made_up import AGENTS, NEW, OLD, Ways, two
from tests.unit.release.reckoning import fisher, held, slow, welch

SEEDS = 200


def compared(runs: Sequence[Run]) -> AgentComparison:
    (only,) = compare(runs, AGENTS, OLD, NEW)
    return only


def called(runs: Sequence[Run]) -> dict[str, Called]:
    return {one.measure: one.called for one in compared(runs).differences}


def line(runs: Sequence[Run], measure: str) -> Line:
    return {one.measure: one for one in compared(runs).lines}[measure]


def false_alarms() -> Counter[str]:
    """Return what was called between equal releases, over all seeds; "" counts comparisons with any."""
    found: Counter[str] = Counter()
    for seed in range(SEEDS):
        differences = called(two(seed, Ways(), Ways()))
        found.update(differences.keys())
        found[""] += bool(differences)
    return found


def test_equal_releases_differ_no_more_often_than_is_said() -> None:
    alarms = false_alarms()
    sys.stdout.write(f"{alarms['']} of {SEEDS} comparisons of equal releases called a difference: {alarms}\n")
    assert alarms[""] <= ALPHA * SEEDS


WORSE: dict[str, tuple[Ways, dict[str, Called]]] = {
    "a look-up is dropped": (
        Ways(looks_up=0),
        {"lookup_gone": Called.WORSE, "lookups_kept": Called.WORSE, "tool:find_rules": Called.DIFFERENT},
    ),
    "a look-up is often skipped": (
        Ways(looks_up=0.4),
        {"lookups_kept": Called.WORSE, "tool:find_rules": Called.DIFFERENT},
    ),
    "a new tool": (Ways(other_tool=0.05), {"new_tool": Called.WORSE}),
    "slower": (Ways(slower=2.5), {"duration_mean": Called.WORSE}),
    "dearer": (Ways(dearer=5), {"tokens": Called.WORSE, "cost": Called.WORSE}),
    "more errors": (Ways(fails=0.5), {"runs_failed": Called.WORSE}),
    "fewer documents": (Ways(retrieves=0.3), {"documents_retrieved": Called.DIFFERENT}),
    "a cache is lost": (Ways(cached=0), {"cached": Called.WORSE}),
    "old data": (Ways(fresh=0.5), {"data_fresh": Called.WORSE}),
}
LIKELY = {"duration_p95"}
"""Follows from slower runs often, but not always."""


@pytest.mark.parametrize("what", WORSE)
def test_a_difference_that_was_planted_is_found_and_no_other(what: str) -> None:
    ways, planted = WORSE[what]
    found = called(two(7, Ways(), ways))
    allowed = LIKELY if what == "slower" else set()
    assert {name: one for name, one in found.items() if name not in allowed} == planted


def test_a_slower_tail_is_found_where_the_runs_are_many_enough() -> None:
    slower = [two(seed, Ways(), Ways(slower=2.5), runs=200) for seed in range(5)]
    assert all(called(runs)["duration_p95"] is Called.WORSE for runs in slower)


def test_what_got_better_is_not_called_worse() -> None:
    assert called(two(3, Ways(slower=3), Ways())) in (
        {"duration_mean": Called.BETTER},
        {"duration_mean": Called.BETTER, "duration_p95": Called.BETTER},
    )


def test_all_at_once() -> None:
    ways = Ways(looks_up=0.2, other_tool=0.1, slower=3, dearer=5, fails=0.4)
    assert {"lookups_kept", "new_tool", "duration_mean", "tokens", "cost", "runs_failed"} <= set(
        called(two(5, Ways(), ways))
    )


# Missing facts: what is planted is there, and what would tell of it is not.


def of_new(runs: Sequence[Run], **changes: object) -> list[Run]:
    return [replace(run, **changes) if run.release == NEW else run for run in runs]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ways", "missing", "measures"),
    [
        (Ways(looks_up=0.2), {"verdicts": {}}, ["lookups_kept"]),
        (
            Ways(looks_up=0),
            {"sampled": True, "whole": False, "verdicts": {}},
            ["lookups_kept", "tool:find_rules", "lookup_gone"],
        ),
        (Ways(dearer=9), {"without_usage": 1}, ["tokens", "cost"]),
        (Ways(dearer=9), {"cost": None}, ["cost"]),
        (Ways(slower=9), {"duration_ms": None}, ["duration_mean"]),
        (Ways(fails=0.6), {"success": None}, ["runs_failed"]),
        (Ways(retrieves=0), {"retrieved": None}, ["documents_retrieved"]),
        (Ways(retrieves=0), {"whole": False}, ["documents_retrieved"]),
        (Ways(tool_fails=0.7), {"whole": False}, ["tools_failed", "retried"]),
    ],
)
def test_no_difference_is_claimed_from_a_missing_fact(
    ways: Ways, missing: dict[str, object], measures: list[str]
) -> None:
    runs = two(11, Ways(), ways)
    assert set(measures) <= set(called(runs))
    blind = of_new(runs, **missing)
    assert not set(measures) & set(called(blind))
    lines = {one.measure: one for one in compared(blind).lines}
    for measure in set(measures) & lines.keys() - {"tool:find_rules"}:
        assert lines[measure].called is Called.UNKNOWN
        assert lines[measure].note == "not known of the new release"


def test_a_tool_is_not_new_where_the_old_release_may_have_lost_rows() -> None:
    runs = two(2, Ways(), Ways(other_tool=0.3))
    hidden = [replace(run, sampled=True, whole=False) if run.release == OLD else run for run in runs]
    assert "new_tool" in called(runs)
    its = compared(hidden)
    assert its.kinds == ()
    assert "not known whether it never called them" in its.unknown[0]


def test_a_nameless_call_may_have_been_the_new_tool() -> None:
    runs = two(2, Ways(), Ways(other_tool=0.3))
    first, *others = runs
    assert compared([replace(first, tools=frozenset({""})), *others]).kinds == ()


def test_a_look_up_that_nobody_owed_is_not_gone() -> None:
    runs = two(2, Ways(), Ways(looks_up=0))
    free = {Control.REQUIRED_LOOKUPS: Result.PASS}
    assert "lookup_gone" not in called(of_new(runs, verdicts=free))


def test_an_approved_tool_that_is_new_is_no_regression() -> None:
    found = compared(two(2, Ways(quotes=0), Ways(quotes=0.5)))
    assert [(one.name, one.called) for one in found.kinds] == [("quote", Called.DIFFERENT)]


def test_small_numbers_are_said_to_be_small_and_no_mean_is_compared() -> None:
    runs = two(1, Ways(), Ways(dearer=50, looks_up=0.5), runs=10)
    assert line(runs, "tokens").called is Called.UNKNOWN
    assert "fewer than 30 runs" in line(runs, "tokens").note
    assert "only a large difference would show" in line(runs, "lookups_kept").note


def test_a_release_without_runs_of_an_agent_is_compared_with_nothing() -> None:
    only_new = [run for run in two(1, Ways(), Ways()) if run.release == NEW]
    its = compared(only_new)
    assert its.differences == ()
    assert {one.called for one in its.lines} == {Called.UNKNOWN}


def test_names_out_of_telemetry_do_not_add_to_what_is_tested() -> None:
    runs = two(4, Ways(), Ways())
    many = [replace(run, tools=run.tools | {f"t{n}" for n in range(50)}) for run in runs]
    assert len(compared(many).lines) == len(compared(runs).lines)


# The significance itself, against other means.


@pytest.mark.parametrize("seed", range(30))
def test_chances_are_those_that_are_reckoned_anew(seed: int) -> None:
    random = Random(seed)
    old = [random.random() < 0.3 for _ in range(random.randint(2, 70))]
    new = [random.random() < 0.5 for _ in range(random.randint(2, 70))]
    if len({*old, *new}) > 1:
        assert share_chance(old, new) == pytest.approx(fisher(old, new), rel=1e-9)
    before = [random.lognormvariate(0, 1) for _ in range(random.randint(2, 70))]
    after = [random.lognormvariate(0.3, 1) for _ in range(random.randint(2, 70))]
    assert mean_chance(before, after) == pytest.approx(welch(before, after), abs=1e-6)
    assert tail_chance(before, after) == pytest.approx(slow(before, after), rel=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_the_adjusted_chances_stand_as_by_holm_s_steps(seed: int) -> None:
    random = Random(seed)
    chances = {str(n): random.random() ** 6 for n in range(random.randint(1, 20))}
    found = dict(zip(chances, adjusted(list(chances.values())), strict=True))
    assert {name for name, chance in found.items() if chance < ALPHA} == held(chances)


def test_nothing_is_tested_where_nothing_can_differ() -> None:
    assert share_chance([True] * 5, [True] * 9) is None
    assert mean_chance([2.0, 2.0], [2.0, 2.0]) is None


@pytest.mark.parametrize(
    ("values", "p95"), [([7], 7), (list(range(1, 21)), 19), (list(range(1, 101)), 95), ([1, 2], 2)]
)
def test_the_percentile_is_the_nearest_rank(values: list[float], p95: float) -> None:
    assert percentile(values) == p95


if __name__ == "__main__":
    sys.stdout.write(f"{false_alarms()}\n")
