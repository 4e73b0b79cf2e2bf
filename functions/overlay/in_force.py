"""Holds what is in force: looks for a new overlay, takes it, or refuses it and keeps the last good one.

Which configurations came into force, and when, is in the document `configuration`. Each of them is kept whole
in `configurations/<hash>`, so that a cold start finds the last good one even where the overlay is broken.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock

from functions.configuration import Configuration, Layer
from functions.errors import ConfigurationError, DocumentConflict, SettingsError, StorageError
from functions.overlay.history import STANDING, WHOLE, read_standing, read_whole
from functions.overlay.standing import Standing, standing_to_json
from functions.overlay.store import OverlayStore, Push
from functions.storage.documents import Documents

_EVERY = timedelta(minutes=1)
_UNREADABLE = 3
"""Looks in a row without an answer of storage after which that is a refusal of its own."""
_ATTEMPTS = 5

_log = logging.getLogger(__name__)

Refusal = ConfigurationError | SettingsError | StorageError


@dataclass(frozen=True, slots=True)
class Held[T]:
    """What is in force.

    Attributes:
        built: What was built on it.
        configuration: On which.
        standing: What is known of it.
        version: Of the push; None where nothing was pushed.
    """

    built: T
    configuration: Configuration
    standing: Standing
    version: str | None


class Holder[T]:
    """Holds what is built on the configuration in force; who has taken it keeps it to the end of their work.

    Args:
        store: The pushed overlays.
        documents: The container `state`.
        shipped: The files below every overlay.
        read: Reads the files; raises ConfigurationError.
        build: Builds on a configuration; raises SettingsError where it names a setting that is missing.
        came_into_force: Told of every pushed overlay before it comes into force; may raise StorageError.
        clock: The present instant, UTC.
    """

    def __init__(
        self,
        store: OverlayStore,
        documents: Documents,
        shipped: Layer,
        *,
        read: Callable[[Layer], Configuration],
        build: Callable[[Configuration, Standing], T],
        came_into_force: Callable[[Push, Configuration], object],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._documents = documents
        self._shipped = shipped
        self._read = read
        self._build = build
        self._came_into_force = came_into_force
        self._clock = clock
        self._lock = RLock()
        self._held: Held[T] | None = None
        self._looked_at: datetime | None = None
        self._unreadable = 0

    def get(self) -> T:
        """Return what is in force, as it was found within the last minute. Raises as `look` does."""
        with self._lock:
            fresh = self._looked_at is not None and self._clock() - self._looked_at < _EVERY
            return self._held.built if self._held and fresh else self.look()

    def look(self) -> T:
        """Look for a new overlay and return what is in force.

        Raises:
            ConfigurationError: Neither the overlay nor the last good configuration fits.
            SettingsError: As above; a setting that it names is missing.
            StorageError: Nothing is held yet and storage can't say what is in force.
        """
        with self._lock:
            self._held = self._looked()
            self._looked_at = self._clock()
            return self._held.built

    def _looked(self) -> Held[T]:
        held, push, now = self._held, None, self._clock()
        try:
            push = self._store.current()
            if held is None or held.standing.refused or _version(push) != held.version:
                held = self._accepted(push, now)
        except StorageError as error:
            self._unreadable += 1
            if held and self._unreadable < _UNREADABLE:
                _log.warning("The configuration in force could not be looked for: %s", error)
                return held
            return self._refused(push, error, now)
        except (ConfigurationError, SettingsError) as error:
            held = self._refused(push, error, now)
        self._unreadable = 0
        return held

    def _accepted(self, push: Push | None, now: datetime) -> Held[T]:
        """Put the pushed overlay in force, or what is shipped where nothing was ever pushed."""
        before, _ = self._standing()
        if push is None and any(one.overlay for one in before.history):
            raise ConfigurationError(
                "The blob current.json in the container config is gone.",
                next_step="Push the overlay again: tracekeeper config push FOLDER.",
                place=("current.json", 0),
            )
        texts = {**self._shipped, **(self._store.read(push) if push else {})}
        configuration, overlay = self._read(texts), push.overlay if push else None
        expected = before.in_force(configuration.hash, overlay, now)
        built = self._build(configuration, expected)
        if expected.history != before.history:
            self._keep_whole(configuration.hash, texts)
            if push:
                self._came_into_force(push, configuration)
        standing = self._write(lambda known: known.in_force(configuration.hash, overlay, now))
        if standing != expected:
            built = self._build(configuration, standing)
        return Held(built, configuration, standing, _version(push))

    def _refused(self, push: Push | None, error: Refusal, now: datetime) -> Held[T]:
        """Keep the last good configuration in force, and write down why."""
        _log.error("The pushed configuration is refused: %s", error)
        held = self._held
        try:
            before, _ = self._standing()
            if not before.history:
                raise error
            last = before.history[-1].configuration
            if held and held.configuration.hash == last:
                configuration = held.configuration
            else:
                configuration = self._read(self._whole(last))
            overlay = push.overlay if push else None
            standing = self._write(lambda known: known.refusing(overlay, error, now))
        except StorageError:
            if held:
                return held
            raise
        if held and held.configuration.hash == last and held.standing == standing:
            return held
        return Held(self._build(configuration, standing), configuration, standing, _version(push))

    def _standing(self) -> tuple[Standing, str | None]:
        return read_standing(self._documents)

    def _write(self, change: Callable[[Standing], Standing]) -> Standing:
        for _ in range(_ATTEMPTS):
            before, version = self._standing()
            after = change(before)
            if after == before:
                return after
            try:
                self._documents.write(STANDING, standing_to_json(after), version=version)
            except DocumentConflict:
                continue
            return after
        raise StorageError(
            "The document configuration changed at every attempt to write it.", next_step="Try again."
        )

    def _keep_whole(self, name: str, texts: Layer) -> None:
        body = {"files": {file: text.data.decode("utf-8") for file, text in texts.items()}}
        if self._documents.read(WHOLE + name) is None:
            self._documents.write(WHOLE + name, body, version=None)

    def _whole(self, name: str) -> Layer:
        texts = read_whole(self._documents, name)
        if texts is None:
            raise StorageError(
                f"The last good configuration {name} is gone from the container state.",
                next_step="Push an overlay without mistakes: tracekeeper config push FOLDER.",
            )
        return texts


def _version(push: Push | None) -> str | None:
    return push.version if push else None
