"""Reads a text as those would who decode it: percent signs, escapes of JSON, base64, look-alike characters.

Each reading says where its characters stand in the text, so that what is found in it can be masked there.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import re2

_PERCENT = re2.compile(r"(?:%[0-9A-Fa-f]{2})+")
_ESCAPE = re2.compile(r"""\\u[0-9A-Fa-f]{4}|\\["\\/]""")
_BASE64 = re2.compile(rb"[A-Za-z0-9+/_-]{14}[A-Za-z0-9+/_-]*={0,2}")

_LEAST_PRINTABLE = 0.9

# Cyrillic and Greek letters that look like Latin ones in nearly every font (Unicode TR 39, confusables).
_CONFUSABLES = dict(
    zip(
        "аеорсухіјѕһԁԛԝАВЕКМНОРСТХУІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",  # noqa: RUF001 - look-alikes are the point
        "aeopcyxijshdqwABEKMHOPCTXYIJSABEZHIKMNOPTYXo",
        strict=True,
    )
)
_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
_DIGIT_ZEROS = (0x0660, 0x06F0, 0x0966, 0x09E6, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6)
_LOOKS_LIKE = {
    **_CONFUSABLES,
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},  # full-width forms of ASCII
    **{chr(zero + digit): str(digit) for zero in _DIGIT_ZEROS for digit in range(10)},
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),
    **dict.fromkeys(_INVISIBLE, ""),
}
_UNUSUAL = re2.compile(f"[{''.join(_LOOKS_LIKE)}]+")


def _bytes_of(characters: Iterable[str]) -> str:
    """Return a pattern over UTF-8 for any of the characters."""
    lasts: dict[bytes, set[int]] = {}
    for character in characters:
        encoded = character.encode()
        lasts.setdefault(encoded[:-1], set()).add(encoded[-1])
    return "|".join(
        "".join(f"\\x{byte:02x}" for byte in head)
        + f"[{''.join(f'\\x{byte:02x}' for byte in sorted(tails))}]"
        for head, tails in lasts.items()
    )


_BYTES = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1
_BYTES.never_capture = True
_UNUSUAL_BYTES = re2.compile(_bytes_of(_LOOKS_LIKE).encode(), _BYTES)

ENCODED = ("%[0-9A-Fa-f][0-9A-Fa-f]", r"""\\[u"\\/]""", "[A-Za-z0-9+/_-]{14}", _bytes_of(_LOOKS_LIKE))
"""What a text has in it, if any reading of it differs: RE2 patterns over bytes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as decoded.

    Attributes:
        text: What it says.
        starts: For each of its characters where that begins in the text it was read from.
        ends: Likewise where it ends.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def stretch(self, start: int, end: int) -> tuple[int, int]:
        """Return where [start, end) of the reading stands in the text it was read from."""
        return self.starts[start], self.ends[end - 1]


def readings(text: str) -> Iterator[Reading]:
    """Yield each reading that differs from the text itself."""
    data = text.encode("utf-8", "replace")
    if not text.isascii():  # a lone surrogate, which RE2 can't read, stands for nothing
        text = data.decode()
    if "%" in text and (reading := _replaced(text, _PERCENT, _percent_decoded)):
        yield reading
    if "\\" in text and (reading := _replaced(text, _ESCAPE, _unescaped)):
        yield reading
    if _UNUSUAL_BYTES.search(data) and (reading := _replaced(text, _UNUSUAL, _looks_like)):
        yield reading
    for token in _BASE64.finditer(data):
        decoded = _base64_decoded(token.group().decode())
        if decoded:
            start = len(data[: token.start()].decode())
            end = start + token.end() - token.start()
            yield Reading(decoded, [start] * len(decoded), [end] * len(decoded))


def _replaced(text: str, pattern: "re2._Regexp", decode: Callable[[str], str]) -> Reading | None:
    """Return the text with what the pattern matches decoded; None where nothing is."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for match in pattern.finditer(text):
        before = range(position, match.start())
        decoded = decode(match.group())
        parts += (text[position : match.start()], decoded)
        starts += [*before, *[match.start()] * len(decoded)]
        ends += [*(place + 1 for place in before), *[match.end()] * len(decoded)]
        position = match.end()
    if not parts:
        return None
    rest = range(position, len(text))
    parts.append(text[position:])
    return Reading("".join(parts), [*starts, *rest], [*ends, *(place + 1 for place in rest)])


def _percent_decoded(octets: str) -> str:
    return bytes.fromhex(octets.replace("%", "")).decode("utf-8", "replace")


def _unescaped(escape: str) -> str:
    return escape[1] if len(escape) == 2 else chr(int.from_bytes(bytes.fromhex(escape[2:])))


def _looks_like(characters: str) -> str:
    return "".join(_LOOKS_LIKE[character] for character in characters)


def _base64_decoded(token: str) -> str:
    """Return the text that base64 of either alphabet holds; "" where it holds none, as a word does."""
    if token[1:].islower() and token.isalpha():
        return ""
    standard = token.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
        text = data.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    printable = sum(character.isprintable() or character.isspace() for character in text)
    return text if text and printable / len(text) >= _LEAST_PRINTABLE else ""
