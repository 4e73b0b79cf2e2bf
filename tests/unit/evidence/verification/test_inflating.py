import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.errors import BundleInvalid
from functions.evidence.packing.bundle import TOP
from functions.evidence.verification.container import _PACKED_BYTES, open_container

PLAIN = bytes(range(256)) * 1_000
NAME = f"{TOP}/file".encode()


def deflated(plain: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(plain) + packer.flush()


def packed_zip(packed: bytes, *, size: int = len(PLAIN), crc: int = zlib.crc32(PLAIN)) -> bytes:
    """Return a zip with one deflated entry, which says of itself what is given."""
    facts = struct.pack("<5H3L2H", 20, 0, 8, 0, 33, crc, len(packed), size, len(NAME), 0)
    entry = b"PK\3\4" + facts + NAME + packed
    directory = b"PK\1\2\x14\0" + facts + struct.pack("<3H2L", 0, 0, 0, 0, 0) + NAME
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(directory), len(entry), 0)
    return entry + directory + end


def content(path: Path, data: bytes) -> Iterator[bytes]:
    path.write_bytes(data)
    with open_container(path) as members, members["file"].open() as file:
        while chunk := file.read(1 << 12):
            yield chunk


def test_a_sound_entry_is_inflated(tmp_path: Path) -> None:
    assert b"".join(content(tmp_path / "zip", packed_zip(deflated(PLAIN)))) == PLAIN


@pytest.mark.parametrize(
    "data",
    [
        packed_zip(deflated(PLAIN) + b"hidden"),
        packed_zip(deflated(PLAIN) + deflated(PLAIN)),
        packed_zip(deflated(PLAIN) + bytes(1 << 20)),
        packed_zip(deflated(PLAIN)[:-8]),
        packed_zip(deflated(PLAIN), size=len(PLAIN) + 1),
        packed_zip(deflated(PLAIN), size=len(PLAIN) - 1),
        packed_zip(deflated(PLAIN), crc=0),
        packed_zip(b"\xff" * 100),
    ],
    ids=["bytes", "stream", "zeros", "cut", "short", "long", "other", "none"],
)
def test_an_entry_that_is_not_what_it_says_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(BundleInvalid, match="The zip is damaged"):
        list(content(tmp_path / "zip", data))


def test_what_hides_behind_the_last_piece_that_was_read_is_refused(tmp_path: Path) -> None:
    plain = bytes(_PACKED_BYTES - 5)  # one stored block fills the piece
    packed = struct.pack("<BHH", 1, len(plain), len(plain) ^ 0xFFFF) + plain
    facts = {"size": len(plain), "crc": zlib.crc32(plain)}
    assert b"".join(content(tmp_path / "zip", packed_zip(packed, **facts))) == plain
    with pytest.raises(BundleInvalid, match="The zip is damaged"):
        list(content(tmp_path / "zip", packed_zip(packed + b"hidden", **facts)))


def test_no_more_is_inflated_than_an_entry_says_that_it_holds(tmp_path: Path) -> None:
    inflated = io.BytesIO()
    with pytest.raises(BundleInvalid, match="The zip is damaged"):
        inflated.writelines(content(tmp_path / "zip", packed_zip(deflated(bytes(64 << 20)), size=100)))
    assert len(inflated.getvalue()) <= 100
