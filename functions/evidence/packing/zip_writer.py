"""Writes a zip from parts that are packed already, in ZIP64 where it is needed.

(https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT) Nothing in it tells when or where it was made.
"""

import shutil
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, BinaryIO

STORED, DEFLATED = 0, 8
"""How an entry is packed."""

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_ZIP64_END = struct.Struct("<4sQ2H2L4Q")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")
_ZIP64_EXTRA = 1
_FULL_32, _FULL_16 = 0xFFFFFFFF, 0xFFFF
_VERSION, _ZIP64_VERSION = 20, 45
_UNIX = 3
_REGULAR_FILE = 0o100644 << 16
_EARLIEST_DATE, _MIDNIGHT = 1 << 5 | 1, 0  # 1980-01-01, the format's first instant
_UTF8_NAME = 1 << 11
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the zip.

    Attributes:
        name: Its path in the zip.
        method: `STORED` or `DEFLATED`.
        crc: CRC-32 of the plain bytes.
        size: Of the plain bytes.
        packed_size: Of the bytes that `packed` gives.
        packed: The bytes as they stand in the zip, to be read once from where it stands.
    """

    name: str
    method: int
    crc: int
    size: int
    packed_size: int
    packed: IO[bytes]


def write_zip(out: BinaryIO, entries: Iterable[Entry]) -> None:
    """Write a zip with the entries in their order to `out`, which stands at its beginning."""
    directory = []
    for entry in entries:
        offset = out.tell()
        out.write(_local_header(entry))
        shutil.copyfileobj(entry.packed, out, _CHUNK_BYTES)
        directory.append(_central_header(entry, offset))
    start = out.tell()
    out.writelines(directory)
    out.write(_end(len(directory), start, out.tell() - start))


def _local_header(entry: Entry) -> bytes:
    name = entry.name.encode()
    large = max(entry.size, entry.packed_size) >= _FULL_32
    # A local header that has one of the two sizes in the extra field must have both there.
    extra = struct.pack("<2H2Q", _ZIP64_EXTRA, 16, entry.size, entry.packed_size) if large else b""
    return b"".join(
        (
            _LOCAL.pack(
                b"PK\x03\x04",
                _ZIP64_VERSION if large else _VERSION,
                _flags(entry),
                entry.method,
                _MIDNIGHT,
                _EARLIEST_DATE,
                entry.crc,
                _FULL_32 if large else entry.packed_size,
                _FULL_32 if large else entry.size,
                len(name),
                len(extra),
            ),
            name,
            extra,
        )
    )


def _central_header(entry: Entry, offset: int) -> bytes:
    name = entry.name.encode()
    fields = (entry.size, entry.packed_size, offset)
    moved = [value for value in fields if value >= _FULL_32]
    extra = struct.pack(f"<2H{len(moved)}Q", _ZIP64_EXTRA, 8 * len(moved), *moved) if moved else b""
    size, packed_size, place = (min(value, _FULL_32) for value in fields)
    version = _ZIP64_VERSION if moved else _VERSION
    return b"".join(
        (
            _CENTRAL.pack(
                b"PK\x01\x02",
                version,
                _UNIX,
                version,
                0,
                _flags(entry),
                entry.method,
                _MIDNIGHT,
                _EARLIEST_DATE,
                entry.crc,
                packed_size,
                size,
                len(name),
                len(extra),
                0,
                0,
                0,
                _REGULAR_FILE,
                place,
            ),
            name,
            extra,
        )
    )


def _flags(entry: Entry) -> int:
    return 0 if entry.name.isascii() else _UTF8_NAME


def _end(count: int, start: int, size: int) -> bytes:
    end = _END.pack(
        b"PK\x05\x06",
        0,
        0,
        min(count, _FULL_16),
        min(count, _FULL_16),
        min(size, _FULL_32),
        min(start, _FULL_32),
        0,
    )
    if count < _FULL_16 and size < _FULL_32 and start < _FULL_32:
        return end
    large = _ZIP64_END.pack(
        b"PK\x06\x06",
        _ZIP64_END.size - 12,
        _UNIX << 8 | _ZIP64_VERSION,
        _ZIP64_VERSION,
        0,
        0,
        count,
        count,
        size,
        start,
    )
    return large + _ZIP64_LOCATOR.pack(b"PK\x06\x07", 0, start + size, 1) + end
