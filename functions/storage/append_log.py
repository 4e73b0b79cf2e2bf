"""An append-only log whose lines are chained by hash: the interface and the chain.

A line is the JSON object {"entry": …, "hash": …, "previous": …}; `hash` is SHA-256 over the hash of the line
before and the entry's canonical JSON, so that a changed, moved, inserted or missing line breaks the chain. A
chain cannot show that its end was cut off: for that, compare the last hash with one noted elsewhere.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from functions.errors import ChainBroken
from functions.storage.documents import encode

GENESIS = "0" * 64
"""What the first line names as its previous one."""


@dataclass(frozen=True, slots=True)
class Link:
    """One line of a log: its entry, its own hash and that of the line before."""

    entry: Mapping[str, Any]
    hash: str
    previous: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a log: behind one of its lines.

    Attributes:
        lines: How many lines lie before it, those that close a blob included.
        hash: Of the line before it, hex; covers all before that one too.
        blob: The blob in which that line lies.
        offset: Bytes of that blob up to the end of that line.
    """

    lines: int
    hash: str
    blob: str
    offset: int


START = Mark(0, GENESIS, "", 0)
"""Before the first line."""


class AppendLog(Protocol):
    """An append-only, hash-chained log of JSON entries."""

    def append(self, entry: Mapping[str, Any]) -> str:
        """Append one entry and return its hash (64 hex digits), which covers all entries before it.

        Raises:
            StorageError: The entry is not known to be in the log; the caller must fail closed.
        """
        ...

    def entries(self, after: Mark = START) -> Iterator[Mapping[str, Any]]:
        """Yield the entries behind a mark, oldest first, having checked the chain from there on.

        Raises:
            ChainBroken: Its chain is broken, or it does not hold the mark.
            StorageError: The log could not be read.
        """
        ...

    def walk(self, after: Mark = START) -> Iterator[tuple[Mark, Mapping[str, Any] | None]]:
        """Yield the place behind each line after a mark, and its entry, oldest first; checks the chain.

        The entry is None for a line that only closes a blob. Raises as `entries`.
        """
        ...

    def mark(self, after: Mark = START) -> Mark:
        """Return the end of the log, having checked the chain behind another mark. Raises as `entries`."""
        ...


def chain_line(previous: str, entry: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return the line (with its newline) that follows the line hashed `previous`, and its own hash."""
    digest = _digest(previous, encode(entry))
    return encode({"entry": entry, "hash": digest, "previous": previous}) + b"\n", digest


def check_chain(
    lines: Iterable[bytes], *, previous: str = GENESIS, before: int = 0
) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield each line's entry and hash, oldest first.

    Args:
        lines: Without their newlines.
        previous: The hash of the line before the first of these.
        before: How many lines there were before it.

    Raises:
        ChainBroken: A line is not what the one before it says; names its number, counted from 1.
    """
    for number, line in enumerate(lines, start=before + 1):
        link = parse_line(line)
        if link is None or link.previous != previous or link.hash != _digest(previous, encode(link.entry)):
            raise ChainBroken(
                f"The chain of the log is broken at line {number}.",
                next_step="Keep the log as it is and find out who can write to the container 'ledger'.",
            )
        previous = link.hash
        yield link.entry, link.hash


def parse_line(line: bytes) -> Link | None:
    """Return what the line says, unchecked, or None where it is no line of a log."""
    try:
        parts = orjson.loads(line)
        return Link(dict(parts["entry"]), str(parts["hash"]), str(parts["previous"]))
    except (ValueError, KeyError, TypeError):
        return None


def lost_mark(mark: Mark) -> ChainBroken:
    """Return the error of a log that does not hold what was noted of it."""
    return ChainBroken(
        f"The log does not hold the line {mark.lines} that was noted of it: it was cut off or rewritten.",
        next_step="Keep the log as it is and find out who can write to the container 'ledger'.",
    )


def _digest(previous: str, entry: bytes) -> str:
    return hashlib.sha256(previous.encode() + entry).hexdigest()
