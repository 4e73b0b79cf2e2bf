"""Some alerts have to last before anybody is told, and to clear before they are over."""

from collections.abc import Mapping
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alerts.alert import MAX_TRACE_IDS, Alert, NoticeKind, alert_id
from functions.alerts.circumstances import Circumstances
from functions.alerts.lifecycle import MAX_RESOLVED, Advance, advance
from functions.alerts.progress import carry_on
from functions.alerts.reading import Wanted, list_alerts, list_checks
from functions.alerts.state import CheckState, state_from_json, state_to_json
from functions.checks.definition import CheckDefinition, Condition
from functions.checks.finding import JudgedWindow
from functions.checks.measurement import MOST_TRACE_IDS
from functions.checks.runner import Evaluated
from functions.configuration import SHIPPED
from functions.storage.documents import encode
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK, DISPATCHER, RULES, START, TRACE_IDS, finding, judged, window

ID = alert_id(CHECK.id, DISPATCHER)
LASTING = replace(CHECK, windows_in_a_row=3)


def story(marks: str, first: int = 0) -> list[JudgedWindow]:
    """Return one window a mark: F found, c continuing (between the limits), u unjudged, . nothing."""
    windows = []
    for number, mark in enumerate(marks, first):
        at = judged(number)
        match mark:
            case "F":
                at = replace(at, findings=(finding(number, value=90.0 + number),))
            case "c":
                at = replace(at, continuing=(finding(number, value=20.0),))
            case "u":
                at = replace(at, unjudged=(DISPATCHER,))
        windows.append(at)
    return windows


def lived(
    marks: str, check: CheckDefinition = LASTING, *, at_once: bool = True
) -> tuple[Mapping[str, Alert], list[NoticeKind]]:
    """Advance through a story in one call, or window by window; return the alerts and what was told."""
    windows = story(marks)
    alerts: Mapping[str, Alert] = {}
    kinds: list[NoticeKind] = []
    for batch in [windows] if at_once else [[one] for one in windows]:
        now = batch[-1].window.end
        moved: Advance = advance(alerts, batch, check=check, circumstances=Circumstances(RULES, now))
        alerts = moved.alerts
        kinds += [notice.kind for notice in moved.notices]
    return alerts, kinds


@pytest.mark.parametrize(
    ("marks", "kinds", "state", "pending"),
    [
        ("F", [], "pending", 1),
        ("FF", [], "pending", 2),
        ("FFF", ["opened"], "open", 0),
        ("FFFF", ["opened"], "open", 0),
        ("FF.", [], None, 0),
        ("FF.F", [], "pending", 1),
        ("FF.FF", [], "pending", 2),
        ("FFcF", [], "pending", 1),  # between the limits isn't above the upper one
        ("FFuF", ["opened"], "open", 0),  # of which nothing is known breaks nothing off
        ("FFu", [], "pending", 2),
        ("uuu", [], None, 0),
        ("ccc", [], None, 0),
        ("FFF.F", ["opened"], "open", 0),
        ("FFF...", ["opened", "resolved"], "resolved", 0),
        ("FFF...F", ["opened", "resolved"], "resolved", 1),
        ("FFF...FF", ["opened", "resolved"], "resolved", 2),
        ("FFF...FF.", ["opened", "resolved"], "resolved", 0),
        ("FFF...FF.FF", ["opened", "resolved"], "resolved", 2),
        ("FFF...FFF", ["opened", "resolved", "reopened"], "open", 0),
    ],
)
def test_an_alert_opens_once_it_lasts(
    marks: str, kinds: list[NoticeKind], state: str | None, pending: int
) -> None:
    alerts, told = lived(marks, at_once=False)
    assert told == kinds
    assert [(alert.state, len(alert.pending)) for alert in alerts.values()] == [(state, pending)][
        : bool(state)
    ]


def test_an_alert_that_lasted_tells_all_of_it() -> None:
    alert = lived("FFF")[0][ID]
    assert (alert.opened_at, alert.last_seen) == (window(0).start, window(2).end)
    assert (alert.value, alert.worst, alert.violations, alert.runs) == (92, 92, 3, 3)
    assert [one.window for one in alert.findings] == [window(0), window(1), window(2)]
    assert (alert.episode, alert.pending) == (1, ())


def test_what_is_pending_says_what_it_would_be_and_has_no_episode() -> None:
    alert = lived("FF")[0][ID]
    assert (alert.state, alert.episode, alert.notices) == ("pending", 0, 0)
    assert (alert.opened_at, alert.value, alert.violations) == (window(0).start, 91, 2)
    assert alert.findings == ()


def test_what_was_over_stays_as_it_was_while_it_is_pending_again() -> None:
    before, after, over = (
        lived(marks, at_once=False)[0][ID] for marks in ("FFF...", "FFF...FF", "FFF...FF.")
    )
    assert replace(after, pending=()) == before
    assert over == before


def test_a_second_episode_counts_from_the_first_of_its_windows_and_keeps_the_earlier_findings() -> None:
    alert = lived("FFF...FFF")[0][ID]
    assert (alert.episode, alert.opened_at, alert.violations) == (2, window(6).start, 3)
    assert len(alert.findings) == 6


def test_no_notice_carries_what_is_pending() -> None:
    moved = advance({}, story("FFF...FF"), check=LASTING, circumstances=Circumstances(RULES, window(8).end))
    assert [(notice.kind, notice.alert.pending) for notice in moved.notices] == [("passed", ())]


def test_what_is_pending_of_another_check_is_left_alone() -> None:
    alerts = lived("FF")[0]
    other = replace(LASTING, id="another_check")
    assert (
        advance(alerts, story("..", 2), check=other, circumstances=Circumstances(RULES, START)).alerts
        == alerts
    )


def test_a_lowered_number_of_windows_opens_at_the_next_finding() -> None:
    alerts = lived("FF")[0]
    moved = advance(alerts, story("F", 2), check=CHECK, circumstances=Circumstances(RULES, START))
    assert moved.alerts[ID].state == "open"


def test_each_window_that_may_have_to_pend_fits_with_all_its_traces() -> None:
    schema = orjson.loads((SHIPPED / "schemas" / "check.schema.json").read_bytes())
    assert schema["properties"]["for"]["maximum"] * MOST_TRACE_IDS <= MAX_TRACE_IDS


def test_what_is_pending_again_is_not_forgotten_as_long_resolved() -> None:
    alert = lived("FFF...FF")[0][ID]
    later = {
        f"{n:016x}": replace(alert, id=f"{n:016x}", pending=(), resolved_at=window(99).end)
        for n in range(MAX_RESOLVED)
    }
    moved = advance({ID: alert} | later, (), check=LASTING, circumstances=Circumstances(RULES, START))
    assert ID in moved.alerts
    forgotten = {ID: replace(alert, pending=())} | later
    assert ID not in advance(forgotten, (), check=LASTING, circumstances=Circumstances(RULES, START)).alerts


@pytest.mark.parametrize(
    ("marks", "kinds", "value"),
    [
        ("Fccccc", ["opened"], 20),
        ("F..c..", ["opened"], 20),
        ("Fc...", ["opened", "resolved"], 20),
        ("F...c", ["opened", "resolved"], 90),  # between the limits opens nothing again
        ("c", [], None),
    ],
)
def test_an_open_alert_goes_on_between_the_limits(
    marks: str, kinds: list[NoticeKind], value: float | None
) -> None:
    alerts, told = lived(marks, CHECK, at_once=False)
    assert told == kinds
    assert [alert.value for alert in alerts.values()] == [value][: value is not None]


@pytest.mark.parametrize(
    ("marks", "quiet", "state"),
    [("Fuuuuu", 0, "open"), ("F.u.u", 2, "open"), ("F.u.u.", 3, "resolved"), ("F..uF", 0, "open")],
)
def test_a_window_of_which_nothing_can_be_said_neither_ends_an_alert_nor_keeps_it(
    marks: str, quiet: int, state: str
) -> None:
    alert = lived(marks, CHECK)[0][ID]
    assert (alert.quiet, alert.state) == (quiet, state)


def test_a_name_that_is_not_unicode_is_known_again_where_it_is_unjudged() -> None:
    key = {"Agent": "bad \ud800 name", "Tool": "x"}
    windows = [judged(0, finding(0, key)), *(replace(judged(n), unjudged=(key,)) for n in range(1, 6))]
    (alert,) = advance({}, windows, check=CHECK, circumstances=Circumstances(RULES, START)).alerts.values()
    assert (alert.state, alert.quiet) == ("open", 0)


def test_the_worst_of_what_is_too_low_is_the_lowest() -> None:
    low = replace(CHECK, condition=Condition("below", {"threshold": 100}))
    windows = [judged(n, finding(n, value=value)) for n, value in enumerate((50, 20, 70))]
    assert advance({}, windows, check=low, circumstances=Circumstances(RULES, START)).alerts[ID].worst == 20


@given(st.text("Fcu.", max_size=40), st.integers(1, 4), st.data())
def test_it_makes_no_difference_how_windows_are_cut_into_ticks(
    marks: str, windows_in_a_row: int, data: st.DataObject
) -> None:
    """Whatever survives between two ticks is in the document, and an alert is open only by N in a row."""
    check = replace(CHECK, windows_in_a_row=windows_in_a_row)
    state, first = CheckState(), 0
    while first < len(marks):
        size = data.draw(st.integers(1, len(marks) - first))
        windows = story(marks[first : first + size], first)
        first += size
        outcome = Evaluated(tuple(windows), windows[-1].window.end, rows=0, unjudged=0)
        state, _ = carry_on(state, outcome, check, Circumstances(RULES, windows[-1].window.end))
        state = state_from_json("checks/x", orjson.loads(encode(state_to_json(state))))
    expected = lived(marks, check)[0] if marks else {}

    def told_apart(alerts: Mapping[str, Alert]) -> list[Alert]:
        return [
            replace(alert, notices=0, noticed_at=None, announced=None, made=()) for alert in alerts.values()
        ]

    assert told_apart(state.alerts) == told_apart(expected)
    assert [alert.state for alert in expected.values()] == _by_hand(marks, windows_in_a_row)


def _by_hand(marks: str, windows_in_a_row: int) -> list[str]:
    """Return what state the alert is in, by nothing but counting."""
    is_open = was_open = False
    row = quiet = 0
    for mark in marks.replace("u", ""):
        row = row + 1 if mark == "F" else 0
        if is_open:
            quiet = quiet + 1 if mark == "." else 0
            is_open = quiet < RULES.resolve_after_quiet
            row = 0
        elif row == windows_in_a_row:
            is_open, was_open, row, quiet = True, True, 0, 0
    if is_open:
        return ["open"]
    return ["resolved"] if was_open else ["pending"] if row else []


def test_what_is_pending_is_not_shown_as_open() -> None:
    documents = MemoryDocuments()
    outcome = Evaluated(tuple(story("FF")), window(1).end, rows=2, unjudged=0)
    state, _ = carry_on(CheckState(), outcome, LASTING, Circumstances(RULES, window(1).end))
    documents.write(f"checks/{LASTING.id}", state_to_json(state), version=None)
    assert (
        list_alerts(documents, Wanted("open"))["alerts"]
        == list_alerts(documents, Wanted("resolved"))["alerts"]
        == []
    )
    assert list_checks(documents, (LASTING,))[0]["open_alerts"] == 0
    (shown,) = list_alerts(documents)["alerts"]
    assert shown["state"] == "pending"
    assert TRACE_IDS[0] not in str(shown)


def test_a_document_of_the_format_before_is_read() -> None:
    state = CheckState(alerts=lived("F", CHECK)[0])
    body = orjson.loads(encode(state_to_json(state)))
    for alert in body["alerts"]:
        del alert["pending"]
    assert state_from_json("checks/x", body | {"format": 1}) == state
