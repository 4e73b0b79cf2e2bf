"""Silences in storage: nobody's is lost, whoever else writes."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.errors import DocumentConflict, NotFound, NotReady, StorageError
from functions.silences.recurrence import Recurrence
from functions.silences.silence import Report
from functions.silences.store import ATTEMPTS, DOCUMENT, KEPT, MOST_SILENCES, SilenceStore
from functions.storage.documents import Document
from tests.fakes.storage import MemoryDocuments
from tests.unit.silences.silencing import ADA, HOUR, NOON, alert, asked


class Hurried(MemoryDocuments):
    """Documents into which someone else writes between a reading and the write that follows it."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], object]] = []

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        mine, self.meanwhile = self.meanwhile, []
        if mine:
            mine.pop()()
            self.meanwhile = mine
        return super().write(name, body, version=version)


def store(documents: MemoryDocuments, now: datetime = NOON) -> SilenceStore:
    return SilenceStore(documents, clock=lambda: now)


def test_what_was_added_is_kept_for_the_next_process() -> None:
    documents = MemoryDocuments()
    added = store(documents).add(asked(), ADA)
    assert store(documents).read() == (added,)
    assert len(added.id) == 12


def test_of_two_who_add_at_once_both_have_their_silence() -> None:
    documents = Hurried()
    documents.meanwhile = [lambda: store(documents).add(asked(reason="theirs"), ADA)]
    store(documents).add(asked(reason="mine"), ADA)
    assert [one.reason for one in store(documents).read()] == ["theirs", "mine"]


def test_of_two_who_end_at_once_the_first_is_named() -> None:
    documents = Hurried()
    one = store(documents).add(asked(), ADA)
    documents.meanwhile = [lambda: store(documents, NOON + HOUR).end(one.id, "person-2")]
    ended = store(documents, NOON + 2 * HOUR).end(one.id, "person-3")
    assert (ended.ended_by, ended.until) == ("person-2", NOON + HOUR)
    assert store(documents).read() == (ended,)


def test_who_never_gets_a_turn_is_told() -> None:
    documents = Hurried()
    documents.meanwhile = [lambda: store(documents).add(asked(), ADA)] * (2 * ATTEMPTS)
    with pytest.raises(DocumentConflict, match="at every attempt"):
        store(documents).add(asked(), ADA)


def test_ending_twice_changes_nothing_and_ending_another_is_not_found() -> None:
    documents = MemoryDocuments()
    one = store(documents).add(asked(), ADA)
    first = store(documents, NOON + HOUR).end(one.id, "person-2")
    assert store(documents, NOON + 2 * HOUR).end(one.id, "person-3") == first
    with pytest.raises(NotFound):
        store(documents).end("nope", "person-2")


def test_one_that_has_ended_is_kept_a_while_and_then_goes() -> None:
    documents = MemoryDocuments()
    old = store(documents).add(asked(), ADA)
    new = store(documents, NOON + KEPT).add(asked(ends_at=(NOON + KEPT + HOUR).isoformat()), ADA)
    assert store(documents).read() == (old, new)
    last = store(documents, old.until + KEPT).add(asked(ends_at=(NOON + 2 * KEPT).isoformat()), ADA)
    assert store(documents).read() == (new, last)


def test_there_are_only_so_many_at_a_time() -> None:
    documents = MemoryDocuments()
    for _ in range(MOST_SILENCES):
        store(documents).add(asked(), ADA)
    with pytest.raises(NotReady):
        store(documents).add(asked(), ADA)
    later = (NOON + 5 * HOUR).isoformat()
    assert store(documents, NOON + 4 * HOUR).add(asked(ends_at=later), ADA)


def test_what_is_reported_stays_reported_as_it_was() -> None:
    documents = MemoryDocuments()
    one = store(documents).add(asked(), ADA)
    for report in (Report(NOON, NOON, 3, forgotten=False), Report(NOON, NOON + HOUR, 1, forgotten=True)):
        store(documents).report({one.id: [report], "gone": [report]})
    (kept,) = store(documents).read()
    assert kept.reports == (Report(NOON, NOON, 3, forgotten=True),)


def test_an_alert_is_quiet_while_a_silence_in_storage_is_in_force() -> None:
    documents = MemoryDocuments()
    one = store(documents).add(asked(), ADA)
    assert store(documents).quieting({})(alert()) == (f"{one.id}@2026-05-04T12:00:00Z",)
    assert store(documents, NOON + 4 * HOUR).quieting({})(alert()) == ()


@pytest.mark.parametrize(
    "body", [{"format": 2, "silences": []}, {"format": 1, "silences": [{}]}, {"format": 1}]
)
def test_where_silences_cannot_be_read_nothing_is_quiet_and_nothing_is_overwritten(
    body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    documents = MemoryDocuments()
    documents.write(DOCUMENT, body, version=None)
    with caplog.at_level(logging.ERROR):
        assert store(documents).quieting({})(alert()) == ()
    assert "No silence is in force" in caplog.text
    for attempt in (
        lambda: store(documents).add(asked(), ADA),
        lambda: store(documents).end("x", "person-2"),
    ):
        with pytest.raises(StorageError):
            attempt()
    held = documents.read(DOCUMENT)
    assert held is not None
    assert held.body == body


def test_the_document_as_it_was_written_first_opens() -> None:
    documents = MemoryDocuments()
    golden = Path(__file__).parents[2] / "golden/documents/format-3/silences.json"
    documents.write(DOCUMENT, orjson.loads(golden.read_bytes()), version=None)
    ended, nightly = store(documents).read()
    assert (ended.author, ended.until, ended.reports[0].hid) == ("ada@example.com", NOON + 1.5 * HOUR, 3)
    assert ended.matchers == {"agent": ("dispatcher", "courier*"), "Tool": ("get_*",)}
    assert nightly.recurrence == Recurrence((0, 4), time(22), time(6), "Europe/Berlin")
    critical = alert(severity="critical")
    friday = datetime(2026, 5, 8, 20, tzinfo=UTC)
    assert store(documents, friday).quieting({})(critical) == ("a0b1c2d3e4f5@2026-05-08T20:00:00Z",)


def test_it_lasts_no_longer_than_it_says() -> None:
    documents = MemoryDocuments()
    store(documents).add(asked(), ADA)
    just_before = NOON + 4 * HOUR - timedelta(microseconds=1)
    assert store(documents, just_before).quieting({})(alert())
