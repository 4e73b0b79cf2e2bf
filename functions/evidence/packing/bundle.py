"""Packs payload files into a bundle: a BagIt 1.0 bag in a zip, signed, written as the files come.

(https://www.rfc-editor.org/rfc/rfc8493) Nothing in it tells when it was made: but for signatures/, the same
files give the same bytes, so that an export can be repeated and compared.
"""

import hashlib
import io
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Self, cast

from zlib_ng import zlib_ng

from functions.evidence.packing.zip_writer import DEFLATED, STORED, Entry, write_zip
from functions.evidence.redaction.blocks import Blocks
from functions.signing.signatures import Signer

TOP = "bundle"
"""The one folder in the zip."""

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
TRACES = "data/traces.otlp.jsonl"
TABLE = "data/spans.csv"
CONTROLS = "data/controls.csv"
REPORT = "data/report.html"
REQUEST = "data/request.json"
COMPLETENESS = "data/completeness.json"
COVERAGE = "data/coverage.json"
REDACTIONS = "data/redactions.json"
CONTENT = "data/content.jsonl"

INVENTORY = "data/inventory.json"
RESOURCES = "data/resources.csv"
DRIFT = "data/drift.json"
"""The payload of the other kind of bundle, an inventory of Azure resources; the last one if compared."""

MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
TAGS = frozenset({"bagit.txt", "bag-info.txt", MANIFEST})
"""The files that the tag manifest lists."""

SIGNATURE_DER = "signatures/tagmanifest.sig.der"
SIGNATURE_JWS = "signatures/tagmanifest.jws"
SIGNATURES = frozenset({SIGNATURE_DER, SIGNATURE_JWS})
"""The signatures over the tag manifest, which does not list them."""

_METADATA_PAYLOAD = frozenset({TRACES, TABLE, CONTROLS, REPORT, REQUEST, COMPLETENESS, COVERAGE, REDACTIONS})
_SOFTWARE = "Tracekeeper"
_LEVEL = 5
_RAW_DEFLATE = -15  # no zlib header: what a zip holds
_IN_MEMORY_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20

Rescan = Callable[[bytes], None]
"""Raises RedactionFailure where bytes hold something that must not leave."""


def payload_names(profile: str) -> frozenset[str]:
    """Return the payload files of a bundle of this profile, as paths from the bag's root."""
    return _METADATA_PAYLOAD | {CONTENT} if profile == "content" else _METADATA_PAYLOAD


def inventory_names(*, compared: bool) -> frozenset[str]:
    """Return the payload files of an inventory, which may have been compared with an earlier one."""
    return frozenset({INVENTORY, RESOURCES, DRIFT} if compared else {INVENTORY, RESOURCES})


@dataclass(frozen=True, slots=True)
class FinishedBundle:
    """A bundle that is written; a context manager that removes it from the disk.

    Attributes:
        file: The zip, a temporary file that stands at its beginning.
        size: Of the zip, in bytes.
        sha256: Of the zip, hex. Signatures differ from run to run, and with them this.
        tag_manifest_sha256: Of the tag manifest, hex: the same for the same files.
        key_id: Thumbprint of the key that signed it; None where nobody did.
    """

    file: BinaryIO
    size: int
    sha256: str
    tag_manifest_sha256: str
    key_id: str | None

    def close(self) -> None:
        """Remove the zip from the disk."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class PayloadFile:
    """One file of the payload while it is written: hashed, rescanned and deflated as it comes.

    Args:
        spool: Where the deflated bytes go.
        rescan: Is given all bytes, in blocks that end at the end of a line wherever a line fits.
    """

    def __init__(self, spool: IO[bytes], rescan: Rescan) -> None:
        self.spool = spool
        self.size = 0
        self.crc = 0
        self._digest = hashlib.sha256()
        self._deflate = zlib_ng.compressobj(_LEVEL, zlib_ng.DEFLATED, _RAW_DEFLATE)
        self._blocks = Blocks(rescan, self._pack)
        self._closed = False

    def write(self, data: bytes) -> None:
        """Take the next bytes; how they are cut does not matter. Raises RedactionFailure."""
        if self._closed:
            message = "the file is closed"
            raise ValueError(message)
        self._blocks.write(data)

    def close(self) -> None:
        """Rescan and deflate what is left; nothing more may come. Raises RedactionFailure."""
        if not self._closed:
            self._closed = True
            self._blocks.close()
            self.spool.write(self._deflate.flush())

    def sha256(self) -> str:
        """Return the hash of all bytes, hex, once the file is closed."""
        return self._digest.hexdigest()

    def entry(self, name: str) -> Entry:
        """Return it as an entry of a zip, once it is closed."""
        packed_size = self.spool.tell()
        self.spool.seek(0)
        return Entry(name, DEFLATED, self.crc, self.size, packed_size, self.spool)

    def _pack(self, block: bytes) -> None:
        self.size += len(block)
        self.crc = zlib_ng.crc32(block, self.crc)
        self._digest.update(block)
        self.spool.write(self._deflate.compress(block))


class BundleWriter:
    """Writes one bundle. A context manager: leaving it removes what is not finished from the disk.

    Args:
        names: The payload files that the bundle must hold, see `payload_names` and `inventory_names`.
        rescan: Is given every byte of the payload, and the words of bag-info.txt.
        signer: Signs the tag manifest; None leaves the bundle without signatures.
        folder: Where temporary files go; None for the system's own place.
    """

    def __init__(
        self,
        names: frozenset[str],
        *,
        rescan: Rescan,
        signer: Signer | None,
        folder: Path | None = None,
    ) -> None:
        self._names = names
        self._rescan = rescan
        self._signer = signer
        self._folder = str(folder) if folder else None
        self._files: dict[str, PayloadFile] = {}
        self._spools = ExitStack()

    def open(self, name: str) -> PayloadFile:
        """Begin a payload file ("data/…"); several may be open at the same time."""
        if name not in self._names or name in self._files:
            message = f"a bundle holds {sorted(self._names)}, each once, and not {name}"
            raise ValueError(message)
        spool = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=self._folder)  # noqa: SIM115 - closed by the stack
        self._spools.callback(spool.close)
        self._files[name] = PayloadFile(cast("IO[bytes]", spool), self._rescan)
        return self._files[name]

    def finish(self, bag_info: Mapping[str, str] | None = None) -> FinishedBundle:
        """Close all payload files, sign, and return the bundle.

        Args:
            bag_info: Further lines of bag-info.txt: label to value, each one line of text.

        Raises:
            RedactionFailure: Something in it may not leave; there is no bundle.
            SigningError: It could not be signed; there is no bundle.
        """
        if self._files.keys() != self._names:
            message = f"a bundle holds {sorted(self._names)}"
            raise ValueError(message)
        for file in self._files.values():
            file.close()
        info = _bag_info(bag_info or {}, self._files)
        self._rescan(info)
        payload = {name: file.sha256() for name, file in self._files.items()}
        tags = {"bagit.txt": DECLARATION, "bag-info.txt": info, MANIFEST: _manifest(payload)}
        tag_manifest = _manifest(
            {name: hashlib.sha256(content).hexdigest() for name, content in tags.items()}
        )
        tags[TAG_MANIFEST] = tag_manifest
        signatures: dict[str, bytes] = {}
        key_id = None
        if self._signer is not None:
            signature = self._signer.sign(tag_manifest)
            signatures = {SIGNATURE_DER: signature.der, SIGNATURE_JWS: signature.jws.encode()}
            key_id = signature.key_id
        return self._stitch(tags, signatures, _sha256(tag_manifest), key_id)

    def _stitch(
        self,
        tags: Mapping[str, bytes],
        signatures: Mapping[str, bytes],
        tag_manifest_sha256: str,
        key_id: str | None,
    ) -> FinishedBundle:
        """Put the signatures last: all that stands before them is the same from run to run."""
        entries = {name: file.entry(f"{TOP}/{name}") for name, file in self._files.items()}
        entries |= {name: _stored(name, content) for name, content in tags.items()}
        ordered = [entries[name] for name in sorted(entries)]
        ordered += [_stored(name, content) for name, content in sorted(signatures.items())]
        with ExitStack() as unfinished:
            file = cast("BinaryIO", tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115 - the caller closes it
            unfinished.callback(file.close)
            write_zip(file, ordered)
            self._spools.close()
            size = file.tell()
            file.seek(0)
            digest = hashlib.sha256()
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
            file.seek(0)
            unfinished.pop_all()
        return FinishedBundle(file, size, digest.hexdigest(), tag_manifest_sha256, key_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spools.close()


def payload_oxum(sizes: Mapping[str, int]) -> str:
    """Return the payload's size in bytes and its number of files, as bag-info.txt states them."""
    return f"{sum(sizes.values())}.{len(sizes)}"


def _bag_info(given: Mapping[str, str], files: Mapping[str, PayloadFile]) -> bytes:
    oxum = payload_oxum({name: file.size for name, file in files.items()})
    lines = {"Bag-Software-Agent": _SOFTWARE, "Payload-Oxum": oxum, **given}
    if not all(f"{label}{value}".isprintable() and ":" not in label for label, value in lines.items()):
        message = "a line of bag-info.txt is one line of text, and its label has no colon"
        raise ValueError(message)
    return "".join(f"{label}: {value}\n" for label, value in sorted(lines.items())).encode()


def _manifest(digests: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _stored(name: str, content: bytes) -> Entry:
    size = len(content)
    return Entry(f"{TOP}/{name}", STORED, zlib_ng.crc32(content), size, size, io.BytesIO(content))
