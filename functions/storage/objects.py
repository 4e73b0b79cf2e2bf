"""Write-once objects, finished bundles and what jobs put aside on the way to them: the interfaces."""

from collections.abc import Iterator
from typing import BinaryIO, Protocol


class Objects(Protocol):
    """A store of large objects that are written once and never changed."""

    def put(self, name: str, data: BinaryIO) -> int:
        """Store the whole of `data` under a new name and return its size in bytes.

        Raises:
            DocumentConflict: The name is taken.
            StorageError: The store could not be written.
        """
        ...

    def size(self, name: str) -> int | None:
        """Return the object's size in bytes, or None where there is none.

        Raises:
            StorageError: The store could not be read.
        """
        ...

    def read(self, name: str, *, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the object's bytes from `offset`, `length` of them at most.

        Raises:
            StorageError: There is no such object, or the store could not be read.
        """
        ...


class WorkObjects(Objects, Protocol):
    """Objects that are removed once they are no longer needed. Evidence is never among them."""

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names that begin with `prefix`, in order.

        Raises:
            StorageError: The store could not be read.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove the object; one that is gone already is left alone.

        Raises:
            StorageError: The store could not be written.
        """
        ...
