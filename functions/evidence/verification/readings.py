"""Reads each file of a bundle once: its SHA-256, and what its lines add up to.

The longest files are each read in a process of their own beside the others, since counting keeps a processor
busy for longer than inflating and hashing do.
"""

import csv
import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from functions.errors import BundleInvalid
from functions.evidence.packing.bundle import CONTENT, TRACES
from functions.evidence.verification.container import Member, Members, open_container, refusal
from functions.evidence.verification.tallies import TALLIES

if TYPE_CHECKING:
    from functions.evidence.verification.apart import Apart

WORTH_A_PROCESS = 32 << 20
"""Bytes from which on a file is read apart: to start a process takes as long as to read half as much."""

_APART = (TRACES, CONTENT)
_CHUNK_BYTES = 64 << 10
_LONGEST_LINE = 256 << 20
_SHAPE = "A payload file has not the shape of its kind."


@dataclass(frozen=True, slots=True)
class _Read:
    """One file: its SHA-256, hex, what its lines add up to, or why they don't; None where nobody counts."""

    sha256: str
    tally: Any
    problem: str | None


class Readings:
    """Reads the files of one bundle. A context manager: leaving it ends what still reads.

    Args:
        path: The bundle.
        members: Its files.
        apart_from: Bytes from which on a file is read apart.
    """

    def __init__(self, path: Path, members: Members, *, apart_from: int = WORTH_A_PROCESS) -> None:
        self._path = path
        self._members = members
        self._apart_from = apart_from
        self._read: dict[str, _Read] = {}
        self._apart: dict[str, Apart] = {}

    def sha256s(self, names: Collection[str]) -> Mapping[str, str]:
        """Return the hashes of these files, hex.

        Raises:
            BundleInvalid: One can't be read.
        """
        wanted = [name for name in names if name not in self._read]
        for name in filter(self._is_worth_a_process, wanted):
            self._begin(name)
        for name in sorted(wanted, key=self._apart.__contains__):  # what is read apart comes last
            self._read[name] = self._result(name) if name in self._apart else _read(self._members[name], name)
        return {name: self._read[name].sha256 for name in names}

    def tally(self, name: str) -> Any:
        """Return what a file's lines add up to, see `TALLIES`.

        Raises:
            BundleInvalid: They don't, or it can't be read.
        """
        self.sha256s((name,))
        read = self._read[name]
        if read.problem is not None:
            raise refusal(read.problem)
        return read.tally

    def _is_worth_a_process(self, name: str) -> bool:
        several = (os.process_cpu_count() or 1) > 1
        return several and name in _APART and self._members[name].size >= self._apart_from

    def _begin(self, name: str) -> None:
        from functions.evidence.verification.apart import Apart  # noqa: PLC0415 - takes longer than a small bundle

        self._apart[name] = Apart(_read_apart, self._path, name)

    def _result(self, name: str) -> _Read:
        try:
            result: _Read | str = self._apart[name].result()
        except (EOFError, OSError):  # the system ended it, perhaps for want of memory
            return _read(self._members[name], name)
        if isinstance(result, str):
            raise refusal(result)
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for apart in self._apart.values():
            apart.end()


def _read_apart(path: Path, name: str) -> _Read | str:
    """Read one file in another process; return why where it can't be read."""
    try:
        with open_container(path) as members:
            return _read(members[name], name)
    except BundleInvalid as error:
        return error.message


def _read(member: Member, name: str) -> _Read:
    digest = hashlib.sha256()
    tally, problem = None, None
    with member.open() as file:
        if name in TALLIES:
            try:
                tally = TALLIES[name](_blocks(file, digest, name))
            except BundleInvalid as error:
                problem = error.message
            except (KeyError, TypeError, ValueError, AttributeError, csv.Error):
                problem = _SHAPE
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return _Read(digest.hexdigest(), tally, problem)


def _blocks(file: IO[bytes], digest: "hashlib._Hash", name: str) -> Iterator[bytes]:
    """Yield whole lines, see `Blocks`; hash what is read on the way."""
    begun: list[bytes] = []
    length = 0
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        end = chunk.rfind(b"\n") + 1
        length += chunk.find(b"\n") if end else len(chunk)
        if length > _LONGEST_LINE:
            break
        if end:
            yield b"".join((*begun, chunk[:end]))
            begun.clear()
            length = len(chunk) - end
        begun.append(chunk[end:])
    if length:
        raise refusal(f"{name} holds a line that is cut or longer than {_LONGEST_LINE >> 20} MiB.")
