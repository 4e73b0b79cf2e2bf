"""Notes the ledger's end once a day, signed, where it can't be rewritten: what is cut off later is missed.

A chain shows that no line before its end was changed, moved or taken out, but not that the end is there.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson

from functions.errors import ChainBroken, DocumentConflict, SigningError
from functions.signing.signatures import Signer, der_fits, jws_fits, stated_key_id, thumbprint
from functions.storage.append_log import START, AppendLog, Mark
from functions.storage.documents import encode
from functions.storage.objects import Objects

FORMAT = 1
FOLDER = "heads/"
DER, JWS = ".sig.der", ".sig.jws"
_BACK = 400
"""Days looked back for the head before; after a longer rest the chain is checked from its beginning."""
_RECENT = 14
"""Days of which `marks` gives the heads: each day is a request, whether or not it has one."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far the ledger reached.

    Attributes:
        day: UTC day on which it was noted; the object is `heads/<day>.json`, its signatures lie beside it.
        mark: The end of the ledger then.
    """

    day: date
    mark: Mark

    def body(self) -> dict[str, Any]:
        """Return it as the JSON object that is stored and signed."""
        return {
            "format": FORMAT,
            "day": self.day.isoformat(),
            "entries": self.mark.lines,
            "hash": self.mark.hash,
            "blob": self.mark.blob,
            "offset": self.mark.offset,
        }


def read_head(data: bytes) -> Head:
    """Read back the bytes of a head.

    Raises:
        ChainBroken: They are none.
    """
    try:
        body: Mapping[str, Any] = orjson.loads(data)
        mark = Mark(int(body["entries"]), str(body["hash"]), str(body["blob"]), int(body["offset"]))
        return Head(date.fromisoformat(body["day"]), mark)
    except (ValueError, KeyError, TypeError):
        raise ChainBroken(
            "A head of the ledger is not what was written.",
            next_step="Keep it as it is, and find out who can write to the container 'evidence'.",
        ) from None


class Signed(StrEnum):
    """What is known of a head's signature."""

    HOLDS = "holds"
    BROKEN = "broken"
    MISSING = "missing"
    OTHER_KEY = "other_key"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class NewestHead:
    """The newest head, and whether its signature is of the key that signs now.

    Attributes:
        head: The head.
        signed: BROKEN: it names the key and does not fit; OTHER_KEY: it names another one, as after the key
            was rotated; UNCHECKED: there is no key, or it can't be asked for now.
    """

    head: Head
    signed: Signed


class Heads:
    """Notes heads, and gives those noted.

    Args:
        ledger: The ledger.
        objects: The store of evidence.
        signer: Signs heads; None where no key is set.
        clock: The present instant, UTC.
    """

    def __init__(
        self, ledger: AppendLog, objects: Objects, signer: Signer | None, *, clock: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._objects = objects
        self._signer = signer
        self._clock = clock

    def tick(self) -> Head:
        """Note today's head unless it is noted; sign it unless it is signed; return it.

        Raises:
            StorageError: Storage failed, or the ledger is not what the head before says.
            SigningError: The key can't be used; the head is signed by a later tick.
        """
        today = self._clock().astimezone(UTC).date()
        head = self._noted(today)
        if head is None:
            before = next(self._back(today - timedelta(days=1), _BACK), None)
            head = Head(today, self._ledger.mark(before.mark if before else START))
            # Another host has noted it at the same time: its head stands, and is the one that is signed.
            with suppress(DocumentConflict):
                self._objects.put(name(today), io.BytesIO(encode(head.body())))
            head = self._noted(today) or head
        self._sign(today)
        return head

    def marks(self) -> Iterator[Mark]:
        """Yield the marks of the heads of the last `_RECENT` days, the newest first. Raises StorageError."""
        for head in self._back(self._clock().astimezone(UTC).date(), _RECENT):
            yield head.mark

    def newest(self) -> NewestHead | None:
        """Return the newest of the last `_RECENT` days; None where there is none. Raises StorageError."""
        head = next(self._back(self._clock().astimezone(UTC).date(), _RECENT), None)
        return NewestHead(head, self._signed(name(head.day))) if head else None

    def _signed(self, noted: str) -> Signed:
        if self._signer is None:
            return Signed.UNCHECKED
        if any(self._objects.size(noted + suffix) is None for suffix in (DER, JWS)):
            return Signed.MISSING
        data, der, jws = (b"".join(self._objects.read(noted + suffix)) for suffix in ("", DER, JWS))
        try:
            key = self._signer.public_key()
        except SigningError:
            return Signed.UNCHECKED
        compact = jws.decode("ascii", "replace")
        if stated_key_id(compact) != thumbprint(key):
            return Signed.OTHER_KEY
        return Signed.HOLDS if der_fits(key, der, data) and jws_fits(key, compact, data) else Signed.BROKEN

    def _sign(self, day: date) -> None:
        if self._signer is None or self._objects.size(name(day) + JWS) is not None:
            return
        signature = self._signer.sign(b"".join(self._objects.read(name(day))))
        for suffix, data in ((DER, signature.der), (JWS, signature.jws.encode())):
            with suppress(DocumentConflict):
                self._objects.put(name(day) + suffix, io.BytesIO(data))

    def _back(self, newest: date, days: int) -> Iterator[Head]:
        for back in range(days):
            if head := self._noted(newest - timedelta(days=back)):
                yield head

    def _noted(self, day: date) -> Head | None:
        if self._objects.size(name(day)) is None:
            return None
        return read_head(b"".join(self._objects.read(name(day))))


def name(day: date) -> str:
    """Return the object of a day's head."""
    return f"{FOLDER}{day}.json"
