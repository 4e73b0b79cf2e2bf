"""Reads one YAML file of the configuration strictly, knowing the line of everything in it.

Refused beyond what YAML refuses: duplicate keys, keys that are not text, anchors and aliases, numbers that
are not finite. Dates stay text.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from functions.errors import ConfigurationError

Place = tuple[str | int, ...]
"""Where a value stands in a file: keys and indices from the top."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One parsed file.

    Attributes:
        path: The file, as errors name it.
        body: Its content: JSON types only.
        lines: The line, from 1, of each key and list item.
        mistakes: What it says beyond the YAML that is accepted; the body leaves it out. A number that is not
            finite stays in.
        origins: Where values stand in the file that have moved in the body.
    """

    path: Path
    body: Any
    lines: Mapping[Place, int]
    mistakes: tuple[ConfigurationError, ...] = ()
    origins: Mapping[Place, Place] = field(default_factory=dict)

    def wrong(self, place: Place, rule: str, *, next_step: str) -> ConfigurationError:
        """Return the error that says which rule the value at `place` breaks."""
        place = self._origin(place)
        subject = f"`{'.'.join(map(str, place))}` " if place else ""
        line = self.lines[place]
        return ConfigurationError(
            f"{self.path}, line {line}: {subject}{rule}.", next_step=next_step, place=(str(self.path), line)
        )

    def _origin(self, place: Place) -> Place:
        for length in range(len(place), 0, -1):
            if place[:length] in self.origins:
                return self.origins[place[:length]] + place[length:]
        return place


def parse_config_file(path: Path, data: bytes) -> ConfigFile:
    """Parse the bytes of one file.

    Raises:
        ConfigurationError: It can't be read to its end; the message names the file and, if known, the line.
    """
    try:
        loader = _StrictLoader(data.decode("utf-8"))
    except (UnicodeDecodeError, yaml.reader.ReaderError) as error:
        raise ConfigurationError(
            f"{path} can't be read ({type(error).__name__}).",
            next_step="Write it as plain UTF-8 text.",
            place=(str(path), 0),
        ) from error
    try:
        node = loader.get_single_node()
        if node is None:
            raise ConfigurationError(
                f"{path} is empty.", next_step="Fill it or delete it.", place=(str(path), 0)
            )
        body = loader.construct_document(node)
        mistakes = tuple(_unreadable(path, line, text) for line, text in loader.mistakes)
        return ConfigFile(path, body, {(): 1} | dict(_lines(node, ())), mistakes)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _unreadable(path, line, error.problem or "can't be read") from error
    finally:
        loader.dispose()


def _unreadable(path: Path, line: int, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path}, line {line}: {problem}.", next_step="Correct the YAML there.", place=(str(path), line)
    )


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader without YAML's surprises; what it can leave out or let pass it notes with its line."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.mistakes: list[tuple[int, str]] = []

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(
                None,
                None,
                "anchors and aliases are not supported",
                self.peek_event().start_mark,  # type: ignore[no-untyped-call] # the stub leaves it out
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the base class's signature
        kept: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                self._note(key, "a key must be text")
            elif key.value in kept:
                self._note(key, f"the key `{key.value}` is there twice")
            else:
                kept[key.value] = (key, value)
        node.value = list(kept.values())
        return super().construct_mapping(node, deep=deep)

    def construct_finite(self, node: yaml.ScalarNode) -> float:
        """Construct a float that JSON can hold."""
        value = self.construct_yaml_float(node)
        if not math.isfinite(value):
            self._note(node, "a number must be finite")
        return value

    def _note(self, node: yaml.Node, problem: str) -> None:
        self.mistakes.append((node.start_mark.line + 1, problem))


_StrictLoader.add_constructor("tag:yaml.org,2002:float", _StrictLoader.construct_finite)
_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _lines(node: yaml.Node, place: Place) -> Iterator[tuple[Place, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*place, key.value), key.start_mark.line + 1
            yield from _lines(value, (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*place, index), value.start_mark.line + 1
            yield from _lines(value, (*place, index))
