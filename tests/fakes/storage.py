"""Storage in memory; passes the same contract suite as blob storage (tests/contract/test_storage.py)."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import orjson

from functions.errors import DocumentConflict, StorageError
from functions.storage.append_log import GENESIS, START, Mark, chain_line, check_chain, lost_mark, parse_line
from functions.storage.documents import Document, encode

_CHUNK_BYTES = 64 * 1024


class MemoryDocuments:
    """JSON documents; `version` counts the writes of the whole store."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[bytes, str]] = {}
        self._writes = 0
        self._lock = threading.Lock()

    def read(self, name: str) -> Document | None:
        with self._lock:
            held = self._held.get(name)
        return None if held is None else Document(name, orjson.loads(held[0]), held[1])

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        data = encode(body)
        with self._lock:
            held = self._held.get(name)
            if (held[1] if held else None) != version:
                raise DocumentConflict(f"The document {name} has changed.", next_step="Read it again.")
            self._writes += 1
            written = str(self._writes)
            self._held[name] = (data, written)
        return Document(name, orjson.loads(data), written)

    def names(self, prefix: str) -> Iterator[str]:
        with self._lock:
            found = sorted(name for name in self._held if name.startswith(prefix))
        yield from found


class MemoryObjects:
    """Write-once objects."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put(self, name: str, data: BinaryIO) -> int:
        content = data.read()
        with self._lock:
            if name in self._held:
                raise DocumentConflict(f"The object {name} exists.", next_step="Use a new name.")
            self._held[name] = content
        return len(content)

    def size(self, name: str) -> int | None:
        held = self._held.get(name)
        return None if held is None else len(held)

    def read(self, name: str, *, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        held = self._held.get(name)
        if held is None:
            raise StorageError(f"There is no object {name}.", next_step="Check its name.")
        wanted = held[offset:] if length is None else held[offset : offset + length]
        for start in range(0, len(wanted), _CHUNK_BYTES):
            yield wanted[start : start + _CHUNK_BYTES]


class MemoryWorkObjects(MemoryObjects):
    """Objects that are removed again."""

    def names(self, prefix: str) -> Iterator[str]:
        with self._lock:
            found = sorted(name for name in self._held if name.startswith(prefix))
        yield from found

    def delete(self, name: str) -> None:
        with self._lock:
            self._held.pop(name, None)


class MemoryAppendLog:
    """A hash-chained log; `lines` is what would lie on disk, for tests that tamper with it."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._head = GENESIS
        self._lock = threading.Lock()

    def append(self, entry: Mapping[str, Any]) -> str:
        with self._lock:
            line, self._head = chain_line(self._head, entry)
            self.lines.append(line)
            return self._head

    def entries(self, after: Mark = START) -> Iterator[Mapping[str, Any]]:
        for _, entry in self.walk(after):
            yield entry

    def walk(self, after: Mark = START) -> Iterator[tuple[Mark, Mapping[str, Any]]]:
        mark = after
        for line, (entry, digest) in zip(self.lines[after.lines :], self._chain(after), strict=True):
            mark = Mark(mark.lines + 1, digest, "memory", mark.offset + len(line))
            yield mark, entry

    def mark(self, after: Mark = START) -> Mark:
        mark = after
        for behind, _ in self.walk(after):
            mark = behind
        return mark

    def _chain(self, after: Mark) -> Iterator[tuple[Mapping[str, Any], str]]:
        if after != START:
            link = parse_line(self.lines[after.lines - 1]) if len(self.lines) >= after.lines else None
            if link is None or link.hash != after.hash:
                raise lost_mark(after)
        return check_chain(list(self.lines[after.lines :]), previous=after.hash, before=after.lines)
