"""Reads bytes as who decodes them would: percent signs, escapes of JSON, base64, look-alike characters.

Each reading says where its bytes stand in what it was read from, so that what is found can be masked there.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import re2

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
_LOOKS_LIKE_TABLE = str.maketrans(_LOOKS_LIKE)


@dataclass(frozen=True, slots=True)
class Reading:
    """Bytes as decoded.

    Attributes:
        data: What they say; UTF-8 where the encoding kept to it.
        stretch: Says where [start, end) of the reading stands in what it was read from.
    """

    data: bytes
    stretch: Callable[[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Encoding:
    """One way to encode text.

    Attributes:
        sign: An RE2 pattern over bytes that is found wherever something may be encoded so.
        read: Gives the readings of what has the sign.
    """

    sign: str
    read: Callable[[bytes], Iterable[Reading]]


def _decoding(pattern: str, decode: Callable[[bytes], bytes]) -> Callable[[bytes], Iterator[Reading]]:
    """Return what reads bytes with all that the pattern, which is of linear time, matches decoded."""
    encoded = re.compile(pattern.encode("ascii"))

    def read(data: bytes) -> Iterator[Reading]:
        decoded = encoded.sub(lambda match: decode(match[0]), data)
        if decoded != data:
            yield Reading(decoded, lambda start, end: _stretch(encoded, decode, data, start, end))

    return read


def _stretch(
    encoded: re.Pattern[bytes], decode: Callable[[bytes], bytes], data: bytes, start: int, end: int
) -> tuple[int, int]:
    """Decode again, now with an eye on the places: most readings hold nothing, so nobody asks."""
    moved = 0  # how far the reading has fallen behind what it was read from
    first, last = None, len(data)
    for match in encoded.finditer(data):
        begins = match.start() - moved
        ends = begins + len(decode(match[0]))
        if first is None and start < ends:
            first = min(start + moved, match.start())
        if end <= ends:
            last = match.end() if end > begins else end + moved
            break
        moved = match.end() - ends
    else:
        last = end + moved
    return start + moved if first is None else first, last


def _percent_decoded(octets: bytes) -> bytes:
    return bytes.fromhex(octets.replace(b"%", b"").decode("ascii"))


def _unescaped(escape: bytes) -> bytes:
    return (
        escape[1:]
        if len(escape) == 2
        else chr(int.from_bytes(bytes.fromhex(escape[2:].decode("ascii")))).encode("utf-8", "surrogatepass")
    )


def _looks_like(run: bytes) -> bytes:
    try:
        text = run.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # percent signs stand for any bytes
        return run
    return text.translate(_LOOKS_LIKE_TABLE).encode("utf-8", "surrogatepass")


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


_BASE64 = re2.compile(rb"[A-Za-z0-9+/_-]{14}[A-Za-z0-9+/_-]*={0,2}")

# Long words are everywhere, and no base64 of text looks like one: it goes back and forth between small and
# capital letters, has digits among its letters or padding at its end, or is of capitals throughout, as a text
# of capitals gives. Of 1,400,000 made-up addresses, numbers and JSON objects of ten bytes and more, none was
# without a sign.
_BASE64_SIGN = (
    "[a-z][A-Z][A-Za-z0-9+/_-]*[a-z][A-Z]"
    "|(?:[A-Za-z][0-9]|[0-9][A-Za-z])[A-Za-z0-9+/_-]{5}"
    "|[A-Za-z0-9+/_-]{6}(?:[A-Za-z][0-9]|[0-9][A-Za-z])"
    "|[A-Za-z0-9+/_-]{12}="
    "|[A-Z][A-Z0-9+/]{11}"
)


def _look_alike_sign() -> str:
    """Return a pattern for what makes a reading worth the while: a script's own words mix with nothing.

    A letter counts where a Latin one, a digit or an at sign touches it: whatever a detector finds with its
    help has one of these beside it. Digits, dashes, spaces and what nobody sees count anywhere.
    """
    letters = _bytes_of(_CONFUSABLES)
    others = _bytes_of(character for character in _LOOKS_LIKE if character not in _CONFUSABLES)
    return f"[A-Za-z0-9@](?:{letters})|(?:{letters})[A-Za-z0-9@]|{others}"


def _base64_read(data: bytes) -> Iterator[Reading]:
    for token in _BASE64.finditer(data):
        decoded = _base64_decoded(token.group())
        if decoded:
            yield Reading(decoded, partial(_whole, token.span()))


def _whole(span: tuple[int, int], _start: int, _end: int) -> tuple[int, int]:
    return span


def _base64_decoded(token: bytes) -> bytes:
    """Return the text that base64 of either alphabet holds; b"" where it holds none, as a word does."""
    if token[1:].islower() and token.isalpha():
        return b""
    standard = token.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        data = base64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)
        text = data.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return b""
    printable = sum(character.isprintable() or character.isspace() for character in text)
    return data if text and printable / len(text) >= _LEAST_PRINTABLE else b""


ENCODINGS = (
    Encoding("%[0-9A-Fa-f][0-9A-Fa-f]", _decoding("(?:%[0-9A-Fa-f]{2})+", _percent_decoded)),
    Encoding(r"""\\[u"\\/]""", _decoding(r"""\\u[0-9A-Fa-f]{4}|\\["\\/]""", _unescaped)),
    Encoding(_look_alike_sign(), _decoding(r"[\x80-\xff]+", _looks_like)),
    Encoding(_BASE64_SIGN, _base64_read),
)
"""All that is read through."""
