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

from functions.errors import StorageError
from functions.storage.documents import encode

GENESIS = "0" * 64
"""What the first line names as its previous one."""


@dataclass(frozen=True, slots=True)
class Link:
    """One line of a log: its entry, its own hash and that of the line before."""

    entry: Mapping[str, Any]
    hash: str
    previous: str


class AppendLog(Protocol):
    """An append-only, hash-chained log of JSON entries."""

    def append(self, entry: Mapping[str, Any]) -> str:
        """Append one entry and return its hash (64 hex digits), which covers all entries before it.

        Raises:
            StorageError: The entry is not known to be in the log; the caller must fail closed.
        """
        ...

    def entries(self) -> Iterator[Mapping[str, Any]]:
        """Yield the entries, oldest first, having checked the chain.

        Raises:
            StorageError: The log could not be read, or its chain is broken.
        """
        ...


def chain_line(previous: str, entry: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return the line (with its newline) that follows the line hashed `previous`, and its own hash."""
    digest = _digest(previous, encode(entry))
    return encode({"entry": entry, "hash": digest, "previous": previous}) + b"\n", digest


def check_chain(lines: Iterable[bytes]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield each line's entry and hash, oldest first.

    Raises:
        StorageError: A line is not what the one before it says; names its number, counted from 1.
    """
    previous = GENESIS
    for number, line in enumerate(lines, start=1):
        link = parse_line(line)
        if link is None or link.previous != previous or link.hash != _digest(previous, encode(link.entry)):
            raise StorageError(
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


def _digest(previous: str, entry: bytes) -> str:
    return hashlib.sha256(previous.encode() + entry).hexdigest()
