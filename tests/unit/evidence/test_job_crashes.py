"""An export whose processes die at ten random points, with storage failing at random, ends as any other.

A point lies before or after any write, to documents, parts, bundles or the ledger, or between a step's end
and its messages. What is compared are the bundle's bytes outside signatures/: each signature is another.
"""

import io
import random
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any, BinaryIO

import pytest

from functions.errors import StorageError
from functions.evidence.exports.export import Export, State
from functions.evidence.exports.steps import Step, read_step
from functions.evidence.exports.worker import ATTEMPTS
from functions.evidence.packing.bundle import SIGNATURES, TOP
from functions.storage.documents import Document
from functions.traces.cutting import Limits
from functions.traces.source import TraceSource
from local.azure_monitor.ingestion import Telemetry
from tests.fakes.signer import RandomSigner
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects, MemoryWorkObjects
from tests.fakes.telemetry import TelemetrySource
from tests.unit.evidence.material import NOON, envelopes
from tests.unit.evidence.rig import RememberingSource, Rig

DEATHS = 10
FAILING = 0.03
WINDOW = {"window": {"start": "2026-11-22T11:00:00Z", "end": "2026-11-22T13:00:00Z"}}


class ProcessDiedError(BaseException):
    """The process is gone: nothing catches this."""


class Fate:
    """Lets the process die at chosen writes, and writes fail at random; no step is struck too often."""

    def __init__(self, seed: int, writes: int) -> None:
        self.random = random.Random(seed)
        self.deaths = set(self.random.sample(range(writes), DEATHS)) if writes else set()
        self.writes = self.died = self.failed = 0
        self.step = ""
        self.struck: Counter[str] = Counter()
        self.calm = not writes

    def meet(self, write: Callable[[], Any]) -> Any:
        """Do one write, or die or fail before or after it."""
        self.writes += 1
        due = any(at < self.writes for at in self.deaths)
        if self.calm or self.struck[self.step] == ATTEMPTS - 1:
            return write()
        if due:
            self.deaths.remove(min(self.deaths))
            self.died += 1
            return self._strike(write, ProcessDiedError())
        if self.random.random() < FAILING:
            self.failed += 1
            return self._strike(write, StorageError("Storage failed.", next_step="Try again."))
        return write()

    def _strike(self, write: Callable[[], Any], error: BaseException) -> Any:
        self.struck[self.step] += 1
        if self.random.random() < 0.5:
            write()
        raise error


class FatedDocuments(MemoryDocuments):
    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        write = super().write
        written: Document = self._fate.meet(lambda: write(name, body, version=version))
        return written


class FatedObjects(MemoryObjects):
    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    def put(self, name: str, data: BinaryIO) -> int:
        put = super().put
        size: int = self._fate.meet(lambda: put(name, data))
        return size

    def kept(self) -> list[str]:
        """Return the names of all that was ever stored."""
        return sorted(self._held)


class FatedWork(MemoryWorkObjects):
    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    def put(self, name: str, data: BinaryIO) -> int:
        put = super().put
        size: int = self._fate.meet(lambda: put(name, data))
        return size

    def delete(self, name: str) -> None:
        delete = super().delete
        self._fate.meet(lambda: delete(name))


class FatedLog(MemoryAppendLog):
    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    def append(self, entry: Mapping[str, Any]) -> str:
        append = super().append
        head: str = self._fate.meet(lambda: append(entry))
        return head


@cache
def source() -> TraceSource:
    telemetry = Telemetry()
    for number in range(1, 9):
        trace = envelopes(f"{number:032x}", NOON + number * timedelta(minutes=5))
        telemetry.ingest(trace, delay=timedelta(seconds=2))
    return RememberingSource(TelemetrySource(telemetry))


class Stage:
    """Exports on storage that meets a fate, and the queue before them."""

    def __init__(self, fate: Fate) -> None:
        self.fate = fate
        self.rig = Rig()
        self.rig.source, self.rig.signer, self.rig.limits = source(), RandomSigner(), Limits(rows=6)
        self.objects = FatedObjects(fate)
        self.rig.documents, self.rig.objects = FatedDocuments(fate), self.objects
        self.rig.work, self.rig.log = FatedWork(fate), FatedLog(fate)

    def run(self) -> Export:
        """Ask for an export and deliver its messages, again where one fails, until there is none."""
        calm, self.fate.calm = self.fate.calm, True
        export_id = self.rig.requested(WINDOW)
        self.fate.calm = calm
        queue = [Step(export_id).message()]
        while queue:
            message = queue.pop(self.fate.random.randrange(len(queue)))
            self.fate.step = read_step(message).name
            try:
                follow = self.rig.worker.run(message)
                # The host sends what follows, and then removes the message.
                self.fate.meet(lambda follow=follow: queue.extend(follow))  # type: ignore[misc]  # a default
            except (StorageError, ProcessDiedError):
                queue.append(message)
        return self.rig.exports.get(export_id)


def outside_signatures(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        left_out = {f"{TOP}/{name}" for name in SIGNATURES}
        return {name: archive.read(name) for name in archive.namelist() if name not in left_out}


@cache
def undisturbed() -> tuple[dict[str, bytes], int]:
    """Return the files of an undisturbed bundle, and how many writes it took."""
    stage = Stage(Fate(0, 0))
    export = stage.run()
    assert export.state is State.DONE
    assert export.counts is not None
    assert (export.counts.traces, export.counts.rows, export.counts.complete) == (8, 56, True)
    return outside_signatures(stage.rig.bundle(export.id)), stage.fate.writes


@pytest.mark.parametrize("seed", range(60))
def test_an_export_that_dies_at_ten_points_ends_as_an_undisturbed_one(seed: int) -> None:
    files, writes = undisturbed()
    stage = Stage(Fate(seed, writes))
    export = stage.run()
    assert stage.fate.died >= 1
    assert export.state is State.DONE, export.failure
    assert outside_signatures(stage.rig.bundle(export.id)) == files
    stage.fate.calm = True
    assert stage.rig.sweep.tick() == []
    assert list(stage.rig.work.names("")) == []
    assert stage.objects.kept() == [f"{export.id}/bundle-metadata.zip"]
    assert stage.rig.actions()[-1] == "exports.finished"


def test_most_of_the_points_are_met() -> None:
    _, writes = undisturbed()
    assert writes > 3 * DEATHS
    fates = [Fate(seed, writes) for seed in range(20)]
    for fate in fates:
        Stage(fate).run()
    assert sum(fate.died for fate in fates) > 0.9 * DEATHS * len(fates)
    assert sum(fate.failed for fate in fates) > len(fates)


def test_a_step_that_always_dies_ends_the_export_as_failed() -> None:
    fate = Fate(0, 0)
    stage = Stage(fate)
    export_id = stage.rig.requested(WINDOW)
    message = Step(export_id).message()
    stage.rig.resolver = Dying()
    for _ in range(ATTEMPTS):
        with pytest.raises(ProcessDiedError):
            stage.rig.worker.run(message)
    assert stage.rig.worker.run(message) == []
    export = stage.rig.exports.get(export_id)
    assert (export.state, export.failure) == (
        State.FAILED,
        f"The job was stopped {ATTEMPTS} times before it could finish.",
    )


class Dying:
    """Dies whenever it is asked."""

    def resolve(self, export: Export) -> Any:  # noqa: ARG002 - a resolver's
        raise ProcessDiedError
