"""How often each step of an export has begun, and when one last did: the export's companion document.

It is apart from the export, so that steps that run side by side don't stand in the way of what becomes of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from functions.errors import DocumentConflict, StorageError
from functions.storage.documents import Documents
from functions.storage.versioned import understood

PREFIX = "export-progress/"
_FORMAT = 1
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the steps of an export have come.

    Attributes:
        begun: How often each step has begun, by its name.
        seen_at: When a step last showed a sign of life, UTC; None before any has.
    """

    begun: Mapping[str, int] = field(default_factory=dict)
    seen_at: datetime | None = None


def read_progress(documents: Documents, export_id: str) -> Progress:
    """Return how far the steps have come. Raises StorageError."""
    held = documents.read(PREFIX + export_id)
    return _stored(held.name, held.body) if held else Progress()


def begin(documents: Documents, export_id: str, step: str, now: datetime, *, most: int) -> int:
    """Note that a step begins, unless it has begun `most` times; return how often it had begun before.

    Raises:
        StorageError: It is not noted.
    """
    for _ in range(_TRIES):
        held = documents.read(PREFIX + export_id)
        before = _stored(held.name, held.body) if held else Progress()
        count = before.begun.get(step, 0)
        if count >= most:
            return count
        begun = {**before.begun, step: count + 1}
        try:
            _write(documents, export_id, Progress(begun, now), held.version if held else None)
        except DocumentConflict:
            continue
        return count
    raise StorageError("Too many steps begin at the same time.", next_step="The step is tried again.")


def show_life(documents: Documents, export_id: str, now: datetime) -> None:
    """Note that a step is at work; where another notes something at the same time, that will do."""
    held = documents.read(PREFIX + export_id)
    before = _stored(held.name, held.body) if held else Progress()
    try:
        _write(documents, export_id, Progress(before.begun, now), held.version if held else None)
    except DocumentConflict:
        return


def _write(documents: Documents, export_id: str, progress: Progress, version: str | None) -> None:
    body = {"format": _FORMAT, "begun": progress.begun, "seen_at": progress.seen_at}
    documents.write(PREFIX + export_id, body, version=version)


def _stored(name: str, body: Mapping[str, Any]) -> Progress:
    return understood(
        name,
        body,
        lambda body: Progress(dict(body["begun"]), datetime.fromisoformat(body["seen_at"])),
        newest=_FORMAT,
        holds="how far an export has come",
        next_step="Ask for the export again.",
    )
