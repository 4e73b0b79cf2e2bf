import io
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from functions.evidence.packing.zip_writer import DEFLATED, STORED, Entry, write_zip

ZEROS = bytes(1 << 20)


def stored(name: str, content: bytes) -> Entry:
    return Entry(name, STORED, zlib.crc32(content), len(content), len(content), io.BytesIO(content))


def deflated(name: str, content: bytes) -> Entry:
    packed = zlib.compress(content, wbits=-15)
    return Entry(name, DEFLATED, zlib.crc32(content), len(content), len(packed), io.BytesIO(packed))


def test_what_was_written_is_read_and_tells_no_time() -> None:
    out = io.BytesIO()
    write_zip(out, [deflated("b/one.txt", b"one" * 1000), stored("b/zwei-ü.txt", b""), stored("a", b"last")])
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["b/one.txt", "b/zwei-ü.txt", "a"]
        assert archive.read("b/one.txt") == b"one" * 1000
        assert archive.read("a") == b"last"
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}


@pytest.mark.skipif(shutil.which("unzip") is None, reason="no unzip here")
def test_another_reader_finds_it_sound(tmp_path: Path) -> None:
    with (tmp_path / "z.zip").open("wb") as out:
        write_zip(out, [deflated("b/one.txt", b"one" * 1000), stored("b/two", b"2")])
    subprocess.run(["unzip", "-tq", "z.zip"], cwd=tmp_path, check=True, capture_output=True)


class Holes:
    """A file in which zeros are holes, so that gigabytes of them take no room."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write(self, data: bytes) -> int:
        if data == ZEROS:
            self.file.seek(len(data), io.SEEK_CUR)
            return len(data)
        return self.file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


class Zeros(io.RawIOBase):
    """So many MiB of zeros."""

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks

    def read(self, _: int = -1) -> bytes:
        self.blocks -= 1
        return ZEROS if self.blocks >= 0 else b""


def test_what_is_beyond_four_gibibytes_is_written_as_zip64(tmp_path: Path) -> None:
    blocks = (4 << 10) + 3
    size = blocks << 20
    large = Entry("large", STORED, 0, size, size, cast("Any", Zeros(blocks)))
    with (tmp_path / "z.zip").open("w+b") as file:
        write_zip(
            cast("BinaryIO", Holes(file)), [stored("before", b"1"), large, deflated("behind", b"2" * 99)]
        )
        with zipfile.ZipFile(file) as archive:
            assert [entry.file_size for entry in archive.infolist()] == [1, size, 99]
            assert archive.getinfo("behind").header_offset > size
            assert archive.read("behind") == b"2" * 99
            assert archive.read("before") == b"1"
            with archive.open("large") as content:
                assert content.read(1 << 20) == ZEROS


def test_a_large_file_that_packs_well_is_zip64_too() -> None:
    size = 5 << 30
    out = io.BytesIO()
    write_zip(out, [Entry("large", DEFLATED, 0, size, 4, io.BytesIO(b"none"))])
    with zipfile.ZipFile(out) as archive:
        (entry,) = archive.infolist()
        assert (entry.file_size, entry.compress_size) == (size, 4)


def test_a_zip_without_entries_is_one() -> None:
    out = io.BytesIO()
    write_zip(out, [])
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == []
