"""Reads one YAML file of the configuration strictly and holds it to its schema, knowing the line of all.

Refused beyond what YAML refuses: duplicate keys, keys that are not text, anchors and aliases, numbers that
are not finite. Dates stay text.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from functions.errors import ConfigurationError

Place = tuple[str | int, ...]
"""Where a value stands in a file: keys and indices from the top."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One parsed file.

    Attributes:
        path: The file.
        body: Its content: JSON types only.
        lines: The line, from 1, of each key and list item.
    """

    path: Path
    body: Any
    lines: Mapping[Place, int]

    def wrong(self, place: Place, rule: str, *, next_step: str) -> ConfigurationError:
        """Return the error that says which rule the value at `place` breaks."""
        subject = f"`{'.'.join(map(str, place))}` " if place else ""
        return ConfigurationError(
            f"{self.path}, line {self.lines[place]}: {subject}{rule}.", next_step=next_step
        )


def read_config_file(path: Path, schema: Mapping[str, Any]) -> ConfigFile:
    """Read and validate one file.

    Raises:
        ConfigurationError: It can't be read, is not the YAML described above or breaks its schema. Of several
            faults the first in the file is named, a missing key last: a misspelt one explains it.
    """
    file = _parse(path)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    faults = [(error.validator == "required", _fault(error)) for error in validator.iter_errors(file.body)]
    if faults:
        _, (place, rule, next_step) = min(faults, key=lambda fault: (fault[0], file.lines[fault[1][0]]))
        raise file.wrong(place, rule, next_step=next_step)
    return file


def _parse(path: Path) -> ConfigFile:
    try:
        loader = _StrictLoader(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.reader.ReaderError) as error:
        raise ConfigurationError(
            f"{path} can't be read ({type(error).__name__}).", next_step="Write it as plain UTF-8 text."
        ) from error
    try:
        node = loader.get_single_node()
        if node is None:
            raise ConfigurationError(f"{path} is empty.", next_step="Fill it or delete it.")
        return ConfigFile(path, loader.construct_document(node), {(): 1} | dict(_lines(node, ())))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError(
            f"{path}, line {line}: {error.problem}.", next_step="Correct the YAML there."
        ) from error
    finally:
        loader.dispose()


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader without YAML's surprises; each refusal carries its line."""

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
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key `{key.value}` is there twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_finite(self, node: yaml.ScalarNode) -> float:
        """Construct a float that JSON can hold."""
        value = self.construct_yaml_float(node)
        if not math.isfinite(value):
            raise yaml.constructor.ConstructorError(None, None, "a number must be finite", node.start_mark)
        return value


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


def _fault(error: ValidationError) -> tuple[Place, str, str]:
    """Return where, which rule and what to do, in words; the value itself is not repeated."""
    place: Place = tuple(error.absolute_path)
    instance, schema, limit = cast(
        "tuple[Any, Any, Any]", (error.instance, error.schema, error.validator_value)
    )
    advice = schema.get("description", "Correct it.")
    if "propertyNames" in error.absolute_schema_path:
        place = (*place, instance)
    match error.validator:
        case "required":
            missing = next(key for key in limit if key not in instance)
            return place, f"lacks the key `{missing}`", advice
        case "additionalProperties":
            known = schema.get("properties", {})
            extra = next(key for key in instance if key not in known)
            return (*place, extra), "is not a known key", f"Known here: {', '.join(known) or 'none'}."
        case "uniqueItems":
            again = next(n for n, item in enumerate(instance) if item in instance[:n])
            return (*place, again), "is there twice", advice
        case "enum":
            return place, f"must be one of {', '.join(map(str, limit))}", advice
        case rule:
            return place, _IN_WORDS.get(str(rule), f"breaks the rule {rule}: {{}}").format(limit), advice


_IN_WORDS = {
    "type": "must be of type {}",
    "pattern": "must match {}",
    "format": "must be a {}",
    "exclusiveMinimum": "must be above {}",
    "minimum": "must be {} or more",
    "maximum": "must be {} or less",
    "not": "does not belong here",
}
