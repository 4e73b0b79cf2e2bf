"""Reads which traces a check should have named."""

from collections.abc import Mapping
from pathlib import Path

import orjson

from functions.errors import ConfigurationError


def read_labels(path: Path, field: str) -> Mapping[str, bool]:
    """Return trace id to the boolean under `field`, from a file of JSON lines.

    Raises:
        ConfigurationError: The file can't be read, or a line lacks one of the two, and which line.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be read ({type(error).__name__}).", next_step="Name a file of JSON lines."
        ) from error
    return dict(_label(path, at, line, field) for at, line in enumerate(lines, start=1))


def _label(path: Path, at: int, line: bytes, field: str) -> tuple[str, bool]:
    try:
        body = orjson.loads(line)
    except orjson.JSONDecodeError:
        body = None
    match body:
        case {"trace_id": str(trace_id), **rest} if isinstance(label := rest.get(field), bool):
            return trace_id, label
    raise ConfigurationError(
        f"{path}, line {at}: lacks trace_id (text) or {field} (true or false).",
        next_step="Leave out traces that nobody has judged.",
    )
