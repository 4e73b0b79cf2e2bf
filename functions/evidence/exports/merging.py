"""Merges the parts of an export, line by line: it holds a little of each, less of each the more there are."""

import heapq
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Protocol

from zlib_ng import zlib_ng

from functions.evidence.exports.parts import trace_of
from functions.storage.objects import Objects

_BUDGET_BYTES = 8 << 20
_LEAST_BYTES, _MOST_BYTES = 16 << 10, 256 << 10
_INFLATED_BYTES = 32 << 10


class _Inflate(Protocol):
    unconsumed_tail: bytes
    eof: bool

    def decompress(self, data: bytes, max_length: int = 0) -> bytes: ...


class Part:
    """One part that is read from its beginning: its first line, then the others, once.

    Args:
        objects: Where it lies.
        name: Its name.
        beside: How many parts are read at the same time: together they hold about the same whatever it is.

    Raises:
        StorageError: It can't be read; also while it is read.
    """

    def __init__(self, objects: Objects, name: str, *, beside: int) -> None:
        self._objects = objects
        self._name = name
        self._chunk_bytes = max(_LEAST_BYTES, min(_MOST_BYTES, _BUDGET_BYTES // max(1, beside)))
        self.lines = self._lines()
        self.head = next(self.lines)

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        for text in self._inflated():
            *lines, rest = (rest + text).split(b"\n")
            yield from lines

    def _inflated(self) -> Iterator[bytes]:
        inflate: _Inflate = zlib_ng.decompressobj()
        for chunk in self._chunks():
            waiting = chunk
            while waiting:
                yield inflate.decompress(waiting, _INFLATED_BYTES)
                waiting = inflate.unconsumed_tail
        while not inflate.eof and (text := inflate.decompress(b"", _INFLATED_BYTES)):
            yield text

    def _chunks(self) -> Iterator[bytes]:
        """Read in small pieces: a client that is asked for all of it would hold much of it."""
        size = self._objects.size(self._name) or 0
        for offset in range(0, size, self._chunk_bytes):
            length = min(self._chunk_bytes, size - offset)
            yield b"".join(self._objects.read(self._name, offset=offset, length=length))


def merged(parts: Sequence[Part]) -> Iterator[bytes]:
    """Yield the lines of all parts in order."""
    return heapq.merge(*(part.lines for part in parts))


def by_trace(lines: Iterator[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield each trace id with its lines, to be taken before the next."""
    return groupby(lines, key=trace_of)
