from dataclasses import replace

from bench.figures import Figure, Part, at_most, not_measured
from bench.machine import this_machine
from bench.results import PAGE, Results, load, results_from_json, with_table

FIRST = {**this_machine().to_json(), "date": "2026-11-29T10:00:00Z", "quiet": True}
SECOND = {**FIRST, "date": "2026-11-30T10:00:00Z", "quiet": False}

TICK = Figure(Part.TICK, "own time", 0.5, "s", goal=at_most(1.0))
LARGE = Figure(Part.TICK, "own time, a million", 0.9, "s", goal=at_most(1.0), note="long")
SEALS = Figure(Part.SEALS, "seal", 2.0, "s")
NOT_LARGE = not_measured(Part.TICK, LARGE.what, "s", "measured with --large", at_most(1.0))


def figures(results: Results) -> list[tuple[Figure, str]]:
    return [(line.figure, line.run) for line in results.lines]


def test_the_page_has_the_table_that_was_kept() -> None:
    page = PAGE.read_text("utf-8")
    assert page == with_table(page, load())


def test_what_was_kept_has_every_part() -> None:
    assert {line.figure.part for line in load().lines} == set(Part)


def test_results_survive_json() -> None:
    results = Results({}, []).after(FIRST, [TICK, LARGE, SEALS], set(Part))
    assert results_from_json(results.to_json()) == results


def test_a_figure_that_is_not_measured_this_time_keeps_its_last_value_and_date() -> None:
    before = Results({}, []).after(FIRST, [TICK, LARGE], {Part.TICK})
    faster = replace(TICK, value=0.4)
    after = before.after(SECOND, [faster, NOT_LARGE], {Part.TICK})
    assert figures(after) == [(faster, SECOND["date"]), (LARGE, FIRST["date"])]
    assert after.runs == {FIRST["date"]: FIRST, SECOND["date"]: SECOND}
    assert "measured on 2026-11-29; long" in after.to_page()


def test_what_was_never_measured_says_so() -> None:
    after = Results({}, []).after(FIRST, [TICK, NOT_LARGE], {Part.TICK})
    assert figures(after)[1] == (NOT_LARGE, FIRST["date"])


def test_other_parts_stay_and_parts_have_their_order() -> None:
    before = Results({}, []).after(FIRST, [SEALS], {Part.SEALS})
    after = before.after(SECOND, [TICK], {Part.TICK})
    assert figures(after) == [(TICK, SECOND["date"]), (SEALS, FIRST["date"])]


def test_a_figure_that_its_part_no_longer_has_goes_and_its_machine_with_it() -> None:
    before = Results({}, []).after(FIRST, [replace(TICK, what="its former name")], {Part.TICK})
    after = before.after(SECOND, [TICK], {Part.TICK})
    assert figures(after) == [(TICK, SECOND["date"])]
    assert list(after.runs) == [SECOND["date"]]


def test_a_part_that_failed_keeps_its_figures_beside_the_failure_until_it_works_again() -> None:
    failed = not_measured(Part.TICK, "bench.checks", "", "FAILED: it ended")
    before = Results({}, []).after(FIRST, [TICK], {Part.TICK})
    after = before.after(SECOND, [failed], set())
    assert figures(after) == [(failed, SECOND["date"]), (TICK, FIRST["date"])]
    assert figures(after.after(SECOND, [TICK], {Part.TICK})) == [(TICK, SECOND["date"])]


def test_the_page_says_where_a_machine_was_not_quiet() -> None:
    assert "not quiet" in Results({}, []).after(SECOND, [TICK], set()).to_page()
    assert "not quiet" not in Results({}, []).after(FIRST, [TICK], set()).to_page()
