import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
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
from functions.evidence.detectors import Detector, Detectors
from functions.evidence.exports.assembly import Report
from functions.evidence.exports.export import State
from functions.evidence.exports.steps import ASSEMBLE, Step
from functions.evidence.exports.worker import ATTEMPTS
from functions.evidence.redaction.policy import redaction_policy
from functions.storage.documents import Document, Documents
from functions.traces.model import TABLES
from functions.traces.source import Rows, TraceSource
from tests.fakes.signer import RandomSigner
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


class ProcessDiedError(Exception):
    """The process is gone."""


class Parallel:
    """Lets another attempt write an export's document before each write of ours."""

    def __init__(self, inner: Documents) -> None:
        self._inner = inner

    def read(self, name: str) -> Document | None:
        return self._inner.read(name)

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        if name.startswith("exports/") and (held := self._inner.read(name)) is not None:
            self._inner.write(name, held.body, version=held.version)
        return self._inner.write(name, body, version=version)

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


def test_a_bundle_stored_before_a_crash_is_taken_over_without_asking_again(rig: Rig) -> None:
    rig.objects = CrashingObjects()
    export_id = rig.requested()
    with pytest.raises(ProcessDiedError):
        rig.run(export_id)
    rig.source = ScriptedSource([])
    rig.run(export_id)
    assert rig.exports.get(export_id).state is State.DONE


def test_a_bundle_that_differs_from_the_one_stored_fails_the_export(rig: Rig) -> None:
    export_id = rig.requested()
    rig.objects.put(f"{export_id}/bundle-metadata.zip", io.BytesIO(b"of another attempt"))
    rig.run(export_id)
    assert rig.exports.get(export_id).state is State.FAILED


def test_a_bundle_that_another_attempt_signed_is_taken_over(rig: Rig) -> None:
    first, second = rig.requested(), rig.requested()
    rig.run(first)
    made = rig.exports.get(first).bundle
    assert made is not None
    with zipfile.ZipFile(io.BytesIO(rig.bundle(first))) as archive:
        files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    signed = io.BytesIO()
    with zipfile.ZipFile(signed, "w") as archive:
        for name, content in {**files, "bundle/signatures/tagmanifest.jws": b"of another"}.items():
            archive.writestr(name, content)
    signed.seek(0)
    rig.objects.put(f"{second}/bundle-metadata.zip", signed)
    rig.run(second)
    export = rig.exports.get(second)
    assert export.state is State.DONE
    assert export.bundle is not None
    assert export.bundle.sha256 == hashlib.sha256(rig.bundle(second)).hexdigest() != made.sha256


def test_of_two_attempts_at_once_one_gives_way(rig: Rig) -> None:
    export_id = rig.requested()
    rig.documents = Parallel(rig.documents)
    with pytest.raises(DocumentConflict):
        rig.run(export_id)


class Overtaken(MemoryObjects):
    """Lets another attempt do all of its work before the first object of ours is stored."""

    other: Callable[[], object] = staticmethod(lambda: None)

    def put(self, name: str, data: BinaryIO) -> int:
        other, self.other = self.other, staticmethod(lambda: None)
        other()
        return super().put(name, data)


def test_of_two_attempts_that_assemble_at_once_one_bundle_remains(rig: Rig) -> None:
    objects = Overtaken()
    rig.objects, rig.signer = objects, RandomSigner()
    export_id = rig.requested()
    for message in rig.worker.run(Step(export_id).message()):
        rig.worker.run(message)
    assemble = Step(export_id, ASSEMBLE).message()
    objects.other = lambda: rig.worker.run(assemble)
    with pytest.raises(DocumentConflict):
        rig.worker.run(assemble)
    assert rig.worker.run(assemble) == []
    export = rig.exports.get(export_id)
    assert export.state is State.DONE
    assert export.bundle is not None
    assert export.bundle.sha256 == hashlib.sha256(rig.bundle(export_id)).hexdigest()
    assert rig.actions().count("exports.finished") == 1


def test_a_slice_that_comes_twice_is_read_once(rig: Rig) -> None:
    export_id = rig.requested()
    messages = list(rig.worker.run(Step(export_id).message()))
    assert len(messages) == len(TABLES) + 1  # and the runs
    rig.worker.run(messages[0])
    rig.source = ScriptedSource([])
    assert rig.worker.run(messages[0]) == []


def test_the_last_slice_done_has_the_bundle_assembled(rig: Rig) -> None:
    export_id = rig.requested()
    messages = list(rig.worker.run(Step(export_id).message()))
    assert [rig.worker.run(message) for message in messages[:-1]] == [[]] * (len(messages) - 1)
    assert rig.worker.run(messages[-1]) == [Step(export_id, ASSEMBLE).message()]


def test_assembling_before_all_slices_are_done_asks_for_those_that_lack(rig: Rig) -> None:
    export_id = rig.requested()
    messages = list(rig.worker.run(Step(export_id).message()))
    rig.worker.run(messages[2])
    assert list(rig.worker.run(Step(export_id, ASSEMBLE).message())) == [*messages[:2], *messages[3:]]


def test_what_is_read_of_an_export_that_was_cancelled_meanwhile_is_dropped(rig: Rig) -> None:
    export_id = rig.requested()
    messages = rig.worker.run(Step(export_id).message())
    rig.source = Meanwhile(rig.source, lambda: rig.exports.cancel(export_id, by="somebody"))
    rig.worker.run(messages[0])
    assert rig.exports.get(export_id).state is State.CANCELLED
    assert list(rig.work.names("")) == []
    assert rig.actions() == ["exports.requested", "exports.cancelled"]


class Meanwhile:
    """Lets something happen before it answers for the first time."""

    def __init__(self, inner: TraceSource, happen: Callable[[], object]) -> None:
        self._inner, self._happen = inner, happen

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        happen, self._happen = self._happen, lambda: None
        happen()
        return self._inner.query(kql, since=since, until=until)


def test_a_policy_that_changes_meanwhile_has_all_slices_read_again(rig: Rig) -> None:
    export_id = rig.requested()
    for message in rig.worker.run(Step(export_id).message()):
        rig.worker.run(message)
    body = dict(protection().policy.body) | {"properties": {"gen_ai.agent.name": "drop"}}
    stricter = replace(protection(), policy=redaction_policy(body))
    rig.protection = lambda: stricter
    assert len(rig.worker.run(Step(export_id, ASSEMBLE).message())) == len(TABLES) + 1
    rig.run(export_id)
    assert rig.exports.get(export_id).state is State.DONE
    assert b"dispatcher" not in unpacked(rig.bundle(export_id))


def unpacked(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return b"".join(map(archive.read, archive.namelist()))


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
            rig.run(export_id)
        assert rig.exports.get(export_id).state is State.RUNNING, attempt
    rig.run(export_id)
    assert rig.exports.get(export_id).state is State.FAILED
    assert rig.actions() == ["exports.requested", "exports.failed"]


@pytest.mark.parametrize("kind", [SourceRefused, QueryRejected, ResultTooLarge, RedactionFailure])
def test_a_failure_that_stays_is_recorded_at_once_in_words_of_ours(
    rig: Rig, kind: type[SourceRefused]
) -> None:
    rig.source = failing(kind(SECRET, next_step=SECRET))
    export_id = rig.requested()
    rig.run(export_id)
    export = rig.exports.get(export_id)
    assert export.state is State.FAILED
    assert export.failure
    assert SECRET not in orjson.dumps(export.body()).decode()
    assert all(SECRET not in str(entry) for entry in rig.log.entries())


def test_a_job_that_kills_its_process_every_time_fails_at_the_last_delivery(rig: Rig) -> None:
    def killing() -> Report:
        raise ProcessDiedError

    export_id = rig.requested()
    rig.report = killing
    for _ in range(ATTEMPTS):
        with pytest.raises(ProcessDiedError):
            rig.run(export_id)
    rig.run(export_id)
    assert rig.exports.get(export_id).state is State.FAILED


def test_what_the_rescan_finds_withholds_the_bundle(rig: Rig) -> None:
    careless = Detectors([Detector("agent", "dispatcher", "dispatcher")])
    rig.protection = lambda: replace(protection(), detectors=careless)
    export_id = rig.requested(
        {"window": {"start": "2026-11-22T12:00:00Z", "end": "2026-11-22T12:01:00Z", "agent": "dispatcher"}}
    )
    rig.run(export_id)
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
        rig.run(export_id)
    assert rig.exports.get(export_id).state is State.RUNNING
    with pytest.raises(NotReady):
        rig.exports.open_bundle(export_id)
