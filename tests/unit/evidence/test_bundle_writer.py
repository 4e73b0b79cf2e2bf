import hashlib
import io
import os
import random
import tracemalloc
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from functions.errors import RedactionFailure, SigningError
from functions.evidence.packing.bundle import (
    CONTENT,
    MANIFEST,
    SIGNATURE_DER,
    SIGNATURE_JWS,
    SIGNATURES,
    TABLE,
    TAG_MANIFEST,
    TOP,
    TRACES,
    BundleWriter,
    payload_names,
)
from functions.signing.signatures import Signature, Signer, der_fits, jws_fits
from functions.signing.signing import PemSigner
from local.key_vault import keep_key
from tests.fakes.signer import MemorySigner

NAMES = payload_names("metadata")
FILES = {name: f"content of {name}\n".encode() * 3 for name in NAMES}


def harmless(_: bytes) -> None:
    pass


def packed(files: Mapping[str, bytes], *, signer: Signer | None = None, cut: int = 1 << 20) -> bytes:
    with BundleWriter(frozenset(files), rescan=harmless, signer=signer) as writer:
        for name, content in files.items():
            file = writer.open(name)
            for at in range(0, len(content), cut):
                file.write(content[at : at + cut])
        with writer.finish() as bundle:
            data = bundle.file.read()
        assert (bundle.size, bundle.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    return data


def read(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {entry.filename.removeprefix(f"{TOP}/"): archive.read(entry) for entry in archive.infolist()}


def test_what_goes_in_comes_out_in_order() -> None:
    files = read(packed(FILES))
    assert list(files) == sorted(NAMES | {"bagit.txt", "bag-info.txt", MANIFEST, TAG_MANIFEST})
    assert {name: files[name] for name in NAMES} == FILES


def test_content_stands_in_a_content_bundle_only() -> None:
    assert payload_names("content") - payload_names("metadata") == {CONTENT}


def test_the_same_files_give_the_same_bytes_however_they_are_written() -> None:
    shuffled = random.Random(1)
    large = b"".join(b"%d,%d\n" % (n, shuffled.getrandbits(64)) for n in range(150_000))
    files = FILES | {TABLE: large, TRACES: b'{"a":1},' * 1_200_000 + b"\n"}
    whole = packed(files)
    assert len(large) > 1 << 20
    for cut in (777, 65_536, 1 << 23):
        assert packed(dict(reversed(files.items())), cut=cut) == whole


def test_files_may_be_written_side_by_side() -> None:
    with BundleWriter(NAMES, rescan=harmless, signer=None) as writer:
        open_files = {name: writer.open(name) for name in sorted(NAMES)}
        for _ in range(3):
            for name, file in open_files.items():
                file.write(f"content of {name}\n".encode())
        with writer.finish() as bundle:
            assert bundle.file.read() == packed(FILES)


def test_signatures_come_last_and_nothing_else_differs(tmp_path: Path) -> None:
    keep_key(tmp_path / "key.pem")
    signer = PemSigner(tmp_path / "key.pem")
    first, second = packed(FILES, signer=signer), packed(FILES, signer=signer)
    assert first != second, "ES256 draws a number for each signature"
    unsigned, signed, again = read(packed(FILES)), read(first), read(second)
    assert list(signed)[-2:] == [SIGNATURE_JWS, SIGNATURE_DER]
    for files in (signed, again):
        assert {name: content for name, content in files.items() if name not in SIGNATURES} == unsigned
        assert b"signatures" not in files[TAG_MANIFEST] + files[MANIFEST]
    start = first.index(f"{TOP}/{SIGNATURE_JWS}".encode()) - 30
    assert first[:start] == second[:start] == packed(FILES)[:start]


def test_the_tag_manifest_is_what_is_signed_and_what_is_compared() -> None:
    signer = MemorySigner()
    with BundleWriter(NAMES, rescan=harmless, signer=signer) as writer:
        for name, content in FILES.items():
            writer.open(name).write(content)
        with writer.finish({"External-Identifier": "e1"}) as bundle:
            files = read(bundle.file.read())
    assert bundle.tag_manifest_sha256 == hashlib.sha256(files[TAG_MANIFEST]).hexdigest()
    assert der_fits(signer.public_key(), files[SIGNATURE_DER], files[TAG_MANIFEST])
    assert jws_fits(signer.public_key(), files[SIGNATURE_JWS].decode(), files[TAG_MANIFEST])
    assert bundle.key_id == signer.sign(b"").key_id
    size = sum(map(len, FILES.values()))
    assert files["bag-info.txt"].decode() == (
        f"Bag-Software-Agent: Tracekeeper\nExternal-Identifier: e1\nPayload-Oxum: {size}.{len(FILES)}\n"
    )


def test_every_byte_is_rescanned_and_one_hit_withholds_all() -> None:
    def rescan(block: bytes) -> None:
        if b"planted" in block:
            raise RedactionFailure("found", next_step="none")

    for name in sorted(NAMES):
        with BundleWriter(NAMES, rescan=rescan, signer=None) as writer:
            for other in NAMES:
                writer.open(other).write(b"planted" if other == name else b"clean")
            with pytest.raises(RedactionFailure):
                writer.finish()
    with BundleWriter(NAMES, rescan=rescan, signer=None) as writer:
        for name in NAMES:
            writer.open(name)
        with pytest.raises(RedactionFailure):
            writer.finish({"External-Description": "planted"})


def test_who_can_not_sign_gives_no_bundle() -> None:
    class Broken:
        def sign(self, _: bytes) -> Signature:
            raise SigningError("no", next_step="none")

        public_key = MemorySigner.public_key

    with pytest.raises(SigningError):
        packed(FILES, signer=Broken())  # type: ignore[arg-type]


def test_a_bundle_holds_each_of_its_files_once_and_no_other() -> None:
    with BundleWriter(NAMES, rescan=harmless, signer=None) as writer:
        writer.open(TABLE)
        for name in (TABLE, CONTENT, "data/more.json"):
            with pytest.raises(ValueError, match="a bundle holds"):
                writer.open(name)
        with pytest.raises(ValueError, match="a bundle holds"):
            writer.finish()


@pytest.mark.parametrize("line", [{"A": "x\ny"}, {"A:B": "x"}, {"A": "x\r"}, {"A": "\x1b"}])
def test_a_line_of_bag_info_stays_one_line(line: dict[str, str]) -> None:
    with (
        BundleWriter(frozenset(), rescan=harmless, signer=None) as writer,
        pytest.raises(ValueError, match="line"),
    ):
        writer.finish(line)


def test_a_closed_file_takes_nothing_more() -> None:
    with BundleWriter(NAMES, rescan=harmless, signer=None) as writer:
        file = writer.open(TABLE)
        file.close()
        with pytest.raises(ValueError, match="closed"):
            file.write(b"x")


def test_memory_stays_flat_and_the_disk_is_left_clean(tmp_path: Path) -> None:
    block = os.urandom(1 << 19).hex().encode() + b"\n"
    peaks = []
    for blocks in (8, 64):
        tracemalloc.start()
        with BundleWriter(
            frozenset({TABLE, TRACES}), rescan=harmless, signer=None, folder=tmp_path
        ) as writer:
            files = [writer.open(TABLE), writer.open(TRACES)]
            for _ in range(blocks):
                for file in files:
                    file.write(block)
            with writer.finish() as bundle:
                assert bundle.size > blocks * len(block) // 2
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2
    assert peaks[1] < 32 << 20
    assert list(tmp_path.iterdir()) == []
