"""An alert opens, repeats, resolves and opens again; each with one notice, none hidden."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.alerts.alert import MAX_FINDINGS, MAX_TRACE_IDS, Alert, NoticeKind, Told, alert_id
from functions.alerts.lifecycle import MAX_RESOLVED, Advance, record_told
from functions.checks.finding import JudgedWindow
from functions.traces.source import Cell
from tests.unit.alerts.building import (
    CHECK,
    DISPATCHER,
    START,
    TRACE_IDS,
    advanced,
    finding,
    found,
    judged,
    two_destinations,
    window,
)

ID = alert_id(CHECK.id, DISPATCHER)
HOUR = timedelta(hours=1)


def told(alerts: Mapping[str, Alert], *, at: timedelta, destination: str = "teams") -> Mapping[str, Alert]:
    return record_told(alerts, ID, Told(destination, "opened", alerts[ID].episode, START + at))


def kinds(moved: Advance) -> list[NoticeKind]:
    return [notice.kind for notice in moved.notices]


@pytest.mark.parametrize(
    ("windows", "kind", "episode", "earlier"),
    [
        (found(of=4), None, 0, 0),
        (found(3, of=4), "opened", 1, 0),
        (found(0, 1, 2, of=4), "opened", 1, 0),
        (found(0, of=3), "opened", 1, 0),
        (found(0, of=4), "passed", 1, 0),
        (found(0, 4, of=5), "opened", 2, 1),
        (found(0, 4, of=8), "passed", 2, 1),
        (found(0, 4, 8, of=12), "passed", 3, 2),
    ],
)
def test_one_catch_up_makes_one_notice(
    windows: Sequence[JudgedWindow], kind: NoticeKind | None, episode: int, earlier: int
) -> None:
    notices = advanced({}, windows).notices
    assert [(n.kind, n.alert.episode, n.earlier) for n in notices] == [(kind, episode, earlier)][: bool(kind)]


@pytest.mark.parametrize(
    ("later", "kind", "episode", "earlier"),
    [
        ([1, 2], None, 1, 0),
        ([1, 2, 3], "resolved", 1, 0),
        ([1, 2, 3, 4, 5], "resolved", 1, 0),
        ([1, 2, 3, -4], "reopened", 2, 0),
        ([1, 2, 3, -4, 5, 6, 7], "resolved", 2, 1),
        ([1, 2, 3, -4, 5, 6, 7, -8], "reopened", 3, 1),
    ],
    ids=str,
)
def test_what_follows_an_open_alert(
    later: Sequence[int], kind: NoticeKind | None, episode: int, earlier: int
) -> None:
    opened = advanced({}, found(0, of=1)).alerts
    windows = [judged(abs(n), *([finding(-n)] if n < 0 else [])) for n in later]
    moved = advanced(opened, windows)
    assert moved.alerts[ID].episode == episode
    assert [(n.kind, n.earlier) for n in moved.notices] == [(kind, earlier)][: bool(kind)]


def test_windows_are_taken_in_the_order_of_time() -> None:
    windows = found(0, 4, of=8)
    assert advanced({}, windows[::-1]) == advanced({}, windows)


def test_an_alert_says_since_when_how_much_and_how_bad() -> None:
    windows = [
        judged(0, finding(0, value=95, trace_ids=TRACE_IDS[:2])),
        judged(1),
        judged(2, finding(2, value=120, trace_ids=TRACE_IDS[2:5], shows={"Runs": 9})),
        judged(3, finding(3, value=40, trace_ids=TRACE_IDS[5:6], shows={"Release": "1.4.2"})),
        judged(4),
    ]
    alert = advanced({}, windows).alerts[ID]
    assert (alert.opened_at, alert.last_seen) == (window(0).start, window(3).end)
    assert (alert.value, alert.threshold, alert.worst) == (40, 30, 120)
    assert (alert.violations, alert.runs, alert.quiet) == (6, 2 + 9 + 1, 1)
    assert alert.shows == {"Release": "1.4.2"}
    assert [one.window for one in alert.findings] == [window(0), window(2), window(3)]


def test_a_resolved_alert_says_when_it_was_over() -> None:
    alert = advanced({}, found(0, of=9)).alerts[ID]
    assert (alert.state, alert.resolved_at) == ("resolved", window(3).end)


def test_a_new_episode_counts_afresh_and_keeps_the_earlier_findings() -> None:
    alert = advanced({}, found(0, 1, 6, of=7)).alerts[ID]
    assert (alert.episode, alert.opened_at, alert.violations) == (2, window(6).start, 1)
    assert len(alert.findings) == 3


def test_each_key_has_its_own_alert() -> None:
    other = {"Agent": "dispatcher", "Tool": "get_eta"}
    moved = advanced({}, [judged(0, finding(0), finding(0, other))])
    assert [alert.key for alert in moved.alerts.values()] == [DISPATCHER, other]
    assert kinds(moved) == ["opened", "opened"]


@pytest.mark.parametrize(
    ("told_after", "now_after", "repeats"),
    [
        (0 * HOUR, 3.9 * HOUR, 0),
        (0 * HOUR, 4 * HOUR, 1),
        (2 * HOUR, 5.9 * HOUR, 0),
        (2 * HOUR, 6 * HOUR, 1),
    ],
)
def test_an_open_alert_repeats_after_the_interval_since_it_was_accepted(
    told_after: timedelta, now_after: timedelta, repeats: int
) -> None:
    alerts = told(advanced({}, found(0, of=1), now=START).alerts, at=told_after)
    moved = advanced(alerts, (), now=START + now_after)
    assert kinds(moved) == ["repeated"] * repeats
    assert [notice.number for notice in moved.notices] == [2] * repeats


def test_nothing_repeats_while_the_notice_before_waits() -> None:
    alerts = advanced({}, found(0, of=1)).alerts
    assert kinds(advanced(alerts, (), now=START + 100 * HOUR, waiting=[(ID, "teams")])) == []


def test_a_refused_notice_is_said_again_after_the_interval() -> None:
    alerts = advanced({}, found(0, of=1), now=START).alerts
    assert kinds(advanced(alerts, (), now=START + 3.9 * HOUR)) == []
    assert kinds(advanced(alerts, (), now=START + 4 * HOUR)) == ["repeated"]


def test_a_refused_repeat_is_not_made_again_before_its_interval() -> None:
    alerts = told(advanced({}, found(0, of=1), now=START).alerts, at=0 * HOUR)
    made = []
    for minutes in range(0, 13 * 60, 10):
        moved = advanced(alerts, (), now=START + timedelta(minutes=minutes))  # none waits, none is accepted
        made += [minutes / 60] * len(moved.notices)
        alerts = moved.alerts
    assert made == [4, 8, 12]


def test_one_that_refuses_changes_nothing_for_one_that_accepts() -> None:
    rules = two_destinations()
    alerts = told(advanced({}, found(0, of=1), now=START, rules=rules).alerts, at=0 * HOUR)
    alerts = told(alerts, at=1 * HOUR, destination="pager")
    repeats = []
    for hours in range(1, 13):
        moved = advanced(alerts, (), now=START + hours * HOUR, rules=rules)
        repeats += [(hours, name) for notice in moved.notices for name in notice.destinations]
        alerts = moved.alerts
        if any("pager" in notice.destinations for notice in moved.notices):
            alerts = told(alerts, at=hours * HOUR, destination="pager")  # and "teams" refuses each
    assert repeats == [(4, "teams"), (5, "pager"), (8, "teams"), (9, "pager"), (12, "teams")]


def test_what_was_accepted_of_an_earlier_episode_does_not_count_for_this_one() -> None:
    first = told(advanced({}, found(0, of=1)).alerts, at=0 * HOUR)
    moved = advanced(first, [*(judged(n) for n in (1, 2, 3)), judged(4, finding(4))], now=START + 5 * HOUR)
    assert [one.episode for one in moved.alerts[ID].told] == [1]
    assert kinds(advanced(moved.alerts, (), now=START + 6 * HOUR)) == []
    assert kinds(advanced(moved.alerts, (), now=START + 9 * HOUR)) == ["repeated"]


def test_a_resolved_alert_never_repeats() -> None:
    alerts = told(advanced({}, found(0, of=4)).alerts, at=0 * HOUR)
    assert kinds(advanced(alerts, (), now=START + 100 * HOUR)) == []


def test_a_destination_that_is_down_does_not_change_when_the_other_is_told() -> None:
    rules = two_destinations()
    alerts = told(advanced({}, found(0, of=1), now=START, rules=rules).alerts, at=0 * HOUR)
    moved = advanced(alerts, (), now=START + 4 * HOUR, rules=rules, waiting=[(ID, "pager")])
    assert [notice.destinations for notice in moved.notices] == [("teams",)]


def test_other_checks_alerts_in_the_document_stay_as_they_are() -> None:
    other = replace(advanced({}, found(0, of=1)).alerts[ID], id="0" * 16, check_id="check_failed")
    moved = advanced({other.id: other}, found(of=9), now=START + 100 * HOUR)
    assert moved.alerts == {other.id: other}
    assert moved.notices == ()


def test_what_is_kept_is_bounded_and_what_is_dropped_is_counted() -> None:
    alert = advanced({}, found(*range(350), of=350)).alerts[ID]
    assert len(alert.findings) == MAX_FINDINGS
    assert (alert.findings[-1].window, alert.findings_dropped) == (window(349), 50)
    assert alert.violations == 350


def test_trace_ids_are_bounded_over_all_findings_of_an_alert() -> None:
    many = [f"{n:032x}" for n in range(1000)]
    windows = [judged(n, finding(n, trace_ids=many)) for n in range(30)]
    alert = advanced({}, windows).alerts[ID]
    assert sum(len(one.trace_ids) for one in alert.findings) == MAX_TRACE_IDS
    assert alert.findings_dropped == 30 - MAX_TRACE_IDS // 1000


def test_old_resolved_alerts_are_forgotten_unless_a_notice_waits() -> None:
    keys = [{"Agent": f"agent {n}", "Tool": ""} for n in range(MAX_RESOLVED + 2)]
    windows = [judged(n, finding(n, key)) for n, key in enumerate(keys)]
    quiet = [judged(n) for n in range(len(keys), len(keys) + 3)]
    first = alert_id(CHECK.id, keys[0])
    assert len(advanced({}, windows + quiet).alerts) == MAX_RESOLVED
    assert first in advanced({}, windows + quiet, waiting=[(first, "teams")]).alerts


def test_a_name_that_is_not_unicode_does_not_stop_the_check() -> None:
    key = {"Agent": "bad \ud800 name", "Tool": "x"}
    shows: dict[str, Cell] = {"Release": "\udfff" + "x" * 10_000, "At": START}
    moved = advanced({}, [judged(0, finding(0, key, shows=shows))])
    (alert,) = moved.alerts.values()
    assert alert.key["Agent"] == "bad ? name"
    assert alert.shows == {"Release": "?" + "x" * 499, "At": "2026-11-24T02:55:00+00:00"}


def test_an_alert_keeps_its_name_whatever_the_order_of_its_key() -> None:
    assert alert_id("c", {"a": "1", "b": "2"}) == alert_id("c", {"b": "2", "a": "1"})
    assert alert_id("c", {"a": "1"}) != alert_id("d", {"a": "1"})


def test_a_notice_carries_a_sample_only() -> None:
    many = [f"{n:032x}" for n in range(1000)]
    (notice,) = advanced({}, [judged(n, finding(n, trace_ids=many)) for n in range(2)]).notices
    assert [len(one.trace_ids) for one in notice.alert.findings] == [10]
    assert notice.alert.runs == 2000


def test_a_receipt_for_a_forgotten_alert_changes_nothing() -> None:
    assert record_told({}, ID, Told("teams", "opened", 1, START)) == {}


def test_severity_and_owner_follow_the_configuration() -> None:
    alert = advanced({}, found(0, of=1)).alerts[ID]
    assert (alert.severity, alert.owner) == (CHECK.severity, CHECK.owner)
