"""Holds a parsed config file to its schema and says in words how it breaks it, each mistake once."""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from functions.config_file import ConfigFile, Place, parse_config_file
from functions.errors import ConfigurationError, together


@dataclass(frozen=True, slots=True)
class Fault:
    """One place at which a file breaks its schema.

    Attributes:
        place: Where.
        rule: Which rule, in words; the value itself is not repeated.
        next_step: What to do.
        keyword: The schema's keyword, for example "required".
        key: The key that is missing or not known; None for other faults.
    """

    place: Place
    rule: str
    next_step: str
    keyword: str
    key: str | None = None


def read_config_file(path: Path, schema: Mapping[str, Any]) -> ConfigFile:
    """Read and validate one file.

    Raises:
        ConfigurationError: It can't be read, is not the YAML that is accepted, or breaks its schema.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    file = parse_config_file(path, data)
    mistakes = [*file.mistakes, *told(file, schema_faults(file, schema))]
    if mistakes:
        raise together(mistakes)
    return file


def unreadable(path: Path, error: OSError) -> ConfigurationError:
    """Return what is told of a file that the system does not hand out."""
    return ConfigurationError(
        f"{path} can't be read ({type(error).__name__}).",
        next_step="Correct its place or its permissions.",
        place=(str(path), 0),
    )


def told(file: ConfigFile, faults: Iterable[Fault]) -> list[ConfigurationError]:
    """Return the faults as errors."""
    return [file.wrong(fault.place, fault.rule, next_step=fault.next_step) for fault in faults]


def schema_faults(file: ConfigFile, schema: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Return every fault; a key that is missing because it is misspelt is left out."""
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    found: dict[tuple[Place, str | None], Fault] = {}
    for error in validator.iter_errors(file.body):
        for fault in _faults(error):
            found.setdefault((fault.place, fault.key), fault)
    unknown = [fault for fault in found.values() if fault.keyword == "additionalProperties"]
    return tuple(fault for fault in found.values() if not _explained(fault, unknown))


def sound_part(file: ConfigFile, faults: Iterable[Fault], depths: Mapping[str, int]) -> ConfigFile:
    """Return the file without the parts that have faults, so that what is left can be held to further rules.

    Args:
        file: The file; its body is a mapping.
        faults: What its schema found.
        depths: How deep a part lies below each key of the file; 1 where none is given.
    """
    body = copy.deepcopy(file.body)
    for fault in faults:
        depth = depths.get(str(fault.place[0]), 1) if fault.place else 0
        if fault.keyword == "required" and len(fault.place) < depth:
            continue  # nothing is wrong with what is there
        holder: Any = body
        for step in fault.place[:depth][:-1]:
            holder = holder.get(step, {})
        if fault.place:
            holder.pop(fault.place[:depth][-1], None)
    return ConfigFile(file.path, body, file.lines)


def _explained(fault: Fault, unknown: Iterable[Fault]) -> bool:
    """Return whether an unknown key in the same object is all that is wrong."""
    beside = [one.key for one in unknown if one.key and one.place[:-1] == fault.place]
    if fault.keyword == "required" and fault.key:
        return bool(get_close_matches(fault.key, beside))
    return fault.keyword in {"minProperties", "maxProperties"} and bool(beside)


def _faults(error: ValidationError) -> Iterator[Fault]:
    place: Place = tuple(error.absolute_path)
    instance, schema, limit = cast(
        "tuple[Any, Any, Any]", (error.instance, error.schema, error.validator_value)
    )
    keyword = str(error.validator)
    advice = schema.get("description", "Correct it.")
    if "propertyNames" in error.absolute_schema_path:
        place = (*place, instance)
    match keyword:
        case "required":
            for key in (key for key in limit if key not in instance):
                fix = schema.get("description") or _description(schema, key)
                yield Fault(place, f"lacks the key `{key}`", fix, keyword, key)
        case "additionalProperties":
            known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
            fix = f"Known here: {', '.join((*known, *patterns)) or 'none'}."
            for key in instance:
                if key not in known and not any(re.search(pattern, key) for pattern in patterns):
                    yield Fault((*place, key), "is not a known key", fix, keyword, key)
        case "uniqueItems":
            again = next(n for n, item in enumerate(instance) if item in instance[:n])
            yield Fault((*place, again), "is there twice", advice, keyword)
        case "enum":
            yield Fault(place, f"must be one of {', '.join(map(str, limit))}", advice, keyword)
        case rule:
            words = _IN_WORDS.get(rule, f"breaks the rule {rule}: {{}}").format(limit)
            yield Fault(place, words, advice, keyword)


def _description(schema: Mapping[str, Any], key: str) -> str:
    described: str = schema.get("properties", {}).get(key, {}).get("description", "Add it.")
    return described


_IN_WORDS = {
    "type": "must be of type {}",
    "const": "must be {}",
    "pattern": "must match {}",
    "format": "must be a {}",
    "exclusiveMinimum": "must be above {}",
    "minimum": "must be {} or more",
    "maximum": "must be {} or less",
    "minItems": "must not be empty",
    "maxProperties": "must not hold more keys than {}",
    "not": "does not belong here",
}
