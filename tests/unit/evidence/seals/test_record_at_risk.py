"""People hear of a clock that is off, and of a day that is not sealed, once each and until it is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.access.clock import ClockCheck
from functions.alerts.told_as import told_as_it_is
from functions.checks.finding import Finding
from functions.checks.runner import Evaluated, NothingDue
from functions.delivery.cards.writer import CardWriter
from functions.delivery.interface import Channel
from functions.evidence.seals.record_at_risk import OVERDUE, RECORD_CHECK, RecordJudge
from functions.evidence.seals.sealing import SETTLE
from functions.evidence.seals.store import Reach, Seals
from functions.watch.watch import Watch
from tests.fakes.destinations import MemoryDestination
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects
from tests.unit.alerts.building import RULES
from tests.unit.delivery.adaptive_card import card_of, problems

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
MONDAY = MIDNIGHT.date() - timedelta(days=1)


def judge(documents: MemoryDocuments) -> RecordJudge:
    return RecordJudge(documents, Seals(MemoryObjects(), documents))


def findings(documents: MemoryDocuments, now: datetime) -> list[Finding]:
    outcome = judge(documents).judge_due(RECORD_CHECK, watermark=now - RECORD_CHECK.every, now=now)
    assert isinstance(outcome, Evaluated)
    return [finding for judged in outcome.judged for finding in judged.findings]


def told(found: list[Finding]) -> list[tuple[str, Any]]:
    return [(finding.key["Part"], finding.shows["Why"]) for finding in found]


def test_where_nothing_is_wrong_there_is_nothing_to_judge() -> None:
    outcome = judge(MemoryDocuments()).judge_due(RECORD_CHECK, watermark=None, now=MIDNIGHT)
    assert outcome == NothingDue()


def test_a_clock_that_is_off_is_an_alert_until_it_is_right() -> None:
    documents, ours = MemoryDocuments(), [MIDNIGHT + timedelta(hours=1)]
    check = ClockCheck(documents, MemoryAppendLog(), theirs=lambda: MIDNIGHT, clock=lambda: ours[0])
    check.tick()
    (found,) = findings(documents, MIDNIGHT)
    assert (found.value, told([found])) == (1.0, [("clock", "3600 s ahead of the storage service's")])
    ours[0] = MIDNIGHT
    check.tick()
    assert findings(documents, MIDNIGHT) == []


@pytest.mark.parametrize(("late", "alert"), [(OVERDUE - timedelta(seconds=1), False), (OVERDUE, True)])
def test_a_day_that_stays_unsealed_for_hours_is_an_alert(late: timedelta, alert: bool) -> None:
    documents = MemoryDocuments()
    Seals(MemoryObjects(), documents).extend(Reach(MONDAY, MONDAY), None)
    found = findings(documents, MIDNIGHT + SETTLE + late)
    assert told(found) == ([("seals", "2026-11-23 is not sealed")] if alert else [])


def test_it_is_judged_no_more_often_than_it_says() -> None:
    now = MIDNIGHT + timedelta(minutes=4)
    assert judge(MemoryDocuments()).judge_due(RECORD_CHECK, watermark=MIDNIGHT, now=now) == NothingDue()


def test_a_clock_an_hour_off_is_one_card_and_its_end_another() -> None:
    documents, now = MemoryDocuments(), [MIDNIGHT]
    teams = MemoryDestination(clock=lambda: now[0])
    ahead = [timedelta(hours=1)]
    check = ClockCheck(documents, MemoryAppendLog(), theirs=lambda: now[0], clock=lambda: now[0] + ahead[0])

    def tick() -> None:
        check.tick()
        Watch(
            documents,
            judge(documents),
            (RECORD_CHECK,),
            replace(RULES, resolve_after_quiet=1, keep_open_for=timedelta(0)),
            {"teams": Channel(teams, CardWriter("https://tracekeeper.example.net", told_as_it_is, {}))},
            clock=lambda: now[0],
        ).tick()
        now[0] += RECORD_CHECK.every

    for _ in range(3):
        tick()
    (card,) = [card_of(one.message) for one in teams.accepted]
    assert problems(card) == []
    assert card["fallbackText"].startswith("HIGH · clock · The record that evidence rests on")
    assert "3600 s ahead of the storage service's" in str(card)
    ahead[0] = timedelta(0)
    tick()
    assert card_of(teams.accepted[-1].message)["fallbackText"].startswith("RESOLVED · clock")
