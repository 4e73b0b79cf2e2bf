"""Verifies a bundle, a zip or an unpacked folder, with nothing but the bundle itself.

Checks what sha256sum and bagit check (every listed file is there and unchanged) and what they can't: that
nothing is there unlisted, that the container is harmless, and that the counts of the files agree. It shows
damage and carelessness; whoever rewrites files and manifests together is found out by a signature only.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from functions.errors import BundleInvalid
from functions.evidence.arithmetic import count_rows
from functions.evidence.bundle import DECLARATION, MANIFEST, PAYLOAD, TAG_MANIFEST, TAGS, payload_oxum
from functions.evidence.container import Member, Members, open_container

_LINE = re.compile(r"([0-9a-f]{64})  ([^\r\n]+)")
_LONGEST_TAG_FILE = 1 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle whose files are all listed, unchanged and in agreement.

    Attributes:
        files: How many files it has.
        rows: Rows of telemetry: the spans and the events.
        traces: How many traces they make up.
        spans: Requests and dependencies.
        complete: Whether the source counted the same rows, and every trace asked for has some.
    """

    files: int
    rows: int
    traces: int
    spans: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A bundle that is not what it claims, for at least one reason; names in reasons are shown in ASCII."""

    reasons: tuple[str, ...]


def verify_bundle(path: Path) -> Verified | Refused:
    """Verify the bundle at `path`: a zip file, or a folder with a bag or with the zip's folder in it."""
    try:
        with open_container(path) as members:
            if reasons := tuple(_bag_problems(members)):
                return Refused(reasons)
            counts = count_rows(members)
            return Verified(len(members), counts.rows, counts.traces, counts.spans, counts.complete)
    except BundleInvalid as error:
        return Refused((error.message,))


def _bag_problems(members: Members) -> Iterator[str]:
    expected = PAYLOAD | TAGS | {TAG_MANIFEST}
    yield from (f"{name} is missing." for name in sorted(expected - members.keys()))
    yield from (f"{name!a} does not belong in a bundle." for name in sorted(members.keys() - expected))
    if members.keys() != expected:
        return
    if _tag_file(members["bagit.txt"]) != DECLARATION.decode():
        yield "bagit.txt does not declare BagIt 1.0 in UTF-8."
    oxum = payload_oxum({name: members[name].size for name in PAYLOAD})
    if f"Payload-Oxum: {oxum}\n" not in _tag_file(members["bag-info.txt"]).splitlines(keepends=True):
        yield "bag-info.txt states another size of the payload."
    yield from _manifest_problems(members, MANIFEST, PAYLOAD)
    yield from _manifest_problems(members, TAG_MANIFEST, TAGS)


def _manifest_problems(members: Members, manifest: str, covered: frozenset[str]) -> Iterator[str]:
    listed: dict[str, str] = {}
    for line in _tag_file(members[manifest]).splitlines():
        match = _LINE.fullmatch(line)
        if match is None or match[2] in listed:
            yield f"{manifest} has a line that is no digest and name, or a name twice."
            return
        listed[match[2]] = match[1]
    yield from (f"{manifest} does not list {name}." for name in sorted(covered - listed.keys()))
    yield from (f"{manifest} lists {name!a}, which it may not." for name in sorted(listed.keys() - covered))
    for name in sorted(covered & listed.keys()):
        if _sha256(members[name]) != listed[name]:
            yield f"{name} has been changed: its SHA-256 is not the one in {manifest}."


def _tag_file(member: Member) -> str:
    with member.open() as file:
        return file.read(_LONGEST_TAG_FILE).decode("utf-8", "replace")


def _sha256(member: Member) -> str:
    digest = hashlib.sha256()
    with member.open() as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
