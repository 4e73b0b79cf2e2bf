"""Where seals lie: `seals/<day>/…` in the store of evidence, written once; and what can be asked of them."""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import batched
from typing import Any

import orjson

from functions.errors import DocumentConflict, SealDamaged, StorageError
from functions.evidence.seals.seals import FORMAT, DaySeal, SealedRun, day_seal, read_line
from functions.storage.documents import Document, Documents, encode
from functions.storage.objects import Objects
from functions.storage.versioned import understood

DOCUMENT = "seals"
"""Says from which day on there are seals, and which day is the next: where to look, and no proof."""

MOST_DAYS = 800
"""How far back a trace is looked for; longer than any table keeps its rows for queries."""

_AT_ONCE = 8
_REMEMBERED = 512
_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reach:
    """The days that may have a seal: from `first` to before `next`."""

    first: date
    next: date


class Seals:
    """All seals. Safe to call from several threads.

    Args:
        objects: The store of evidence.
        documents: Holds `DOCUMENT`.
    """

    def __init__(self, objects: Objects, documents: Documents) -> None:
        self._objects = objects
        self._documents = documents
        self._known: dict[date, DaySeal] = {}

    def day(self, day: date) -> DaySeal | None:
        """Return a day's statement, or None where the day has not been sealed (which is not zero).

        Raises:
            SealDamaged: It is not what was written.
            StorageError: It could not be read.
        """
        body = self._json(_name(day, "seal"), "a seal")
        if body is None:
            return None
        seal = _understood(_name(day, "seal"), body, day_seal, "a seal")
        if seal.day != day:
            raise _damaged(f"The seal of {day} says that it is another day's.")
        return seal

    def put(self, seal: DaySeal, listed: bytes) -> bool:
        """Store a day's list and its statement; False: another host has sealed the day, and that stands.

        Raises:
            StorageError: It is not known to be stored.
        """
        # The list's name is its hash: what an attempt left behind that came to nothing is in nobody's way.
        with suppress(DocumentConflict):
            self._objects.put(_list(seal), io.BytesIO(listed))
        try:
            self._objects.put(_name(seal.day, "seal"), io.BytesIO(encode(seal.body())))
        except DocumentConflict:
            return False
        return True

    def entered(self, day: date) -> str | None:
        """Return the hash of the ledger's entry for the day's seal; None where none is known.

        Raises as `day` does.
        """
        body = self._json(_name(day, "entered"), "a seal's entry")
        return None if body is None else _understood(_name(day, "entered"), body, _hash, "a seal's entry")

    def put_entered(self, day: date, hash_: str) -> None:
        """Note that the ledger has the day's seal. Raises StorageError."""
        with suppress(DocumentConflict):
            body = encode({"format": FORMAT, "hash": hash_})
            self._objects.put(_name(day, "entered"), io.BytesIO(body))

    def runs(self, seal: DaySeal, *, holding: str = "") -> Iterator[SealedRun]:
        """Yield a seal's runs, sorted by trace id; only those whose line holds some text, where it is given.

        Raises:
            SealDamaged: The list is not what was sealed; nothing that was yielded counts then.
            StorageError: It could not be read.
        """
        digest, rest, wanted = hashlib.sha256(), b"", holding.encode()
        if self._objects.size(_list(seal)) != seal.list_bytes:
            raise _damaged(f"The list of {seal.day} has gone, or has another size than was sealed.")
        for chunk in self._objects.read(_list(seal)):
            digest.update(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            yield from _read(seal, (line for line in lines if wanted in line))
        if rest or digest.hexdigest() != seal.list_sha256:
            raise _damaged(f"The list of {seal.day} is not what was sealed.")

    def find_seal(self, trace_id: str) -> date | None:
        """Return the newest day whose seal holds this trace, or None where no seal does.

        It costs two requests and 60 KB a sealed day, of at most `MOST_DAYS` days, and twice that of a day
        that this process has not asked about before; eight days are asked at a time.

        Raises:
            SealDamaged: A seal is not what was written.
            StorageError: A seal could not be read.
        """
        found = self.find([trace_id])
        return found[trace_id][0] if trace_id in found else None

    def find(self, trace_ids: Sequence[str]) -> Mapping[str, tuple[date, tuple[SealedRun, ...]]]:
        """Return, of these traces, the newest day whose seal holds each, and its runs there.

        Costs and raises as `find_seal` does, for each trace.
        """
        found: dict[str, tuple[date, tuple[SealedRun, ...]]] = {}
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as readers:
            for days in batched(self._days(), _AT_ONCE, strict=False):
                wanted = [trace_id for trace_id in trace_ids if trace_id not in found]
                if not wanted:
                    break
                looked = readers.map(partial(self._look, wanted), days)
                for day, held in zip(days, looked, strict=True):
                    for trace_id, runs in held.items():
                        found.setdefault(trace_id, (day, tuple(runs)))
        return found

    def reach(self) -> Reach | None:
        """Return which days may have a seal; None before the first. Raises StorageError."""
        held = self.reach_document()
        return None if held is None else _understood(DOCUMENT, held.body, _reach, "where seals are")

    def reach_document(self) -> Document | None:
        """Return the document behind `reach`, to be replaced. Raises StorageError."""
        return self._documents.read(DOCUMENT)

    def extend(self, reach: Reach, over: Document | None) -> None:
        """Write down which days may have a seal, unless another host just has. Raises StorageError."""
        body = {"format": FORMAT, "first": reach.first.isoformat(), "next": reach.next.isoformat()}
        with suppress(DocumentConflict):
            self._documents.write(DOCUMENT, body, version=over.version if over else None)

    def _days(self) -> Iterator[date]:
        """Yield the days that may have a seal, the newest first."""
        reach = self.reach()
        if reach is not None:
            for back in range(1, min((reach.next - reach.first).days, MOST_DAYS) + 1):
                yield reach.next - back * _ONE

    def _look(self, trace_ids: Sequence[str], day: date) -> Mapping[str, list[SealedRun]]:
        """Return the runs of those of these traces that the day's seal holds."""
        seal = self._remembered(day)
        if seal is None:
            return {}
        blocks: dict[tuple[int, int, str], list[str]] = {}
        for trace_id in trace_ids:
            if block := seal.block_of(trace_id):
                blocks.setdefault(block, []).append(trace_id)
        found: dict[str, list[SealedRun]] = {}
        for block, wanted in blocks.items():
            for run in self._block(seal, *block):
                if run.trace_id in wanted:
                    found.setdefault(run.trace_id, []).append(run)
        return found

    def _block(self, seal: DaySeal, begin: int, end: int, sha256: str) -> Iterator[SealedRun]:
        if self._objects.size(_list(seal)) is None:
            raise _damaged(f"The list of {seal.day} has gone.")
        data = b"".join(self._objects.read(_list(seal), offset=begin, length=end - begin))
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _damaged(f"The list of {seal.day} is not what was sealed.")
        return _read(seal, data.split(b"\n")[:-1])

    def _remembered(self, day: date) -> DaySeal | None:
        """Return a day's statement, which never changes, perhaps from memory."""
        known = self._known.get(day)
        if known is None and (known := self.day(day)) is not None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[day] = known
        return known

    def _json(self, name: str, holds: str) -> Mapping[str, Any] | None:
        if self._objects.size(name) is None:
            return None
        try:
            body = orjson.loads(b"".join(self._objects.read(name)))
        except orjson.JSONDecodeError:
            raise _damaged(f"The object {name} does not hold {holds}.") from None
        if not isinstance(body, dict):
            raise _damaged(f"The object {name} does not hold {holds}.")
        return body


def _understood[Value](
    name: str, body: Mapping[str, Any], read: Callable[[Mapping[str, Any]], Value], holds: str
) -> Value:
    try:
        return understood(name, body, read, newest=FORMAT, holds=holds, next_step=_NEXT_STEP)
    except StorageError as error:
        if isinstance(written := body.get("format"), int) and written > FORMAT:
            raise
        raise _damaged(error.message) from None


def _read(seal: DaySeal, lines: Iterable[bytes]) -> Iterator[SealedRun]:
    try:
        yield from map(read_line, lines)
    except ValueError:
        raise _damaged(f"The list of {seal.day} is not what was sealed.") from None


_NEXT_STEP = "Keep it as it is, run `tracekeeper ledger verify`, and find out who can write to 'evidence'."


def _damaged(message: str) -> SealDamaged:
    return SealDamaged(message, next_step=_NEXT_STEP)


def _reach(body: Mapping[str, Any]) -> Reach:
    return Reach(date.fromisoformat(body["first"]), date.fromisoformat(body["next"]))


def _hash(body: Mapping[str, Any]) -> str:
    return str(body["hash"])


def _name(day: date, part: str) -> str:
    return f"seals/{day}/{part}.json"


def _list(seal: DaySeal) -> str:
    return f"seals/{seal.day}/{seal.list_sha256}.tsv"
