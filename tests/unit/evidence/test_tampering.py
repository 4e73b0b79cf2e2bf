"""Each attack on a bundle, tried against sha256sum, bagit and openssl as an auditor runs them, and on us.

What each of them alone misses is stated here too, so that docs/evidence.md can't promise more.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from functions.evidence.packing.bundle import (
    REDACTIONS,
    SIGNATURE_DER,
    SIGNATURE_JWS,
    TABLE,
    TAG_MANIFEST,
    TRACES,
)
from functions.evidence.verification.verification import Refused, Verified, verify_bundle
from functions.signing.signatures import public_pem
from tests.fakes.signer import MemorySigner
from tests.unit.evidence.sound import (
    SIGNER,
    Files,
    files_of,
    remade,
    sound_bundle,
    unpacked,
    without_signatures,
    zipped,
)

BAGIT = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "bagit", "--validate", "--quiet", "."]


@dataclass(frozen=True)
class Caught:
    """Who catches an attack; our verifier must, each one.

    Attributes:
        sha256sum: `sha256sum -c` over both manifests.
        bagit: bagit's own tool.
        openssl: The signature over the tag manifest.
        without_key: Our verifier where no key is given.
    """

    sha256sum: bool
    bagit: bool
    openssl: bool
    without_key: bool = True


def resigned(files: Files) -> Files:
    """Sign anew, with a key of the forger's own."""
    signature = MemorySigner(666).sign(files[TAG_MANIFEST])
    return files | {SIGNATURE_DER: signature.der, SIGNATURE_JWS: signature.jws.encode()}


def reworded(files: Files) -> Files:
    return files | {TABLE: files[TABLE].replace(b"dispatcher", b"dispatchet")}


def without(name: str) -> Callable[[Files], Files]:
    return lambda files: {other: content for other, content in files.items() if other != name}


ATTACKS: dict[str, tuple[Callable[[Files], Files], Caught]] = {
    "byte changed": (reworded, Caught(sha256sum=True, bagit=True, openssl=False)),
    "record deleted": (
        lambda files: files | {TABLE: b"".join(files[TABLE].splitlines(keepends=True)[:-1])},
        Caught(sha256sum=True, bagit=True, openssl=False),
    ),
    "all records deleted": (
        lambda files: files | {TRACES: b""},
        Caught(sha256sum=True, bagit=True, openssl=False),
    ),
    "file removed": (without(REDACTIONS), Caught(sha256sum=True, bagit=True, openssl=False)),
    "file added under data/": (
        lambda files: files | {"data/more.csv": b"trace_id\n"},
        Caught(sha256sum=False, bagit=True, openssl=False),
    ),
    "payload and manifests rewritten": (
        lambda files: remade(reworded(files)),
        Caught(sha256sum=False, bagit=False, openssl=True, without_key=False),
    ),
    "payload and manifests rewritten, and signed anew": (
        lambda files: resigned(remade(reworded(files))),
        Caught(sha256sum=False, bagit=False, openssl=True, without_key=False),
    ),
    "signatures stripped": (
        without_signatures,
        Caught(sha256sum=False, bagit=False, openssl=True, without_key=False),
    ),
    "unlisted tag file in the root": (
        lambda files: files | {"README.txt": b"all is well\n"},
        Caught(sha256sum=False, bagit=False, openssl=False),
    ),
    "unlisted file beside the signatures": (
        lambda files: files | {"signatures/second.sig.der": b"x"},
        Caught(sha256sum=False, bagit=False, openssl=False),
    ),
}


def sha256sum_catches(bag: Path) -> bool:
    runs = [
        subprocess.run(
            ["sha256sum", "--check", "--strict", "--quiet", name], cwd=bag, capture_output=True, check=False
        )
        for name in ("manifest-sha256.txt", TAG_MANIFEST)
    ]
    return any(run.returncode for run in runs)


def bagit_catches(bag: Path) -> bool:
    return subprocess.run(BAGIT, cwd=bag, capture_output=True, check=False).returncode != 0


def openssl_catches(bag: Path, key: Path) -> bool:
    call = ["openssl", "dgst", "-sha256", "-verify", str(key), "-signature", SIGNATURE_DER, TAG_MANIFEST]
    return subprocess.run(call, cwd=bag, capture_output=True, check=False).returncode != 0


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "pub.pem"
    path.write_text(public_pem(SIGNER.public_key()))
    return path


@pytest.mark.skipif(not (shutil.which("sha256sum") and shutil.which("openssl")), reason="no such tool here")
@pytest.mark.parametrize(
    "attack", [lambda files: files, *(change for change, _ in ATTACKS.values())], ids=["none", *ATTACKS]
)
def test_who_catches_what(
    attack: Callable[[Files], Files], key: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    expected = ATTACKS[name][1] if name in ATTACKS else Caught(False, False, False, without_key=False)
    files = attack(files_of(sound_bundle()))
    bag = unpacked(files, tmp_path / "bundle")
    assert (
        Caught(
            sha256sum=sha256sum_catches(bag),
            bagit=bagit_catches(bag),
            openssl=openssl_catches(bag, key),
            without_key=isinstance(verify_bundle(bag), Refused),
        )
        == expected
    )
    for form in (bag, zipped(files, tmp_path / "bundle.zip")):
        with_key = verify_bundle(form, key=SIGNER.public_key())
        assert isinstance(with_key, Verified if name == "none" else Refused)


def test_bagits_own_tool_really_ran(tmp_path: Path) -> None:
    bag = unpacked(files_of(sound_bundle()), tmp_path / "bundle")
    done = subprocess.run([*BAGIT[:-2], "."], cwd=bag, capture_output=True, text=True, check=False)
    assert (done.returncode, "is valid" in done.stderr) == (0, True)
