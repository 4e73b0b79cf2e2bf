"""Makes text that came out of a trace harmless inside a Teams card, which reads Markdown.

Markdown's characters are replaced by look-alikes, not escaped with backslashes: Teams on iOS and Android has
shown the backslashes (https://github.com/microsoft/AdaptiveCards/issues/5590), and a card is read on a phone.
"""

import re
import unicodedata

MAX_CHARACTERS = 80
"""Length of a shown value; what is longer ends in an ellipsis."""

EMPTY = "—"
"""Stands where a value is empty, so that a label never stands alone."""

# Look-alikes that the fonts of phones and desktops have; full-width forms are missing from many.
_LOOK_ALIKES = str.maketrans("*`~[]{}<>\\", "∗ˋ∼()()‹›∖")  # noqa: RUF001 - look-alikes are the point
_COLON, _DOT, _HYPHEN, _UNDERSCORE, _AMPERSAND = "∶", "․", "‐", "ˍ", "＆"  # noqa: RUF001 - as above

_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore that isn't inside a word; only those can mean emphasis (CommonMark 0.31, rule 2 of 6.2)."""
_BLOCK_MARK = re.compile(r"^([#+]+|\d+[.)]) ")
"""What would begin a heading or a list; with a no-break space behind it, it doesn't."""
_ENTITY = re.compile(r"&(?=#?\w+;)")
_ADDRESS = re.compile(
    r"://|\bwww\.|\b(?:mailto|tel|sms):|\w\.\w{2,}[/:?]"
    r"|\w\.(?:[a-z]{2}|app|biz|cloud|com|dev|info|link|net|online|org|shop|site|top|xyz)\b",
    re.IGNORECASE,
)
"""What phones and mail programs turn into a link even where no Markdown says so."""
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(c) for c in range(0xFE00, 0xFE10)
}
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def plain(text: str) -> str:
    """Return one line without control, bidirectional, zero-width, private and unassigned characters."""
    spaced = "".join(" " if character.isspace() else character for character in text)
    kept = "".join(
        character
        for character in spaced
        if unicodedata.category(character) not in _DROPPED_CATEGORIES and character not in _INVISIBLE
    )
    return " ".join(kept.split())


def cut(text: str, length: int = MAX_CHARACTERS) -> str:
    """Return `text`, or its first characters and an ellipsis: `length` characters at most."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def escape(text: str, length: int = MAX_CHARACTERS) -> str:
    """Return `text` as one line of at most `length` characters that Teams shows as it stands.

    No link, emphasis, code, list, heading, mention, HTML, entity or date function comes of it, and no client
    turns an address in it into a link. Empty text becomes a dash.
    """
    shown = cut(plain(text[: 50 * length]), length)
    if _ADDRESS.search(shown):
        shown = shown.replace(":", _COLON).replace(".", _DOT)
    shown = _ENTITY.sub(_AMPERSAND, shown.translate(_LOOK_ALIKES))
    shown = _BLOCK_MARK.sub("\\1\u00a0", _EDGE_UNDERSCORE.sub(_UNDERSCORE, shown))
    return _HYPHEN + shown[1:] if shown.startswith("-") else shown or EMPTY
