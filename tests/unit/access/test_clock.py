"""A clock that is off is told, is in the ledger, and keeps days from being sealed."""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from functions.access.clock import ClockCheck
from functions.errors import StorageError
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Clocks:
    """Ours and theirs, and what became of the difference."""

    ours: datetime = NOON
    theirs: datetime = NOON
    log: MemoryAppendLog = field(default_factory=MemoryAppendLog)
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)

    @property
    def check(self) -> ClockCheck:
        return ClockCheck(self.documents, self.log, theirs=lambda: self.theirs, clock=lambda: self.ours)

    def entries(self) -> list[tuple[str, str]]:
        return [(entry["action"], entry["on"]["seconds"]) for entry in self.log.entries()]


@pytest.mark.parametrize(
    ("ahead", "off"),
    [
        (timedelta(0), False),
        (timedelta(minutes=5), False),
        (timedelta(minutes=5, seconds=1), True),
        (HOUR, True),
        (-HOUR, True),
        (-timedelta(minutes=4), False),
    ],
)
def test_by_more_than_some_minutes_a_clock_is_off(
    ahead: timedelta, off: bool, caplog: pytest.LogCaptureFixture
) -> None:
    clocks = Clocks(ours=NOON + ahead)
    clocks.check.tick()
    assert clocks.entries() == ([("clock.off", str(round(ahead.total_seconds())))] if off else [])
    assert (clocks.check.hindrance() is not None) == off
    assert [record.levelno for record in caplog.records] == ([logging.ERROR] if off else [])


def test_an_hour_off_is_told_each_time_and_in_the_ledger_once_a_day_until_it_is_right(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clocks = Clocks(ours=NOON + HOUR)
    for minutes in range(0, 30, 5):
        clocks.ours, clocks.theirs = (at + timedelta(minutes=minutes) for at in (NOON + HOUR, NOON))
        clocks.check.tick()
    assert clocks.entries() == [("clock.off", "3600")]
    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == 6
    assert "3600 s ahead of" in caplog.text
    clocks.ours, clocks.theirs = clocks.ours + 24 * HOUR, clocks.theirs + 24 * HOUR
    clocks.check.tick()
    clocks.ours = clocks.theirs
    clocks.check.tick()
    clocks.check.tick()
    assert [action for action, _ in clocks.entries()] == ["clock.off", "clock.off", "clock.right"]


def test_the_entry_has_the_time_of_the_storage_service() -> None:
    clocks = Clocks(ours=NOON + HOUR)
    clocks.check.tick()
    (entry,) = clocks.log.entries()
    assert (entry["at"], entry["on"]["storage_time"]) == ("2026-11-24T13:00:00Z", "2026-11-24T12:00:00Z")


def test_a_slow_answer_does_not_make_a_clock_off() -> None:
    ticking = iter(NOON + timedelta(minutes=minutes) for minutes in (0, 12))
    log = MemoryAppendLog()
    check = ClockCheck(
        MemoryDocuments(), log, theirs=lambda: NOON + timedelta(minutes=6), clock=lambda: next(ticking)
    )
    check.tick()
    assert log.lines == []


def test_where_nobody_knows_the_time_nothing_is_sealed() -> None:
    def away() -> datetime:
        raise StorageError("Blob storage could not be reached.", next_step="Wait.")

    check = ClockCheck(MemoryDocuments(), MemoryAppendLog(), theirs=away, clock=lambda: NOON)
    assert check.hindrance() == "Blob storage could not be reached. Wait."
    with pytest.raises(StorageError):
        check.tick()


class LedgerOff(MemoryAppendLog):
    def append(self, entry: object) -> str:  # noqa: ARG002 - the interface's
        raise StorageError("The ledger is away.", next_step="Wait.")


def test_what_the_ledger_has_not_heard_is_told_again() -> None:
    clocks = Clocks(ours=NOON + HOUR, log=LedgerOff())
    with pytest.raises(StorageError):
        clocks.check.tick()
    clocks.log = MemoryAppendLog()
    clocks.check.tick()
    assert clocks.entries() == [("clock.off", "3600")]
