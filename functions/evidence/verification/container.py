"""Opens a bundle's container, a zip or a folder, and refuses what no honest bundle holds.

A zip is read in place, never unpacked: sizes are bounded before anything is read, and what two zip readers
could see differently (data before or after the archive, names twice) is refused.
"""

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from zlib_ng import zlib_ng

from functions.errors import BundleInvalid
from functions.evidence.packing.bundle import TOP

MAX_FILES = 100
MAX_BYTES = 32 << 30
"""Most files, and most bytes of all files together, of a bundle: some 15 million spans."""

_MAX_DIRECTORY_BYTES = 1 << 20
_END_RECORD = struct.Struct("<4s8xL6x")
_LARGE_LOCATOR = struct.Struct("<4s4xQ4x")
_LARGE_RECORD = struct.Struct("<4s36xQ8x")
_UNKNOWN = 0xFFFFFFFF  # what a ZIP64 record says instead
_LOCAL_HEADER = struct.Struct("<4s22x2H")
_SIZES_FOLLOW = 1 << 3
_LONGEST_SIZES = 24  # a data descriptor in ZIP64, with its mark
_RAW_DEFLATE = -15
_PACKED_BYTES = 16 << 10
_PLAIN_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a bundle: its stated size in bytes, and how to read it."""

    size: int
    open: Callable[[], IO[bytes]]


Members = Mapping[str, Member]
"""Path from the bag's root, with slashes, to file."""


@contextmanager
def open_container(path: Path) -> Iterator[Members]:
    """Give the files of the bundle at `path`, to be read before the context ends.

    Raises:
        BundleInvalid: It can't be read, or is unsafe to read; also while its files are read.
    """
    try:
        if path.is_dir():
            yield _bounded(_folder_members(path if (path / "bagit.txt").exists() else path / TOP))
        else:
            with path.open("rb") as file:
                _require_one_archive(file)
                with zipfile.ZipFile(file) as archive:
                    _require_nothing_between(file, archive)
                    yield _bounded(_zip_members(file, archive))
    except zlib_ng.error as error:  # type: ignore[misc]  # its stub takes it for an instance
        raise refusal("The zip is damaged.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise refusal("The zip is damaged.") from error
    except OSError as error:
        raise refusal("The bundle can't be read.") from error


def refusal(reason: str) -> BundleInvalid:
    """Return the error for a bundle that is refused for `reason`."""
    return BundleInvalid(reason, next_step="Don't rely on it; download the bundle again.")


def _bounded(members: dict[str, Member]) -> Members:
    if len(members) > MAX_FILES or sum(member.size for member in members.values()) > MAX_BYTES:
        raise refusal(f"It holds more than {MAX_FILES} files or {MAX_BYTES >> 30} GiB.")
    if len({name.casefold() for name in members}) < len(members):
        raise refusal("Two of its names differ in case only.")
    return members


def _folder_members(root: Path) -> dict[str, Member]:
    members = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            status = path.lstat()
            relative = path.relative_to(root).as_posix()
            if stat.S_ISREG(status.st_mode):
                members[_safe(relative)] = Member(status.st_size, _opening(path))
            elif not stat.S_ISDIR(status.st_mode):
                raise refusal(f"{relative!a} is neither a file nor a folder.")
    return members


def _opening(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _require_nothing_between(file: IO[bytes], archive: zipfile.ZipFile) -> None:
    """Refuse bytes that no entry of the directory owns: who reads from the start may find files there."""
    at = slack = 0
    for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
        if not at <= entry.header_offset <= at + slack:
            raise refusal("The zip holds bytes that belong to none of its files.")
        file.seek(entry.header_offset)
        header = file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size:
            raise refusal("The zip is damaged.")
        _, name, extra = _LOCAL_HEADER.unpack(header)
        at = entry.header_offset + _LOCAL_HEADER.size + name + extra + entry.compress_size
        # Some packers write the sizes behind the bytes.
        slack = _LONGEST_SIZES if entry.flag_bits & _SIZES_FOLLOW else 0
    if not at <= archive.start_dir <= at + slack:
        raise refusal("The zip holds bytes that belong to none of its files.")


def _zip_members(file: IO[bytes], archive: zipfile.ZipFile) -> dict[str, Member]:
    entries = archive.infolist()
    if min((entry.header_offset for entry in entries), default=0):
        raise refusal("Something stands before the zip.")
    members: dict[str, Member] = {}
    for entry in entries:
        name = _entry_name(entry)
        if name in members:
            raise refusal(f"{name!a} is in the zip twice.")
        if not entry.is_dir():
            members[name] = Member(entry.file_size, partial(_open_entry, file, archive, entry))
    return members


def _open_entry(file: IO[bytes], archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    opened = archive.open(entry)  # looks at the header before the bytes, too
    if entry.compress_type == zipfile.ZIP_STORED:
        return opened
    opened.close()
    return io.BufferedReader(_Inflated(file, entry), _PLAIN_BYTES)


class _Inflated(io.RawIOBase):
    """A deflated entry: zlib-ng inflates it in half of the time that zipfile takes with zlib.

    Args:
        file: The zip.
        entry: Its entry.
    """

    def __init__(self, file: IO[bytes], entry: zipfile.ZipInfo) -> None:
        super().__init__()
        file.seek(entry.header_offset)
        _, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        self._file = file
        self._entry = entry
        self._at = entry.header_offset + _LOCAL_HEADER.size + name + extra
        self._left = entry.compress_size
        self._inflate: Any = zlib_ng.decompressobj(_RAW_DEFLATE)
        self._size = self._crc = 0

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, or a part of it; 0 at the end.

        Raises:
            zipfile.BadZipFile: It holds more or fewer bytes than stated, or others; likewise EOFError.
            zlib_ng.error: It is not deflated.
        """
        plain = self._next(len(buffer))
        self._size += len(plain)
        self._crc = zlib_ng.crc32(plain, self._crc)
        if self._size > self._entry.file_size:
            raise zipfile.BadZipFile(self._entry.filename)
        buffer[: len(plain)] = plain
        return len(plain)

    def _next(self, most: int) -> bytes:
        inflate = self._inflate
        while not inflate.eof:
            packed = inflate.unconsumed_tail or self._read_packed()
            plain: bytes = inflate.decompress(packed, most)
            if plain:
                return plain
            if not packed and not inflate.eof:
                raise EOFError(self._entry.filename)
        whole = self._size == self._entry.file_size and self._crc == self._entry.CRC
        if not whole or self._left or inflate.unused_data:
            raise zipfile.BadZipFile(self._entry.filename)
        return b""

    def _read_packed(self) -> bytes:
        self._file.seek(self._at)  # others read the same file
        packed = self._file.read(min(_PACKED_BYTES, self._left))
        self._at += len(packed)
        self._left -= len(packed)
        return packed


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Return the name from the bag's root of an entry that is a plain file (or an empty folder)."""
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG}:
        raise refusal(f"{entry.filename!a} is neither a file nor a folder.")
    if entry.flag_bits & 0x1 or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise refusal(f"{entry.filename!a} is encrypted or packed in an unusual way.")
    if entry.is_dir() and entry.file_size:
        raise refusal(f"{entry.filename!a} is a folder with content.")
    top, slash, name = _safe(entry.orig_filename).partition("/")
    if top != TOP or not slash:
        raise refusal(f"{entry.filename!a} lies outside the folder {TOP}.")
    return name


def _safe(name: str) -> str:
    """Return a relative path with slashes that means the same on every system."""
    parts = name.removesuffix("/").split("/")
    if name.isprintable() and not set(name) & {"\\", ":"} and not {"", ".", ".."} & set(parts):
        return name
    raise refusal(f"{name!a} is not a safe name.")


def _require_one_archive(file: IO[bytes]) -> None:
    """Refuse what stands after a zip, and a directory so long that reading it would fill the memory."""
    end = file.seek(-_END_RECORD.size, os.SEEK_END)
    mark, directory = _END_RECORD.unpack(file.read(_END_RECORD.size))
    if mark != b"PK\x05\x06":
        raise refusal("It is no zip, or something stands after the zip.")
    if end >= _LARGE_LOCATOR.size:
        file.seek(end - _LARGE_LOCATOR.size)
        mark, at = _LARGE_LOCATOR.unpack(file.read(_LARGE_LOCATOR.size))
        if mark == b"PK\x06\x07":
            # Some readers go where the locator says, others to right before it.
            places = (at, end - _LARGE_LOCATOR.size - _LARGE_RECORD.size)
            directory = max(directory % _UNKNOWN, *(_large_directory(file, place) for place in places))
    if directory > _MAX_DIRECTORY_BYTES:
        raise refusal("Its list of files is too long.")


def _large_directory(file: IO[bytes], at: int) -> int:
    """Return how long the directory is by a ZIP64 record at this place; 0 where none is there."""
    size = file.seek(0, os.SEEK_END)
    if not 0 <= at <= size - _LARGE_RECORD.size:
        return 0
    file.seek(at)
    mark, directory = _LARGE_RECORD.unpack(file.read(_LARGE_RECORD.size))
    return int(directory) if mark == b"PK\x06\x06" else 0
