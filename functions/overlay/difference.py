"""Says what changes between two sets of config files: which come and go, and every value. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from functions.config_file import parse_config_file
from functions.configuration import Layer

_CHARACTERS = 60
"""Of a value in a line; a query has more."""


def differences(before: Layer, after: Layer) -> Iterator[str]:
    """Yield one line for each file that comes or goes and each value that changes: old -> new.

    Raises:
        ConfigurationError: A file can't be parsed.
    """
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"+ {name}"
        elif name not in after:
            yield f"- {name}"
        elif before[name].data != after[name].data:
            yield from _changes(name, _values(before, name), _values(after, name))


def _changes(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield f"~ {name}: {key}: {_short(old.get(key))} -> {_short(new.get(key))}"


def _short(text: str | None) -> str:
    if text is None:
        return "not set"
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…"


def _values(layer: Layer, name: str) -> Mapping[str, str]:
    return dict(_flat(parse_config_file(layer[name].path, layer[name].data).body, ""))


def _flat(body: Any, key: str) -> Iterator[tuple[str, str]]:
    children = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    if not body or not isinstance(body, dict | list):
        yield key, orjson.dumps(body).decode()
    for step, value in children:
        yield from _flat(value, f"{key}.{step}" if key else str(step))
