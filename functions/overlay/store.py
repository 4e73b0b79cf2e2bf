"""Keeps pushed overlays: each whole and write-once under its hash, and one small document naming the current.

In the container `config`: `versions/<hash>/<file name>` and `current.json`. The document is replaced by
compare-and-swap after the files are there, so that no reader sees half an overlay.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from functions.configuration import ConfigText, Layer
from functions.errors import ConfigurationError, DocumentConflict
from functions.storage.documents import Documents, encode
from functions.storage.objects import Objects

CURRENT = "current"
MOST_BYTES = 1024 * 1024
"""Of one file; the largest that ships has a fiftieth of it."""


@dataclass(frozen=True, slots=True)
class Push:
    """What the document says: which overlay a person made the current one.

    Attributes:
        overlay: Its hash: SHA-256, hex, over the hashes of its files by name.
        files: SHA-256, hex, of each file by its name.
        pushed_by: Who did it, as their own sign-in named them.
        pushed_at: When, as text.
        reason: Why, in their words.
        version: Of the document.
    """

    overlay: str
    files: Mapping[str, str]
    pushed_by: str
    pushed_at: str
    reason: str
    version: str


class OverlayStore:
    """The overlays in storage.

    Args:
        documents: The container `config`, for the document.
        objects: The same container, for the files.
    """

    def __init__(self, documents: Documents, objects: Objects) -> None:
        self._documents = documents
        self._objects = objects

    def current(self) -> Push | None:
        """Return the current push; None where nothing was ever pushed.

        Raises:
            ConfigurationError: The document is not one that a push writes.
            StorageError: It could not be read.
        """
        held = self._documents.read(CURRENT)
        if held is None:
            return None
        body = held.body
        try:
            push = Push(
                overlay=str(body["overlay"]),
                files={str(name): str(digest) for name, digest in body["files"].items()},
                pushed_by=str(body["pushed_by"]),
                pushed_at=str(body["pushed_at"]),
                reason=str(body["reason"]),
                version=held.version,
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise _damaged(f"{CURRENT}.json", "is not what a push writes") from error
        if push.overlay != _hash_of(push.files):
            raise _damaged(f"{CURRENT}.json", "names a hash that is not the one of its files")
        return push

    def read(self, push: Push) -> Layer:
        """Return an overlay's files.

        Raises:
            ConfigurationError: They are not those that were pushed; it holds every mistake.
            StorageError: They could not be read.
        """
        return {name: self._file(push, name) for name in push.files}

    def push(self, layer: Layer, *, replacing: Push | None, by: str, at: datetime, reason: str) -> str:
        """Make `layer` the current overlay and return its hash.

        Args:
            layer: The files, of which there is at least one.
            replacing: The push that is current as far as the caller knows.
            by: Who pushes.
            at: When, UTC.
            reason: Why.

        Raises:
            DocumentConflict: Someone else has pushed in between; nothing has changed.
            ConfigurationError: Other files lie under this overlay's hash.
            StorageError: It could not be stored; what was current still is, or this overlay is.
        """
        files = {name: hashlib.sha256(text.data).hexdigest() for name, text in layer.items()}
        overlay = overlay_hash(layer)
        for name, text in layer.items():
            try:
                self._objects.put(_place(overlay, name), io.BytesIO(text.data))
            except DocumentConflict:  # it was pushed before, and must still be what it was
                self._read(overlay, name, files[name])
        body = {"overlay": overlay, "files": files, "pushed_by": by, "pushed_at": at, "reason": reason}
        self._documents.write(CURRENT, body, version=replacing.version if replacing else None)
        return overlay

    def _file(self, push: Push, name: str) -> ConfigText:
        return ConfigText(Path(name), self._read(push.overlay, name, push.files[name]))

    def _read(self, overlay: str, name: str, digest: str) -> bytes:
        place = _place(overlay, name)
        if self._objects.size(place) is None:
            raise _damaged(place, "is missing")
        data = b"".join(self._objects.read(place, length=MOST_BYTES + 1))
        if hashlib.sha256(data).hexdigest() != digest:
            raise _damaged(place, "was changed after it was pushed")
        return data


def overlay_hash(layer: Layer) -> str:
    """Return the hash of an overlay."""
    return _hash_of({name: hashlib.sha256(text.data).hexdigest() for name, text in layer.items()})


def _hash_of(files: Mapping[str, str]) -> str:
    return hashlib.sha256(encode(files)).hexdigest()


def _place(overlay: str, name: str) -> str:
    return f"versions/{overlay}/{name}"


def _damaged(blob: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"The blob {blob} in the container config {what}.",
        next_step="Remove it, and push again: tracekeeper config push FOLDER.",
        place=(blob, 0),
    )
