"""The four answers, of which only the first is a pass; and what is not known yet."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.canary.marker import Marker
from functions.canary.sight import (
    MarkerRow,
    NeedSight,
    Place,
    PointerRow,
    Sight,
    Verdict,
    carried_on,
    judge_content,
    judge_pointers,
    judge_spans,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def name(minutes: float) -> str:
    return f"{round(minutes * 60):032x}"


def marker(minutes: float) -> Marker:
    return Marker(name(minutes), ago(minutes))


def row(minutes: float, *, pointer: bool = True, inline: bool = False) -> MarkerRow:
    return MarkerRow(name(minutes), ago(minutes), pointer, inline)


@pytest.mark.parametrize(
    ("accepted", "seen", "answer"),
    [
        ([6, 1], [6, 1], "pass"),
        ([6, 1], [6], "pass"),  # the latest has still time
        ([6, 1], [1], "pass"),  # one row lost, and the path is open
        ([1], [1], "pass"),
        ([11, 5, 1], [11], "late"),
        ([6], [], "late"),
        ([19, 4], [], "late"),
        ([4], [], "unknown"),  # the first is on its way
        ([], [], "unknown"),
        ([30, 21], [30, 21], "unknown"),  # sending has stopped: nothing is known of the present
    ],
)
def test_a_marker_run_that_is_not_there_in_time_means_a_late_pipeline(
    accepted: list[int], seen: list[int], answer: str
) -> None:
    sent = [marker(minutes) for minutes in accepted]
    assert judge_spans(sent, [row(minutes) for minutes in seen], now=NOW).answer == answer


@pytest.mark.parametrize(
    ("rows", "content", "expected", "answer"),
    [
        ([row(6), row(1)], [6, 1], "table", "pass"),
        ([row(6), row(1)], [6], "table", "pass"),  # content may come after its pointer
        ([row(1)], [], "table", "not_allowed"),
        ([row(11), row(6), row(1)], [], "table", "not_allowed"),
        ([row(6)], [], "inline", "not_allowed"),
        ([row(11), row(6)], [11], "table", "late"),  # who sees earlier content may look
        ([row(1, pointer=False, inline=True)], [], "table", "moved"),
        ([row(6), row(1, pointer=False, inline=True)], [6], "table", "moved"),
        ([row(1, inline=True)], [1], "table", "moved"),  # a copy is left where everybody reads
        ([row(1, inline=True)], [], "table", "moved"),  # and the other copy is hidden
        ([row(1)], [1], "inline", "moved"),
        ([row(1, pointer=False, inline=True)], [], "inline", "pass"),
        ([row(1, pointer=False)], [], "table", "moved"),  # neither here nor there
        ([row(1, pointer=False)], [1], "table", "pass"),  # the pointer's form is not documented
        ([], [], "table", "unknown"),
        ([row(1)], None, "table", "unknown"),
    ],
)
def test_content_is_seen_hidden_moved_or_late(
    rows: list[MarkerRow], content: list[int] | None, expected: Place, answer: str
) -> None:
    seen = None if content is None else {name(minutes) for minutes in content}
    assert judge_content(rows, seen, expected=expected, now=NOW).answer == answer


def pointer(minutes: float) -> PointerRow:
    return PointerRow(name(minutes), "5", ago(minutes))


REFUSED = NeedSight("not_allowed", "", ago(90))
GOOD = NeedSight("pass", "", ago(90))


@pytest.mark.parametrize(
    ("minutes", "content", "before", "answer"),
    [
        ([], [], None, "pass"),  # nothing points to content: there is nothing to see
        ([], [], GOOD, "pass"),
        ([], [], REFUSED, "not_allowed"),  # silence is no proof that the role was given
        ([30, 6], [], None, "not_allowed"),
        ([30, 6], [], GOOD, "not_allowed"),
        ([14, 6], [], GOOD, "late"),
        ([30, 6], [6], REFUSED, "pass"),
        ([30, 6], None, GOOD, "unknown"),
    ],
)
def test_without_canaries_agents_own_pointers_tell(
    minutes: list[int], content: list[int] | None, before: NeedSight | None, answer: str
) -> None:
    seen = None if content is None else {(name(one), "5") for one in content}
    assert judge_pointers([pointer(one) for one in minutes], seen, before=before, now=NOW).answer == answer


def test_content_of_another_span_of_the_trace_proves_nothing() -> None:
    assert judge_pointers([pointer(30)], {(name(30), "6")}, before=None, now=NOW).answer == "not_allowed"


def test_an_answer_keeps_its_beginning_until_it_changes() -> None:
    first = carried_on(None, {"content": Verdict("late", "a")}, ago(10))
    second = carried_on(first, {"content": Verdict("late", "b")}, ago(5))
    third = carried_on(second, {"content": Verdict("pass", "")}, NOW)
    assert [sight.needs["content"].since for sight in (first, second, third)] == [ago(10), ago(10), NOW]
    assert third == Sight(NOW, {"content": NeedSight("pass", "", NOW)})
