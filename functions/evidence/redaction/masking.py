"""Masks what the detectors find in a text, JSON's strings as decoded, until they find nothing more."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from functions.evidence.detectors import Detectors, Hit

WITHHELD = "<withheld>"
"""Stands for a string within JSON that no masking made safe."""

_DEEPEST = 50
_MOST_PASSES = 6
_SMALL_NUMBER = 1_000_000
"""Numbers below it have too few digits for any detector."""

# A letter escape in JSON ("\\n") would stand before a number like a part of a word.
_LETTER_ESCAPE = re.compile(r"\\[bfnrt]")


@dataclass(frozen=True, slots=True)
class Masked:
    """A text that may be shown.

    Attributes:
        text: It, with "<email>" where an e-mail address was; None where no masking made it safe.
        found: How many stretches of each type were masked.
    """

    text: str | None
    found: Mapping[str, int]


def mask(value: Any, detectors: Detectors) -> Masked:
    """Mask a text, or a JSON value as text. JSON within strings is read as JSON, to any depth.

    A value is masked by itself first, and then the whole as text: a key may be what is masked, or the cue.
    """
    masking = _Masking(detectors)
    text = masking.text(masking.json_text(value))
    return Masked(text, dict(sorted(masking.found.items())))


def find(text: str, detectors: Detectors) -> list[Hit]:
    """Return what is found in the text as it stands, and with JSON's letter escapes read as spaces."""
    hits = detectors.find(text)
    if "\\" in text:
        spaced = _LETTER_ESCAPE.sub("  ", text)
        if spaced != text:
            hits = sorted({*hits, *detectors.find(spaced)}, key=lambda hit: (hit.start, -hit.end))
    return hits


def read_json(text: str) -> Any | None:
    """Return the object or list that a text holds as JSON; None where it holds none that we could write."""
    if text.lstrip()[:1] not in {"{", "["}:
        return None
    try:
        value = orjson.loads(text)
        orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return value


class _Masking:
    """Masks one value and counts what it finds."""

    def __init__(self, detectors: Detectors) -> None:
        self._detectors = detectors
        self.found: Counter[str] = Counter()

    def text(self, text: str) -> str | None:
        """Mask a text as it stands; None where something is still found in the end."""
        for _ in range(_MOST_PASSES):
            hits = find(text, self._detectors)
            if not hits:
                return text
            parts: list[str] = []
            position = 0
            for hit in hits:
                if hit.start >= position:
                    parts += (text[position : hit.start], f"<{hit.type}>")
                    self.found[hit.type] += 1
                position = max(position, hit.end)
            text = "".join((*parts, text[position:]))
        return None

    def json_text(self, value: Any) -> str:
        """Return a value as text; where it is JSON, or holds it, what is in it is masked."""
        inside = read_json(value) if isinstance(value, str) else value
        if inside is None:
            return value if isinstance(value, str) else ""
        return orjson.dumps(self._inside(inside, 0)).decode()

    def _inside(self, value: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            return WITHHELD
        match value:
            case dict():
                return {
                    self._string(key, depth): self._inside(each, depth + 1) for key, each in value.items()
                }
            case list():
                return [self._inside(each, depth + 1) for each in value]
            case str():
                return self._string(value, depth)
            case int() | float() if abs(value) >= _SMALL_NUMBER:
                masked = self._string(str(value), depth)
                return value if masked == str(value) else masked
            case _:
                return value

    def _string(self, text: str, depth: int) -> str:
        nested = read_json(text)
        if nested is not None:
            return orjson.dumps(self._inside(nested, depth + 1)).decode()
        masked = self.text(text) if text else text
        return WITHHELD if masked is None else masked
