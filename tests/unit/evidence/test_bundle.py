import io
import warnings
import zipfile
from pathlib import Path

import pytest

from functions.errors import RedactionFailure
from functions.evidence.bundle import PAYLOAD, TOP, pack_bundle
from tests.unit.evidence.material import bundle

FILES = {name: f"content of {name}\n".encode() for name in PAYLOAD}


def harmless(_: bytes) -> None:
    pass


def test_the_same_files_give_the_same_bytes_whatever_their_order() -> None:
    reordered = dict(reversed(FILES.items()))
    assert pack_bundle(FILES, rescan=harmless) == pack_bundle(reordered, rescan=harmless)


def test_everything_lies_in_one_folder() -> None:
    with zipfile.ZipFile(io.BytesIO(bundle())) as archive:
        assert sorted(archive.namelist()) == [
            f"{TOP}/{name}"
            for name in [
                "bag-info.txt",
                "bagit.txt",
                "data/completeness.json",
                "data/controls.csv",
                "data/coverage.json",
                "data/redactions.json",
                "data/report.html",
                "data/request.json",
                "data/spans.csv",
                "data/traces.otlp.jsonl",
                "manifest-sha256.txt",
                "tagmanifest-sha256.txt",
            ]
        ]


@pytest.mark.parametrize("name", sorted(PAYLOAD))
def test_every_payload_file_is_rescanned_and_one_hit_withholds_all(name: str) -> None:
    def rescan(data: bytes) -> None:
        if data == FILES[name]:
            raise RedactionFailure("found", next_step="none")

    with pytest.raises(RedactionFailure):
        pack_bundle(FILES, rescan=rescan)


@pytest.mark.parametrize("files", [{}, FILES | {"data/more.json": b"{}"}, dict(list(FILES.items())[1:])])
def test_a_bundle_holds_exactly_its_payload(files: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="a bundle holds"):
        pack_bundle(files, rescan=harmless)


def test_the_librarians_own_tool_finds_the_bag_valid(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle())) as archive:
        archive.extractall(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # bagit 1.9 calls re.sub in the old way
        import bagit

        bag = bagit.Bag(str(tmp_path / TOP))
        assert bag.validate()
    assert bag.info["Payload-Oxum"].endswith(".8")
