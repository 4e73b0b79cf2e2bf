"""Packs an inventory into a signed bundle, as exports are, and reads an earlier one."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from functions.errors import BundleInvalid, InvalidRequest
from functions.evidence.detectors import Detectors
from functions.evidence.packing.bundle import (
    DRIFT,
    INVENTORY,
    RESOURCES,
    BundleWriter,
    FinishedBundle,
    inventory_names,
)
from functions.evidence.redaction.rescan import rescan
from functions.evidence.verification.container import open_container
from functions.evidence.verification.verification import Refused, verify_bundle
from functions.release.inventory import Inventory, inventory_body, inventory_from_body, table
from functions.release.inventory_drift import Drift, drift_body
from functions.signing.signatures import PublicKey, Signer

_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Earlier:
    """An inventory that was taken before, and the SHA-256 of its inventory.json."""

    inventory: Inventory
    sha256: str


def bundle_name(inventory: Inventory) -> str:
    """Return the name of the bundle's file; an incomplete one says so."""
    whole = "" if inventory.complete else "-INCOMPLETE"
    return f"inventory-{inventory.taken_at:%Y%m%dT%H%M%SZ}{whole}.zip"


def pack(
    inventory: Inventory, compared: tuple[Drift, Earlier] | None, *, signer: Signer, detectors: Detectors
) -> FinishedBundle:
    """Return the bundle; the caller closes it.

    Raises:
        RedactionFailure: Something in it may not leave.
        SigningError: It could not be signed.
    """
    against = compared[1].sha256 if compared else None
    names = inventory_names(compared=compared is not None)
    with BundleWriter(names, rescan=partial(rescan, detectors=detectors), signer=signer) as writer:
        writer.open(INVENTORY).write(encoded(inventory_body(inventory) | {"against_sha256": against}))
        writer.open(RESOURCES).write(table(inventory))
        if compared:
            writer.open(DRIFT).write(encoded(drift_body(compared[0], compared[1].sha256)))
        return writer.finish()


def read_earlier(path: Path, key: PublicKey | None = None) -> Earlier:
    """Read a bundle, which must verify, or an inventory.json.

    Raises:
        InvalidRequest: It is neither, or the bundle does not verify.
    """
    if path.suffix == ".zip" or path.is_dir():
        result = verify_bundle(path, key=key)
        if isinstance(result, Refused):
            raise InvalidRequest(
                f"The earlier bundle does not verify: {result.reasons[0]}", next_step="Give another."
            )
        data = _member(path)
    else:
        try:
            data = path.read_bytes()
        except OSError:
            raise InvalidRequest(
                "The earlier inventory can't be read.", next_step="Check its path."
            ) from None
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        body = None
    return Earlier(inventory_from_body(body), hashlib.sha256(data).hexdigest())


def encoded(body: Mapping[str, Any]) -> bytes:
    """Encode for people to read; the same value gives the same bytes."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(body, option=options)


def _member(path: Path) -> bytes:
    try:
        with open_container(path) as members:
            if INVENTORY not in members:
                raise InvalidRequest("The earlier bundle is no inventory.", next_step="Give another.")
            with members[INVENTORY].open() as file:
                return file.read(_LARGEST)
    except BundleInvalid as error:
        raise InvalidRequest(error.message, next_step="Give another.") from None
