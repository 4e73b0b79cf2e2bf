"""An alert is kept quiet by what is on record now, and told where the record can't be read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event

import pytest

from functions.alerts.alert import Alert, Notice
from functions.alerts.outbox import Telling
from functions.alerts.rules import Inhibition
from functions.alerts.state import FORMAT, CheckState, state_to_json
from functions.checks.definition import CheckDefinition
from functions.checks.memory import Memory
from functions.checks.runner import Outcome
from functions.delivery.interface import Channel
from functions.storage.documents import Document
from functions.watch.quieting import Quieting
from functions.watch.watch import Watch
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK, DISPATCHER, RULES, START, advanced, found
from tests.unit.watch.world import PlannedRunner, World, minutes_until

(OPEN,) = advanced({}, found(0, of=1)).alerts.values()
CAUSE = replace(OPEN, check_id="telemetry_silence", key={"Agent": "broker"})
MUTED = replace(OPEN, check_id="incomplete_telemetry", key={"Agent": "broker", "Cause": "sampled"})
INHIBITING = replace(
    RULES,
    inhibitions=(
        Inhibition("silent-agent", (CAUSE.check_id,), ("Agent",), (MUTED.check_id,)),
        Inhibition("unused", ("source_blind",), (), ("check_failed",)),
    ),
)


class Counting(MemoryDocuments):
    """Remembers what was read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_names: list[str] = []

    def read(self, name: str) -> Document | None:
        self.read_names.append(name)
        return super().read(name)


def nothing(alert: Alert) -> tuple[str, ...]:
    return ()


def holding(*alerts: Alert) -> Counting:
    documents = Counting()
    body = state_to_json(CheckState(alerts={alert.id: alert for alert in alerts}))
    documents.write(f"checks/{CAUSE.check_id}", body, version=None)
    return documents


@pytest.mark.parametrize(
    ("cause", "names"),
    [
        (CAUSE, ("silent-agent",)),
        (replace(CAUSE, state="acknowledged"), ("silent-agent",)),
        (replace(CAUSE, state="pending"), ()),
        (replace(CAUSE, state="resolved"), ()),
        (replace(CAUSE, key={"Agent": "other"}), ()),
        (replace(CAUSE, check_id="check_failed", key={"Check": CAUSE.check_id}), ()),
    ],
    ids=["open", "acknowledged", "pending", "resolved", "of another agent", "of its failure"],
)
def test_an_active_alert_on_record_keeps_others_quiet(cause: Alert, names: tuple[str, ...]) -> None:
    assert Quieting(holding(cause), INHIBITING, lambda: nothing).begin()(MUTED) == names


def test_silences_are_named_before_inhibitions() -> None:
    quieted = Quieting(holding(CAUSE), INHIBITING, lambda: lambda alert: (f"silence of {alert.check_id}",))
    assert quieted.begin()(MUTED) == ("silence of incomplete_telemetry", "silent-agent")


def test_a_turn_reads_once_what_may_keep_its_alerts_quiet_and_nothing_without_alerts() -> None:
    documents = holding(CAUSE)
    asked: list[str] = []

    def silencing() -> Callable[[Alert], tuple[str, ...]]:
        asked.append("silences")
        return nothing

    turn = Quieting(documents, INHIBITING, silencing).begin()
    assert documents.read_names == asked == []
    assert turn(MUTED) == turn(replace(MUTED, id="another")) == ("silent-agent",)
    assert documents.read_names == ["checks/telemetry_silence"]
    assert asked == ["silences"]
    assert turn(CAUSE) == ()
    assert documents.read_names == ["checks/telemetry_silence"]


def test_each_turn_sees_what_has_become_of_the_cause() -> None:
    documents = holding(CAUSE)
    begin = Quieting(documents, INHIBITING, lambda: nothing).begin
    assert begin()(MUTED) == ("silent-agent",)
    held = documents.read(f"checks/{CAUSE.check_id}")
    assert held is not None
    documents.write(held.name, state_to_json(CheckState()), version=held.version)
    assert begin()(MUTED) == ()


@pytest.mark.parametrize("body", [{"format": FORMAT + 1}, {"format": FORMAT}], ids=["newer", "broken"])
def test_nothing_is_kept_quiet_by_a_record_that_cannot_be_read(
    body: Mapping[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    documents = MemoryDocuments()
    documents.write(f"checks/{CAUSE.check_id}", body, version=None)
    assert Quieting(documents, INHIBITING, lambda: nothing).begin()(MUTED) == ()
    assert "Nothing is kept quiet by telemetry_silence" in caplog.text


class SlowCause:
    """Answers for the cause only once the muted check was asked for too."""

    def __init__(self) -> None:
        self._asked = Event()
        self._planned = PlannedRunner({})

    def judge_due(
        self, check: CheckDefinition, *, watermark: datetime | None, now: datetime, memory: Memory | None
    ) -> Outcome:
        if check.id == CAUSE.check_id:
            assert self._asked.wait(10)
        else:
            self._asked.set()
        return self._planned.judge_due(check, watermark=watermark, now=now, memory=memory)


def test_a_check_waits_with_its_alerts_but_not_with_its_question_for_what_may_mute_it() -> None:
    documents = MemoryDocuments()
    written: list[bool] = []

    def quieting() -> Callable[[Alert], tuple[str, ...]]:
        written.append(documents.read(f"checks/{CAUSE.check_id}") is not None)
        return nothing

    checks = tuple(replace(CHECK, id=name) for name in (MUTED.check_id, CAUSE.check_id))
    now = START + timedelta(minutes=minutes_until(0))
    watch = Watch(documents, SlowCause(), checks, INHIBITING, {}, clock=lambda: now, quieting=quieting)
    report = watch.tick()
    assert [one.check_id for one in report.checks] == [MUTED.check_id, CAUSE.check_id]
    assert written == [False, True]


def test_one_cause_is_one_alert_and_what_outlives_it_is_told_when_it_is_over() -> None:
    world = World(
        {
            CAUSE.check_id: {n: [DISPATCHER] for n in range(2)},
            MUTED.check_id: {n: [DISPATCHER] for n in range(9)},
        }
    )
    checks = tuple(replace(CHECK, id=name) for name in (MUTED.check_id, CAUSE.check_id))

    def told() -> list[tuple[str, str]]:
        watch = Watch(
            world.held,
            world.runner,
            checks,
            INHIBITING,
            {"teams": Channel(world.teams, Plain())},
            clock=lambda: world.now,
            quieting=Quieting(world.held, INHIBITING, lambda: nothing).begin,
        )
        watch.tick()
        return [(posted.message["check"], posted.message["kind"]) for posted in world.teams.accepted]

    world.now += timedelta(minutes=minutes_until(0))
    assert told() == [(CAUSE.check_id, "opened")]
    (muted,) = world.state(checks[0]).alerts.values()
    assert (muted.state, muted.quieted_by) == ("open", ("silent-agent",))
    assert [one.silence for one in world.state(checks[0]).hidden] == ["silent-agent"]
    world.now = START + timedelta(minutes=minutes_until(4))
    assert sorted(told()[1:]) == [(MUTED.check_id, "opened"), (CAUSE.check_id, "resolved")]
    assert world.state(checks[0]).hidden == ()


class Plain:
    """Writes what a test asks about."""

    def one(self, telling: Telling) -> Mapping[str, str]:
        assert isinstance(telling.news, Notice)
        return {"check": telling.news.alert.check_id, "kind": telling.news.kind}

    def digest(self, key: str, tellings: Sequence[Telling]) -> Mapping[str, str]:
        raise AssertionError(f"{len(tellings)} in {key}: there is no storm here")
