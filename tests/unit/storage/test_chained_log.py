from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from functions.errors import StorageError
from functions.storage.chained_log import ChainedLog

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class MemoryAppendBlobs:
    """Append blobs in memory; `before_append` runs between a writer's look and its write."""

    def __init__(self) -> None:
        self.held: dict[str, list[bytes]] = {}
        self.before_append: Callable[[], object] = lambda: None
        self.lose_answers = False

    def names(self) -> list[str]:
        return sorted(self.held)

    def create(self, name: str) -> None:
        self.held.setdefault(name, [])

    def extent(self, name: str) -> tuple[int, int]:
        return len(b"".join(self.held[name])), len(self.held[name])

    def append(self, name: str, data: bytes, *, at: int) -> bool:
        action, self.before_append = self.before_append, lambda: None
        action()
        if self.extent(name)[0] != at:
            return False
        self.held[name].append(data)
        return not self.lose_answers

    def read(self, name: str, *, offset: int, length: int) -> bytes:
        return b"".join(self.held[name])[offset : offset + length]


def log_on(blobs: MemoryAppendBlobs, *, now: datetime = NOON, lines_per_blob: int = 100) -> ChainedLog:
    return ChainedLog(blobs, now=lambda: now, lines_per_blob=lines_per_blob)


def written(blobs: MemoryAppendBlobs) -> list[int]:
    return [entry["n"] for entry in log_on(blobs).entries()]


def test_a_writer_that_was_overtaken_writes_after_the_other() -> None:
    blobs = MemoryAppendBlobs()
    first, second = log_on(blobs), log_on(blobs)
    first.append({"n": 0})
    second.append({"n": 1})
    blobs.before_append = lambda: second.append({"n": 2})
    first.append({"n": 3})
    assert written(blobs) == [0, 1, 2, 3]


def test_a_host_whose_clock_is_behind_follows_to_the_next_day() -> None:
    blobs = MemoryAppendBlobs()
    behind, ahead = log_on(blobs), log_on(blobs, now=NOON + timedelta(days=1))
    behind.append({"n": 0})
    ahead.append({"n": 1})
    behind.append({"n": 2})
    assert written(blobs) == [0, 1, 2]
    assert blobs.names()[-1] == "20261125-00001.jsonl"


def test_a_full_blob_is_followed_by_the_next() -> None:
    blobs = MemoryAppendBlobs()
    log = log_on(blobs, lines_per_blob=2)
    for n in range(5):
        log.append({"n": n})
    assert written(blobs) == [0, 1, 2, 3, 4]
    assert blobs.names()[1:] == [f"20261124-0000{n}.jsonl" for n in (1, 2, 3)]


def test_a_host_that_died_after_the_closing_line_leaves_a_log_that_goes_on() -> None:
    blobs = MemoryAppendBlobs()
    log_on(blobs).append({"n": 0})
    log_on(blobs, now=NOON + timedelta(days=1)).append({"n": 1})
    del blobs.held["20261125-00001.jsonl"]
    log_on(blobs).append({"n": 2})
    assert written(blobs) == [0, 2]


def test_a_host_that_died_before_the_first_line_leaves_a_log_that_goes_on() -> None:
    blobs = MemoryAppendBlobs()
    log_on(blobs).append({"n": 0})
    log_on(blobs, now=NOON + timedelta(days=1)).append({"n": 1})
    blobs.held["20261125-00001.jsonl"] = []
    log_on(blobs).append({"n": 2})
    assert written(blobs) == [0, 2]


def test_an_append_whose_answer_was_lost_is_not_repeated() -> None:
    blobs = MemoryAppendBlobs()
    log = log_on(blobs)
    log.append({"n": 0})
    blobs.lose_answers = True
    log.append({"n": 1})
    blobs.lose_answers = False
    log.append({"n": 2})
    assert written(blobs) == [0, 1, 2]


def test_a_log_longer_than_what_is_read_of_its_end_goes_on() -> None:
    blobs = MemoryAppendBlobs()
    log = log_on(blobs)
    for n in range(30):
        log.append({"n": n, "text": "x" * 10_000})
    log_on(blobs).append({"n": 30})
    assert written(blobs) == list(range(31))


def test_a_log_that_ends_in_rubbish_takes_nothing() -> None:
    blobs = MemoryAppendBlobs()
    log_on(blobs).append({"n": 0})
    blobs.held["20261124-00001.jsonl"].append(b"rubbish\n")
    with pytest.raises(StorageError, match="not a line"):
        log_on(blobs).append({"n": 1})


def test_a_log_that_is_always_overtaken_gives_up() -> None:
    blobs = MemoryAppendBlobs()
    log = log_on(blobs)

    def overtake() -> None:
        blobs.before_append = overtake
        name = blobs.names()[-1]
        blobs.held[name].extend(blobs.held[name][-1:])

    log.append({"n": 0})
    blobs.before_append = overtake
    with pytest.raises(StorageError, match="busy"):
        log.append({"n": 1})


def test_an_entry_too_long_is_refused() -> None:
    blobs = MemoryAppendBlobs()
    with pytest.raises(StorageError, match="too long"):
        log_on(blobs).append({"text": "x" * 40_000})
    assert written(blobs) == []
