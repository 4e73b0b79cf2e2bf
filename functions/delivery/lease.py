"""Keeps two hosts from delivering to one destination at once, and its record true whoever writes it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from functions.delivery.record import PREFIX, Lease, Record, record_from_json, record_to_json
from functions.errors import DocumentConflict, StorageError
from functions.storage.documents import Documents

LASTS = timedelta(minutes=2)
"""Longer than a pause and a send together; every write renews it. A host that died is waited for."""

WRITE_ATTEMPTS = 10

Change = Callable[[Record], Record]


class LeaseLost(DocumentConflict):
    """Another host delivers to the destination now."""


class HeldRecord:
    """A destination's record while this host has its lease.

    Attributes:
        record: As it was written last.
    """

    def __init__(
        self,
        documents: Documents,
        destination: str,
        *,
        record: Record,
        version: str,
        holder: str,
        clock: Callable[[], datetime],
    ) -> None:
        self.record = record
        self._documents = documents
        self._name = PREFIX + destination
        self._version = version
        self._holder = holder
        self._clock = clock

    def change(self, change: Change) -> None:
        """Write a change down. Raises LeaseLost, with nothing written, and StorageError."""
        self._write(change, only_while_held=True)

    def note(self, change: Change) -> None:
        """Write down what is true whoever holds the lease; then raises as `change` does."""
        self._write(change, only_while_held=False)
        self._check()

    def release(self, change: Change) -> None:
        """Write a change down and let others deliver. Raises as `change` does."""
        self._check()
        self._write(lambda record: replace(change(record), lease=None), only_while_held=True)

    def _write(self, change: Change, *, only_while_held: bool) -> None:
        for _ in range(WRITE_ATTEMPTS):
            if only_while_held:
                self._check()
            lease = self.record.lease
            if self._held():
                lease = Lease(self._holder, self._clock() + LASTS)
            after = change(replace(self.record, lease=lease))
            try:
                written = self._documents.write(self._name, record_to_json(after), version=self._version)
            except DocumentConflict:
                self._read()
                continue
            self.record, self._version = after, written.version
            return
        raise DocumentConflict(
            f"The document {self._name} changed at every attempt to write it.", next_step="Wait a minute."
        )

    def _read(self) -> None:
        held = self._documents.read(self._name)
        if held is None:
            raise LeaseLost(f"The document {self._name} is gone.", next_step="Wait a minute.")
        self.record, self._version = record_from_json(self._name, held.body), held.version

    def _held(self) -> bool:
        return self.record.lease is not None and self.record.lease.holder == self._holder

    def _check(self) -> None:
        if not self._held():
            raise LeaseLost(f"Another host has {self._name}.", next_step="It goes on where this one stopped.")


def read_record(documents: Documents, destination: str) -> tuple[Record, str | None]:
    """Return what is remembered of a destination, and its document's version. Raises StorageError."""
    held = documents.read(PREFIX + destination)
    return (record_from_json(held.name, held.body), held.version) if held else (Record(), None)


def take(
    documents: Documents,
    destination: str,
    *,
    wanted: Callable[[Record], bool],
    holder: str,
    clock: Callable[[], datetime],
) -> HeldRecord | None:
    """Take a destination's lease.

    Args:
        documents: Where its record is.
        destination: Its name.
        wanted: Whether there is anything to do, given the record.
        holder: Names this attempt and no other.
        clock: The present instant, UTC.

    Returns:
        None where another host has it, or nothing is to be done.

    Raises:
        StorageError: The record can't be read or written.
    """
    record, version = read_record(documents, destination)
    now = clock()
    # A lease that lasts longer than any is from a clock that was wrong.
    if record.lease and now < record.lease.until <= now + LASTS:
        return None
    if not wanted(record):
        return None
    taken = replace(record, lease=Lease(holder, now + LASTS))
    with suppress(DocumentConflict):
        written = documents.write(PREFIX + destination, record_to_json(taken), version=version)
        return HeldRecord(
            documents, destination, record=taken, version=written.version, holder=holder, clock=clock
        )
    return None


def let_go(held: HeldRecord) -> None:
    """Release the lease where that is possible; else it ends by itself."""
    with suppress(StorageError):
        held.release(lambda record: record)
