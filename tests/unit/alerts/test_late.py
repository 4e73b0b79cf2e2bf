"""What a sweep finds joins the past of an alert; what it refutes is marked; people hear of it once."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from functions.alerts.alert import Alert, alert_id
from functions.alerts.circumstances import Circumstances
from functions.alerts.late import found_late
from functions.alerts.lifecycle import Advance
from functions.alerts.outbox import Telling
from functions.checks.finding import Finding
from functions.checks.sweep import Refuted, Swept
from functions.checks.unswept import digest, digest_of_key
from tests.unit.alerts.building import CHECK, DISPATCHER, RULES, TRACE_IDS, advanced, finding, found, window
from tests.unit.delivery.golden_cards import CARDS

ID = alert_id(CHECK.id, DISPATCHER)
LATE = replace(finding(2, trace_ids=TRACE_IDS[5:6]), late=True)


def swept(
    alerts: Mapping[str, Alert],
    *late: Finding,
    refuted: tuple[Refuted, ...] = (),
    until: int = 20,
    kept_open: int = 0,
) -> Advance:
    rules = replace(RULES, keep_open_for=kept_open * CHECK.every)
    return found_late(
        alerts,
        Swept((window(2),), late, refuted, {}),
        check=CHECK,
        circumstances=Circumstances(rules, window(until).end),
        judged_until=window(until).start,
    )


@pytest.mark.parametrize(
    ("until", "state", "kind"),
    [(20, "resolved", "passed"), (4, "open", "opened")],
    ids=["long ago", "lately"],
)
def test_a_late_finding_of_a_quiet_key_is_told_once(until: int, state: str, kind: str) -> None:
    moved = swept({}, LATE, until=until)
    (notice,) = moved.notices
    assert (moved.alerts[ID].state, notice.kind) == (state, kind)
    assert "Found late" in str(CARDS.one(Telling(notice, CHECK)))


@pytest.mark.parametrize("windows", [20, 4], ids=["resolved", "open"])
def test_a_late_finding_within_an_episode_joins_it_without_a_word(windows: int) -> None:
    before = advanced({}, found(1, 3, of=windows)).alerts
    moved = swept(before, LATE)
    after = moved.alerts[ID]
    assert moved.notices == ()
    assert (after.state, after.episode, after.quiet) == (before[ID].state, 1, before[ID].quiet)
    assert [(one.window, one.late) for one in after.findings] == [
        (window(1), False),
        (window(2), True),
        (window(3), False),
    ]
    assert after.violations == before[ID].violations + 1


@pytest.mark.parametrize(("kept_open", "state"), [(16, "resolved"), (17, "resolved"), (18, "open")])
def test_a_late_finding_is_over_only_after_the_time_that_an_alert_stays_open(
    kept_open: int, state: str
) -> None:
    """Seventeen windows were judged since."""
    alert = swept({}, LATE, kept_open=kept_open).alerts[ID]
    over = window(2).end + kept_open * CHECK.every if state == "resolved" else None
    assert (alert.state, alert.resolved_at) == (state, over)


def test_refuted_traces_are_marked_and_stay() -> None:
    before = advanced({}, found(2, of=3)).alerts
    gone = Refuted(window(2).start, digest_of_key(DISPATCHER), (digest(TRACE_IDS[0]),))
    moved = swept(before, refuted=(gone,))
    (marked,) = moved.alerts[ID].findings
    assert (marked.trace_ids, marked.withdrawn) == (TRACE_IDS[:1], TRACE_IDS[:1])
    assert moved.notices == ()
