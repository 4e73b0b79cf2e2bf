"""What keeps an alert quiet keeps it from people, never from the record, and it comes back afterwards."""

from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest

from functions.alerts.alert import Alert, alert_id
from functions.alerts.circumstances import Circumstances
from functions.alerts.failures import CHECK_FAILED
from functions.alerts.outbox import Outbox
from functions.alerts.progress import carry_on
from functions.alerts.rules import Route
from functions.alerts.state import CheckState, state_from_json, state_to_json
from functions.checks.finding import JudgedWindow
from functions.checks.runner import Evaluated, EvaluationFailed, NothingDue, Outcome
from functions.errors import SourceUnavailable
from functions.storage.documents import encode
from tests.unit.alerts.building import CHECK, EVERY, RULES, START, finding, judged, two_destinations, window
from tests.unit.alerts.living import ABOVE, ID, Life

HOUR = timedelta(hours=1)
NIGHT = "0123456789ab@2026-11-24T02:00:00Z"
AGENT_GONE = "agent-gone"


def by_night(alert: Alert) -> tuple[str, ...]:
    return (NIGHT,)


def quiet_life(marks: str = "") -> Life:
    """Return a life that a silence keeps quiet from after `marks` on."""
    life = Life(check=ABOVE)
    life.lives(marks)
    life.quieted = by_night
    return life


def over(life: Life) -> Life:
    """End the silence."""
    life.quieted = lambda _: ()
    return life


@pytest.mark.parametrize("marks", ["F", "F...", "F...F", "FFFF"])
def test_what_begins_quietly_is_told_to_nobody_and_named(marks: str) -> None:
    life = quiet_life()
    assert life.lives(marks) == []
    assert life.withheld
    assert life.alert.quieted_by == (NIGHT,)


def test_what_is_still_open_afterwards_is_told_as_opened() -> None:
    life = quiet_life()
    life.lives("F...F")
    assert over(life).waits() == ["opened"]
    assert (life.told[-1].earlier, life.told[-1].alert.quieted_by) == (0, ())


def test_what_people_know_opens_again_for_them_afterwards() -> None:
    life = quiet_life("F...")
    life.lives("F")
    assert over(life).waits() == ["reopened"]


def test_what_is_over_before_anybody_was_told_is_left_to_the_report() -> None:
    life = quiet_life()
    life.lives("F...")
    assert over(life).waits(9 * HOUR) == []
    assert life.alert.announced is not None
    assert life.alert.announced.over


def test_what_people_know_is_over_is_told_at_once() -> None:
    assert quiet_life("F").lives("...") == ["resolved"]


def test_what_people_know_and_is_still_open_comes_back_at_once_and_once() -> None:
    life = quiet_life("F")
    assert life.waits(0.1 * HOUR) == []
    assert over(life).waits() == ["repeated"]
    assert life.waits(3.9 * HOUR) == []
    assert life.waits(0.1 * HOUR) == ["repeated"]


def test_what_somebody_has_taken_on_does_not_come_back() -> None:
    life = quiet_life("F")
    life.is_taken_on()
    life.waits(HOUR)
    assert over(life).waits() == []


def test_neither_a_repeat_nor_what_is_worse_is_told_meanwhile_but_afterwards() -> None:
    life = quiet_life("F")
    assert life.waits(4 * HOUR) == []
    assert life.withheld == 1
    assert life.lives("F", value=500) == []
    assert life.withheld == 2
    assert over(life).waits() == ["worsened"]
    assert life.waits() == []


def test_nothing_is_told_further_meanwhile_but_afterwards() -> None:
    life = quiet_life("F")
    further = Route({}, ("teams",), escalate_after=HOUR, escalate_to=("pager",))
    life.rules = replace(two_destinations(), routes=(further,))
    assert life.waits(2 * HOUR) == []
    assert [*over(life).waits(), *life.waits()] == ["repeated", "escalated"]


def test_an_alert_that_two_things_keep_quiet_comes_back_when_both_are_over() -> None:
    life = quiet_life("F")
    life.quieted = lambda _: (NIGHT, AGENT_GONE)
    life.waits()
    life.quieted = lambda _: (AGENT_GONE,)
    assert life.waits() == []
    assert over(life).waits() == ["repeated"]


def test_what_becomes_of_an_alert_does_not_depend_on_who_hears_of_it() -> None:
    loud, quiet = Life(check=ABOVE), quiet_life()
    for life in (loud, quiet):
        life.lives("FF.F...F...")
    differs = ("notices", "noticed_at", "told", "made", "announced", "quieted_by")
    same = {name: getattr(loud.alert, name) for name in Alert.__slots__ if name not in differs}
    assert same == {name: getattr(quiet.alert, name) for name in same}


class Document:
    """The document of a check, written and read after each step."""

    def __init__(self) -> None:
        self.state = CheckState()
        self.quiet: tuple[str, ...] = ()

    def step(self, outcome: Outcome, now: datetime) -> list[str]:
        circumstances = Circumstances(RULES, now, quieted=lambda _: self.quiet)
        after, notices = carry_on(self.state, outcome, ABOVE, circumstances)
        body = orjson.loads(encode(state_to_json(after)))
        assert state_from_json("checks/x", body) == after
        self.state = replace(after, outbox=Outbox())
        return [notice.kind for notice in notices]

    def judges(self, *windows: JudgedWindow) -> list[str]:
        end = windows[-1].window.end
        return self.step(Evaluated(windows, end, rows=1, unjudged=0), end)


def test_the_document_says_what_was_hidden_and_by_what() -> None:
    document = Document()
    document.quiet = (NIGHT, AGENT_GONE)
    document.judges(judged(0, finding(0, value=50)))
    document.judges(judged(1, finding(1, value=40)))
    assert [(one.silence, one.alert_id, one.value, one.state) for one in document.state.hidden] == [
        (NIGHT, ID, 50, "open"),
        (AGENT_GONE, ID, 50, "open"),
    ]
    document.judges(*(judged(n) for n in (2, 3, 4)))
    assert {(one.state, one.until, one.episodes) for one in document.state.hidden} == {
        ("resolved", window(4).end, 1)
    }


def test_nothing_is_hidden_while_there_is_nothing_to_tell() -> None:
    document = Document()
    document.judges(judged(0, finding(0)))
    document.quiet = (NIGHT,)
    document.judges(judged(1, finding(1)))
    assert document.state.hidden == ()


def test_a_tick_in_which_nothing_changes_leaves_the_very_same_state() -> None:
    document = Document()
    document.quiet = (NIGHT,)
    document.judges(judged(0, finding(0)))
    circumstances = Circumstances(RULES, START + HOUR, quieted=lambda _: (NIGHT,))
    assert carry_on(document.state, NothingDue(), ABOVE, circumstances)[0] is document.state


def test_what_a_silence_hid_is_kept_for_its_report_and_what_an_inhibition_hid_until_people_are_told() -> None:
    document = Document()
    document.quiet = (NIGHT, AGENT_GONE)
    document.judges(judged(0, finding(0)))
    document.quiet = ()
    assert document.step(NothingDue(), START + HOUR) == ["opened"]
    assert [one.silence for one in document.state.hidden] == [NIGHT]


@pytest.mark.parametrize("failures", [RULES.report_failure_after, RULES.report_failure_after + 2])
def test_the_failure_of_a_check_that_was_kept_quiet_is_told_afterwards(failures: int) -> None:
    document, down = Document(), SourceUnavailable("It is down.", next_step="Wait.")
    document.quiet = (NIGHT,)
    for n in range(failures):
        assert document.step(EvaluationFailed(down, (window(0),)), START + n * EVERY) == []
    (record,) = document.state.hidden
    assert (record.alert_id, record.title) == (
        alert_id(CHECK_FAILED, {"Check": CHECK.id}),
        "A check can't be evaluated",
    )
    document.quiet = ()
    assert document.step(EvaluationFailed(down, (window(0),)), START + HOUR) == ["opened"]


def test_with_nothing_due_what_is_about_the_check_itself_comes_back_too() -> None:
    document = Document()
    document.quiet = (NIGHT,)
    late = START + 9 * HOUR
    for n in range(RULES.report_failure_after):
        document.step(Evaluated((judged(n),), window(n).end, rows=1, unjudged=0), late)
    assert [one.check_id for one in document.state.hidden] == ["check_behind"]
    document.quiet = ()
    assert document.step(NothingDue(), late) == ["opened"]
