"""Which mistakes are planted in a query, and that nothing else is changed."""

from dataclasses import replace
from pathlib import Path

import pytest

from functions.configuration import SHIPPED, load_configuration
from tests.checks.bench import SITE
from tests.mutation.__main__ import summed_up, told
from tests.mutation.equivalents import Equivalent, Equivalents, read_equivalents
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.tally import Tally, tally

CHECKS = {check.id: check for check in load_configuration(SHIPPED, SITE).checks}


@pytest.mark.parametrize(
    ("query", "mutated"),
    [
        ("spans | where Success | count", ["spans  | count"]),
        ("(a | where f(x), y) | count", ["(a ) | count"]),
        ("let a = b | where Success; a", ["let a = b ; a"]),
        ("a == 1", ["a != 1", "a == 2"]),
        ("take 10.0", ["take 11.0"]),
        ("take 0.0", ["take 0.1"]),
        ("take 1e9", ["take 1100000000.0"]),
        ("a >= 1.5 and b < 2m", ["a < 1.5 and b < 2m", "a >= 1.65 and b < 2m"]),
        ('a in ("x") or b !has "y"', ['a !in ("x") or b !has "y"', 'a in ("x") or b has "y"']),
        ("isnull(a)", ["isnotnull(a)"]),
        ("not(a)", ["(a)"]),
        ('f(a, b) matches regex @"x"', ['not(f(a, b) matches regex @"x")']),
        ("a | join kind=inner b on c", ["a | join kind=leftouter b on c"]),
        ("a | lookup kind=leftouter (b) on c", ["a | lookup kind=inner (b) on c"]),
        ("a | join kind=leftanti b on c", ["a | join kind=leftsemi b on c"]),
        ('a // 1 == 2 | where b\n| take "1 < 2" + @"3"', []),
        ("mv-expand kind=array a, Column1, b2c", []),
    ],
)
def test_the_mutations(query: str, mutated: list[str]) -> None:
    made = [mutant.query for mutant in mutants(query)]
    assert set(mutated) <= set(made)
    assert len(made) == len(set(made))
    if not mutated:
        assert made == []


def test_a_mutant_says_what_and_where() -> None:
    mutant = mutants("spans\n  | where Calls > 3\n  | count")[-1]
    assert mutant == Mutant("number", "3 -> 4", "| where Calls > 3", "spans\n  | where Calls > 4\n  | count")


@pytest.mark.parametrize("check_id", CHECKS)
def test_every_mutant_of_a_check_differs_from_it_and_from_the_others(check_id: str) -> None:
    query = CHECKS[check_id].query
    made = [mutant.query for mutant in mutants(query)]
    assert query not in made
    assert len(made) == len(set(made)) > 0


def test_an_explanation_covers_a_mutant_that_exists() -> None:
    made = [(id_, mutant) for id_, check in CHECKS.items() for mutant in mutants(check.query)]
    for entry in read_equivalents().entries:
        assert any(entry.covers(id_, mutant) for id_, mutant in made), f"{entry} covers nothing"
        assert bool(entry.why) != bool(entry.accepted)


FIRES = """
more than three:
  traces: [{agent: broker, spans: [{tool: lookup, repeat: 4}]}]
  expect: [{key: {Agent: broker}, value: 4}]
"""
QUIET = """
three:
  traces: [{agent: broker, spans: [{tool: lookup, repeat: 3}]}]
"""
WEAK = """
nothing:
  traces: []
"""
QUERY = """
spans
| where Operation == "execute_tool"
| summarize Value = toreal(count()), Violations = count(), TraceIds = make_set(TraceId, 1000) by Window, Agent
| where Value > 3
"""


@pytest.mark.parametrize(
    ("quiet", "survivors"),
    [(QUIET, {"1000 -> 1001"}), (WEAK, {"1000 -> 1001", "| where Value > 3 -> nothing"})],
)
def test_what_the_fixtures_do_not_notice_survives(tmp_path: Path, quiet: str, survivors: set[str]) -> None:
    check = replace(CHECKS["stale_tool_data"], id="busy", key=("Agent",), shows=(), query=QUERY)
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "fires.yaml").write_text(FIRES, "utf-8")
    (tmp_path / "busy" / "quiet.yaml").write_text(quiet, "utf-8")
    counted = tally(check, tmp_path)
    assert counted.refused == 0
    assert counted.run == len(mutants(QUERY)) == 6
    assert {mutant.change for mutant in counted.survivors} == survivors


LIVING = Mutant("number", "3 -> 4", "| where Value > 3", "")


SAME = Equivalent("busy", "3 -> 4", "Value >", why="the reason")
ACCEPTED = Equivalent("busy", "3 -> 4", "Value >", accepted="the reason")


@pytest.mark.parametrize(
    ("killed", "entries", "as_wanted"),
    [
        (19, [], False),  # nobody said why
        (19, [SAME], True),
        (19, [ACCEPTED], True),
        (19, [replace(SAME, check_id="everywhere")], True),
        (19, [replace(SAME, check_id="another")], False),
        (19, [replace(SAME, line="another")], False),
        (9, [SAME], True),  # nine of the nine that change something
        (9, [ACCEPTED], False),  # nine in ten is not above nine in ten
    ],
)
def test_the_report_is_content_with_many_killed_and_the_rest_explained(
    killed: int, entries: list[Equivalent], as_wanted: bool
) -> None:
    lines, content = summed_up([Tally("busy", killed, 0, (LIVING,))], Equivalents(tuple(entries)))
    assert content is as_wanted
    assert f"Killed {killed} of {killed + 1}" in "\n".join(lines)


def test_a_survivor_is_listed_with_its_reason_or_the_lack_of_one() -> None:
    one = Tally("busy", 18, 2, (LIVING,))
    place = "    3 -> 4   in   | where Value > 3\n        "
    assert told(one, Equivalents((SAME,)))[1:] == [f"{place}the reason"]
    assert told(one, Equivalents((ACCEPTED,)))[1:] == [f"{place}Accepted: the reason"]
    assert told(one, Equivalents(()))[1:] == [f"{place}NOT EXPLAINED"]
    assert "18 of   18 100.0%   (1 change nothing, 2 could not be run)" in told(one, Equivalents((SAME,)))[0]
