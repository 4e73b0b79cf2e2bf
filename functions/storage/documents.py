"""JSON documents with compare-and-swap: the interface."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document as read.

    Attributes:
        name: Path-like name, for example "checks/stale_tool_data".
        body: The JSON object.
        version: Opaque; changes with every write (an ETag in blob storage).
    """

    name: str
    body: Mapping[str, Any]
    version: str


def encode(body: Mapping[str, Any]) -> bytes:
    """Return canonical JSON: sorted keys, no spaces, datetimes as ISO 8601 in UTC with "Z"."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


class Documents(Protocol):
    """A store of small JSON documents."""

    def read(self, name: str) -> Document | None:
        """Return the document, or None where there is none.

        Raises:
            StorageError: The store could not be read.
        """
        ...

    def write(self, name: str, body: Mapping[str, Any], *, version: str | None) -> Document:
        """Create (version None) or replace (the version read) a document.

        Raises:
            DocumentConflict: It exists already, or changed since `version`.
            StorageError: The store could not be written; whether it was is unknown.
        """
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, in order.

        Raises:
            StorageError: The store could not be read.
        """
        ...
