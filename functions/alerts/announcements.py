"""The document `announcements`: an outbox for what people have to be told that is not about one alert."""

from collections.abc import Mapping
from typing import Any

from functions.alerts import outbox
from functions.alerts.announcement import Announcement
from functions.alerts.outbox import Outbox
from functions.alerts.records import Json, outbox_json, read_outbox
from functions.errors import DocumentConflict
from functions.storage.documents import Documents
from functions.storage.versioned import understood

NAME = "announcements"
FORMAT = 1
"""Rises when a body is written that earlier versions would misread."""

WRITE_ATTEMPTS = 10


class Announcements:
    """What is announced; `documents` is where."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def add(self, announcement: Announcement) -> bool:
        """Put it into the outbox, unless one of its key is there or was told.

        Returns:
            Whether it was put there now.

        Raises:
            DocumentConflict: Someone else wrote at every attempt.
            StorageError: The document can't be read or written.
        """
        for _ in range(WRITE_ATTEMPTS):
            held = self._documents.read(NAME)
            before = announcements_from_json(held.body) if held else Outbox()
            known = {one.key for one in (*before.waiting, *before.refused)}
            if announcement.key in known | {one.key for one in before.receipts}:
                return False
            after = announcements_to_json(outbox.enqueue(before, [announcement]))
            try:
                self._documents.write(NAME, after, version=held.version if held else None)
            except DocumentConflict:
                continue
            return True
        raise DocumentConflict(
            f"The document {NAME} changed at every attempt to write it.", next_step="Try again."
        )


def announcements_to_json(held: Outbox) -> Json:
    """Return a document body."""
    return {"format": FORMAT, "outbox": outbox_json(held)}


def announcements_from_json(body: Mapping[str, Any]) -> Outbox:
    """Read the document's body.

    Raises:
        StorageError: A newer version wrote it, or it isn't such a body.
    """
    return understood(
        NAME,
        body,
        lambda whole: read_outbox(whole["outbox"]),
        newest=FORMAT,
        holds="announcements",
        next_step="Delete it: what waits in it is not told.",
    )
