"""What a silence hid is told once, whatever breaks in between, and then forgotten."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.alerts.alert import Alert, alert_id
from functions.alerts.announcement import Announcement
from functions.alerts.episode import opened
from functions.alerts.hidden import hide
from functions.alerts.state import PREFIX, CheckState, state_from_json, state_to_json
from functions.errors import StorageError
from functions.silences.ends import SETTLES, SilenceEnds
from functions.silences.silence import Silence
from functions.silences.store import SilenceStore
from functions.storage.documents import Document
from tests.fakes.storage import MemoryDocuments
from tests.unit.alerts.building import CHECK, RULES, finding, two_destinations
from tests.unit.silences.silencing import ADA, HOUR, NOON, asked

OTHER = replace(CHECK, id="skipped_lookup", title="An agent answered without its look-up")
OVER = NOON + 4 * HOUR + SETTLES


class Failing(MemoryDocuments):
    """Documents of which one write, counted from 1, does not come about."""

    def __init__(self) -> None:
        super().__init__()
        self.fails_at = self.written = 0

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        self.written += 1
        if self.written == self.fails_at:
            raise StorageError("It is down.", next_step="Wait.")
        return super().write(name, body, version=version)


@dataclass
class Announcer:
    """Keeps what is to be told in the documents, each under its key."""

    documents: MemoryDocuments
    added: list[Announcement] = field(default_factory=list)

    def add(self, announcement: Announcement) -> None:
        held = self.documents.read("told")
        keys = list(held.body["keys"]) if held else []
        if announcement.key not in keys:
            version = held.version if held else None
            self.documents.write("told", {"keys": [*keys, announcement.key]}, version=version)
            self.added.append(announcement)


class World:
    """A silence over four hours from NOON, and checks whose alerts it has hidden."""

    def __init__(self, **changes: Any) -> None:
        self.documents = Failing()
        self.announcer = Announcer(self.documents)
        self.rules = RULES
        self.silence = self.store(NOON).add(asked(**changes), ADA)
        self.name = f"{self.silence.id}@2026-05-04T12:00:00Z"

    def store(self, now: datetime) -> SilenceStore:
        return SilenceStore(self.documents, clock=lambda: now)

    def hides(self, *numbers: int, of: str = CHECK.id, **changes: Any) -> None:
        check = CHECK if of == CHECK.id else OTHER
        alerts = [replace(an_alert(n), check_id=of, quieted_by=(self.name,), **changes) for n in numbers]
        state = CheckState(alerts={one.id: one for one in alerts}, hidden=hide((), alerts, check))
        self.documents.write(PREFIX + of, state_to_json(state), version=None)

    def tick(self, now: datetime = OVER) -> None:
        SilenceEnds(self.documents, self.store(now), self.announcer, self.rules, clock=lambda: now).tick()

    def hidden(self) -> int:
        return sum(len(self.state(name).hidden) for name in self.documents.names(PREFIX))

    def state(self, name: str) -> CheckState:
        held = self.documents.read(name)
        assert held is not None
        return state_from_json(name, held.body)

    def kept(self) -> Silence:
        (one,) = self.store(NOON).read()
        return one


def an_alert(n: int) -> Alert:
    key = {"Agent": "dispatcher", "Tool": f"tool-{n}"}
    return opened(alert_id(CHECK.id, key), None, finding(n, key, value=31.0 + n), CHECK)


def test_nothing_is_told_before_the_end() -> None:
    world = World()
    world.hides(1)
    world.tick(OVER - timedelta(seconds=1))
    assert (world.announcer.added, world.hidden()) == ([], 1)


def test_one_report_tells_who_silenced_why_and_what_was_hidden_the_worst_first() -> None:
    world = World()
    world.hides(1, 2, 3)
    world.hides(4, of=OTHER.id, severity="critical", state="resolved", resolved_at=NOON + HOUR)
    world.tick()
    (report,) = world.announcer.added
    assert (report.kind, report.at, report.destinations) == ("silence_report", OVER, ("teams",))
    assert report.key == f"silence-{world.silence.id}-2026-05-04T12:00:00Z"
    assert report.body["silence"] == {
        "id": world.silence.id,
        "author": "Ada",
        "reason": "The stock service moves.",
        "matchers": {"agent": ["dispatcher"]},
        "starts_at": "2026-05-04T12:00:00Z",
        "ends_at": "2026-05-04T16:00:00Z",
        "recurs": False,
    }
    assert (report.body["count"], report.body["open"]) == (4, 3)
    assert [(one["check_id"], one["value"]) for one in report.body["hidden"]] == [
        (OTHER.id, 35.0),
        (CHECK.id, 34.0),
        (CHECK.id, 33.0),
        (CHECK.id, 32.0),
    ]


def test_what_is_still_open_is_read_from_the_alert() -> None:
    world = World()
    world.hides(1)
    name = PREFIX + CHECK.id
    state = world.state(name)
    (alert,) = state.alerts.values()
    gone = replace(alert, state="resolved", resolved_at=NOON + HOUR)
    held = world.documents.read(name)
    assert held is not None
    world.documents.write(name, state_to_json(replace(state, alerts={gone.id: gone})), version=held.version)
    world.tick()
    (report,) = world.announcer.added
    assert (report.body["open"], report.body["hidden"][0]["until"]) == (0, "2026-05-04T13:00:00Z")


def test_what_was_reported_is_forgotten_and_not_reported_again() -> None:
    world = World()
    world.hides(1, 2)
    for n in range(3):
        world.tick(OVER + n * HOUR)
    assert (len(world.announcer.added), world.hidden()) == (1, 0)
    (report,) = world.kept().reports
    assert (report.hid, report.at, report.forgotten) == (2, OVER, True)


def test_nothing_is_written_once_all_is_reported() -> None:
    world = World()
    world.hides(1)
    world.tick()
    written = world.documents.written
    world.tick(OVER + HOUR)
    assert world.documents.written == written


def test_a_silence_that_hid_nothing_says_so_in_the_list_and_sends_no_card() -> None:
    world = World()
    world.tick()
    assert world.announcer.added == []
    assert [report.hid for report in world.kept().reports] == [0]


def test_what_another_silence_or_an_inhibition_hid_stays() -> None:
    world = World()
    world.hides(1)
    world.documents.write(
        PREFIX + OTHER.id,
        state_to_json(
            CheckState(hidden=hide((), [replace(an_alert(2), quieted_by=("agent gone", "f" * 12))], OTHER))
        ),
        version=None,
    )
    world.tick()
    assert world.announcer.added[0].body["count"] == 1
    assert [one.silence for one in world.state(PREFIX + OTHER.id).hidden] == ["agent gone", "f" * 12]


def test_one_that_was_ended_before_is_reported_then() -> None:
    world = World()
    world.hides(1)
    world.store(NOON + HOUR).end(world.silence.id, "person-2")
    world.tick(NOON + HOUR + SETTLES)
    assert world.announcer.added[0].body["silence"]["ends_at"] == "2026-05-04T13:00:00Z"


def test_each_time_of_a_recurring_one_is_reported_by_itself() -> None:
    daily = {"weekdays": ["mon", "tue"], "from": "12:00", "to": "16:00", "zone": "UTC"}
    world = World(recurrence=daily, ends_at=(NOON + 48 * HOUR).isoformat())
    world.hides(1)
    world.tick()
    assert [one.body["silence"]["recurs"] for one in world.announcer.added] == [True]
    world.name = f"{world.silence.id}@2026-05-05T12:00:00Z"
    world.hides(2, of=OTHER.id)
    world.tick(OVER + 24 * HOUR)
    assert [one.key[-20:] for one in world.announcer.added] == [
        "2026-05-04T12:00:00Z",
        "2026-05-05T12:00:00Z",
    ]
    assert [one.body["silence"]["recurs"] for one in world.announcer.added] == [True, False]
    assert [report.hid for report in world.kept().reports] == [1, 1]


@pytest.mark.parametrize("fails_at", range(1, 7))
def test_whichever_write_fails_it_is_reported_once_with_all_it_hid(
    fails_at: int, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    world.hides(1, 2)
    world.hides(3, of=OTHER.id)
    world.documents.fails_at = world.documents.written + fails_at
    with caplog.at_level(logging.ERROR):
        world.tick()
    failed = fails_at <= 5  # the report, its mark, two documents, the second mark
    assert ("could not be reported" in caplog.text) == failed
    world.tick(OVER + timedelta(minutes=1))
    (report,) = world.announcer.added
    assert report.body["count"] == 3
    assert [(one.hid, one.forgotten) for one in world.kept().reports] == [(3, True)]
    assert world.hidden() == 0


def test_what_is_marked_is_not_reported_again_though_nobody_remembers_the_report() -> None:
    world = World()
    world.hides(1, 2)
    world.documents.fails_at = world.documents.written + 3  # the report and its mark are written
    world.tick()
    told = world.documents.read("told")
    assert told is not None
    world.documents.write("told", {"keys": []}, version=told.version)
    world.tick(OVER + timedelta(minutes=1))
    assert (len(world.announcer.added), world.hidden()) == (1, 0)


def test_two_hosts_at_once_report_once() -> None:
    world = World()
    world.hides(1, 2)
    inner = world.documents.write
    others = [world.tick]

    def write(name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        if others and name != "told":
            others.pop()()
        return inner(name, body, version=version)

    first = SilenceEnds(
        Between(world.documents, write),
        SilenceStore(Between(world.documents, write), clock=lambda: OVER),
        world.announcer,
        world.rules,
        clock=lambda: OVER,
    )
    first.tick()
    assert (len(world.announcer.added), world.hidden(), others) == (1, 0, [])
    assert [(one.hid, one.forgotten) for one in world.kept().reports] == [(2, True)]


class Between(MemoryDocuments):
    """The documents of a host before whose writes another one has its turn."""

    def __init__(self, held: MemoryDocuments, write: Any) -> None:
        super().__init__()
        self._there, self._do = held, write

    def read(self, name: str) -> Document | None:
        return self._there.read(name)

    def names(self, prefix: str) -> Any:
        return self._there.names(prefix)

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        written: Document = self._do(name, body, version=version)
        return written


def test_while_a_document_cannot_be_read_the_report_waits(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.hides(1)
    world.documents.write(PREFIX + OTHER.id, {"format": 99}, version=None)
    with caplog.at_level(logging.ERROR):
        world.tick()
    assert "newer version" in caplog.text
    assert (world.announcer.added, len(world.state(PREFIX + CHECK.id).hidden)) == ([], 1)


def test_everyone_who_would_have_been_told_has_the_report_once() -> None:
    world = World()
    world.rules = two_destinations()
    world.hides(1, 2)
    world.tick()
    assert world.announcer.added[0].destinations == ("teams", "pager")


def test_five_thousand_hidden_are_counted_and_the_worst_ten_told_in_little_room() -> None:
    world = World()
    world.hides(*range(5000))
    world.tick()
    (report,) = world.announcer.added
    assert report.body["count"] == 5000
    assert [one["value"] for one in report.body["hidden"]] == [31.0 + n for n in range(4999, 4989, -1)]


def test_a_hostile_key_is_cut() -> None:
    world = World()
    hostile = replace(an_alert(1), key={"Agent": "<at>all</at>" * 10_000}, quieted_by=(world.name,))
    state = CheckState(alerts={hostile.id: hostile}, hidden=hide((), [hostile], CHECK))
    world.documents.write(PREFIX + CHECK.id, state_to_json(state), version=None)
    world.tick()
    assert len(world.announcer.added[0].body["hidden"][0]["key"]["Agent"]) == 200
