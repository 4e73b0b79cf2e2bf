"""Searches finished bytes for anything that must not leave: the proof behind the sanitizer."""

import re
from collections import Counter

from functions.errors import RedactionFailure
from functions.evidence.detectors import Detectors

# A letter escape in JSON ("\\n") would stand before a number like a part of a word.
_JSON_ESCAPE = re.compile(rb"\\[bfnrt]")


def rescan(data: bytes, detectors: Detectors) -> None:
    """Search the finished bytes of one payload file for anything that must not leave.

    Ids of fixed length with a letter in them, instants, epochs and pseudonyms are nothing to the detectors.

    Args:
        data: UTF-8 text: JSON, JSON Lines, CSV, HTML.
        detectors: What to search with.

    Raises:
        RedactionFailure: Something was found, or the bytes are not text. It names types, never values.
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise _withheld("bytes that are not UTF-8") from None
    text = _JSON_ESCAPE.sub(b"  ", data) if b"\\" in data else data
    found = Counter(hit.type for hit in detectors.find_bytes(text))
    if found:
        raise _withheld(", ".join(f"{kind} ({count})" for kind, count in sorted(found.items())))


def _withheld(found: str) -> RedactionFailure:
    return RedactionFailure(
        f"The rescan of the finished bytes found {found}.",
        next_step="The export is withheld. Drop the attribute in redaction.yaml and export again.",
    )
