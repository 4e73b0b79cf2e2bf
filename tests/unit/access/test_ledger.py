from datetime import UTC, datetime

import pytest

from functions.access.ledger import Access, Ledger
from functions.access.principal import Principal
from functions.errors import StorageError
from tests.fakes.storage import MemoryAppendLog

ADA = Principal("person-1", "Ada", frozenset({"Audit.Read"}))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def access(n: int = 0, **more: str) -> Access:
    return Access("exports.request", ADA, {"ticket": f"T-{n}", **more}, "served", "", f"c-{n}")


def test_an_entry_says_who_did_what_on_what_and_how_it_ended() -> None:
    log = MemoryAppendLog()
    digest = Ledger(log, now=lambda: NOON).record(access())
    assert list(log.entries()) == [
        {
            "at": "2026-11-24T12:00:00Z",
            "action": "exports.request",
            "who": {"object_id": "person-1", "name": "Ada"},
            "on": {"ticket": "T-0"},
            "outcome": "served",
            "reason": "",
            "correlation_id": "c-0",
        }
    ]
    assert digest.encode() in log.lines[0]


def test_an_unknown_caller_is_nobody() -> None:
    log = MemoryAppendLog()
    Ledger(log, now=lambda: NOON).record(Access("exports.list", None, {}, "denied", "Not signed in", "c"))
    assert next(log.entries())["who"] is None


def test_long_texts_are_cut() -> None:
    log = MemoryAppendLog()
    Ledger(log, now=lambda: NOON).record(access(export_id="x" * 10_000))
    assert len(log.lines[0]) < 1_000


def test_the_latest_entries_come_first() -> None:
    ledger = Ledger(MemoryAppendLog(), now=lambda: NOON)
    for n in range(5):
        ledger.record(access(n))
    assert [entry["correlation_id"] for entry in ledger.latest(2).entries] == ["c-4", "c-3"]


def test_a_ledger_that_was_touched_is_not_read() -> None:
    log = MemoryAppendLog()
    ledger = Ledger(log, now=lambda: NOON)
    for n in range(3):
        ledger.record(access(n))
    del log.lines[1]
    with pytest.raises(StorageError, match="line 2"):
        ledger.latest(1)
