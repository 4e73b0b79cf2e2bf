"""Checks a ledger wholly: its chain, each noted head, their signatures, its dates, and what was sealed. Pure.

It takes what lies somewhere, in storage or in downloaded files, and says of everything what holds.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from functions.access.clock import MOST
from functions.access.heads import name as object_name
from functions.access.heads import read_head
from functions.errors import StorageError
from functions.signing.signatures import PublicKey, der_fits, jws_fits
from functions.storage.append_log import GENESIS, check_chain

_MOST_NAMED = 20

ReadObject = Callable[[str], bytes | None]
"""The name of an object of the store of evidence to its bytes; None where it is not there."""


class Ground(Enum):
    """What does not hold."""

    RECORD = "what the ledger says"
    SIGNATURE = "a signature"
    CHAIN = "the chain"


@dataclass(frozen=True, slots=True)
class NotedHead:
    """A head as it lies in the store.

    Attributes:
        name: The object's.
        data: Its bytes, which are signed.
        der: The signature as openssl reads it; None where there is none.
        jws: The signature as detached JWS; None where there is none.
    """

    name: str
    data: bytes
    der: bytes | None
    jws: str | None


@dataclass(slots=True)
class Audit:
    """What was found.

    Attributes:
        lines: How many lines the ledger has, as far as its chain holds.
        head: The hash of the last of them.
        first_at: The date of its first entry; "" where there is none.
        last_at: That of its last one.
        heads: How many heads were held against the chain.
        newest_head: How many lines the newest of these covers.
        signed: How many of them are signed with the key given.
        sealed: Days whose seal is entered.
        sealed_there: How many of these have their objects, and as they were.
        notes: What should be known besides.
        problems: What does not hold, as sentences.
    """

    lines: int = 0
    head: str = GENESIS
    first_at: str = ""
    last_at: str = ""
    heads: int = 0
    newest_head: int = 0
    signed: int = 0
    sealed: set[date] = field(default_factory=set)
    sealed_there: int = 0
    notes: list[str] = field(default_factory=list)
    problems: list[tuple[Ground, str]] = field(default_factory=list)

    def fail(self, ground: Ground, sentence: str) -> None:
        """Note what does not hold."""
        self.problems.append((ground, sentence))


def audit_ledger(
    lines: Iterable[bytes],
    heads: Sequence[NotedHead],
    *,
    key: PublicKey | None,
    read_object: ReadObject | None,
) -> Audit:
    """Check a ledger.

    Args:
        lines: All of its lines, oldest first, without their newlines.
        heads: Those noted of it.
        key: Whose signatures the heads must have; None checks none.
        read_object: Reads seals; None where the store of evidence is not at hand.

    Raises:
        StorageError: `read_object` raised it, or `lines` did for another reason than the chain.
    """
    audit = Audit()
    noted = _read_heads(heads, key, audit)
    dates, seals = _Dates(audit), _SealEntries(audit)
    broken = False
    try:
        for entry, digest in check_chain(_readable(lines)):
            audit.lines, audit.head = audit.lines + 1, digest
            dates.take(entry)
            seals.take(entry)
            for name, mark_hash in noted.pop(audit.lines, ()):
                _hold_head(name, mark_hash, digest, audit)
    except _Unreadable as error:
        raise error.of from None
    except StorageError as error:
        broken = True
        audit.fail(Ground.CHAIN, error.message)
    for covered, others in sorted(noted.items()):
        for name, mark_hash in others:
            if covered == 0:
                _hold_head(name, mark_hash, GENESIS, audit)
            elif not broken:
                audit.fail(Ground.CHAIN, f"{name} covers {covered} lines, but the ledger ends before that.")
    dates.close()
    seals.close(read_object)
    return audit


class _Unreadable(Exception):
    """The lines could not be read, which says nothing about the chain."""

    def __init__(self, of: StorageError) -> None:
        super().__init__()
        self.of = of


def _readable(lines: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from lines
    except StorageError as error:
        raise _Unreadable(error) from None


def _read_heads(
    heads: Sequence[NotedHead], key: PublicKey | None, audit: Audit
) -> dict[int, list[tuple[str, str]]]:
    """Return, by how many lines they cover, the heads' names and hashes; check their signatures."""
    noted: dict[int, list[tuple[str, str]]] = {}
    for one in heads:
        try:
            head = read_head(one.data)
        except StorageError:
            audit.fail(Ground.CHAIN, f"{one.name} is not a head.")
            continue
        if one.name != object_name(head.day):
            audit.fail(Ground.CHAIN, f"{one.name} holds the head of another day.")
        noted.setdefault(head.mark.lines, []).append((one.name, head.mark.hash))
        audit.heads += 1
        audit.newest_head = max(audit.newest_head, head.mark.lines)
        if key is not None:
            _check_signature(one, key, audit)
    return noted


def _check_signature(head: NotedHead, key: PublicKey, audit: Audit) -> None:
    if head.der is None or head.jws is None:
        audit.fail(Ground.SIGNATURE, f"{head.name} is not signed.")
    elif not (der_fits(key, head.der, head.data) and jws_fits(key, head.jws, head.data)):
        audit.fail(Ground.SIGNATURE, f"{head.name} is not signed with the key given.")
    else:
        audit.signed += 1


def _hold_head(name: str, mark_hash: str, digest: str, audit: Audit) -> None:
    if mark_hash != digest:
        audit.fail(Ground.CHAIN, f"{name} notes another line {audit.lines}: the ledger was written anew.")


class _Dates:
    """Looks for dates that run backwards; hosts may differ by `MOST`."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._latest: datetime | None = None
        self._backwards: list[str] = []
        self._off = 0

    def take(self, entry: Mapping[str, Any]) -> None:
        written = entry.get("at")
        if not isinstance(written, str):
            return  # it closes a blob
        try:
            at = datetime.fromisoformat(written)
        except ValueError:
            self._audit.fail(Ground.RECORD, f"Line {self._audit.lines} has no usable date.")
            return
        self._off += entry.get("action") == "clock.off"
        self._audit.first_at = self._audit.first_at or written
        self._audit.last_at = written
        if self._latest is not None and at < self._latest - MOST:
            self._backwards.append(f"{self._audit.lines} (by {_duration(self._latest - at)})")
        self._latest = max(at, self._latest or at)

    def close(self) -> None:
        if self._backwards:
            first = ", ".join(self._backwards[:_MOST_NAMED])
            self._audit.fail(
                Ground.RECORD,
                f"The dates run backwards at {len(self._backwards)} lines: {first}.",
            )
        if self._off:
            self._audit.notes.append(f"The ledger itself says {self._off} times that the clock was off.")


class _SealEntries:
    """Looks whether what is entered of seals lies in the store, and whether a day is missing."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._entered: dict[str, tuple[str, str]] = {}
        self._lost: set[str] = set()

    def take(self, entry: Mapping[str, Any]) -> None:
        if entry.get("action") != "seals.day" or not isinstance(on := entry.get("on"), dict):
            return
        day = str(on.get("day"))
        if entry.get("outcome") != "served":
            self._lost.add(day)
            return
        hashes = (str(on.get("seal_sha256")), str(on.get("list_sha256")))
        if self._entered.setdefault(day, hashes) != hashes:
            self._audit.fail(Ground.RECORD, f"The ledger has two different seals of {day}.")

    def close(self, read_object: ReadObject | None) -> None:
        days = sorted(day for text in self._entered if (day := _day(text)))
        self._audit.sealed = set(days)
        missing = [day for day in _between(days) if day not in self._audit.sealed]
        lost = {day for text in self._lost if (day := _day(text))}
        for day in missing[:_MOST_NAMED]:
            why = "its traces could not be sealed in time" if day in lost else "nothing says why"
            self._audit.notes.append(f"There is no seal of {day}: {why}. That is not zero traces.")
        if read_object is None:
            return
        for day in days:
            self._check(day, read_object)

    def _check(self, day: date, read_object: ReadObject) -> None:
        seal_sha256, list_sha256 = self._entered[day.isoformat()]
        for name, expected in (
            (f"seals/{day}/seal.json", seal_sha256),
            (f"seals/{day}/{list_sha256}.tsv", list_sha256),
        ):
            data = read_object(name)
            if data is None:
                self._audit.fail(Ground.RECORD, f"The seal of {day} has gone: {name}.")
                return
            if hashlib.sha256(data).hexdigest() != expected:
                self._audit.fail(Ground.RECORD, f"{name} is not what the ledger says was sealed.")
                return
        self._audit.sealed_there += 1


def _between(days: Sequence[date]) -> Iterator[date]:
    """Yield all days from the first to the last."""
    if days:
        for n in range((days[-1] - days[0]).days):
            yield days[0] + timedelta(days=n)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _duration(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
