"""Checks that a container is a bag of ours: the files that must be there, no other, all listed, none changed.

That is what sha256sum and bagit check, and what they don't: a file that no manifest lists.
"""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from functions.evidence.packing.bundle import (
    DECLARATION,
    INVENTORY,
    MANIFEST,
    REQUEST,
    SIGNATURE_DER,
    SIGNATURE_JWS,
    SIGNATURES,
    TAG_MANIFEST,
    TAGS,
    inventory_names,
    payload_names,
    payload_oxum,
)
from functions.evidence.selection.sampling import POPULATION
from functions.evidence.verification.container import Member, Members, refusal
from functions.evidence.verification.readings import Readings
from functions.signing.signatures import well_formed

_LINE = re.compile(r"([0-9a-f]{64})  ([^\r\n]+)")
_LONGEST_TAG_FILE = 1 << 20
_LONGEST_JSON = 256 << 20
_PROFILES = frozenset({"metadata", "content"})


def bag_problems(members: Members, readings: Readings) -> Iterator[str]:
    """Yield what is wrong, as sentences; nothing where the bag is whole and unchanged."""
    payload = stated_payload(members)
    expected = payload | TAGS | {TAG_MANIFEST}
    if SIGNATURES & members.keys():
        expected |= SIGNATURES
    yield from (f"{name} is missing." for name in sorted(expected - members.keys()))
    yield from (f"{name!a} does not belong in a bundle." for name in sorted(members.keys() - expected))
    if members.keys() != expected:
        return
    if tag_file(members["bagit.txt"]) != DECLARATION:
        yield "bagit.txt does not declare BagIt 1.0 in UTF-8."
    oxum = payload_oxum({name: members[name].size for name in payload})
    if f"Payload-Oxum: {oxum}".encode() not in tag_file(members["bag-info.txt"]).splitlines():
        yield "bag-info.txt states another size of the payload."
    if members.keys() >= SIGNATURES:
        der, jws = tag_file(members[SIGNATURE_DER]), tag_file(members[SIGNATURE_JWS])
        if not well_formed(der, jws.decode("ascii", "replace")):
            yield "A file under signatures/ is no signature."
    yield from _manifest_problems(members, readings, MANIFEST, payload)
    yield from _manifest_problems(members, readings, TAG_MANIFEST, TAGS)


def stated_payload(members: Members) -> frozenset[str]:
    """Return the payload files that the bundle must have for its kind and what it says was asked for."""
    if INVENTORY in members:
        compared = json_object(members, INVENTORY).get("against_sha256") is not None
        return inventory_names(compared=compared)
    if REQUEST not in members:
        return payload_names("metadata")
    request = json_object(members, REQUEST)
    profile, selector = request.get("profile"), request.get("selector")
    if profile not in _PROFILES or not isinstance(selector, dict):
        raise refusal(f"{REQUEST} names no profile, or nothing that was asked for.")
    population = {POPULATION} if "sample" in selector else set[str]()
    return payload_names(str(profile)) | population


def tag_file(member: Member) -> bytes:
    """Return the content of a small file; what is longer is cut, and so fits no digest."""
    with member.open() as file:
        return file.read(_LONGEST_TAG_FILE)


def json_object(members: Members, name: str) -> dict[str, Any]:
    """Return the content of a JSON file.

    Raises:
        BundleInvalid: It is no JSON object.
    """
    with members[name].open() as file:
        data = file.read(_LONGEST_JSON)
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise refusal(f"{name} is no JSON object.")
    return value


def _manifest_problems(
    members: Members, readings: Readings, manifest: str, covered: frozenset[str]
) -> Iterator[str]:
    listed: dict[str, str] = {}
    for line in tag_file(members[manifest]).decode("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is None or match[2] in listed:
            yield f"{manifest} has a line that is no digest and name, or a name twice."
            return
        listed[match[2]] = match[1]
    yield from (f"{manifest} does not list {name}." for name in sorted(covered - listed.keys()))
    yield from (f"{manifest} lists {name!a}, which it may not." for name in sorted(listed.keys() - covered))
    for name, digest in readings.sha256s(sorted(covered & listed.keys())).items():
        if digest != listed[name]:
            yield f"{name} has been changed: its SHA-256 is not the one in {manifest}."
