"""Each week is announced once: by two hosts, over crashes, and after an outage."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import orjson
import pytest

from functions.alerts.announcements import NAME, Announcements, announcements_from_json
from functions.alerts.outbox import Entry
from functions.alerts.rules import WeeklySummary
from functions.errors import StorageError
from functions.storage.documents import Document, Documents
from functions.summary.body import Week
from functions.summary.document import DOCUMENT, Told, told_json
from functions.summary.weekly import CLAIMED, WeeklySummaries
from functions.weeks import WeekBefore
from tests.fakes.storage import MemoryDocuments

RULE = WeeklySummary(0, time(8), "Europe/Berlin", ("teams", "mail"))
DUE = datetime(2026, 11, 23, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BODY: Week = orjson.loads((Path(__file__).parent / "week.json").read_bytes())


class Host:
    """One host's summaries; `gathered` are the weeks it asked about, during which `meanwhile` happens."""

    def __init__(self, documents: Documents, now: datetime, rule: WeeklySummary | None = RULE) -> None:
        self.now = now
        self.gathered: list[WeekBefore] = []
        self.meanwhile: Callable[[], object] = tuple
        self._summaries = WeeklySummaries(documents, self, rule, clock=lambda: self.now)

    def gather(self, week: WeekBefore) -> Week:
        self.gathered.append(week)
        self.meanwhile()
        return BODY

    def tick(self, now: datetime) -> bool:
        self.now = now
        return self._summaries.tick()


class Breaking:
    """Documents of a host that stops at its n-th write, from 1."""

    def __init__(self, documents: MemoryDocuments, stops_at: int) -> None:
        self._documents, self._left = documents, stops_at

    def read(self, name: str) -> Document | None:
        return self._documents.read(name)

    def write(self, name: str, body: object, *, version: str | None) -> Document:
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt
        return self._documents.write(name, body, version=version)  # type: ignore[arg-type]  # handed on as it came

    def names(self, prefix: str) -> object:
        return self._documents.names(prefix)


class Outrun:
    """Documents of a host between whose reading and writing another one writes."""

    def __init__(self, documents: MemoryDocuments, other: Callable[[], object]) -> None:
        self._documents, self._other = documents, other
        self.names = documents.names
        self.write = documents.write

    def read(self, name: str) -> Document | None:
        held = self._documents.read(name)
        self._other()
        return held


def begun() -> MemoryDocuments:
    """Return the documents of a watch that has run since the week before."""
    documents = MemoryDocuments()
    documents.write(DOCUMENT, told_json(Told(date(2026, 11, 16))), version=None)
    return documents


def waiting(documents: MemoryDocuments) -> list[Entry]:
    held = documents.read(NAME)
    return list(announcements_from_json(held.body).waiting) if held else []


def keys(documents: MemoryDocuments) -> list[str]:
    return [entry.key for entry in waiting(documents)]


def test_a_summary_is_announced_to_each_destination_when_it_is_due() -> None:
    documents = begun()
    host = Host(documents, DUE)
    assert [host.tick(DUE - MINUTE), host.tick(DUE), host.tick(DUE + MINUTE)] == [False, True, False]
    assert [(entry.key, entry.destination) for entry in waiting(documents)] == [
        ("weekly_summary-2026-11-23", "teams"),
        ("weekly_summary-2026-11-23", "mail"),
    ]
    news = waiting(documents)[0].notice
    assert (news.kind, news.at, news.body) == ("weekly_summary", DUE, BODY)  # type: ignore[union-attr]  # it is an announcement


def test_without_a_rule_there_is_no_summary() -> None:
    documents = begun()
    assert not Host(documents, DUE, rule=None).tick(DUE)
    assert not waiting(documents)


def test_a_watch_that_begins_announces_the_first_week_that_ends_after_it() -> None:
    documents = MemoryDocuments()
    host = Host(documents, DUE)
    made = [at for hours in range(24 * 8) if host.tick(at := DUE + timedelta(hours=hours + 1))]
    assert made == [DUE + timedelta(days=7)]


def test_two_hosts_that_look_at_the_same_time_announce_once_and_ask_once() -> None:
    documents = begun()
    one, other = Host(documents, DUE), Host(documents, DUE)
    one.meanwhile = lambda: other.tick(DUE + MINUTE)
    assert one.tick(DUE)
    assert len(one.gathered) + len(other.gathered) == 1
    assert keys(documents) == ["weekly_summary-2026-11-23"] * 2


def test_a_host_whose_claim_comes_second_asks_nothing() -> None:
    documents = begun()
    first = Host(documents, DUE)
    second = Host(Outrun(documents, lambda: first.tick(DUE)), DUE)
    assert not second.tick(DUE)
    assert (len(first.gathered), len(second.gathered)) == (1, 0)
    assert keys(documents) == ["weekly_summary-2026-11-23"] * 2


def test_a_host_that_outlasts_its_claim_announces_nothing_twice() -> None:
    documents = begun()
    slow, other = Host(documents, DUE), Host(documents, DUE)
    slow.meanwhile = lambda: other.tick(DUE + CLAIMED)
    assert not slow.tick(DUE)
    assert other.gathered, "the other has to begin once the claim is over"
    assert keys(documents) == ["weekly_summary-2026-11-23"] * 2
    assert not Host(documents, DUE).tick(DUE + CLAIMED + MINUTE)


@pytest.mark.parametrize("stops_at", [1, 2, 3])
def test_wherever_a_host_stops_the_week_is_announced_once(stops_at: int) -> None:
    documents = begun()
    with pytest.raises(KeyboardInterrupt):
        Host(Breaking(documents, stops_at), DUE).tick(DUE)  # type: ignore[arg-type]  # breaks on purpose
    later = Host(documents, DUE)
    for minutes in range(70):
        later.tick(DUE + minutes * MINUTE)
    assert keys(documents) == ["weekly_summary-2026-11-23"] * 2


def test_a_gathering_that_falls_over_is_tried_again_when_its_claim_is_over_and_not_each_time() -> None:
    documents = begun()
    host = Host(documents, DUE)

    def fall() -> None:
        raise RuntimeError

    host.meanwhile = fall
    for minutes in range(1 + CLAIMED // MINUTE):
        try:
            host.tick(DUE + minutes * MINUTE)
        except RuntimeError:
            continue
    assert len(host.gathered) == 2


def test_after_an_outage_one_summary_names_the_weeks_without_one() -> None:
    documents = begun()
    host = Host(documents, DUE)
    made = [host.tick(DUE + timedelta(days=15, minutes=n)) for n in range(5)]
    assert made == [True, False, False, False, False]
    assert keys(documents) == ["weekly_summary-2026-12-07"] * 2
    assert host.gathered[0].missed == 2


def test_a_clock_that_was_wrong_for_a_while_does_not_end_summaries() -> None:
    documents = begun()
    host = Host(documents, DUE)
    host.tick(DUE + timedelta(days=700))
    host.tick(DUE + MINUTE)
    assert host.tick(DUE + timedelta(days=7))


def test_a_claim_by_a_clock_far_ahead_holds_nobody_up() -> None:
    documents = MemoryDocuments()
    claim = Told(date(2026, 11, 16), claimed_until=DUE + timedelta(days=100))
    documents.write(DOCUMENT, told_json(claim), version=None)
    assert Host(documents, DUE).tick(DUE)


@pytest.mark.parametrize(
    "body", [{"format": 2}, {"format": 1}, {"format": 1, "last": "x", "claimed_until": None}]
)
def test_a_document_that_can_not_be_read_is_left_alone(body: dict[str, object]) -> None:
    documents = MemoryDocuments()
    documents.write(DOCUMENT, body, version=None)
    with pytest.raises(StorageError):
        Host(documents, DUE).tick(DUE)
    held = documents.read(DOCUMENT)
    assert held is not None
    assert held.body == body


def test_what_was_announced_and_accepted_is_not_announced_again() -> None:
    documents = begun()
    Host(documents, DUE).tick(DUE)
    held = documents.read(DOCUMENT)
    assert held is not None
    documents.write(DOCUMENT, told_json(Told(date(2026, 11, 16))), version=held.version)
    assert not Host(documents, DUE).tick(DUE + MINUTE)
    assert not Announcements(documents).add(waiting(documents)[0].notice)  # type: ignore[arg-type]  # as above
