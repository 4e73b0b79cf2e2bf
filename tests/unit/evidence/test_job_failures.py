import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO

import orjson
import pytest

from functions.errors import (
    DocumentConflict,
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
from functions.evidence.jobs import ATTEMPTS
from functions.storage.documents import Document, Documents
from tests.fakes.source import ScriptedSource
from tests.fakes.storage import MemoryAppendLog, MemoryObjects
from tests.unit.evidence.material import (
    SECRET,
    protection,
)
from tests.unit.evidence.rig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


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
