"""Where the ledger command finds a ledger: in storage, or in files that were downloaded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from functions.access.heads import DER, FOLDER, JWS
from functions.access.ledger_audit import NotedHead, ReadObject
from functions.errors import InvalidRequest
from functions.storage.chained_log import ChainedLog
from functions.storage.objects import Objects

_LONGEST_LINE = 1 << 20


class Lister(Objects, Protocol):
    """A store of evidence whose objects can be listed."""

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, in order. Raises StorageError."""
        ...


class Place(Protocol):
    """Where a ledger lies."""

    def lines(self) -> Iterator[bytes]:
        """Yield its lines, oldest first, without their newlines. Raises StorageError, InvalidRequest."""
        ...

    def heads(self) -> Sequence[NotedHead]:
        """Return the heads that lie beside it. Raises StorageError, InvalidRequest."""
        ...

    def read_object(self) -> ReadObject | None:
        """Return what reads seals; None where none lie beside it."""
        ...


@dataclass(frozen=True, slots=True)
class InStorage:
    """The ledger of a deployment.

    Attributes:
        log: The container `ledger`.
        evidence: The container `evidence`.
    """

    log: ChainedLog
    evidence: Lister

    def lines(self) -> Iterator[bytes]:
        """Yield its lines."""
        return self.log.raw_lines()

    def heads(self) -> Sequence[NotedHead]:
        """Return its heads."""
        read = self.read_object()
        return _noted(list(self.evidence.names(FOLDER)), read)

    def read_object(self) -> ReadObject:
        """Return what reads its seals."""

        def read(name: str) -> bytes | None:
            if self.evidence.size(name) is None:
                return None
            return b"".join(self.evidence.read(name))

        return read


@dataclass(frozen=True, slots=True)
class InFiles:
    """A ledger that was exported or downloaded.

    Attributes:
        path: The file that `tracekeeper ledger export` wrote, or a folder that has, at any depth, the *.jsonl
            of the container `ledger`, and the folders heads and seals of the container `evidence`.
    """

    path: Path

    def lines(self) -> Iterator[bytes]:
        """Yield its lines."""
        for file in self._ledger_files():
            try:
                with file.open("rb") as opened:
                    while line := opened.readline(_LONGEST_LINE):
                        yield line.rstrip(b"\n")
            except OSError:
                raise InvalidRequest(f"{file.name} can't be read.", next_step="Check its path.") from None

    def heads(self) -> Sequence[NotedHead]:
        """Return the heads in the folder; a single file has none."""
        folder = self._folder("heads")
        if folder is None:
            return ()
        names = sorted(f"{FOLDER}{file.name}" for file in folder.iterdir())
        return _noted(names, lambda name: _bytes(folder.parent / name))

    def read_object(self) -> ReadObject | None:
        """Return what reads the seals in the folder."""
        folder = self._folder("seals")
        return None if folder is None else lambda name: _bytes(folder.parent / name)

    def _ledger_files(self) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        files = sorted(self.path.rglob("*.jsonl"), key=lambda file: file.name)
        if not files:
            raise InvalidRequest(
                "There is no ledger in that place.",
                next_step="Give the file that `tracekeeper ledger export` wrote, or a folder with *.jsonl.",
            )
        return files

    def _folder(self, name: str) -> Path | None:
        if not self.path.is_dir():
            return None
        return next((folder for folder in sorted(self.path.rglob(name)) if folder.is_dir()), None)


def _noted(names: Sequence[str], read: ReadObject) -> list[NotedHead]:
    heads = []
    for name in names:
        if name.endswith(".json") and (data := read(name)) is not None:
            jws = read(name + JWS)
            heads.append(NotedHead(name, data, read(name + DER), None if jws is None else _text(jws)))
    return heads


def _text(data: bytes) -> str:
    return data.decode("ascii", "replace").strip()


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        raise InvalidRequest(f"{path.name} can't be read.", next_step="Check who may read it.") from None
