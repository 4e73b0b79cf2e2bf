"""Keeps the SQL of long queries on disk: each takes a second to translate, and all processes ask the same.

An entry is found by all that it follows from: the query, and the code and the packages that translate. It is
compressed with a checksum, so that only what is whole is used. Where the folder can't be read or written,
everything is translated anew.
"""

import hashlib
import os
import tempfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

LONG = 4_000
"""Characters from which on a query is kept: shorter ones are translated in a few milliseconds."""

MOST = 500
"""Entries kept, those used latest: in all about ten megabytes."""


def stamp(code: Iterable[Path], packages: Iterable[str]) -> str:
    """Return what stands for the present state of files and installed packages."""
    state = hashlib.sha256()
    for path in code:
        state.update(hashlib.sha256(path.read_bytes()).digest())
    for package in packages:
        state.update(f"{package} {version(package)}\n".encode())
    return state.hexdigest()


class Translations:
    """Translates with the help of a folder; safe to use from several threads and processes.

    Args:
        folder: Where translations lie; made when the first is kept.
        stamp: What stands for the code and the packages that translate.
        most: How many are kept.
    """

    def __init__(self, folder: Path, stamp: str, most: int = MOST) -> None:
        self._folder = folder
        self._stamp = stamp
        self._most = most

    def sql(self, kql: str, translate: Callable[[str], str]) -> str:
        """Return the kept translation, or a new one; raises what `translate` does, which is not kept."""
        if len(kql) < LONG:
            return translate(kql)
        name = hashlib.sha256(f"{self._stamp}\n{kql}".encode("utf-8", "surrogatepass")).hexdigest()
        place = self._folder / f"{name}.sql.z"
        kept = _read(place)
        if kept is not None:
            return kept
        sql = translate(kql)
        with suppress(OSError):
            self._keep(place, sql)
        return sql

    def _keep(self, place: Path, sql: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".new", delete=False) as new:
            new.write(zlib.compress(sql.encode()))
        Path(new.name).replace(place)
        held = sorted(self._folder.iterdir(), key=lambda one: one.stat().st_mtime)
        for one in held[: -self._most]:
            one.unlink(missing_ok=True)


def _read(place: Path) -> str | None:
    """Return what lies there, if it is whole; it then counts as used."""
    try:
        sql = zlib.decompress(place.read_bytes()).decode()
        os.utime(place)
    except (OSError, zlib.error):
        return None
    return sql
