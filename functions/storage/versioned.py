"""Reads what is in documents that versions of this app write; what is newer or something else is refused."""

from collections.abc import Callable, Mapping
from typing import Any

from functions.errors import StorageError


def understood[Value](
    name: str,
    body: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], Value],
    *,
    newest: int,
    holds: str,
    next_step: str,
) -> Value:
    """Return what `read` makes of the body of the document `name`.

    Args:
        name: The document's.
        body: What was read.
        read: Takes the body apart; it raises what Python does where something is missing or of another kind.
        newest: The latest format that this version understands.
        holds: What such a document holds, for the error.
        next_step: What to do where it holds something else.

    Raises:
        StorageError: A newer version wrote it, or it holds something else. It names no content.
    """
    written = body.get("format")
    if isinstance(written, int) and written > newest:
        raise StorageError(
            f"The document {name} was written by a newer version: format {written}, not {newest}.",
            next_step="Deploy that version or a later one again; nothing was changed.",
        )
    try:
        return read(body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"The document {name} does not hold {holds} ({type(error).__name__}).", next_step=next_step
        ) from None
