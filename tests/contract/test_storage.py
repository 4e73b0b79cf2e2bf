"""What every storage promises: the memory that unit tests use and blob storage alike."""

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.storage.blob import BlobServiceClient, ContainerClient

from functions.access.clock import ClockCheck
from functions.errors import DocumentConflict, StorageError
from functions.storage.append_log import START, AppendLog
from functions.storage.blob import (
    BlobAppendBlobs,
    BlobDocuments,
    BlobObjects,
    BlobWorkObjects,
    service_time,
)
from functions.storage.chained_log import ChainedLog
from functions.storage.documents import Documents
from functions.storage.objects import Objects, WorkObjects
from local.azurite import Azurite
from local.serving import Certificates
from tests.fakes.storage import MemoryAppendLog, MemoryDocuments, MemoryObjects, MemoryWorkObjects

NewContainer = Callable[[], ContainerClient]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "blob"])
def documents(request: pytest.FixtureRequest, new_container: NewContainer) -> Documents:
    return MemoryDocuments() if request.param == "memory" else BlobDocuments(new_container())


@pytest.fixture(params=["memory", "blob"])
def objects(request: pytest.FixtureRequest, new_container: NewContainer) -> Objects:
    return MemoryObjects() if request.param == "memory" else BlobObjects(new_container())


@pytest.fixture(params=["memory", "blob"])
def work(request: pytest.FixtureRequest, new_container: NewContainer) -> WorkObjects:
    return MemoryWorkObjects() if request.param == "memory" else BlobWorkObjects(new_container())


@pytest.fixture(params=["memory", "blob"])
def log(request: pytest.FixtureRequest, new_container: NewContainer) -> AppendLog:
    if request.param == "memory":
        return MemoryAppendLog()
    return ChainedLog(BlobAppendBlobs(new_container()), now=lambda: NOON)


def test_an_unknown_document_is_none(documents: Documents) -> None:
    assert documents.read("checks/unknown") is None


def test_a_document_comes_back_as_json(documents: Documents) -> None:
    documents.write("checks/a", {"at": NOON, "n": [1, 2.5, None], "text": "é"}, version=None)
    found = documents.read("checks/a")
    assert found is not None
    assert found.body == {"at": "2026-11-24T12:00:00Z", "n": [1, 2.5, None], "text": "é"}


def test_a_write_returns_what_a_read_would(documents: Documents) -> None:
    written = documents.write("a", {"at": NOON}, version=None)
    assert written == documents.read("a")


def test_creating_twice_is_a_conflict(documents: Documents) -> None:
    documents.write("a", {"n": 1}, version=None)
    with pytest.raises(DocumentConflict):
        documents.write("a", {"n": 1}, version=None)


def test_only_the_version_read_can_be_replaced(documents: Documents) -> None:
    first = documents.write("a", {"n": 1}, version=None)
    documents.write("a", {"n": 2}, version=first.version)
    with pytest.raises(DocumentConflict):
        documents.write("a", {"n": 3}, version=first.version)
    found = documents.read("a")
    assert found is not None
    assert found.body == {"n": 2}


def test_replacing_a_document_that_is_not_there_is_a_conflict(documents: Documents) -> None:
    version = documents.write("a", {}, version=None).version
    with pytest.raises(DocumentConflict):
        documents.write("b", {}, version=version)


def test_of_many_writers_one_wins(documents: Documents) -> None:
    version = documents.write("a", {"n": 0}, version=None).version
    won: list[int] = []

    def replace(n: int) -> None:
        try:
            documents.write("a", {"n": n}, version=version)
        except DocumentConflict:
            return
        won.append(n)

    run_all([lambda n=n: replace(n) for n in range(1, 9)])  # type: ignore[misc]  # mypy can't infer a default
    found = documents.read("a")
    assert found is not None
    assert won == [found.body["n"]]


def test_names_are_those_with_the_prefix_in_order(documents: Documents) -> None:
    for name in ("exports/b", "exports/a", "checks/c", "exportsx"):
        documents.write(name, {}, version=None)
    assert list(documents.names("exports/")) == ["exports/a", "exports/b"]


def test_work_is_named_in_order_and_removed_for_good(work: WorkObjects) -> None:
    for name in ("a/2", "a/1", "b/1"):
        work.put(name, io.BytesIO(name.encode()))
    assert list(work.names("a/")) == ["a/1", "a/2"]
    work.delete("a/1")
    assert list(work.names("")) == ["a/2", "b/1"]
    assert work.size("a/1") is None
    work.delete("a/1")
    work.put("a/1", io.BytesIO(b"again"))
    assert b"".join(work.read("a/1")) == b"again"


def test_an_object_is_read_whole_or_in_part(objects: Objects) -> None:
    content = bytes(range(256)) * 1000
    assert objects.put("bundles/a.zip", io.BytesIO(content)) == len(content)
    assert objects.size("bundles/a.zip") == len(content)
    assert b"".join(objects.read("bundles/a.zip")) == content
    assert b"".join(objects.read("bundles/a.zip", offset=250, length=10)) == content[250:260]
    assert b"".join(objects.read("bundles/a.zip", offset=255_990)) == content[255_990:]
    assert b"".join(objects.read("bundles/a.zip", offset=255_990, length=99)) == content[255_990:]
    assert b"".join(objects.read("bundles/a.zip", offset=len(content))) == b""


def test_an_empty_object_is_not_a_missing_one(objects: Objects) -> None:
    objects.put("empty", io.BytesIO())
    assert objects.size("empty") == 0
    assert b"".join(objects.read("empty")) == b""
    assert objects.size("missing") is None


def test_an_object_is_never_replaced(objects: Objects) -> None:
    objects.put("a", io.BytesIO(b"first"))
    with pytest.raises(DocumentConflict):
        objects.put("a", io.BytesIO(b"second"))
    assert b"".join(objects.read("a")) == b"first"


def test_reading_a_missing_object_is_an_error(objects: Objects) -> None:
    with pytest.raises(StorageError):
        list(objects.read("missing"))


def test_an_empty_log_has_no_entries(log: AppendLog) -> None:
    assert list(log.entries()) == []


def test_entries_come_back_in_order_with_a_hash_each(log: AppendLog) -> None:
    hashes = [log.append({"n": n, "at": NOON}) for n in range(3)]
    assert list(log.entries()) == [{"n": n, "at": "2026-11-24T12:00:00Z"} for n in range(3)]
    assert len(set(hashes)) == 3
    assert all(len(digest) == 64 for digest in hashes)


def test_the_hash_of_an_entry_covers_those_before_it(log: AppendLog) -> None:
    assert log.append({"n": 1}) != log.append({"n": 1, "again": True})


def test_a_log_is_read_and_marked_from_a_mark_on(log: AppendLog) -> None:
    assert log.mark() == START
    first = [log.append({"n": n}) for n in range(2)][-1]
    mark = log.mark()
    assert mark.hash == first
    assert list(log.entries(mark)) == []
    assert log.mark(mark) == mark
    last = [log.append({"n": n}) for n in range(2, 5)][-1]
    assert [entry["n"] for entry in log.entries(mark)] == [2, 3, 4]
    assert log.mark(mark) == log.mark()
    assert log.mark(mark).hash == last
    assert log.mark(mark).lines == mark.lines + 3


def test_a_mark_that_the_log_does_not_hold_is_an_error(log: AppendLog) -> None:
    for n in range(3):
        log.append({"n": n})
    mark = log.mark()
    for other in (
        replace(mark, lines=mark.lines + 1, offset=mark.offset + 1),
        replace(mark, hash="f" * 64),
    ):
        with pytest.raises(StorageError, match="that was noted of it"):
            list(log.entries(other))
        with pytest.raises(StorageError, match="that was noted of it"):
            log.mark(other)


def test_a_mark_holds_across_blobs(new_container: NewContainer) -> None:
    container = new_container()
    log = ChainedLog(BlobAppendBlobs(container), now=lambda: NOON, lines_per_blob=3)
    marks = []
    for n in range(10):
        log.append({"n": n})
        marks.append(log.mark())
    assert len({mark.blob for mark in marks}) > 2
    for n, mark in enumerate(marks):
        assert [entry["n"] for entry in log.entries(mark)] == list(range(n + 1, 10))
        assert log.mark(mark) == marks[-1]


def test_the_service_says_the_time_and_an_hour_off_is_in_the_ledger(
    new_container: NewContainer,
) -> None:
    container = new_container()
    log = ChainedLog(BlobAppendBlobs(container), now=lambda: NOON)
    theirs = partial(service_time, container)
    assert abs(theirs() - datetime.now(UTC)) < timedelta(seconds=5)
    for ahead in (timedelta(0), timedelta(hours=1)):
        ClockCheck(
            MemoryDocuments(),
            log,
            theirs=theirs,
            clock=lambda ahead=ahead: datetime.now(UTC) + ahead,  # type: ignore[misc]  # mypy can't infer a default
        ).tick()
    ((action, seconds),) = [(entry["action"], int(entry["on"]["seconds"])) for entry in log.entries()]
    assert action == "clock.off"
    assert abs(seconds - 3600) <= 5


def test_no_entry_of_many_writers_is_lost(log: AppendLog) -> None:
    run_all([lambda n=n: log.append({"n": n}) for n in range(8)])  # type: ignore[misc]  # mypy can't infer a default
    assert sorted(entry["n"] for entry in log.entries()) == list(range(8))


def test_no_entry_of_several_hosts_is_lost(new_container: NewContainer) -> None:
    container = new_container()
    hosts = [ChainedLog(BlobAppendBlobs(container), now=lambda: NOON, lines_per_blob=5) for _ in range(4)]

    def write(host: ChainedLog, first: int) -> None:
        for n in range(first, first + 5):
            host.append({"n": n})

    run_all([lambda h=h, i=i: write(h, 5 * i) for i, h in enumerate(hosts)])  # type: ignore[misc]  # as above
    reader = ChainedLog(BlobAppendBlobs(container), now=lambda: NOON)
    assert sorted(entry["n"] for entry in reader.entries()) == list(range(20))


def test_the_chain_goes_on_from_day_to_day(new_container: NewContainer) -> None:
    container = new_container()
    days = iter([NOON, NOON, NOON + timedelta(days=1), NOON + timedelta(days=2), NOON])
    for n in range(3):
        today = next(days)
        ChainedLog(BlobAppendBlobs(container), now=lambda today=today: today).append({"n": n})  # type: ignore[misc]
    assert [entry["n"] for entry in ChainedLog(BlobAppendBlobs(container), now=lambda: NOON).entries()] == [
        0,
        1,
        2,
    ]
    assert sorted(container.list_blob_names()) == [
        "00000000-00000.jsonl",
        "20261124-00001.jsonl",
        "20261125-00001.jsonl",
    ]


def test_a_changed_line_breaks_the_chain_in_blob_storage(new_container: NewContainer) -> None:
    container = new_container()
    log = ChainedLog(BlobAppendBlobs(container), now=lambda: NOON)
    for n in range(3):
        log.append({"n": n})
    blob = container.get_blob_client("20261124-00001.jsonl")
    tampered = blob.download_blob().readall().replace(b'{"n":1}', b'{"n":7}')
    blob.delete_blob()
    blob.create_append_blob()
    blob.append_block(tampered)
    with pytest.raises(StorageError, match="broken at line 3"):
        list(log.entries())


@pytest.mark.parametrize(
    "use",
    [
        lambda container: BlobDocuments(container).read("a"),
        lambda container: BlobDocuments(container).write("a", {}, version=None),
        lambda container: list(BlobDocuments(container).names("")),
        lambda container: BlobObjects(container).put("a", io.BytesIO(b"a")),
        lambda container: BlobObjects(container).size("a"),
        lambda container: list(BlobObjects(container).read("a")),
        service_time,
        lambda container: ChainedLog(BlobAppendBlobs(container), now=lambda: NOON).append({}),
        lambda container: list(ChainedLog(BlobAppendBlobs(container), now=lambda: NOON).entries()),
    ],
)
def test_a_missing_container_is_an_error_that_says_what_to_do(
    new_container: NewContainer, use: Callable[[ContainerClient], Any]
) -> None:
    container = new_container()
    container.delete_container()
    with pytest.raises(StorageError, match="Create the container") as caught:
        use(container)
    assert container.url not in str(caught.value)


class Gibberish:
    """A credential whose tokens nobody accepts."""

    def get_token(self, *_scopes: str, **_: object) -> AccessToken:
        return AccessToken("gibberish", 4_102_444_800)


@pytest.mark.parametrize(
    ("reachable", "told"), [(True, "answered 403|did not accept"), (False, "could not be reached")]
)
def test_an_error_of_the_sdk_becomes_ours_without_an_address(
    azurite: Azurite, certificates: Certificates, reachable: bool, told: str
) -> None:
    with BlobServiceClient(
        azurite.blob_endpoint if reachable else "https://127.0.0.1:1/account",
        credential=Gibberish(),
        connection_verify=str(certificates.authority),
        retry_total=0,
    ) as service:
        documents = BlobDocuments(service.get_container_client("state"))
        with pytest.raises(StorageError, match=told) as caught:
            documents.read("a")
    assert "127.0.0.1" not in str(caught.value)
    assert "gibberish" not in str(caught.value)


def run_all(jobs: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
