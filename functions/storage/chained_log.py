"""The hash-chained log over append-only blobs: one a day or per 40,000 lines, the chain going on across them.

Every append names the length that the blob must have, so that of two writers one wins and the other reads the
new end and tries again. A blob is left by a closing line that names its successor: after it nobody appends to
it, whatever their clock says, so that the chain never forks.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import tee
from typing import Any, Protocol

from functions.errors import StorageError
from functions.storage.append_log import (
    GENESIS,
    START,
    Link,
    Mark,
    chain_line,
    check_chain,
    lost_mark,
    parse_line,
)

LINES_PER_BLOB = 40_000
"""Below the 50,000 blocks that an append blob can have
(https://learn.microsoft.com/azure/storage/blobs/scalability-targets)."""

_ENTRY_BYTES = 32 * 1024
_TAIL_BYTES = 4 * _ENTRY_BYTES
_CHUNK_BYTES = 4 * 1024 * 1024
_ATTEMPTS = 20
_CONTINUED_IN = "continued_in"
_FIRST = "00000000-00000.jsonl"
"""The same for all hosts, so that two that start the log at midnight start the same one."""


class AppendBlobs(Protocol):
    """Append-only blobs under names. Every method raises StorageError when storage fails."""

    def names(self) -> list[str]:
        """Return the names in order."""
        ...

    def create(self, name: str) -> None:
        """Create an empty blob, unless it exists."""
        ...

    def extent(self, name: str) -> tuple[int, int]:
        """Return the blob's bytes and how many appends made them."""
        ...

    def append(self, name: str, data: bytes, *, at: int) -> bool:
        """Append if the blob is `at` bytes long; False means that it was not, or no longer is."""
        ...

    def read(self, name: str, *, offset: int, length: int) -> bytes:
        """Return the bytes [offset, offset + length), all of which exist."""
        ...


@dataclass(frozen=True, slots=True)
class _End:
    """Where the log ends: the blob, its bytes and lines, and the hash of the last line."""

    blob: str
    length: int
    lines: int
    head: str


class ChainedLog:
    """An AppendLog. Entries must differ from each other (a time or an id does it) and stay under 32 KiB.

    Args:
        blobs: Where the lines go.
        now: The clock, UTC.
        lines_per_blob: When a blob is left for the next one.
    """

    def __init__(
        self, blobs: AppendBlobs, *, now: Callable[[], datetime], lines_per_blob: int = LINES_PER_BLOB
    ) -> None:
        self._blobs = blobs
        self._now = now
        self._lines_per_blob = lines_per_blob
        self._end: _End | None = None
        self._lock = threading.Lock()

    def append(self, entry: Mapping[str, Any]) -> str:
        """Append one entry and return its hash. Raises StorageError: it is not known to be in the log."""
        with self._lock:
            tried: set[str] = set()
            for _ in range(_ATTEMPTS):
                end, recent = (self._end, frozenset[str]()) if self._end else self._read_end()
                if stored := tried & recent:  # an append whose answer was lost
                    return stored.pop()
                successor = self._successor(end)
                line, digest = chain_line(end.head, {_CONTINUED_IN: successor} if successor else entry)
                if len(line) > _ENTRY_BYTES:
                    raise StorageError(
                        "A log entry is too long.", next_step="Report this: entries are bounded."
                    )
                self._end = None
                if not successor:
                    tried.add(digest)
                if self._blobs.append(end.blob, line, at=end.length) and not successor:
                    self._end = _End(end.blob, end.length + len(line), end.lines + 1, digest)
                    return digest
        raise StorageError("The log is too busy.", next_step="Try again.")

    def entries(self, after: Mark = START) -> Iterator[Mapping[str, Any]]:
        """Yield the entries behind a mark, having checked the chain from there on. Raises StorageError."""
        yield from (entry for _, entry in self.walk(after) if entry is not None)

    def walk(self, after: Mark = START) -> Iterator[tuple[Mark, Mapping[str, Any] | None]]:
        """Yield the place behind each line and its entry, having checked the chain. Raises StorageError."""
        read, checked = tee(self._lines(after))
        chain = check_chain((line for _, _, line in checked), previous=after.hash, before=after.lines)
        for number, ((blob, offset, _), (entry, digest)) in enumerate(
            zip(read, chain, strict=True), start=after.lines + 1
        ):
            yield Mark(number, digest, blob, offset), None if entry.keys() == {_CONTINUED_IN} else entry

    def mark(self, after: Mark = START) -> Mark:
        """Return the end of the log, having checked the chain behind a mark. Raises StorageError."""
        last = deque(self.walk(after), maxlen=1)
        return last[0][0] if last else after

    def raw_lines(self) -> Iterator[bytes]:
        """Yield all lines without their newlines, as they lie there and unchecked. Raises StorageError."""
        yield from (line for _, _, line in self._lines(START))

    def _successor(self, end: _End) -> str | None:
        """Return the blob that must follow, where this one is full or of an earlier day."""
        day, number = end.blob.removesuffix(".jsonl").split("-")
        today = f"{self._now():%Y%m%d}"
        if today > day:
            return f"{today}-00001.jsonl"
        return f"{day}-{int(number) + 1:05d}.jsonl" if end.lines >= self._lines_per_blob else None

    def _read_end(self) -> tuple[_End, frozenset[str]]:
        """Find where the log ends; with the hashes of its last lines."""
        names = self._blobs.names()
        if not names:
            self._blobs.create(_FIRST)
            names = [_FIRST]
        length, lines = self._blobs.extent(names[-1])
        if length == 0 and len(names) == 1:
            return _End(names[-1], 0, 0, GENESIS), frozenset()
        if length == 0:
            length, lines = self._blobs.extent(names[-2])
            names.pop()
        links = self._tail(names[-1], length)
        last = links[-1]
        recent = frozenset(link.hash for link in links)
        if last.entry.keys() == {_CONTINUED_IN}:
            successor = last.entry[_CONTINUED_IN]
            self._blobs.create(successor)
            return _End(successor, 0, 0, last.hash), recent
        return _End(names[-1], length, lines, last.hash), recent

    def _tail(self, name: str, length: int) -> list[Link]:
        offset = max(0, length - _TAIL_BYTES)
        lines = self._blobs.read(name, offset=offset, length=length - offset).split(b"\n")
        links = [parse_line(line) for line in lines[bool(offset) : -1]]
        if not links or None in links:
            raise StorageError(
                "The log ends in something that is not a line of it.",
                next_step="Keep the log as it is and find out who can write to the container 'ledger'.",
            )
        return [link for link in links if link]

    def _lines(self, after: Mark) -> Iterator[tuple[str, int, bytes]]:
        """Yield each line behind a mark with its blob and the bytes up to its end."""
        names = self._blobs.names()
        if after != START:
            self._check_mark(after, names)
        for name in names:
            if name < after.blob:
                continue
            begin = after.offset if name == after.blob else 0
            length, _ = self._blobs.extent(name)
            rest, end = b"", begin
            for offset in range(begin, length, _CHUNK_BYTES):
                chunk = self._blobs.read(name, offset=offset, length=min(_CHUNK_BYTES, length - offset))
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    end += len(line) + 1
                    yield name, end, line
            if rest:
                yield name, length, rest

    def _check_mark(self, mark: Mark, names: list[str]) -> None:
        if mark.blob not in names or self._blobs.extent(mark.blob)[0] < mark.offset:
            raise lost_mark(mark)
        if self._tail(mark.blob, mark.offset)[-1].hash != mark.hash:
            raise lost_mark(mark)
