"""An append-only log whose lines are chained by hash: the interface and the chain."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol


class AppendLog(Protocol):
    """An append-only, hash-chained log of JSON entries."""

    def append(self, entry: Mapping[str, Any]) -> str:
        """Append one entry and return its hash (64 hex digits), which covers all entries before it.

        Raises:
            StorageError: The entry is not known to be in the log; the caller must fail closed.
        """
        ...

    def entries(self) -> Iterator[Mapping[str, Any]]:
        """Yield the entries, oldest first, having checked the chain.

        Raises:
            StorageError: The log could not be read, or its chain is broken.
        """
        ...
