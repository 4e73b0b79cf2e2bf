import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.errors import CanaryUnavailable, DocumentConflict, StorageError, WatchStopped
from functions.storage.documents import Document
from functions.watch.heartbeat import DOCUMENT, OLDEST, Heart, Metric
from functions.watch.watch import CheckTick, TickReport
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.storage import MemoryDocuments

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
REPORTS = (
    TickReport((CheckTick("source_blind", "evaluated"),), accepted=1, put_off=0, refused=0),
    TickReport(
        (CheckTick("cost_spike", "failed"), CheckTick("slow_run", "evaluated")),
        accepted=2,
        put_off=1,
        refused=0,
    ),
)


class Sent:
    """An ingestion that remembers, or that can't be reached."""

    def __init__(self, *, reachable: bool = True) -> None:
        self.envelopes: list[Mapping[str, Any]] = []
        self._reachable = reachable

    def send(self, envelopes: Sequence[Mapping[str, Any]]) -> None:
        if not self._reachable:
            raise CanaryUnavailable("No answer.", next_step="Wait.")
        self.envelopes.extend(envelopes)


class AnotherHost(MemoryDocuments):
    """A store in which another host's heartbeat always comes first."""

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        super().write(name, body, version=version)
        raise DocumentConflict("Changed.", next_step="Read it again.")


def heart(documents: MemoryDocuments, sent: Sent | None = None, *, later: timedelta = timedelta(0)) -> Heart:
    return Heart(documents, sent and Metric(sent, KEY), clock=lambda: NOON + later)


def test_a_complete_tick_is_kept_with_what_it_did() -> None:
    documents = MemoryDocuments()
    heart(documents).beat(REPORTS)
    held = documents.read(DOCUMENT)
    assert held is not None
    assert held.body == {
        "format": 1,
        "completed_at": "2026-11-24T12:00:00Z",
        "checks": {"evaluated": 2, "failed": 1},
        "accepted": 3,
        "put_off": 1,
        "refused": 0,
    }


def test_a_complete_tick_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    heart(MemoryDocuments()).beat(REPORTS)
    (line,) = caplog.messages
    assert json.loads(line) == {
        "event": "watch.heartbeat",
        "completed_at": "2026-11-24T12:00:00Z",
        "checks": {"evaluated": 2, "failed": 1},
        "accepted": 3,
        "put_off": 1,
        "refused": 0,
    }


@pytest.mark.parametrize(
    ("later", "well"),
    [(timedelta(0), True), (OLDEST, True), (OLDEST + timedelta(seconds=1), False)],
    ids=["now", "five minutes", "more"],
)
def test_a_heartbeat_older_than_five_minutes_is_none(later: timedelta, *, well: bool) -> None:
    documents = MemoryDocuments()
    heart(documents).beat(REPORTS)
    if well:
        heart(documents, later=later).check()
    else:
        with pytest.raises(WatchStopped, match="last 5 minutes"):
            heart(documents, later=later).check()


def test_the_next_tick_brings_it_back() -> None:
    documents, later = MemoryDocuments(), timedelta(hours=1)
    heart(documents).beat(REPORTS)
    heart(documents, later=later).beat(REPORTS)
    heart(documents, later=later).check()


def test_before_the_first_tick_there_is_none() -> None:
    with pytest.raises(WatchStopped):
        heart(MemoryDocuments()).check()


def test_a_document_that_is_none_of_ours_is_no_heartbeat() -> None:
    documents = MemoryDocuments()
    documents.write(DOCUMENT, {"completed_at": 12}, version=None)
    with pytest.raises(StorageError, match="not a heartbeat"):
        heart(documents).check()


def test_two_hosts_that_end_together_are_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sent = Sent()
    heart(AnotherHost(), sent).beat(REPORTS)
    assert len(sent.envelopes) == 1
    assert "watch.heartbeat" in caplog.text


def test_a_tick_is_counted_where_there_is_a_component() -> None:
    sent = Sent()
    heart(MemoryDocuments(), sent).beat(REPORTS)
    (envelope,) = sent.envelopes
    assert envelope["iKey"] == KEY
    assert envelope["data"]["baseData"] == {
        "ver": 2,
        "metrics": [{"name": "tracekeeper.ticks", "value": 1.0, "count": 1}],
        "properties": {"evaluated": "2", "failed": "1"},
    }
    # The stand-in of the ingestion endpoint reads it as it reads all others.
    assert Telemetry().ingest([envelope]) == 1


def test_a_tick_that_cannot_be_counted_is_complete_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    documents = MemoryDocuments()
    heart(documents, Sent(reachable=False)).beat(REPORTS)
    heart(documents).check()
    assert "The tick could not be counted: No answer." in caplog.text


def test_when_the_latest_tick_was_is_known_once_there_was_one() -> None:
    documents = MemoryDocuments()
    assert heart(documents).latest() is None
    heart(documents).beat(REPORTS)
    assert heart(documents, later=2 * OLDEST).latest() == NOON


def test_where_the_heartbeat_cannot_be_read_nobody_can_tell_when_the_latest_tick_was() -> None:
    documents = MemoryDocuments()
    documents.write(DOCUMENT, {"completed_at": "lately"}, version=None)
    assert heart(documents).latest() is None
