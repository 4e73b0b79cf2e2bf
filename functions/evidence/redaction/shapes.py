"""The shapes that a kept value must have. None of them has room for free text; what does not fit is not kept.

A shape is a function from a value to the value as it may be kept, or None. Applying it twice changes nothing.
"""

import base64
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from functions.traces.model import Scalar

Shape = Callable[[Any], Scalar | None]

_LONGEST_LIST = 8192  # Azure Monitor cuts property values there
_MOST_ITEMS = 500

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*(?:/[A-Za-z0-9][A-Za-z0-9_.:-]*){0,3}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
_HEX_ID = re.compile(r"(?=[0-9]*[a-f])(?:[0-9a-f]{8}){1,2}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LONG_NUMBER = re.compile(r"[0-9]{9}")
_ALPHANUMERIC = re.compile(r"[A-Za-z0-9]{12,}")
_BASE64 = re.compile(r"[A-Za-z0-9_-]{12,}")
_HEX = re.compile(r"[0-9A-Fa-f]{16,}")
_TURN = re.compile(r"(?<=[0-9])[A-Za-z]|(?<=[A-Za-z])[0-9]")
_YEAR = r"(?:19[0-9]{2}|20(?:0[0-9]|1[0-4]))"
_MONTH_OR_DAY = r"[-./_:]?[0-3]?[0-9]"
_BIRTHDAY = re.compile(
    rf"(?<![0-9]){_YEAR}{_MONTH_OR_DAY}{_MONTH_OR_DAY}(?![0-9])"
    rf"|(?<![0-9])[0-3]?[0-9][-./_:]?[0-3]?[0-9][-./_:]?{_YEAR}(?![0-9])"
)
_INTEGER = re.compile(r"-?[0-9]{1,8}")
_DECIMAL = re.compile(r"-?[0-9]{1,8}(?:\.[0-9]{1,20})?(?:[eE]-[0-9]{1,2})?")
_SHORT_DECIMAL = re.compile(r"-?[0-9]{1,8}(?:\.[0-9]{1,6})?")
_INSTANT = re.compile(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,7})?(?:Z|[+-][01][0-9]:[0-5][0-9])"
)
_BOOLEAN_TEXTS = frozenset({"true", "false", "True", "False"})


def _of_pattern(pattern: re.Pattern[str], *, longest: int = 64) -> Shape:
    """Return the shape of a short word that fits `pattern`.

    What could be a number or a key of somebody's is refused, unless it is an identifier of fixed length:
    nine digits in a row (a social security number has nine), a date on which a grown person may be born, what
    a machine drew at random, and text in base64 or hex.
    """

    def shape(value: Any) -> str | None:
        if not isinstance(value, str) or len(value) > longest or pattern.fullmatch(value) is None:
            return None
        suspect = _LONG_NUMBER.search(value) or _BIRTHDAY.search(value) or _is_drawn(value)
        if suspect and not (_UUID.fullmatch(value) or _HEX_ID.fullmatch(value)):
            return None
        return None if _holds_text(value) else value

    return shape


def _is_drawn(word: str) -> bool:
    """Say whether a word holds a token or a reference: long, in capitals, or in and out of digits.

    Words in capitals have fewer than 16 letters; "Qwen25Coder32BInstruct" turns less than each fifth time.
    """
    for run in _ALPHANUMERIC.findall(word):
        if run.isupper() and len(run) >= (16 if run.isalpha() else 12):
            return True
        turns = len(_TURN.findall(run))
        if len(run) >= 16 and turns >= 4 and turns > len(run) / 5:
            return True
    return False


def _holds_text(word: str) -> bool:
    """Say whether a part of the word is text in base64 or in hex; as good as no word of another kind is."""
    return any(
        _is_text(base64.b64decode(run[skipped:] + "=" * (-len(run[skipped:]) % 4), b"-_"))
        for run in _BASE64.findall(word)
        for skipped in range(len(run) % 4 == 1, min(4, len(run) - 11))
        if (len(run) - skipped) % 4 != 1
    ) or any(_is_text(bytes.fromhex(run[: len(run) // 2 * 2])) for run in _HEX.findall(word))


def _is_text(data: bytes) -> bool:
    return all(32 <= byte < 127 or byte in {9, 10, 13} for byte in data)


def _boolean(value: Any) -> bool | str | None:
    if isinstance(value, bool) or (isinstance(value, str) and value in _BOOLEAN_TEXTS):
        return value
    return None


def _integer(value: Any) -> int | str | None:
    """At most 8 digits: a social security number has nine."""
    if isinstance(value, str):
        return value if _INTEGER.fullmatch(value) else None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**8:
        return value
    return None


def _number(value: Any) -> int | float | str | None:
    """At most 8 digits before the point and 6 behind; finer ones are rounded, so that nothing hides."""
    if isinstance(value, str):
        if _DECIMAL.fullmatch(value) is None:
            return None
        return value if _SHORT_DECIMAL.fullmatch(value) else f"{float(value):.6f}"
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e8:
        return round(value, 6)
    return None


def _instant(value: Any) -> str | None:
    """An ISO 8601 instant with its zone."""
    if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return value


def to_hour(value: Any) -> str | None:
    """Return the hour, UTC, in which an ISO 8601 instant with its zone lies."""
    if _instant(value) is None:
        return None
    try:
        hour = datetime.fromisoformat(value).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return hour.strftime("%Y-%m-%dT%H:00:00Z")


def buckets(bounds: Sequence[float]) -> Shape:
    """Return what a number becomes: the name of its bucket, such as "below_10", "10_to_100", "from_100".

    Args:
        bounds: Ascending; a bucket takes its lower bound in and leaves its upper one out.
    """
    names = [
        f"below_{bounds[0]}",
        *(f"{low}_to_{high}" for low, high in pairwise(bounds)),
        f"from_{bounds[-1]}",
    ]
    known = frozenset(names)

    def shape(value: Any) -> str | None:
        if isinstance(value, str) and value in known:
            return value
        number = _number(value)
        return None if number is None else names[bisect_right(bounds, float(number))]

    return shape


def one_of(values: Iterable[str]) -> Shape:
    """Return the shape of a text that is one of `values`."""
    allowed = frozenset(values)
    return lambda value: value if isinstance(value, str) and value in allowed else None


def list_of(item: Shape) -> Shape:
    """Return the shape of a list whose items all have the shape `item`.

    Lists arrive as JSON, as the text of a Python tuple or comma-separated; they are kept comma-separated.
    """

    def shape(value: Any) -> str | None:
        if not isinstance(value, str) or len(value) > _LONGEST_LIST:
            return None
        items = _items(value)
        if len(items) > _MOST_ITEMS or any(item(text) is None for text in items):
            return None
        return ",".join(items)

    return shape


def _items(text: str) -> list[str]:
    if (text[:1], text[-1:]) in {("[", "]"), ("(", ")")}:
        text = text[1:-1].removesuffix(",")
    if not text.strip(" "):
        return []
    return [_unquoted(item.strip(" ")) for item in text.split(",")]


def _unquoted(item: str) -> str:
    quoted = len(item) >= 2 and item[0] == item[-1] and item[0] in {'"', "'"}
    return item[1:-1] if quoted else item


SHAPES: Mapping[str, Shape] = {
    "name": _of_pattern(_NAME),
    "model": _of_pattern(_MODEL, longest=128),
    "version": _of_pattern(_VERSION),
    "hex_id": _of_pattern(_HEX_ID),
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "instant": _instant,
    "id_list": list_of(_of_pattern(_ID)),
}
"""The shapes by the names that config/redaction.yaml uses."""
