"""Each week's export is asked for once and announced once: over hosts, crashes, outages and clocks."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.alerts.announcement import Announcement
from functions.alerts.announcements import NAME, Announcements, announcements_from_json
from functions.configuration import SHIPPED, load_configuration
from functions.errors import DocumentConflict, InvalidRequest, NotFound, StorageError
from functions.evidence.exports.assembly import Counts
from functions.evidence.exports.export import Export, State
from functions.evidence.exports.schedules import DOCUMENT, Held, decide, held_json, read_held, request_of
from functions.evidence.exports.scheduling import REQUESTER, ScheduledExports
from functions.evidence.selection.export_rules import Schedule
from functions.evidence.selection.selection import Selection, parse_selection
from functions.storage.documents import Document
from tests.fakes.storage import MemoryDocuments

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
REVIEW = Schedule(
    name="weekly-review",
    weekday=0,
    at=time(7),
    zone="Europe/Berlin",
    selector={"window": {"last_days": 7, "agent": "dispatcher"}},
    profile="metadata",
    reason="The weekly operations review",
    ticket="OPS-WEEKLY",
    destinations=("teams",),
)
BEGAN = datetime(2026, 11, 18, 12, tzinfo=UTC)
DUE = datetime(2026, 11, 23, 6, tzinfo=UTC)  # 7:00 in Berlin
COUNTS = Counts(traces=12, spans=340, rows=400, complete=True)


class Exporting:
    """Takes requests as exports do, and finishes them when a test says so."""

    def __init__(self) -> None:
        self.held: dict[str, Export] = {}
        self.now = BEGAN
        self.refuse = False
        self.state = State.QUEUED

    def parse(self, body: object) -> Selection:
        if self.refuse:
            raise InvalidRequest("The field selector can't be asked for.", next_step="Ask.")
        return parse_selection(body, resolve_alert=lambda _: ())

    def request(self, selection: Selection, *, requester: str, export_id: str | None = None) -> Export:
        assert export_id is not None
        export = Export(export_id, self.state, selection, requester, self.now)
        return self.held.setdefault(export_id, export)

    def get(self, export_id: str) -> Export:
        if export_id not in self.held:
            raise NotFound("There is no such export.", next_step="Look at the list.")
        return self.held[export_id]

    def finish(self, state: State = State.DONE, **changes: Any) -> None:
        facts = {"counts": COUNTS} if state is State.DONE else {}
        self.held = {name: replace(one, state=state, **(facts | changes)) for name, one in self.held.items()}


class Breaking:
    """Documents of a host that stops at its n-th write, from 1."""

    def __init__(self, documents: MemoryDocuments, stops_at: int, error: BaseException) -> None:
        self._documents, self._left, self._error = documents, stops_at, error

    def read(self, name: str) -> Document | None:
        return self._documents.read(name)

    def names(self, prefix: str) -> Iterator[str]:
        return self._documents.names(prefix)

    def write(self, name: str, body: Any, *, version: str | None) -> Document:
        self._left -= 1
        if self._left == 0:
            raise self._error
        return self._documents.write(name, body, version=version)


class Host:
    """One host, on storage and exports that it shares with others."""

    def __init__(
        self, documents: Any = None, exporting: Exporting | None = None, *schedules: Schedule
    ) -> None:
        self.documents = documents or MemoryDocuments()
        self.exporting = exporting or Exporting()
        self.schedules = schedules or (REVIEW,)

    def tick(self, now: datetime) -> tuple[str, ...]:
        self.exporting.now = now
        return ScheduledExports(
            documents=self.documents,
            exports=self.exporting,
            announcer=Announcements(self.documents),
            schedules=self.schedules,
            everybody=("teams", "pager"),
            clock=lambda: now,
        ).tick()

    def told(self) -> list[Announcement]:
        held = self.documents.read(NAME)
        if held is None:
            return []
        waiting = [one.notice for one in announcements_from_json(held.body).waiting]
        return list({one.key: one for one in waiting if isinstance(one, Announcement)}.values())


def began() -> Host:
    host = Host()
    assert host.tick(BEGAN) == ()
    return host


def test_an_export_is_asked_for_when_it_is_due_and_only_then() -> None:
    host = began()
    assert host.tick(DUE - MINUTE) == ()
    (export_id,) = host.tick(DUE)
    export = host.exporting.held[export_id]
    assert export.requester == REQUESTER
    assert export.selection.body() == {
        "selector": {
            "window": {"start": "2026-11-15T23:00:00Z", "end": "2026-11-22T23:00:00Z", "agent": "dispatcher"}
        },
        "profile": "metadata",
        "reason": "The weekly operations review",
        "ticket": "OPS-WEEKLY",
    }
    assert [host.tick(DUE + n * MINUTE) for n in (1, 2, 60)] == [(), (), ()]
    assert len(host.tick(DUE + 7 * DAY)) == 1


def test_a_schedule_that_is_seen_first_makes_no_export_of_the_past() -> None:
    assert Host().tick(DUE + DAY) == ()


def test_after_an_outage_the_latest_week_is_made_up_for_once() -> None:
    host = began()
    host.tick(DUE)
    late = DUE + 23 * DAY
    (export_id,) = host.tick(late)
    window = host.exporting.held[export_id].selection.body()["selector"]["window"]
    assert window["end"] == "2026-12-13T23:00:00Z"
    assert host.tick(late + MINUTE) == ()
    host.exporting.finish()
    host.tick(late + 2 * MINUTE)
    assert [one.body["missed_weeks"] for one in host.told()] == [0, 2]


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        (date(2026, 3, 30), "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"),  # an hour less
        (date(2026, 10, 26), "2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z"),  # an hour more
    ],
)
def test_a_window_goes_from_midnight_to_midnight_where_clocks_change(day: date, start: str, end: str) -> None:
    assert request_of(REVIEW, day)["selector"]["window"] == {
        "start": start,
        "end": end,
        "agent": "dispatcher",
    }


@pytest.mark.parametrize("hour", [2, 3])  # in March there is no 2:30 in Berlin, in October there are two
@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_time_that_clocks_leave_out_or_bring_twice_makes_one_export(day: date, hour: int) -> None:
    sunday = replace(REVIEW, weekday=6, at=time(hour, 30))
    host = Host(None, None, sunday)
    midnight = datetime.combine(day, time(), UTC)
    host.tick(midnight - DAY)
    asked = [host.tick(midnight + n * 10 * MINUTE) for n in range(144)]
    assert sum(map(len, asked)) == 1


@given(
    st.lists(st.integers(0, 60 * 24 * 40), min_size=1, max_size=60),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Etc/UTC", "Australia/Lord_Howe"]),
)
def test_whenever_it_is_looked_no_week_has_two(minutes: list[int], zone: str) -> None:
    schedule = replace(REVIEW, zone=zone)
    start = datetime(2026, 10, 1, tzinfo=UTC)
    held: Held = decide([schedule], {}, start)
    for minute in sorted(minutes):
        held = decide([schedule], held, start + minute * MINUTE)
    days = [due.day for due in held[schedule.name].waiting]
    assert days == sorted(set(days))
    assert all(day.weekday() == 0 for day in days)
    assert read_held(orjson.loads(orjson.dumps(held_json(held)))) == held


def test_a_longest_window_is_one_that_can_be_asked_for() -> None:
    longest = replace(REVIEW, selector={"window": {"last_days": 30}})
    body = request_of(longest, date(2026, 11, 9))  # with the hour of October that comes twice
    assert parse_selection(body, resolve_alert=lambda _: ())


def test_a_sample_can_be_scheduled() -> None:
    sample = replace(REVIEW, selector={"sample": {"last_days": 7, "size": 25, "stratum": "agent"}})
    selector = request_of(sample, date(2026, 11, 23))["selector"]["sample"]
    assert (selector["size"], selector["stratum"], "last_days" in selector) == (25, "agent", False)


def test_it_is_announced_once_it_is_done_and_not_before() -> None:
    host = began()
    (export_id,) = host.tick(DUE)
    host.tick(DUE + MINUTE)
    assert host.told() == []
    host.exporting.finish()
    for _ in range(2):
        host.tick(DUE + 9 * MINUTE)
    (news,) = host.told()
    assert (news.key, news.kind, news.destinations) == (
        "scheduled_export-weekly-review-2026-11-23",
        "scheduled_export",
        ("teams",),
    )
    assert news.body == {
        "schedule": "weekly-review",
        "export_id": export_id,
        "day": "2026-11-23",
        "start": "2026-11-15T23:00:00Z",
        "end": "2026-11-22T23:00:00Z",
        "zone": "Europe/Berlin",
        "profile": "metadata",
        "ticket": "OPS-WEEKLY",
        "state": "done",
        "complete": True,
        "traces": 12,
        "spans": 340,
        "rows": 400,
        "why": None,
        "missed_weeks": 0,
    }


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED, State.REFUSED, State.EXPIRED])
def test_that_there_is_none_is_announced_too(state: State) -> None:
    host = began()
    host.tick(DUE)
    host.exporting.finish(state, failure="Withheld.")
    host.tick(DUE + MINUTE)
    (news,) = host.told()
    assert (news.body["state"], news.body["traces"], news.body["why"]) == (state.value, None, "Withheld.")


def test_what_can_no_longer_be_asked_for_is_told_and_not_tried_for_ever() -> None:
    host = began()
    host.exporting.refuse = True
    assert host.tick(DUE) == ()
    host.exporting.refuse = False
    assert host.tick(DUE + MINUTE) == ()
    (news,) = host.told()
    assert (news.body["export_id"], news.body["state"]) == (None, "refused")
    assert news.body["why"] == "The field selector can't be asked for."


def test_one_that_waits_for_approval_does_not_begin() -> None:
    host = began()
    host.exporting.state = State.AWAITING_APPROVAL
    assert host.tick(DUE) == ()
    assert len(host.exporting.held) == 1
    assert host.told() == []


def test_without_destinations_everybody_is_told() -> None:
    host = Host(None, None, replace(REVIEW, destinations=()))
    host.tick(BEGAN)
    host.tick(DUE)
    host.exporting.finish()
    host.tick(DUE + MINUTE)
    held = host.documents.read(NAME)
    waiting = announcements_from_json(held.body).waiting
    assert sorted(one.destination for one in waiting) == ["pager", "teams"]


CRASHES: list[Callable[[], BaseException]] = [
    KeyboardInterrupt,
    lambda: StorageError("Storage is away.", next_step="Wait."),
    lambda: DocumentConflict("Somebody else wrote.", next_step="Read again."),
]


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("stops_at", range(1, 5))
def test_wherever_a_host_stops_there_is_one_export_and_one_card(
    stops_at: int, crash: Callable[[], BaseException]
) -> None:
    host = began()
    failing = Host(Breaking(host.documents, stops_at, crash()), host.exporting)
    queued: list[str] = []
    for now in (DUE, DUE + MINUTE, DUE + 2 * MINUTE, DUE + 3 * MINUTE):
        try:
            queued += failing.tick(now)
        except KeyboardInterrupt:
            failing = Host(host.documents, host.exporting)
        host.exporting.finish()
    queued += host.tick(DUE + 4 * MINUTE)
    assert len(host.exporting.held) == 1
    assert len(host.told()) == 1
    assert queued == list(host.exporting.held)


def test_of_two_hosts_one_asks() -> None:
    host = began()
    one, other = host.tick(DUE), Host(host.documents, host.exporting).tick(DUE)
    assert (len(one), other) == (1, ())


def test_a_schedule_that_is_gone_is_forgotten() -> None:
    host = began()
    host.tick(DUE)
    host.schedules = (replace(REVIEW, name="another"),)
    host.tick(DUE + MINUTE)
    document = host.documents.read(DOCUMENT)
    assert list(document.body["schedules"]) == ["another"]


def test_the_shipped_schedule_is_the_weekly_operations_review() -> None:
    (shipped,) = load_configuration(SHIPPED).exports.schedules
    assert (shipped.name, shipped.profile, shipped.destinations) == (
        "weekly-operations-review",
        "metadata",
        (),
    )
    assert parse_selection(request_of(shipped, date(2026, 11, 23)), resolve_alert=lambda _: ())
