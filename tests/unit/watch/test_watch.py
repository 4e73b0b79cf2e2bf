"""A tick judges, remembers and tells; what goes wrong in one place stays there and is seen."""

import logging
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

import orjson
import pytest

from functions.alerts.answer import Answer
from functions.alerts.failures import CHECK_FAILED
from functions.alerts.told_as import told_as_it_is
from functions.checks.definition import CheckDefinition
from functions.checks.memory import Memory
from functions.checks.runner import Outcome
from functions.delivery.cards.writer import CardWriter
from functions.errors import StorageError
from functions.storage.documents import Document
from tests.fakes.destinations import MemoryDestination, Reply
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK, DISPATCHER, RULES
from tests.unit.watch.world import EVENTS, OTHER, World, minutes_until

DUE = minutes_until(0)


def test_a_finding_becomes_a_card_in_the_tick_that_finds_it() -> None:
    world = World()
    reports = world.run(DUE)
    assert [report.checks[0].result for report in reports] == ["nothing_due"] * (DUE - 1) + ["evaluated"]
    assert (reports[-1].checks[0].findings, reports[-1].checks[0].notices, reports[-1].accepted) == (1, 1, 1)
    assert world.accepted() == ["1-opened-1"]
    assert "dispatcher" in str(world.teams.accepted[0].message)


def test_an_alert_is_told_opened_repeated_and_resolved() -> None:
    world = World({CHECK.id: {n: [DISPATCHER] for n in range(60)}})
    world.run(minutes_until(70))
    assert world.accepted() == ["1-opened-1", "1-repeated-2", "1-resolved-3"]
    (told,) = next(iter(world.state().alerts.values())).told
    assert (told.kind, told.destination) == ("resolved", "teams")


def test_a_long_outage_is_caught_up_and_told_once() -> None:
    world = World({CHECK.id: {1: [DISPATCHER], 9: [DISPATCHER]}})
    world.now += timedelta(minutes=minutes_until(30))
    world.tick()
    assert world.accepted() == ["2-passed-1"]
    assert world.state().coverage.intervals[0].rows == 31


def test_a_tick_with_nothing_to_do_writes_nothing() -> None:
    world = World()
    world.run(DUE)
    before = world.held.read(f"checks/{CHECK.id}")
    world.run(2)
    assert world.held.read(f"checks/{CHECK.id}") == before


@pytest.mark.parametrize("trouble", ["down", "broken", "not a state", "newer", "unreadable"])
def test_one_checks_trouble_is_not_the_others(trouble: str) -> None:
    world = World({OTHER.id: {0: [DISPATCHER]}}, checks=(CHECK, OTHER))
    name = f"checks/{CHECK.id}"
    match trouble:
        case "down":
            world.runner.down.add(CHECK.id)
        case "broken":
            world.runner.broken.add(CHECK.id)
        case "not a state":
            world.held.write(name, {"format": 1}, version=None)
        case "newer":
            world.held.write(name, {"format": 2}, version=None)
        case "unreadable":
            world.documents = Unreadable(world.held, name)
    report = world.run(DUE)[-1]
    assert [tick.result for tick in report.checks] == [
        "failed" if trouble == "down" else "stopped",
        "evaluated",
    ]
    assert report.checks[0].error
    assert world.accepted() == ["1-opened-1"]


class Unreadable(MemoryDocuments):
    """One document of it can't be read."""

    def __init__(self, held: MemoryDocuments, name: str) -> None:
        super().__init__()
        self._behind, self._name = held, name
        self.write = held.write  # type: ignore[method-assign]  # all but reading goes straight through

    def read(self, name: str) -> Document | None:
        if name == self._name:
            raise StorageError("The blob can't be read.", next_step="Wait.")
        return self._behind.read(name)


def test_a_check_that_goes_on_failing_is_reported_and_its_alerts_wait() -> None:
    world = World()
    world.run(DUE)
    opened = dict(world.state().alerts)
    world.runner.down.add(CHECK.id)
    world.run(5 + 250)
    assert world.accepted()[:3] == ["1-opened-1", "1-opened-1", "1-repeated-2"]
    assert {posted.idempotency_key[:16] for posted in world.teams.accepted[1:]} == set(
        world.state().alerts
    ) - set(opened)
    assert {name: world.state().alerts[name] for name in opened} == opened
    assert world.state().consecutive_failures == 251
    assert world.state().watermark == world.state().coverage.intervals[-1].end

    world.runner.down.clear()
    world.run(1)
    failed = next(alert for alert in world.state().alerts.values() if alert.check_id == CHECK_FAILED)
    assert (failed.state, failed.key) == ("resolved", {"Check": CHECK.id})
    assert world.state().consecutive_failures == 0
    assert [key.split("-")[1] for key in world.accepted()[-2:]] == ["resolved", "resolved"]


def test_two_failures_in_a_row_are_not_yet_news() -> None:
    world = World({CHECK.id: {}})
    world.runner.down.add(CHECK.id)
    world.run(DUE + 1)
    assert world.accepted() == []
    world.run(1)
    assert world.accepted() == ["1-opened-1"]


def test_what_could_not_be_sent_waits_and_arrives_in_order() -> None:
    world = World(replies=[Reply(None)] * 6 + [Reply(503)] * 4)
    world.run(minutes_until(3) + 60)
    assert world.accepted() == ["1-opened-1", "1-resolved-2"]
    assert [receipt.attempts for receipt in world.state().outbox.receipts] == [11, 1]


def test_a_destination_that_is_down_costs_the_other_nothing() -> None:
    world = World(destinations=2)
    world.destinations["pager"] = MemoryDestination([Reply(503)] * 1000, clock=lambda: world.now)
    world.run(minutes_until(3))
    assert world.accepted() == ["1-opened-1", "1-resolved-2"]
    assert {entry.destination for entry in world.state().outbox.waiting} == {"pager"}


def test_a_destination_that_is_not_configured_is_waited_for() -> None:
    world = World()
    teams = world.destinations.pop("teams")
    world.run(DUE)
    assert [entry.reason for entry in world.state().outbox.waiting] == ["the destination is not configured"]
    world.destinations["teams"] = teams
    world.run(2)
    assert world.accepted() == ["1-opened-1"]


def test_a_refusal_is_logged_as_an_error_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    world = World(replies=[Reply(400)])
    assert world.run(DUE)[-1].refused == 1
    world.run(30)
    assert world.accepted() == ["1-resolved-2"]
    assert [entry.reason for entry in world.state().outbox.refused] == ["HTTP 400"]
    assert [record.levelname for record in caplog.records if "HTTP 400" in record.message] == ["ERROR"]


def test_a_destination_that_asks_for_time_gets_no_more_in_this_tick() -> None:
    agents = [{"Agent": f"agent {n}", "Tool": ""} for n in range(5)]
    plan = {CHECK.id: {0: agents}, OTHER.id: {0: agents}}
    world = World(plan, checks=(CHECK, OTHER), replies=[Reply(202), Reply(429, "90")])
    reports = world.run(DUE + 2)
    assert [(report.accepted, report.put_off) for report in reports[-3:]] == [(1, 1), (0, 0), (9, 0)]


def test_more_news_than_people_read_one_by_one_comes_as_one_digest() -> None:
    agents = [{"Agent": f"agent {n}", "Tool": ""} for n in range(RULES.digest_above + 1)]
    world = World({CHECK.id: {0: agents}}, writer=EVENTS)
    assert [report.accepted for report in world.run(DUE + 2)[-3:]] == [1, 0, 0]
    (digest,) = world.teams.accepted
    receipts = world.state().outbox.receipts
    assert {receipt.digest for receipt in receipts} == {digest.idempotency_key}
    assert {receipt.about for receipt in receipts} == set(world.state().alerts)
    assert all(alert.told for alert in world.state().alerts.values())


def test_a_card_that_can_not_be_written_waits_for_a_version_that_can(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(writer=CardWriter("x" * 30_000, told_as_it_is, {}))
    world.run(DUE)
    assert world.teams.posted == []
    (entry,) = world.state().outbox.waiting
    assert "Teams takes 20000" in (entry.reason or "")
    assert "Teams takes 20000" in caplog.text


def test_a_tick_logs_one_line_that_a_machine_can_read(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = World(checks=(CHECK, OTHER))
    world.run(DUE)
    lines = [record.message for record in caplog.records if "watch.tick" in record.message]
    assert len(lines) == DUE
    body = orjson.loads(lines[-1])
    assert (body["accepted"], body["checks"][0]["result"]) == (1, "evaluated")


def test_no_log_line_holds_what_came_out_of_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world = World({CHECK.id: {0: [{"Agent": "<telemetry>", "Tool": "secret"}]}}, checks=(CHECK, OTHER))
    world.destinations["teams"] = MemoryDestination([Reply(503), Reply(400)], clock=lambda: world.now)
    world.runner.broken.add(OTHER.id)
    world.run(DUE + 5)
    assert "RuntimeError" in caplog.text
    assert "telemetry>" not in caplog.text
    assert "secret" not in caplog.text


def test_a_check_that_hangs_holds_up_nobody_elses_card() -> None:
    world = World({CHECK.id: {0: [DISPATCHER]}, OTHER.id: {0: [DISPATCHER]}}, checks=(OTHER, CHECK))
    other_was_told = threading.Event()
    judge, accept = world.runner.judge_due, world.teams.send

    class HangingRunner:
        def judge_due(
            self, check: CheckDefinition, *, watermark: datetime | None, now: datetime, memory: Memory | None
        ) -> Outcome:
            if check is OTHER:
                assert other_was_told.wait(timeout=10)
            return judge(check, watermark=watermark, now=now, memory=memory)

    class TellingDestination:
        def send(self, message: Mapping[str, object], idempotency_key: str) -> Answer:
            other_was_told.set()
            return accept(message, idempotency_key)

    world.runner = HangingRunner()  # type: ignore[assignment]  # a runner like the planned one
    world.destinations["teams"] = TellingDestination()
    world.patience = 0.05
    world.now += timedelta(minutes=DUE)
    world.tick()
    assert len(world.teams.accepted) == 2
