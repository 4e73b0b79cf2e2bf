"""A window is judged once more for late rows, once, and only what changed is told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from functions.checks.finding import Finding, JudgedWindow
from functions.checks.late_rows import COLUMN
from functions.checks.runner import Evaluated, Runner
from functions.checks.sweep import Swept, compare, is_swept
from functions.checks.unswept import MOST_TRACES, Unswept, digest, unswept_from_json
from functions.configuration import SHIPPED, load_configuration
from tests.fakes.source import ScriptedSource
from tests.unit.checks.building import COLUMNS, FIVE, NOON, SPIKE, batch, check, result, row, window

HOUR = timedelta(hours=1)
CONFIGURATION = load_configuration(SHIPPED)


def found(number: int, *traces: str, agent: str = "dispatcher", violations: int = 1) -> Finding:
    return Finding("slow_tool", {"Agent": agent}, window(number), 1.0, None, violations, traces)


def judged(number: int, *findings: Finding) -> JudgedWindow:
    return JudgedWindow(window(number), findings)


def unswept(*windows: JudgedWindow) -> Unswept:
    """Judge windows one by one, each when it has settled."""
    left = Unswept()
    for one in windows:
        left = left.after([one], read_until=one.window.end + FIVE)
    return left


@pytest.mark.parametrize(
    ("condition", "changes", "swept"),
    [
        ({"any": {}}, {}, True),
        ({"above": {"threshold": 1}}, {}, True),
        ({"spike": SPIKE}, {}, False),
        ({"absence": {"after": "30m"}}, {}, False),
        ({"any": {}}, {"lookback": "25h"}, False),
        ({"any": {}}, {"for": 2}, False),
        ({"any": {}}, {"settle": "1h"}, False),
    ],
)
def test_only_a_check_that_judges_runs_by_themselves_is_swept(
    condition: dict[str, Any], changes: dict[str, Any], swept: bool
) -> None:
    assert is_swept(check(condition, **changes)) is swept


@pytest.mark.parametrize(
    ("before", "after", "late", "refuted"),
    [
        ([], [("a",)], [("a",)], []),
        ([("a",)], [("a", "b")], [("b",)], []),
        ([("a",)], [("a",)], [], []),
        ([("a",)], [], [], [("a",)]),
        ([("a", "b")], [("b", "c")], [("c",)], [("a",)]),
    ],
    ids=["new key", "new trace", "same", "gone", "one for another"],
)
def test_what_a_sweep_changes(
    before: list[tuple[str, ...]],
    after: list[tuple[str, ...]],
    late: list[tuple[str, ...]],
    refuted: list[tuple[str, ...]],
) -> None:
    first = unswept(judged(0, *(found(0, *traces) for traces in before)))
    new, gone = compare(first, [judged(0, *(found(0, *traces) for traces in after))])
    assert [(one.trace_ids, one.late) for one in new] == [(traces, True) for traces in late]
    assert [one.traces for one in gone] == [tuple(map(digest, traces)) for traces in refuted]


def test_a_late_finding_counts_only_what_was_not_counted_before() -> None:
    first = unswept(judged(0, found(0, "a", violations=3)))
    (late,), _ = compare(first, [judged(0, found(0, "a", "b", violations=8))])
    assert late.violations == 5


def test_a_sweep_takes_an_hour_of_windows_when_an_hour_has_passed() -> None:
    left = unswept(*map(judged, range(24)))
    ripe = window(11).end + HOUR + FIVE
    assert left.due(FIVE, ripe - timedelta(seconds=1)) is None
    due = left.due(FIVE, ripe)
    assert due == batch(*range(12))
    assert due is not None
    assert left.swept(due.windows) == unswept(*map(judged, range(12, 24)))


def test_what_an_outage_cut_off_is_swept_though_it_is_short() -> None:
    left = unswept(judged(0), judged(1)).after([judged(40)], window(40).end + FIVE)
    assert left.due(FIVE, window(1).end + HOUR + FIVE) == batch(0, 1)


def test_a_failed_sweep_is_put_off_for_an_hour() -> None:
    at = window(30).end + HOUR
    left = replace(unswept(*map(judged, range(24))), failed_at=at)
    assert left.due(FIVE, at + HOUR - FIVE) is None
    assert left.due(FIVE, at + HOUR) == batch(*range(24))


def test_windows_whose_late_rows_were_read_with_them_are_not_swept() -> None:
    left = Unswept().after([judged(0), judged(1)], read_until=window(0).end + HOUR)
    assert [(one.start, one.end) for one in left.stretches] == [(window(1).start, window(1).end)]


def test_what_is_kept_is_bounded_and_what_is_given_up_is_counted() -> None:
    many = tuple(f"{n:032x}" for n in range(MOST_TRACES // 2))
    left = unswept(*(judged(n, found(n, *many)) for n in range(3)))
    assert left.given_up == 2
    assert [one.start for one in left.found] == [window(2).start]
    assert len(orjson.dumps(left.to_json())) < 250_000


def test_it_is_read_back_as_it_was_written() -> None:
    left = replace(unswept(judged(0, found(0, "a", "b")), judged(1)), failed_at=NOON, given_up=1)
    assert unswept_from_json(orjson.loads(orjson.dumps(left.to_json()))) == left


def test_a_sweep_reads_an_hour_on_and_counts_late_rows() -> None:
    rows = (row(0) | {COLUMN: None}, row(0, None, agent="", TraceIds=None) | {COLUMN: 4})
    source = ScriptedSource([result(*rows)])
    runner = Runner(source, CONFIGURATION.agents, CONFIGURATION.prices)
    swept = runner.sweep(check(), batch(0), unswept(judged(0)))
    assert isinstance(swept, Swept)
    assert [finding.trace_ids for finding in swept.late] == [("t1",)]
    assert swept.late_rows == {window(0).start: 4}
    assert f"let ReceivedTo = datetime({window(0).end + HOUR:%Y-%m-%dT%H:%M}" in source.asked[0].kql


def test_catching_up_reads_late_rows_at_once_and_leaves_little_to_sweep() -> None:
    source = ScriptedSource([result(columns=(*COLUMNS, COLUMN))])
    runner = Runner(source, CONFIGURATION.agents, CONFIGURATION.prices)
    outcome = runner.judge_due(check(), watermark=NOON, now=NOON + 3 * HOUR)
    assert isinstance(outcome, Evaluated)
    assert outcome.read_until is not None
    assert len(source.asked) == 1
    (left,) = Unswept().after(outcome.judged, outcome.read_until).stretches
    assert left.end - left.start == HOUR - FIVE
