import pytest

from bench.figures import (
    Bound,
    Figure,
    Goal,
    Growth,
    Of,
    Part,
    Peer,
    at_least,
    at_most,
    below,
    figure_from_json,
    not_measured,
)
from bench.table import as_markdown, as_text, verdicts

SECOND = Figure(Part.TICK, "own time", 0.5, "s", goal=at_most(2.0))
VERIFIED = Figure(Part.VERIFY, "speed", 300.0, "MB/s", Peer("sha256sum", 400.0), at_least(0.7), note="64 MB")
GROWS = Figure(Part.SEALS, "own time", 4.0, "s", growth=Growth("runs", {10: 1.0, 100: 2.0, 1_000: 4.0}))
UNKNOWN = not_measured(Part.PORTAL, "painted", "s", "no browser here", at_most(1.5))


@pytest.mark.parametrize("figure", [SECOND, VERIFIED, GROWS, UNKNOWN])
def test_a_figure_survives_json(figure: Figure) -> None:
    assert figure_from_json(figure.to_json()) == figure


def test_the_ratio_is_to_the_peer_and_else_to_the_limit() -> None:
    assert VERIFIED.ratio == 0.75
    assert SECOND.ratio == 0.25
    assert GROWS.ratio is None
    assert UNKNOWN.ratio is None


@pytest.mark.parametrize(
    ("bound", "number", "met"),
    [
        (Bound.AT_MOST, 2.9, False),
        (Bound.AT_MOST, 3.0, True),
        (Bound.BELOW, 3.0, False),
        (Bound.BELOW, 3.1, True),
        (Bound.AT_LEAST, 3.0, True),
        (Bound.AT_LEAST, 3.1, False),
    ],
)
@pytest.mark.parametrize("of", Of)
def test_a_goal_binds_the_value_or_the_ratio(of: Of, bound: Bound, number: float, *, met: bool) -> None:
    values = {Of.VALUE: (3.0, 7.0), Of.RATIO: (6.0, 2.0)}
    value, beside = values[of]
    figure = Figure(Part.TICK, "x", value, "s", Peer("peer", beside), Goal(of, bound, number))
    assert figure.met is met


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert UNKNOWN.met is None
    assert GROWS.met is None


def test_growth_is_from_the_smallest_to_the_largest() -> None:
    assert GROWS.growth is not None
    assert GROWS.growth.factor == 4.0
    assert Growth("runs", {10: 2.0}).factor == 1.0
    assert Growth("runs", {10: 0.0, 100: 2.0}).factor is None


def test_a_table_says_all_of_a_figure() -> None:
    for table in (as_text([VERIFIED, GROWS, UNKNOWN]), as_markdown([VERIFIED, GROWS, UNKNOWN])):
        for words in (
            "300 MB/s",
            "sha256sum: 400 MB/s",
            "0.750",
            "at least 0.7 of it",
            "64 MB",
            "runs 10: 1, 100: 2, 1,000: 4; x4",
            "not measured",
            "no browser here",
            "limit: 1.5 s",
        ):
            assert words in table


def test_what_a_figure_is_called_can_not_break_a_line_of_the_table() -> None:
    odd = Figure(Part.TICK, "a | b", 1.0, "s")
    assert r"| a \| b |" in as_markdown([odd])


def test_the_verdict_counts_goals_and_names_what_is_missed_or_unknown() -> None:
    slow = Figure(Part.TICK, "slow", 3.0, "s", goal=below(1.0, Of.VALUE))
    assert verdicts([SECOND, slow, GROWS, UNKNOWN]).splitlines() == [
        "1 of 3 goals are met.",
        "MISSED: tick, slow",
        "not measured: portal, painted",
    ]
