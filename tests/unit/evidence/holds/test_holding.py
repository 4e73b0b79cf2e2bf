"""Evidence holds over documents in memory; `World` is everything that outlives a host."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.alerts.alert import Alert
from functions.alerts.episode import opened
from functions.alerts.rules import EvidenceHold
from functions.alerts.state import PREFIX, CheckState, state_to_json
from functions.checks.definition import Severity
from functions.checks.finding import Finding, Window
from functions.errors import StorageError
from functions.evidence.exports.export import State
from functions.evidence.exports.jobs import Exports
from functions.evidence.holds.holding import REQUESTER, Holding
from functions.evidence.holds.holds import ASKED_AGAIN_AFTER, DOCUMENT, Holds, decide
from functions.evidence.selection.selection import MAX_TRACE_IDS, AlertTraces
from functions.storage.append_log import AppendLog
from functions.storage.documents import Document
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryWorkObjects
from tests.unit.alerts.building import CHECK, EVERY
from tests.unit.evidence.material import OTHER, TRACE
from tests.unit.evidence.rig import Rig

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULE = EvidenceHold(("critical", "high"), 2)
MORE = [f"{n:032x}" for n in range(1, MAX_TRACE_IDS + 100)]


class LedgerOff(MemoryAppendLog):
    """A ledger that can't be written."""

    def append(self, entry: Mapping[str, Any]) -> str:  # noqa: ARG002 - the log's shape
        raise StorageError("The ledger is away.", next_step="Wait.")


class Killed(BaseException):
    """Ends a host between two writes."""


class Dying(MemoryDocuments):
    """Kills whoever writes a document whose name begins so, before or after it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.before: str | None = None
        self.after: str | None = None

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        if self.before and name.startswith(self.before):
            raise Killed
        written = super().write(name, body, version=version)
        if self.after and name.startswith(self.after):
            raise Killed
        return written


@dataclass
class World:
    documents: Dying = field(default_factory=Dying)
    log: AppendLog = field(default_factory=MemoryAppendLog)
    now: datetime = NOON
    work: MemoryWorkObjects = field(default_factory=MemoryWorkObjects)

    @property
    def rig(self) -> Rig:
        rig = Rig()
        rig.documents, rig.log, rig.now, rig.work = self.documents, self.log, self.now, self.work
        return rig

    @property
    def exports(self) -> Exports:
        return self.rig.exports

    def run(self, export_id: str) -> None:
        self.rig.run(export_id)

    def holding(self, rule: EvidenceHold | None = RULE) -> Holding:
        return Holding(self.documents, self.exports, (CHECK,), rule, clock=lambda: self.now)

    def tick(self, *, after: timedelta = timedelta(0)) -> tuple[str, ...]:
        self.now += after
        return self.holding().tick()

    def put(self, *alerts: Alert) -> None:
        """Let the check have these alerts."""
        name = PREFIX + CHECK.id
        held = self.documents.read(name)
        body = state_to_json(CheckState(alerts={alert.id: alert for alert in alerts}))
        self.documents.write(name, body, version=held.version if held else None)

    def exported(self) -> list[str]:
        return list(self.documents.names("exports/"))

    def entries(self) -> list[Mapping[str, Any]]:
        return list(self.log.entries())


def alert(
    name: str = "a" * 16,
    *trace_ids: str,
    severity: Severity = "high",
    minutes_ago: int = 10,
    before: Alert | None = None,
) -> Alert:
    """Return an alert that opened then."""
    start = NOON - timedelta(minutes=minutes_ago)
    found = Finding(
        CHECK.id, {"Agent": name}, Window(start, start + EVERY), 9.0, 1.0, 1, trace_ids or (TRACE,), {}
    )
    return opened(name, before, found, replace(CHECK, severity=severity))


def resolved(one: Alert) -> Alert:
    return replace(one, state="resolved", resolved_at=one.last_seen + 3 * EVERY)


@pytest.fixture
def world() -> World:
    return World()


def test_a_severe_alert_that_opens_has_its_traces_exported(world: World) -> None:
    world.put(alert("a" * 16, TRACE, OTHER))
    (export_id,) = world.tick()
    export = world.exports.get(export_id)
    assert export.selection.selector == AlertTraces("a" * 16, tuple(sorted((TRACE, OTHER))))
    assert (export.selection.profile, export.requester) == ("metadata", REQUESTER)
    assert world.holding().of("a" * 16, 1) == {
        "evidence_export_id": export_id,
        "evidence_hold": {"state": "held", "at": NOON, "held_that_day": 1, "over_cap_that_day": 0},
    }


def test_the_job_makes_its_bundle_as_it_makes_any(world: World) -> None:
    world.put(alert("a" * 16, TRACE))
    (export_id,) = world.tick()
    world.run(export_id)
    assert world.exports.get(export_id).state is State.DONE
    assert [entry["action"] for entry in world.entries()] == ["exports.requested", "exports.finished"]


def test_the_ledger_names_the_service_and_the_alert(world: World) -> None:
    world.put(alert())
    world.tick()
    (entry,) = world.entries()
    assert entry["who"] == {"object_id": "tracekeeper:evidence-hold"}
    assert entry["on"]["ticket"] == f"alert {'a' * 16}"
    assert entry["on"]["reason"] == "Evidence hold: an alert of severity high opened."


@pytest.mark.parametrize(
    ("one", "holds"),
    [
        (alert(severity="critical"), True),
        (alert(severity="medium"), False),
        (replace(alert(), state="pending", episode=0), False),
        (replace(alert(), state="acknowledged"), True),
        (resolved(alert()), True),
        (resolved(alert(minutes_ago=4 * 24 * 60)), False),
        (alert(minutes_ago=4 * 24 * 60), True),
        (alert("a" * 16, "no trace id", ""), False),
    ],
    ids=[
        "critical",
        "not severe",
        "pending",
        "acknowledged",
        "came and went in one tick",
        "over long ago",
        "open for long",
        "without traces",
    ],
)
def test_what_is_held(world: World, one: Alert, *, holds: bool) -> None:
    world.put(one)
    assert bool(world.tick()) is holds
    assert bool(world.exported()) is holds


def test_nothing_is_decided_about_what_is_not_severe() -> None:
    assert decide(Holds(), [alert(severity="low"), alert(severity="medium")], RULE, NOON) == Holds()


def test_findings_that_came_late_are_held_though_their_episode_is_over(world: World) -> None:
    earlier = resolved(alert(minutes_ago=600))
    world.put(earlier)
    world.tick()
    late = resolved(alert("a" * 16, OTHER, minutes_ago=400, before=earlier))
    world.put(late)
    (export_id,) = world.tick(after=timedelta(minutes=1))
    assert world.exports.get(export_id).selection.selector == AlertTraces("a" * 16, (OTHER,))


def test_an_alert_is_held_once_an_episode(world: World) -> None:
    first = alert()
    world.put(first)
    (held,) = world.tick()
    world.run(held)
    assert [world.tick(after=timedelta(hours=n)) for n in range(3)] == [(), (), ()]
    world.put(alert("a" * 16, OTHER, minutes_ago=-240, before=resolved(first)))
    (again,) = world.tick(after=timedelta(hours=2))
    assert again != held
    assert world.exports.get(again).selection.selector == AlertTraces("a" * 16, (OTHER,))


def test_an_alert_that_was_forgotten_and_opens_again_is_held_again(world: World) -> None:
    world.put(alert())
    (held,) = world.tick()
    world.run(held)
    world.tick(after=ASKED_AGAIN_AFTER)
    world.put()
    world.tick()
    world.put(alert(minutes_ago=-10))
    (again,) = world.tick(after=timedelta(minutes=20))
    assert again != held


def test_of_many_traces_the_latest_are_held(world: World) -> None:
    start = NOON - timedelta(minutes=5)
    one = alert("a" * 16, *MORE[100:])
    newest = Finding(CHECK.id, {}, Window(start, start + EVERY), 9.0, 1.0, 1, tuple(MORE[:100]), {})
    world.put(replace(one, findings=(*one.findings, newest)))
    (export_id,) = world.tick()
    selector = world.exports.get(export_id).selection.selector
    assert isinstance(selector, AlertTraces)
    assert len(selector.trace_ids) == MAX_TRACE_IDS
    assert set(MORE[:100]) <= set(selector.trace_ids)


def test_a_day_has_a_cap_the_worst_come_first_and_the_rest_is_counted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world.put(alert("a" * 16), alert("b" * 16), alert("c" * 16, severity="critical"))
    assert len(world.tick()) == 2
    states = {name: world.holding().of(name * 16, 1)["evidence_hold"]["state"] for name in "abc"}
    assert states == {"a": "held", "b": "over_cap", "c": "held"}
    assert world.holding().of("b" * 16, 1)["evidence_export_id"] is None
    (line,) = caplog.messages
    assert json.loads(line) == {
        "event": "evidence.hold",
        "held": 2,
        "over_cap": 1,
        "held_today": 2,
        "over_cap_today": 1,
        "most_per_day": 2,
    }


def test_what_is_over_the_cap_is_counted_once_and_the_next_day_has_its_own(world: World) -> None:
    world.put(alert("a" * 16), alert("b" * 16), alert("c" * 16))
    world.tick()
    world.tick(after=timedelta(hours=11, minutes=59))
    assert world.holding().of("c" * 16, 1)["evidence_hold"]["over_cap_that_day"] == 1
    world.put(alert("d" * 16, minutes_ago=-715))
    assert len(world.tick(after=timedelta(minutes=1))) == 1
    assert world.holding().of("d" * 16, 1)["evidence_hold"] == {
        "state": "held",
        "at": datetime(2026, 11, 25, tzinfo=UTC),
        "held_that_day": 1,
        "over_cap_that_day": 0,
    }


def test_without_a_rule_nothing_is_held(world: World) -> None:
    world.put(alert())
    assert world.holding(None).tick() == ()
    assert world.documents.read(DOCUMENT) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [(DOCUMENT, None), (None, DOCUMENT), ("exports/", None), (None, "exports/")],
    ids=["nothing written", "decided", "in the ledger", "recorded, not in the queue"],
)
def test_a_crash_between_any_two_writes_loses_no_hold_and_makes_none_twice(
    world: World, before: str | None, after: str | None
) -> None:
    world.put(alert())
    world.documents.before, world.documents.after = before, after
    with pytest.raises(Killed):
        world.tick()
    world.documents.before = world.documents.after = None
    asked = {*world.tick(after=timedelta(minutes=1)), *world.tick(after=ASKED_AGAIN_AFTER)}
    assert world.exported() == [f"exports/{export_id}" for export_id in asked]
    (export_id,) = asked
    world.run(export_id)
    assert world.tick(after=ASKED_AGAIN_AFTER) == ()
    assert world.tick(after=ASKED_AGAIN_AFTER) == ()


def test_a_message_that_never_came_into_the_queue_is_sent_again_until_the_job_begins(world: World) -> None:
    world.put(alert())
    (export_id,) = world.tick()
    assert world.tick(after=ASKED_AGAIN_AFTER - timedelta(seconds=1)) == ()
    assert world.tick(after=timedelta(seconds=1)) == (export_id,)
    assert world.tick(after=ASKED_AGAIN_AFTER) == (export_id,)
    world.run(export_id)
    assert world.tick(after=ASKED_AGAIN_AFTER) == ()
    assert [entry["action"] for entry in world.entries()] == ["exports.requested", "exports.finished"]


def test_without_the_ledger_nothing_is_exported_and_it_is_tried_again(world: World) -> None:
    kept, world.log = world.log, LedgerOff()
    world.put(alert())
    assert world.tick() == ()
    assert world.exported() == []
    world.log = kept
    assert len(world.tick(after=ASKED_AGAIN_AFTER)) == 1


def test_of_two_hosts_one_holds(world: World) -> None:
    world.put(alert())

    class Meanwhile(Dying):
        """Lets the other host tick just before this one writes."""

        def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
            if name == DOCUMENT:
                others.append(world.tick())
            return world.documents.write(name, body, version=version)

        def read(self, name: str) -> Document | None:
            return world.documents.read(name)

    others: list[tuple[str, ...]] = []
    assert replace(world.holding(), documents=Meanwhile()).tick() == ()
    assert [len(one) for one in others] == [1]


def test_a_document_that_cannot_be_read_hides_no_other_and_forgets_nothing(world: World) -> None:
    world.put(alert())
    (export_id,) = world.tick()
    world.run(export_id)
    world.tick(after=ASKED_AGAIN_AFTER)
    held = world.documents.read(PREFIX + CHECK.id)
    assert held is not None
    world.documents.write(held.name, {"alerts": [{}]}, version=held.version)
    other = replace(CHECK, id="another")
    found = replace(alert("b" * 16), check_id="another")
    body = state_to_json(CheckState(alerts={found.id: found}))
    world.documents.write(f"{PREFIX}another", body, version=None)
    assert len(replace(world.holding(), checks=(CHECK, other)).tick()) == 1
    assert world.holding().of("a" * 16, 1)["evidence_export_id"] == export_id


@pytest.mark.parametrize("body", [{"format": 2}, {"format": 1}, {"format": 1, "holds": [{}], "days": {}}])
def test_a_document_of_another_form_is_left_alone(world: World, body: dict[str, Any]) -> None:
    world.documents.write(DOCUMENT, body, version=None)
    world.put(alert())
    with pytest.raises(StorageError, match=DOCUMENT):
        world.tick()
    assert world.exported() == []
