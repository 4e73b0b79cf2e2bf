"""A site, its storage and the holder of what is in force, all in memory."""

import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from functions.configuration import SHIPPED, ConfigText, Configuration, Layer, configuration_of, read_folder
from functions.errors import StorageError
from functions.overlay.in_force import Holder
from functions.overlay.standing import Standing
from functions.overlay.store import OverlayStore, Push
from functions.storage.documents import Document
from tests.fakes.storage import MemoryDocuments, MemoryObjects

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
_SHIPPED = read_folder(SHIPPED)

Built = tuple[Configuration, Standing, int]
"""What stands for the services: what they are built on, and which building of them it is."""


class AwayDocuments(MemoryDocuments):
    """Documents that can be away for a while and that someone can delete; `reads` counts the readings."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.reads = 0

    def read(self, name: str) -> Document | None:
        self._answer()
        self.reads += 1
        return super().read(name)

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        self._answer()
        return super().write(name, body, version=version)

    def overwrite(self, name: str, body: Mapping[str, Any]) -> None:
        """Write without having read."""
        held = super().read(name)
        super().write(name, body, version=held.version if held else None)

    def delete(self, name: str) -> None:
        """Delete, as only a person with rights on storage can."""
        del self._held[name]

    def names(self, prefix: str) -> Iterator[str]:
        self._answer()
        yield from super().names(prefix)

    def _answer(self) -> None:
        if self.away:
            raise StorageError("Storage is away.", next_step="Wait.")


class OpenObjects(MemoryObjects):
    """Objects that someone can change or delete, as only a person with rights on storage can."""

    def change(self, name: str, data: bytes | None) -> None:
        """Change an object, or delete it (None)."""
        del self._held[name]
        if data is not None:
            self._held[name] = data


class World:
    """Storage, a clock and the app; `start` begins a new process over the same storage."""

    def __init__(self) -> None:
        self.now = NOON
        self.pushes, self.state, self.objects = AwayDocuments(), AwayDocuments(), OpenObjects()
        self.store = OverlayStore(self.pushes, self.objects)
        self.recorded: list[tuple[str, str]] = []

    def start(self, *, shipped: Layer = _SHIPPED, environment: str | None = None) -> Holder[Built]:
        count = itertools.count(1)
        return Holder(
            self.store,
            self.state,
            shipped,
            read=partial(configuration_of, environment=environment),
            build=lambda configuration, standing: (configuration, standing, next(count)),
            came_into_force=self._record,
            clock=lambda: self.now,
        )

    def push(self, **files: str) -> str:
        """Push files by their names without ".yaml"; return the overlay's hash."""
        replacing = self.store.current()
        return self.store.push(layer(files), replacing=replacing, by="ada", at=self.now, reason="a test")

    def later(self, minutes: float = 1) -> None:
        self.now += timedelta(minutes=minutes)

    def _record(self, push: Push, configuration: Configuration) -> None:
        self.recorded.append((push.overlay, configuration.hash))


def layer(files: Mapping[str, str]) -> Layer:
    return {f"{name}.yaml": ConfigText(Path(f"{name}.yaml"), text.encode()) for name, text in files.items()}


def alerts(quiet: int | str) -> str:
    """Return an alerts.yaml with another `resolve_after_quiet`; only a number from 1 on is right."""
    shipped = (SHIPPED / "alerts.yaml").read_text("utf-8")
    return shipped.replace("resolve_after_quiet: 3", f"resolve_after_quiet: {quiet}")
