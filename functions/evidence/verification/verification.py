"""Verifies a bundle, a zip or an unpacked folder, with nothing but the bundle, a public key and a ledger.

Checks what sha256sum, bagit and openssl check (every listed file is there and unchanged, and who signed) and
what they can't: that nothing is there unlisted, that the container is harmless, that the files agree with
each other, and that the ledger knows of the bundle.
"""

import hashlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from functions.errors import BundleInvalid
from functions.evidence.packing.bundle import (
    INVENTORY,
    SIGNATURE_DER,
    SIGNATURE_JWS,
    SIGNATURES,
    TAG_MANIFEST,
)
from functions.evidence.verification.arithmetic import PayloadFacts, add_up
from functions.evidence.verification.bag import bag_problems, tag_file
from functions.evidence.verification.chain import LedgerFacts, Sought, find_in_ledger
from functions.evidence.verification.container import Members, open_container
from functions.evidence.verification.inventory_files import InventoryFacts, count_inventory
from functions.evidence.verification.readings import Readings
from functions.signing.signatures import PublicKey, der_fits, jws_fits, stated_key_id, thumbprint

_CHUNK_BYTES = 1 << 20


class Ground(Enum):
    """What a bundle is refused for."""

    FILES = "its files"
    SIGNATURE = "its signature"
    LEDGER = "the ledger"


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle whose files are all listed, unchanged and in agreement.

    Attributes:
        files: How many files it has.
        payload: What they hold.
        stated_key_id: Thumbprint of the key that its signature names; None where it is not signed.
        signature_checked: Whether a key was given, whose signature it is.
        ledger: Where the ledger has it; None where no ledger was given.
    """

    files: int
    payload: PayloadFacts | InventoryFacts
    stated_key_id: str | None
    signature_checked: bool
    ledger: LedgerFacts | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A bundle that is not what it claims; names in reasons are shown in ASCII.

    Attributes:
        ground: What was looked at when it failed; later things were not looked at.
        reasons: At least one.
    """

    ground: Ground
    reasons: tuple[str, ...]


def verify_bundle(
    path: Path, *, key: PublicKey | None = None, ledger: Path | None = None
) -> Verified | Refused:
    """Verify a bundle.

    Args:
        path: A zip file, or a folder with a bag or with the zip's folder in it.
        key: Whose signature it must have; None leaves the signature unchecked.
        ledger: The exported ledger that must know of it; None asks none.

    Raises:
        InvalidRequest: The ledger's file can't be read.
    """
    try:
        with open_container(path) as members, Readings(path, members) as readings:
            if reasons := tuple(bag_problems(members, readings)):
                return Refused(Ground.FILES, reasons)
            tag_manifest = tag_file(members[TAG_MANIFEST])
            if key is not None and (reasons := _signature_problems(members, key, tag_manifest)):
                return Refused(Ground.SIGNATURE, reasons)
            payload = count_inventory(members) if INVENTORY in members else add_up(members, readings)
            found = _look_up(path, payload, tag_manifest, ledger)
            if isinstance(found, tuple):
                return Refused(Ground.LEDGER, found)
            return Verified(len(members), payload, _stated_key_id(members), key is not None, found)
    except BundleInvalid as error:
        return Refused(Ground.FILES, (error.message,))


def _signature_problems(members: Members, key: PublicKey, data: bytes) -> tuple[str, ...]:
    if not members.keys() >= SIGNATURES:
        return ("It is not signed, or its signature was removed.",)
    problems = []
    if not der_fits(key, tag_file(members[SIGNATURE_DER]), data):
        problems.append(f"{SIGNATURE_DER} is no signature of your key over {TAG_MANIFEST}.")
    if not jws_fits(key, tag_file(members[SIGNATURE_JWS]).decode("ascii", "replace"), data):
        problems.append(f"{SIGNATURE_JWS} is no signature of your key over {TAG_MANIFEST}.")
    stated = _stated_key_id(members)
    if problems and stated != thumbprint(key):
        problems.append(f"It names the key {stated!a}; yours is {thumbprint(key)}.")
    return tuple(problems)


def _stated_key_id(members: Members) -> str | None:
    if SIGNATURE_JWS not in members:
        return None
    return stated_key_id(tag_file(members[SIGNATURE_JWS]).decode("ascii", "replace"))


def _look_up(
    path: Path, payload: PayloadFacts | InventoryFacts, tag_manifest: bytes, ledger: Path | None
) -> LedgerFacts | tuple[str, ...] | None:
    if ledger is None:
        return None
    if isinstance(payload, InventoryFacts):
        return ("An inventory is in no ledger: whoever takes one signs it. Verify it without --ledger.",)
    sought = Sought(
        sha256=None if path.is_dir() else _sha256(path),
        tag_manifest_sha256=hashlib.sha256(tag_manifest).hexdigest(),
        queries_hmac_sha256=payload.queries_hmac_sha256,
        seal_hashes=payload.seals.ledger_hashes if payload.seals else frozenset(),
        sample=payload.sample,
    )
    return find_in_ledger(ledger, sought)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
