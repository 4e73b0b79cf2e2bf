"""Tells whether a stored bundle is the one that was just made, whoever signed it when."""

import hashlib
import tempfile
import zipfile
from dataclasses import replace

from functions.evidence.exports.export import BundleFacts
from functions.evidence.packing.bundle import TAG_MANIFEST, TOP
from functions.storage.objects import Objects


def same_but_for_signatures(objects: Objects, facts: BundleFacts) -> BundleFacts | None:
    """Return the facts of the bundle that is stored under the name, where its tag manifest is the same.

    Raises:
        StorageError: It could not be read.
    """
    digest = hashlib.sha256()
    with tempfile.TemporaryFile() as copy:
        for chunk in objects.read(facts.object_name):
            digest.update(chunk)
            copy.write(chunk)
        size = copy.tell()
        try:
            with zipfile.ZipFile(copy) as archive:
                tag_manifest = archive.read(f"{TOP}/{TAG_MANIFEST}")
        except (zipfile.BadZipFile, KeyError):
            return None
    if hashlib.sha256(tag_manifest).hexdigest() != facts.tag_manifest_sha256:
        return None
    return replace(facts, size=size, sha256=digest.hexdigest())
