"""The bundle that an export really makes, from telemetry to zip."""

import io
import warnings
import zipfile
from pathlib import Path

from functions.evidence.packing.bundle import MANIFEST, TAG_MANIFEST, TAGS, TOP, payload_names
from functions.evidence.verification.verification import Verified, verify_bundle
from tests.unit.evidence.material import bundle


def test_everything_lies_in_one_folder() -> None:
    expected = payload_names("metadata") | TAGS | {MANIFEST, TAG_MANIFEST}
    with zipfile.ZipFile(io.BytesIO(bundle())) as archive:
        assert archive.namelist() == sorted(f"{TOP}/{name}" for name in expected)


def test_the_librarians_own_tool_finds_the_bag_valid(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle())) as archive:
        archive.extractall(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # bagit 1.9 calls re.sub in the old way
        import bagit

        bag = bagit.Bag(str(tmp_path / TOP))
        assert bag.validate()
    assert bag.info["Payload-Oxum"].endswith(".8")


def test_our_verifier_finds_that_its_files_agree(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle())
    result = verify_bundle(path)
    assert isinstance(result, Verified), result
    assert (result.payload.rows, result.payload.traces, result.payload.spans) == (4, 1, 2)
