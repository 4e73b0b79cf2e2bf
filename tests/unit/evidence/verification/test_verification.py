import os
import shutil
import struct
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.evidence.packing.bundle import (
    COMPLETENESS,
    CONTENT,
    CONTROLS,
    COVERAGE,
    MANIFEST,
    REDACTIONS,
    REQUEST,
    SIGNATURE_DER,
    SIGNATURE_JWS,
    TABLE,
    TAG_MANIFEST,
    TRACES,
)
from functions.evidence.seals.seals import digest_of
from functions.evidence.verification import container
from functions.evidence.verification.arithmetic import PayloadFacts
from functions.evidence.verification.stated import SealFacts
from functions.evidence.verification.verification import Ground, Refused, Verified, verify_bundle
from tests.unit.evidence.material import OTHER
from tests.unit.evidence.sound import (
    QUERIES_HMAC,
    SEAL_HASH,
    SIGNER,
    Files,
    files_of,
    payload,
    remade,
    seals,
    sound_bundle,
    unpacked,
    zipped,
)

KEY_ID = SIGNER.sign(b"").key_id


@pytest.fixture(scope="module")
def sound() -> bytes:
    return sound_bundle()


def refused(path: Path) -> str:
    result = verify_bundle(path)
    assert isinstance(result, Refused)
    assert result.ground is Ground.FILES
    assert result.reasons
    return " ".join(result.reasons)


def test_a_sound_bundle_is_verified_as_zip_as_folder_and_from_above_the_folder(
    sound: bytes, tmp_path: Path
) -> None:
    expected = Verified(
        files=14,
        payload=PayloadFacts(
            rows=4,
            traces=1,
            spans=2,
            complete=True,
            runs=1,
            verdicts={"pass": 6, "fail": 1, "not evaluable": 0},
            seals=SealFacts(
                days=1,
                compared=1,
                vanished=0,
                expired=0,
                not_sealed=1,
                ledger_hashes=frozenset({SEAL_HASH}),
            ),
            sample=None,
            queries_hmac_sha256=QUERIES_HMAC,
        ),
        stated_key_id=KEY_ID,
        signature_checked=False,
        ledger=None,
    )
    path = tmp_path / "bundle-metadata.zip"
    path.write_bytes(sound)
    assert verify_bundle(path) == expected
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    assert verify_bundle(tmp_path / "out") == expected
    assert verify_bundle(tmp_path / "out/bundle") == expected


def test_with_the_key_the_same_bundle_is_known_to_be_signed(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(sound)
    unchecked = verify_bundle(path)
    assert isinstance(unchecked, Verified)
    assert verify_bundle(path, key=SIGNER.public_key()) == replace(unchecked, signature_checked=True)


def test_a_content_bundle_holds_a_file_more(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(sound_bundle("content"))
    result = verify_bundle(path)
    assert isinstance(result, Verified)
    assert result.files == 15
    files = files_of(path.read_bytes())
    assert "missing" in refused(zipped(remade(without(CONTENT)(files)), path))
    foreign = edited(CONTENT, lambda part: part.update(trace_id=OTHER))
    assert "not in the bundle" in refused(zipped(remade(foreign(files)), path))


def test_a_metadata_bundle_with_content_is_refused(sound: bytes, tmp_path: Path) -> None:
    files = files_of(sound) | {CONTENT: payload("content")[CONTENT]}
    assert "does not belong" in refused(zipped(remade(files), tmp_path / "b.zip"))


def test_a_bundle_without_rows_or_seals_verifies(sound: bytes, tmp_path: Path) -> None:
    files = files_of(sound)
    files |= {name: files[name].splitlines(keepends=True)[0] for name in (TABLE, CONTROLS)} | {TRACES: b""}
    for change in (
        edited(
            COMPLETENESS,
            lambda said: said.update(slices=[], rows_here=0, rows_at_source=0) or said.pop("seals"),
        ),
        edited(REDACTIONS, lambda said: said.update(rows=0)),
    ):
        files = change(files)
    result = verify_bundle(zipped(remade(files), tmp_path / "b.zip"))
    assert isinstance(result, Verified)
    assert (result.payload.rows, result.payload.seals) == (0, None)


def changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    return lambda files: files | {name: change(files[name])}


def without(name: str) -> Callable[[Files], Files]:
    return lambda files: {other: content for other, content in files.items() if other != name}


def without_last_line(data: bytes) -> bytes:
    return b"".join(data.splitlines(keepends=True)[:-1])


ATTACKS: dict[str, tuple[Callable[[Files], Files], str]] = {
    "byte changed": (changed(TABLE, lambda data: data.replace(b"dispatcher", b"dispatchet")), "changed"),
    "record deleted": (changed(TRACES, lambda _: b""), "changed"),
    "file removed": (without(REDACTIONS), "missing"),
    "file removed with its line": (lambda files: remade(without(REDACTIONS)(files)), "missing"),
    "file added under data/": (lambda files: files | {"data/more.csv": b"x"}, "does not belong"),
    "listed file added under data/": (
        lambda files: remade(files | {"data/more.csv": b"x"}),
        "does not belong",
    ),
    "unlisted tag file in the root": (lambda files: files | {"readme.txt": b"trust me"}, "does not belong"),
    "file in a new folder": (lambda files: files | {"signatures/x.sig": b"x"}, "does not belong"),
    "one of the signatures removed": (without(SIGNATURE_DER), "missing"),
    "a signature that is none": (changed(SIGNATURE_DER, lambda _: b"trust me"), "no signature"),
    "a JWS that is none": (changed(SIGNATURE_JWS, lambda data: data[:-9]), "no signature"),
    "the other signature removed": (without(SIGNATURE_JWS), "missing"),
    "tag file changed": (changed("bag-info.txt", lambda data: data + b"Contact: x\n"), "changed"),
    "manifest changed": (changed(MANIFEST, lambda data: data.replace(b"a", b"b")), "changed"),
    "manifest removed": (without(MANIFEST), "missing"),
    "tag manifest removed": (without(TAG_MANIFEST), "missing"),
    "manifest line removed": (changed(MANIFEST, without_last_line), "does not list"),
    "manifest line twice": (changed(MANIFEST, lambda data: data + data), "twice"),
    "manifest without digests": (changed(MANIFEST, lambda _: b"data/spans.csv\n"), "no digest"),
    "manifest lists a way out": (changed(MANIFEST, lambda data: data + b"0" * 64 + b"  ../x\n"), "may not"),
    "other bagit version": (changed("bagit.txt", lambda data: data.replace(b"1.0", b"0.9")), "BagIt 1.0"),
    "other size stated": (changed("bag-info.txt", lambda data: data.replace(b"Oxum: ", b"Oxum: 1")), "size"),
}


@pytest.mark.parametrize(("attack", "reason"), ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("form", [zipped, unpacked])
def test_an_attack_on_the_files_is_refused(
    attack: Callable[[Files], Files],
    reason: str,
    form: Callable[[Files, Path], Path],
    sound: bytes,
    tmp_path: Path,
) -> None:
    assert reason in refused(form(attack(files_of(sound)), tmp_path / "bundle"))


def edited(name: str, edit: Callable[[Any], object]) -> Callable[[Files], Files]:
    def change(data: bytes) -> bytes:
        value = orjson.loads(data)
        edit(value)
        return orjson.dumps(value) + b"\n"

    return changed(name, change)


def first_span(line: Any) -> Any:
    return line["resourceSpans"][0]["scopeSpans"][0]["spans"][0]


def with_vanished(*, complete: bool, **changes: Any) -> dict[str, Any]:
    gone = {
        "traces": 1,
        "sha256": digest_of([OTHER]),
        "named": [{"trace_id": OTHER, "sealed_on": "2026-11-22"}],
    }
    return seals(complete=complete, vanished=gone | changes)


def with_content(*, here: int, complete: bool) -> dict[str, Any]:
    part = {"rows_at_source": here, "rows_here": here, "complete": True}
    return {"rows_pointing_there": 2, "rows_here": here, "slices": [part], "complete": complete}


def test_content_that_may_not_be_read_makes_a_bundle_incomplete(sound: bytes, tmp_path: Path) -> None:
    for here, complete in ((2, True), (0, False)):
        content = with_content(here=here, complete=complete)
        change = edited(
            COMPLETENESS, lambda said, found=content: said.update(complete=found["complete"], content=found)
        )
        result = verify_bundle(zipped(remade(change(files_of(sound))), tmp_path / "b.zip"))
        assert isinstance(result, Verified)
        assert result.payload.complete is complete


def test_a_vanished_trace_makes_a_bundle_incomplete_and_is_counted(sound: bytes, tmp_path: Path) -> None:
    change = edited(
        COMPLETENESS, lambda said: said.update(complete=False, seals=with_vanished(complete=False))
    )
    result = verify_bundle(zipped(remade(change(files_of(sound))), tmp_path / "b.zip"))
    assert isinstance(result, Verified)
    assert not result.payload.complete
    assert result.payload.seals is not None
    assert result.payload.seals.vanished == 1


DISGUISED = b'"attributes":[{"key":"\\u0074racekeeper.placeholder","value":{"boolValue":true}},{"key":"azure'
"""What no row stands behind is marked so; JSON knows more than one way to write that."""

FORGERIES: dict[str, tuple[Callable[[Files], Files], str]] = {
    "a row less in the table": (changed(TABLE, without_last_line), "different rows"),
    "a row twice in the table": (
        changed(TABLE, lambda data: data + data.splitlines(keepends=True)[-1]),
        "different",
    ),
    "an event less": (
        edited(TRACES, lambda line: line["resourceSpans"][0]["scopeSpans"][0]["spans"].pop()),
        "different",
    ),
    "a span for an event": (
        changed(TABLE, lambda data: data.replace(b"AppTraces", b"AppRequests")),
        "different",
    ),
    "another trace id in the table": (
        changed(TABLE, lambda data: data.replace(b"4bf9", b"5bf9", 1)),
        "different",
    ),
    "a trace twice": (changed(TRACES, lambda data: data + data), "twice"),
    "two traces in a line": (edited(TRACES, lambda line: first_span(line).update(traceId="0" * 32)), "shape"),
    "a span id that is none": (edited(TRACES, lambda line: first_span(line).update(spanId="x")), "span id"),
    "a cut line": (changed(TRACES, lambda data: data[:-1]), "cut"),
    "no JSON": (changed(TRACES, lambda _: b"{\n"), "shape"),
    "JSON of another kind": (changed(TRACES, lambda _: b"[]\n"), "shape"),
    "nesting without end": (changed(TRACES, lambda _: b"[" * 100_000 + b"\n"), "shape"),
    "other columns": (changed(TABLE, lambda data: data.replace(b"trace_id", b"trace", 1)), "columns"),
    "a broken table": (changed(TABLE, lambda data: data + b'"open\r\n'), "shape"),
    "a quote within a cell": (changed(TABLE, lambda data: data.replace(b'""', b'"', 1)), "shape"),
    "a cut table": (changed(TABLE, lambda data: data[:-1]), "cut"),
    "a table that is not UTF-8": (changed(TABLE, lambda data: data.replace(b"2.0", b"\xff", 1)), "shape"),
    "a line that is not UTF-8": (changed(TABLE, lambda data: data + b"\xff\r\n"), "shape"),
    "a cell more": (changed(TABLE, lambda data: data.replace(b"AppTraces,", b"AppTraces,,")), "cells"),
    "a span told to be none, in other letters": (
        changed(TRACES, lambda data: data.replace(b'"attributes":[{"key":"azure', DISGUISED, 1)),
        "different",
    ),
    "controls that are not UTF-8": (
        changed(CONTROLS, lambda data: data.replace(b"as measured", b"\xff", 1)),
        "shape",
    ),
    "a request that is no object": (changed(REQUEST, lambda _: b"[]"), "no JSON object"),
    "redactions that are no JSON": (changed(REDACTIONS, lambda _: b"none"), "no JSON object"),
    "a coverage that is no JSON": (changed(COVERAGE, lambda _: b"none"), "no JSON object"),
    "a request of no profile": (edited(REQUEST, lambda said: said.update(profile="all")), "no profile"),
    "a request for nothing": (edited(REQUEST, lambda said: said.pop("selector")), "nothing that was asked"),
    "a request without the queries": (edited(REQUEST, lambda said: said.pop("queries_hmac_sha256")), "shape"),
    "redactions of other rows": (edited(REDACTIONS, lambda said: said.update(rows=3)), "counts 3 rows"),
    "redactions of another profile": (
        edited(REDACTIONS, lambda said: said.update(profile="content")),
        "another profile",
    ),
    "redactions with a hit": (
        edited(REDACTIONS, lambda said: said["rescan"].update(found=1)),
        "must not be",
    ),
    "controls of a trace that is not here": (
        changed(CONTROLS, lambda data: data.replace(b"4bf9", b"5bf9")),
        "not in the bundle",
    ),
    "a verdict less": (changed(CONTROLS, without_last_line), "each control"),
    "a verdict twice": (
        changed(CONTROLS, lambda data: data + data.splitlines(keepends=True)[-1]),
        "two verdicts",
    ),
    "a verdict that is none": (changed(CONTROLS, lambda data: data.replace(b",fail,", b",maybe,")), "shape"),
    "a control that is none": (
        changed(CONTROLS, lambda data: data.replace(b",latency,", b",beauty,")),
        "shape",
    ),
    "a verdict without a reason": (
        changed(CONTROLS, lambda data: data.replace(b",fail,as measured,", b",fail,,")),
        "without a reason",
    ),
    "controls with other columns": (
        changed(CONTROLS, lambda data: data.replace(b"run_id", b"run", 1)),
        "columns",
    ),
    "a line of controls that is too short": (changed(CONTROLS, lambda data: data + b"x,y\r\n"), "cells"),
    "a false total": (edited(COMPLETENESS, lambda said: said.update(rows_here=5)), "add up"),
    "a false total at the source": (
        edited(COMPLETENESS, lambda said: said.update(rows_at_source=3)),
        "add up",
    ),
    "a slice called complete": (
        edited(COMPLETENESS, lambda said: said["slices"][0].update(rows_at_source=9)),
        "counts differ",
    ),
    "complete with a trace missing": (
        edited(COMPLETENESS, lambda said: said["missing_trace_ids"].append("x")),
        "wrong",
    ),
    "complete though a sealed trace vanished": (
        edited(COMPLETENESS, lambda said: said.update(seals=with_vanished(complete=False))),
        "wrong conclusion from its counts",
    ),
    "seals complete though a trace vanished": (
        edited(COMPLETENESS, lambda said: said.update(seals=with_vanished(complete=True))),
        "wrong conclusion from the seals",
    ),
    "seals complete behind the retention": (
        edited(COMPLETENESS, lambda said: said["seals"].update(behind_retention=True)),
        "wrong conclusion from the seals",
    ),
    "fewer vanished traces named than counted": (
        edited(
            COMPLETENESS,
            lambda said: said.update(complete=False, seals=with_vanished(complete=False, traces=2)),
        ),
        "than it names",
    ),
    "other vanished traces named than digested": (
        edited(
            COMPLETENESS,
            lambda said: said.update(
                complete=False, seals=with_vanished(complete=False, sha256=digest_of(["x"]))
            ),
        ),
        "digest",
    ),
    "complete though content is missing": (
        edited(COMPLETENESS, lambda said: said.update(content=with_content(here=1, complete=False))),
        "wrong conclusion from its counts",
    ),
    "content complete though some is missing": (
        edited(COMPLETENESS, lambda said: said.update(content=with_content(here=1, complete=True))),
        "wrong conclusion about content",
    ),
    "a day of the seals twice": (
        edited(COMPLETENESS, lambda said: said["seals"]["not_sealed"][0].update(day="2026-11-22")),
        "twice",
    ),
    "more compared than sealed": (
        edited(COMPLETENESS, lambda said: said["seals"]["days"][0].update(compared=4)),
        "than its seal holds",
    ),
    "no slices": (
        edited(COMPLETENESS, lambda said: said.update(slices=[], rows_here=0, rows_at_source=0)),
        "states 0",
    ),
    "a field missing": (edited(COMPLETENESS, lambda said: said.pop("slices")), "shape"),
}


@pytest.mark.parametrize(("forgery", "reason"), FORGERIES.values(), ids=FORGERIES)
def test_files_that_disagree_are_refused_even_where_the_manifests_fit(
    forgery: Callable[[Files], Files], reason: str, sound: bytes, tmp_path: Path
) -> None:
    assert reason in refused(zipped(remade(forgery(files_of(sound))), tmp_path / "b.zip"))


def test_manifests_alone_do_not_stop_a_forger(sound: bytes, tmp_path: Path) -> None:
    forged = changed(TABLE, lambda data: data.replace(b"dispatcher", b"dispatchet"))(files_of(sound))
    assert isinstance(verify_bundle(zipped(remade(forged), tmp_path / "b.zip")), Verified)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "bundle/../../x",
        "bundle/./bagit.txt",
        "bundle//x",
        "C:/x",
        "bundle/a\\b",
        "other/x",
        "x",
        "bundle/\x1b[2J",
    ],
)
def test_an_unsafe_name_in_a_zip_is_refused(name: str, sound: bytes, tmp_path: Path) -> None:
    path = zipped(files_of(sound), tmp_path / "b.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"x")
    reason = refused(path)
    assert reason.isprintable()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(sound: bytes, tmp_path: Path) -> None:
    path = zipped(files_of(sound), tmp_path / "b.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"bundle/{TABLE}", b"another")
    assert "twice" in refused(path)


def test_a_name_in_another_case_is_refused(sound: bytes, tmp_path: Path) -> None:
    assert "case" in refused(zipped(files_of(sound) | {"DATA/spans.csv": b"x"}, tmp_path / "b.zip"))


def test_a_bundle_in_another_folder_than_its_own_is_refused(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files_of(sound).items():
            archive.writestr(f"other/{name}", content)
    assert "outside the folder" in refused(path)


def test_an_encrypted_or_unusually_packed_file_is_refused(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        for name, content in files_of(sound).items():
            archive.writestr(f"bundle/{name}", content)
    assert "unusual" in refused(path)
    encrypted = bytearray(sound)
    encrypted[encrypted.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(encrypted)
    assert "encrypted" in refused(path)


def test_a_folder_entry_is_allowed_unless_it_hides_content(sound: bytes, tmp_path: Path) -> None:
    for content, expected in ((b"", Verified), (b"hidden", Refused)):
        path = zipped(files_of(sound), tmp_path / "b.zip")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(zipfile.ZipInfo("bundle/data/"), content)
        assert isinstance(verify_bundle(path), expected)


@pytest.mark.parametrize("mode", [0o120777, 0o060644, 0o010644])
def test_a_link_or_device_in_a_zip_is_refused(mode: int, sound: bytes, tmp_path: Path) -> None:
    files = files_of(sound)
    del files[TABLE]
    path = zipped(files, tmp_path / "b.zip")
    entry = zipfile.ZipInfo(f"bundle/{TABLE}")
    entry.create_system, entry.external_attr = 3, mode << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, b"/etc/passwd")
    assert "neither a file nor a folder" in refused(path)


def test_a_link_in_a_folder_is_refused(sound: bytes, tmp_path: Path) -> None:
    folder = unpacked(files_of(sound), tmp_path / "bundle")
    shutil.move(folder / TABLE, tmp_path / "elsewhere.csv")
    (folder / TABLE).symlink_to(tmp_path / "elsewhere.csv")
    assert "neither a file nor a folder" in refused(folder)


def test_a_linked_folder_is_refused(sound: bytes, tmp_path: Path) -> None:
    folder = unpacked(files_of(sound), tmp_path / "bundle")
    shutil.move(folder / "data", tmp_path / "elsewhere")
    (folder / "data").symlink_to(tmp_path / "elsewhere")
    assert "neither a file nor a folder" in refused(folder)


def test_a_pipe_in_a_folder_does_not_hang_the_verifier(sound: bytes, tmp_path: Path) -> None:
    folder = unpacked(files_of(sound), tmp_path / "bundle")
    (folder / TABLE).unlink()
    os.mkfifo(folder / TABLE)
    assert "neither a file nor a folder" in refused(folder)


@pytest.mark.parametrize(
    "add", [lambda zip_: b"PK" + zip_, lambda zip_: zip_ + b"PK", lambda zip_: zip_ + zip_]
)
def test_what_two_readers_of_a_zip_could_see_differently_is_refused(
    add: Callable[[bytes], bytes], sound: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(add(sound))
    refused(path)


@pytest.mark.parametrize("at", ["before the directory", "between two files"])
def test_a_file_that_only_a_reader_from_the_start_would_find_is_refused(
    at: str, sound: bytes, tmp_path: Path
) -> None:
    hidden = zipped({"data/hidden.csv": b"trust me"}, tmp_path / "hidden.zip").read_bytes()
    hidden = hidden[: hidden.index(b"PK\x01\x02")]
    path = tmp_path / "b.zip"
    directory = sound.index(b"PK\x01\x02")
    place = directory if at == "before the directory" else sound.index(b"PK\x03\x04", 4)
    data = bytearray(sound[:place] + hidden + sound[place:])
    moved = len(hidden)
    data[-6:-2] = struct.pack("<I", directory + moved)
    position = directory + moved
    while (position := data.find(b"PK\x01\x02", position)) >= 0:
        (offset,) = struct.unpack_from("<I", data, position + 42)
        struct.pack_into("<I", data, position + 42, offset + moved if offset >= place else offset)
        position += 4
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None, "the usual readers see nothing"
    assert "belong to none" in refused(path)


@pytest.mark.skipif(shutil.which("zip") is None, reason="no zip here")
def test_a_bundle_that_another_tool_packed_again_is_verified(sound: bytes, tmp_path: Path) -> None:
    unpacked(files_of(sound), tmp_path / "bundle")
    for call in (["zip", "-qr", "b.zip", "bundle"], ["sh", "-c", "zip -qr - bundle | cat > b.zip"]):
        subprocess.run(call, cwd=tmp_path, check=True)
        assert isinstance(verify_bundle(tmp_path / "b.zip"), Verified)
        (tmp_path / "b.zip").unlink()


@pytest.mark.parametrize("large", [False, True], ids=["zip", "ZIP64"])
def test_a_directory_that_would_fill_the_memory_is_not_read(large: bool, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    count = 70_000 if large else 20_000
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            archive.writestr(zipfile.ZipInfo(f"bundle/data/{number:030d}"), b"")
    tracemalloc.start()
    assert "too long" in refused(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_zip64_that_is_sound_is_read(sound: bytes, tmp_path: Path) -> None:
    directory, end = sound.index(b"PK\x01\x02"), len(sound) - 22
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 14, 14, end - directory, directory)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    path = tmp_path / "b.zip"
    path.write_bytes(sound[:end] + record + locator + sound[end:])
    assert isinstance(verify_bundle(path), Verified)


def test_a_bomb_is_refused_by_what_it_claims_without_being_unpacked(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(claiming(sound, 0xFFFFFFF0))
    assert "GiB" in refused(path)


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(claiming(sound, 10))
    refused(path)


def claiming(data: bytes, size: int) -> bytes:
    """Change the uncompressed size that the central directory states of every entry."""
    changed_data = bytearray(data)
    position = 0
    while (position := changed_data.find(b"PK\x01\x02", position)) >= 0:
        changed_data[position + 24 : position + 28] = struct.pack("<I", size)
        position += 4
    return bytes(changed_data)


def test_too_many_files_are_refused(sound: bytes, tmp_path: Path) -> None:
    crowd = {f"data/{number}": b"" for number in range(container.MAX_FILES)}
    assert "files" in refused(zipped(files_of(sound) | crowd, tmp_path / "b.zip"))
    assert "files" in refused(unpacked(files_of(sound) | crowd, tmp_path / "bundle"))


def test_a_byte_changed_anywhere_is_refused_or_changes_no_file(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    outcomes = set()
    for position in range(0, len(sound), 61):
        damaged = bytearray(sound)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        outcomes.add(verified := isinstance(verify_bundle(path), Verified))
        assert not verified or files_of(bytes(damaged)) == files_of(sound), position
    assert False in outcomes


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 10])
def test_what_is_no_zip_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    refused(path)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere.zip")
    refused(tmp_path)
