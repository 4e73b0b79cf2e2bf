import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import orjson
import pytest

from functions.errors import (
    DocumentConflict,
    InvalidRequest,
    NotFound,
    NotReady,
    PartialResult,
    QueryRejected,
    RedactionFailure,
    ResultTooLarge,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
    StorageError,
)
from functions.evidence.assembly import Protection
from functions.evidence.detectors import Detector, Detectors
from functions.evidence.export import State
from functions.evidence.jobs import ATTEMPTS, Exports
from functions.evidence.verification import Verified, verify_bundle
from functions.storage.append_log import AppendLog
from functions.storage.documents import Document, Documents
from functions.storage.objects import Objects
from functions.traces.source import Rows, TraceSource
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.source import ScriptedSource
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import (
    ABSENT,
    NOON,
    OTHER,
    SECRET,
    SOUND,
    TRACE,
    envelopes,
    protection,
    selection,
)

NOW = NOON + timedelta(hours=1)
ASKER = "6f0e0d5c-0000-0000-0000-000000000001"


class RememberingSource:
    """Gives the same answer to the same query: the telemetry of these tests does not change."""

    def __init__(self, source: TraceSource) -> None:
        self._source = source
        self._answers: dict[str, Rows] = {}

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        if kql not in self._answers:
            self._answers[kql] = self._source.query(kql, since=since, until=until)
        return self._answers[kql]


@pytest.fixture(scope="module")
def source() -> TraceSource:
    telemetry = Telemetry()
    telemetry.ingest(envelopes(TRACE) + envelopes(OTHER, sampled=4), delay=timedelta(seconds=2))
    return RememberingSource(TelemetrySource(telemetry))


def no_alert(_: str) -> Iterable[str]:
    raise NotFound("There is no such alert.", next_step="Look at the list.")


class Rig:
    """Exports on fakes, each of which a test may replace."""

    def __init__(self, source: TraceSource) -> None:
        self.documents: Documents = MemoryDocuments()
        self.objects: Objects = MemoryObjects()
        self.log: AppendLog = MemoryAppendLog()
        self.source = source
        self.protection: Callable[[], Protection] = protection

    @property
    def exports(self) -> Exports:
        return Exports(
            documents=self.documents,
            objects=self.objects,
            source=self.source,
            protection=self.protection,
            ledger=self.log,
            resolve_alert=lambda alert_id: [TRACE] if alert_id == "a" * 16 else list(no_alert(alert_id)),
            clock=lambda: NOW,
        )

    def requested(self, selector: Mapping[str, Any] | None = None) -> str:
        return self.exports.request(selection(selector), requester=ASKER).id

    def actions(self) -> list[str]:
        return [entry["action"] for entry in self.log.entries()]


@pytest.fixture
def rig(source: TraceSource) -> Rig:
    return Rig(source)


def test_a_request_becomes_a_bundle_that_verifies(rig: Rig, tmp_path: Any) -> None:
    export_id = rig.requested()
    assert rig.exports.get(export_id).state is State.QUEUED
    rig.exports.run(export_id)
    export = rig.exports.get(export_id)
    assert export.state is State.DONE
    assert export.bundle is not None
    assert export.counts is not None
    data = b"".join(rig.exports.open_bundle(export_id))
    assert export.bundle.object_name == f"{export_id}/bundle-metadata.zip"
    assert (export.bundle.size, export.bundle.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    path = tmp_path / "b.zip"
    path.write_bytes(data)
    assert verify_bundle(path) == Verified(files=9, rows=7, traces=1, spans=3, complete=True)
    assert (export.counts.rows, export.counts.spans, export.counts.traces, export.counts.complete) == (
        7,
        3,
        1,
        True,
    )


def test_the_ledger_tells_who_asked_why_and_what_came_of_it(rig: Rig) -> None:
    export_id = rig.requested()
    rig.exports.run(export_id)
    asked, finished = rig.log.entries()
    assert (asked["action"], asked["who"]) == ("exports.requested", {"object_id": ASKER})
    assert asked["on"] == {
        "export_id": export_id,
        "profile": "metadata",
        "reason": "weekly review",
        "ticket": "OPS-1",
    }
    bundle = rig.exports.get(export_id).bundle
    assert bundle is not None
    assert finished["action"] == "exports.finished"
    assert finished["on"] | {"sha256": bundle.sha256, "rows": "7", "complete": "True"} == finished["on"]
    assert finished["on"]["queries_hmac_sha256"] == bundle.queries_hmac_sha256


@pytest.mark.parametrize(
    ("selector", "traces", "complete"),
    [
        ({"trace_ids": [TRACE, OTHER]}, 2, True),
        ({"trace_ids": [TRACE, ABSENT]}, 1, False),
        ({"alert_id": "a" * 16}, 1, True),
        ({"window": {"start": "2026-11-22T12:00:00Z", "end": "2026-11-22T12:01:00Z"}}, 2, True),
        (
            {"window": {"start": "2026-11-22T12:00:00Z", "end": "2026-11-22T12:01:00Z", "agent": "nobody"}},
            0,
            True,
        ),
    ],
)
def test_every_selector_finds_its_traces(
    rig: Rig, selector: Mapping[str, Any], traces: int, complete: bool
) -> None:
    export_id = rig.requested(selector)
    rig.exports.run(export_id)
    counts = rig.exports.get(export_id).counts
    assert counts is not None
    assert (counts.traces, counts.complete) == (traces, complete)


def test_two_exports_of_the_same_are_the_same_bytes(rig: Rig) -> None:
    one, two = rig.requested(), rig.requested()
    rig.exports.run(one)
    rig.exports.run(two)
    assert b"".join(rig.exports.open_bundle(one)) == b"".join(rig.exports.open_bundle(two))


def test_a_repeated_message_does_nothing(rig: Rig) -> None:
    export_id = rig.requested()
    rig.exports.run(export_id)
    before = rig.documents.read(f"exports/{export_id}")
    rig.exports.run(export_id)
    assert rig.documents.read(f"exports/{export_id}") == before
    assert rig.actions() == ["exports.requested", "exports.finished"]


def test_exports_are_listed_latest_first(rig: Rig) -> None:
    ids = {rig.requested() for _ in range(3)}
    later = replace(rig.exports, clock=lambda: NOW + timedelta(hours=1))
    latest = later.request(selection(), requester=ASKER).id
    listed = [export.id for export in rig.exports.list()]
    assert listed[0] == latest
    assert set(listed) == ids | {latest}


@pytest.mark.parametrize("export_id", ["0" * 32, "", "../checks/x", "A" * 32, "x" * 10_000])
def test_an_unknown_export_is_not_found(rig: Rig, export_id: str) -> None:
    for ask in (rig.exports.get, rig.exports.open_bundle, rig.exports.run):
        with pytest.raises(NotFound):
            ask(export_id)


def test_a_bundle_is_given_only_once_it_is_done_and_by_parts(rig: Rig) -> None:
    export_id = rig.requested()
    with pytest.raises(NotReady):
        rig.exports.open_bundle(export_id)
    rig.exports.run(export_id)
    whole = b"".join(rig.exports.open_bundle(export_id))
    assert b"".join(rig.exports.open_bundle(export_id, offset=10, length=20)) == whole[10:30]


class CrashingDocuments:
    """Dies at one of its writes, before it or after it, and works again afterwards."""

    def __init__(self, inner: Documents, crash_at: int, *, after: bool) -> None:
        self._inner, self._left, self._after = inner, crash_at, after

    def read(self, name: str) -> Document | None:
        return self._inner.read(name)

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise ProcessDiedError
        written = self._inner.write(name, body, version=version)
        if self._left == 0:
            raise ProcessDiedError
        return written

    def names(self, prefix: str) -> Iterator[str]:
        return self._inner.names(prefix)


class CrashingObjects(MemoryObjects):
    """Stores its first object and dies before saying so."""

    crashed = False

    def put(self, name: str, data: BinaryIO) -> int:
        size = super().put(name, data)
        if not self.crashed:
            self.crashed = True
            raise ProcessDiedError
        return size


class ProcessDiedError(Exception):
    """The process is gone."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", [1, 2, 3])
def test_after_a_crash_at_any_write_the_next_attempt_finishes(rig: Rig, write: int, after: bool) -> None:
    export_id = rig.requested()
    documents = rig.documents
    rig.documents = CrashingDocuments(documents, write, after=after)
    with pytest.raises(ProcessDiedError):
        rig.exports.run(export_id)
    rig.documents = documents
    rig.exports.run(export_id)
    export = rig.exports.get(export_id)
    assert export.state is State.DONE
    assert export.bundle is not None
    data = b"".join(rig.exports.open_bundle(export_id))
    assert export.bundle.sha256 == hashlib.sha256(data).hexdigest()
    assert set(rig.actions()) == {"exports.requested", "exports.finished"}


def test_a_bundle_stored_before_a_crash_is_taken_over_without_asking_again(rig: Rig) -> None:
    rig.objects = CrashingObjects()
    export_id = rig.requested()
    with pytest.raises(ProcessDiedError):
        rig.exports.run(export_id)
    rig.source = ScriptedSource([])
    rig.exports.run(export_id)
    assert rig.exports.get(export_id).state is State.DONE


def test_a_bundle_that_differs_from_the_one_stored_fails_the_export(rig: Rig) -> None:
    export_id = rig.requested()
    rig.objects.put(f"{export_id}/bundle-metadata.zip", io.BytesIO(b"of another attempt"))
    rig.exports.run(export_id)
    assert rig.exports.get(export_id).state is State.FAILED


def test_of_two_attempts_at_once_one_gives_way(rig: Rig) -> None:
    export_id = rig.requested()
    documents = rig.documents

    class Overtaken(CrashingDocuments):
        def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
            held = documents.read(name)
            assert held is not None
            documents.write(name, held.body, version=held.version)
            return documents.write(name, body, version=version)

    rig.documents = Overtaken(documents, 0, after=False)
    with pytest.raises(DocumentConflict):
        rig.exports.run(export_id)


def failing(error: Exception) -> ScriptedSource:
    return ScriptedSource(lambda _: error)


@pytest.mark.parametrize("kind", [SourceThrottled, SourceUnavailable, PartialResult])
def test_a_failure_that_may_pass_is_tried_again_and_at_last_recorded(
    rig: Rig, kind: type[SourceThrottled]
) -> None:
    rig.source = failing(kind(SECRET, next_step="wait"))
    export_id = rig.requested()
    for attempt in range(1, ATTEMPTS):
        with pytest.raises(kind):
            rig.exports.run(export_id)
        assert rig.exports.get(export_id).state is State.RUNNING, attempt
    rig.exports.run(export_id)
    assert rig.exports.get(export_id).state is State.FAILED
    assert rig.actions() == ["exports.requested", "exports.failed"]


@pytest.mark.parametrize("kind", [SourceRefused, QueryRejected, ResultTooLarge, RedactionFailure])
def test_a_failure_that_stays_is_recorded_at_once_in_words_of_ours(
    rig: Rig, kind: type[SourceRefused]
) -> None:
    rig.source = failing(kind(SECRET, next_step=SECRET))
    export_id = rig.requested()
    rig.exports.run(export_id)
    export = rig.exports.get(export_id)
    assert export.state is State.FAILED
    assert export.failure
    assert SECRET not in orjson.dumps(export.body()).decode()
    assert all(SECRET not in str(entry) for entry in rig.log.entries())


def test_a_job_that_kills_its_process_every_time_fails_at_the_last_delivery(rig: Rig) -> None:
    def killing() -> Protection:
        raise ProcessDiedError

    export_id = rig.requested()
    rig.protection = killing
    for _ in range(ATTEMPTS):
        with pytest.raises(ProcessDiedError):
            rig.exports.run(export_id)
    rig.exports.run(export_id)
    assert rig.exports.get(export_id).state is State.FAILED


def test_what_the_rescan_finds_withholds_the_bundle(rig: Rig) -> None:
    careless = Detectors([Detector("agent", "dispatcher", "dispatcher")])
    rig.protection = lambda: replace(protection(), detectors=careless)
    export_id = rig.requested(
        {"window": {"start": "2026-11-22T12:00:00Z", "end": "2026-11-22T12:01:00Z", "agent": "dispatcher"}}
    )
    rig.exports.run(export_id)
    export = rig.exports.get(export_id)
    assert (export.state, export.bundle, export.counts) == (State.FAILED, None, None)
    assert rig.objects.size(f"{export_id}/bundle-metadata.zip") is None
    with pytest.raises(NotReady):
        rig.exports.open_bundle(export_id)


class BrokenLog(MemoryAppendLog):
    def append(self, entry: Mapping[str, Any]) -> str:  # noqa: ARG002 - the interface's shape
        raise StorageError("The ledger can't be written.", next_step="Look at the storage account.")


def test_without_a_ledger_nothing_is_requested(rig: Rig) -> None:
    rig.log = BrokenLog()
    with pytest.raises(StorageError):
        rig.requested()
    assert rig.exports.list() == []


def test_without_a_ledger_nothing_is_finished(rig: Rig) -> None:
    export_id = rig.requested()
    rig.log = BrokenLog()
    with pytest.raises(StorageError):
        rig.exports.run(export_id)
    assert rig.exports.get(export_id).state is State.RUNNING
    with pytest.raises(NotReady):
        rig.exports.open_bundle(export_id)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": "ask ada@example.org"}, "reason"),
        ({"ticket": "4111-1111-1111-1111"}, "ticket"),
        (
            {
                "selector": {
                    "window": {
                        "start": "2026-11-22T12:00:00Z",
                        "end": "2026-11-22T13:00:00Z",
                        "agent": "ada@example.org",
                    }
                }
            },
            "selector.window.agent",
        ),
    ],
)
def test_words_that_may_not_stand_in_a_bundle_are_refused_when_asked(
    rig: Rig, changes: dict[str, Any], field: str
) -> None:
    body = SOUND | {"selector": {"trace_ids": [TRACE]}} | changes
    with pytest.raises(InvalidRequest, match=field):
        rig.exports.parse(body)
    assert rig.exports.parse(SOUND | {"selector": {"trace_ids": [TRACE]}}) == selection()


def test_one_trace_is_read_sanitized(rig: Rig) -> None:
    trace = rig.exports.read_trace(TRACE.upper())
    assert trace["trace_id"] == TRACE
    assert [span["name"] for span in trace["spans"]] == [
        "request",
        "invoke_agent dispatcher",
        "execute_tool get_shipment_status",
    ]
    assert len(trace["events"]) == 4
    assert trace["complete"] is True
    assert trace["redactions"]["removed"]["drop:Message"] == 2
    text = orjson.dumps(trace).decode()
    assert not [word for word in SECRET.split() if len(word) > 3 and word in text]


@pytest.mark.parametrize(
    ("trace_id", "error"), [(ABSENT, NotFound), ("x", InvalidRequest), ("a" * 10_000, InvalidRequest)]
)
def test_a_trace_that_can_not_be_read_is_refused(rig: Rig, trace_id: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        rig.exports.read_trace(trace_id)


def test_a_trace_in_which_the_rescan_finds_something_is_withheld(rig: Rig) -> None:
    careless = Detectors([Detector("agent", '"agent"|dispatcher"', '"agent"')])
    rig.protection = lambda: replace(protection(), detectors=careless)
    with pytest.raises(RedactionFailure):
        rig.exports.read_trace(TRACE)
