"""What stands next to a candidate: RE2 has no look-around, so the neighbours are read here."""

import re

_ALPHANUMERIC = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset(b"0123456789")
_NO_DIGITS = bytes(set(range(256)) - _DIGITS)
_LOWER_HEX = frozenset(b"0123456789abcdef")
_LONGEST_IDENTIFIER = 64

_HEX_ID = re.compile(rb"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|(?=[0-9]*[a-f])[0-9a-f]{16}")
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def digits_in(text: bytes) -> bytes:
    """Return only the ASCII digits of `text`."""
    return text.translate(None, _NO_DIGITS)


def stands_alone(text: bytes, start: int, end: int) -> bool:
    """Say whether no ASCII letter or digit touches [start, end)."""
    return not (start and text[start - 1] in _ALPHANUMERIC) and not (
        end < len(text) and text[end] in _ALPHANUMERIC
    )


def continues_number(text: bytes, start: int, end: int, separators: bytes) -> bool:
    """Say whether [start, end) is part of a longer number: a digit touches it, or follows a separator."""
    before = text[max(0, start - 2) : start]
    after = text[end : end + 2]
    return _touches(before[::-1], separators) or _touches(after, separators)


def _touches(neighbours: bytes, separators: bytes) -> bool:
    if neighbours[:1].isdigit():
        return True
    return len(neighbours) == 2 and neighbours[0] in separators and neighbours[1] in _DIGITS


def in_identifier(text: bytes, start: int, end: int) -> bool:
    """Say whether [start, end) lies in lower-case hex of 16, 32, 40 or 64 digits or in a UUID.

    One random span id in some thousands is a valid card number to a checksum; its letters show what it is.
    Hex of 16 without a letter is not excused: that is also how a card number looks.
    """
    return any(
        pattern.fullmatch(_token(text, start, end, allowed)) is not None
        for pattern, allowed in ((_HEX_ID, _LOWER_HEX), (_UUID, _LOWER_HEX | frozenset(b"-")))
    )


def _token(text: bytes, start: int, end: int, allowed: frozenset[int]) -> bytes:
    """Return the stretch of `allowed` bytes around [start, end); empty where a letter or digit touches it."""
    left, right = start, end
    while left and text[left - 1] in allowed and start - left <= _LONGEST_IDENTIFIER:
        left -= 1
    while right < len(text) and text[right] in allowed and right - end <= _LONGEST_IDENTIFIER:
        right += 1
    return text[left:right] if stands_alone(text, left, right) else b""
