"""One host at a time delivers to a destination; what it has learned is written whoever has the lease now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.delivery.lease import LASTS, HeldRecord, LeaseLost, read_record, take
from functions.delivery.record import Record, record_to_json
from tests.fakes.storage import MemoryDocuments

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


class Hosts:
    """Two hosts on one storage, with one clock."""

    def __init__(self) -> None:
        self.documents = MemoryDocuments()
        self.now = NOW

    def take(self, holder: str) -> HeldRecord | None:
        return take(self.documents, "teams", wanted=lambda _: True, holder=holder, clock=lambda: self.now)

    def taken(self, holder: str) -> HeldRecord:
        held = self.take(holder)
        assert held is not None
        return held

    def failures(self) -> int:
        return read_record(self.documents, "teams")[0].failures


def failed_once_more(record: Record) -> Record:
    return replace(record, failures=record.failures + 1)


def test_while_one_has_it_no_other_gets_it_and_then_it_does() -> None:
    hosts = Hosts()
    first = hosts.taken("a")
    assert hosts.take("b") is None
    assert hosts.take("a") is None, "nor does another attempt of the same host"
    first.release(failed_once_more)
    assert hosts.take("b") is not None
    assert hosts.failures() == 1


def test_who_dies_is_waited_for_but_not_for_ever() -> None:
    hosts = Hosts()
    hosts.taken("a")
    hosts.now += LASTS - timedelta(seconds=1)
    assert hosts.take("b") is None
    hosts.now += timedelta(seconds=1)
    assert hosts.take("b") is not None


def test_each_write_makes_it_last_again() -> None:
    hosts = Hosts()
    first = hosts.taken("a")
    for _ in range(5):
        hosts.now += LASTS - timedelta(seconds=1)
        first.change(failed_once_more)
        assert hosts.take("b") is None


def test_a_lease_from_a_clock_that_was_wrong_holds_nobody_up() -> None:
    hosts = Hosts()
    hosts.now += timedelta(days=1)
    hosts.taken("a")
    hosts.now -= timedelta(days=1)
    assert hosts.take("b") is not None


def test_who_lost_it_changes_nothing_but_notes_what_is_true() -> None:
    hosts = Hosts()
    first = hosts.taken("a")
    hosts.now += LASTS
    second = hosts.taken("b")
    with pytest.raises(LeaseLost):
        first.change(failed_once_more)
    assert hosts.failures() == 0
    with pytest.raises(LeaseLost):
        first.note(failed_once_more)
    assert hosts.failures() == 1
    second.change(failed_once_more)
    assert hosts.failures() == 2, "what the other noted is not overwritten"


def test_where_nothing_is_to_be_done_nothing_is_written() -> None:
    documents = MemoryDocuments()
    documents.write("deliveries/teams", record_to_json(Record(failures=1)), version=None)
    before = documents.read("deliveries/teams")
    assert take(documents, "teams", wanted=lambda _: False, holder="a", clock=lambda: NOW) is None
    assert documents.read("deliveries/teams") == before
