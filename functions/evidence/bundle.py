"""Packs payload files into a bundle: a BagIt 1.0 bag in a zip, the same bytes for the same files.

(https://www.rfc-editor.org/rfc/rfc8493) Nothing in it tells when it was made, so that an export can be
repeated and compared.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping

TOP = "bundle"
"""The one folder in the zip."""

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
TRACES = "data/traces.otlp.jsonl"
TABLE = "data/spans.csv"
REQUEST = "data/request.json"
COMPLETENESS = "data/completeness.json"
REDACTIONS = "data/redactions.json"
PAYLOAD = frozenset({TRACES, TABLE, REQUEST, COMPLETENESS, REDACTIONS})
"""The payload files of a bundle of the profile `metadata`."""

MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
TAGS = frozenset({"bagit.txt", "bag-info.txt", MANIFEST})
"""The files that the tag manifest lists."""

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the zip format's first instant
_REGULAR_FILE = 0o100644 << 16
_UNIX = 3


def pack_bundle(payload: Mapping[str, bytes], *, rescan: Callable[[bytes], None]) -> bytes:
    """Return the zip.

    Args:
        payload: Path from the bag's root ("data/…") to content; exactly the names in `PAYLOAD`.
        rescan: Raises RedactionFailure where bytes hold something that must not leave.

    Raises:
        RedactionFailure: A payload file may not leave; there is no bundle.
    """
    if payload.keys() != PAYLOAD:
        message = f"a bundle holds {sorted(PAYLOAD)}"
        raise ValueError(message)
    for content in payload.values():
        rescan(content)
    tags = {
        "bagit.txt": DECLARATION,
        "bag-info.txt": _bag_info(payload),
        MANIFEST: _manifest(payload),
    }
    return _zip({**payload, **tags, TAG_MANIFEST: _manifest(tags)})


def payload_oxum(sizes: Mapping[str, int]) -> str:
    """Return the payload's size in bytes and its number of files, as bag-info.txt states them."""
    return f"{sum(sizes.values())}.{len(sizes)}"


def _bag_info(payload: Mapping[str, bytes]) -> bytes:
    oxum = payload_oxum({name: len(content) for name, content in payload.items()})
    return f"Bag-Software-Agent: Tracekeeper\nPayload-Oxum: {oxum}\n".encode()


def _manifest(files: Mapping[str, bytes]) -> bytes:
    return "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())
    ).encode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{TOP}/{name}", _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = _REGULAR_FILE
            archive.writestr(entry, content)
    return out.getvalue()
