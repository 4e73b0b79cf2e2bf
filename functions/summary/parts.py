"""Lets each part of a summary fail alone, and says in our own words what failed."""

import logging
import traceback
from collections.abc import Callable

from functions.errors import (
    PartialResult,
    ResultTooLarge,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
    StorageError,
    TracekeeperError,
)
from functions.summary.body import Unknown

_WHY: tuple[tuple[type[TracekeeperError], str], ...] = (
    (SourceThrottled, "Log Analytics had no room."),
    (SourceUnavailable, "Log Analytics did not answer."),
    (SourceRefused, "Log Analytics refused: a role is missing."),
    (ResultTooLarge, "It is too much for one answer."),
    (PartialResult, "Log Analytics answered in part only."),
    (StorageError, "Storage could not be read."),
)
_OUT_OF_USE = (SourceThrottled, SourceUnavailable)
"""Whoever asks again after one of these waits as long once more, up to six minutes."""

_log = logging.getLogger(__name__)


class Parts:
    """Makes the parts of one summary.

    Attributes:
        unknown: What is not known so far, and why.
    """

    def __init__(self) -> None:
        self.unknown: list[Unknown] = []
        self._out_of_use: str | None = None

    def take[Part](self, name: str, make: Callable[[], Part]) -> Part | None:
        """Return a part, or None where it can't be made."""
        try:
            return make()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one part, the others are told
            why = _why(error)
            _log_failure(name, error)
        self.lacks(name, why)
        return None

    def ask[Part](self, name: str, make: Callable[[], Part]) -> Part | None:
        """Return a part that telemetry is asked for; nobody is asked once Log Analytics is out of use."""
        if self._out_of_use is not None:
            self.lacks(name, self._out_of_use)
            return None

        def asked() -> Part:
            try:
                return make()
            except _OUT_OF_USE as error:
                self._out_of_use = _why(error)
                raise

        return self.take(name, asked)

    def lacks(self, name: str, why: str) -> None:
        """Say that a part is not known, or not all of it."""
        self.unknown.append(Unknown(part=name, why=why))


def _why(error: Exception) -> str:
    for kind, words in _WHY:
        if isinstance(error, kind):
            return words
    return f"Something failed ({type(error).__name__}); the app's log says where."


def _log_failure(name: str, error: Exception) -> None:
    """Name an error by its place; only our own errors' texts are known to be free of content."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = str(error) if isinstance(error, TracekeeperError) else type(error).__name__
    _log.error("The summary lacks %s, at %s:%s: %s", name, place.filename, place.lineno, text)
