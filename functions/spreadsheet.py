"""Writes tables as CSV that is safe to open in a spreadsheet."""

import csv
import io
import re
import string
from collections.abc import Iterable, Sequence

Cell = str | int | float | bool | None

# A spreadsheet takes a cell for a formula by its first character, some after blanks, some in full width too
# (the escapes are full-width = + - @). https://owasp.org/www-community/attacks/CSV_Injection
_STARTS = r"[=+\-@|%\uff1d\uff0b\uff0d\uff20\t\r\n]"
_FORMULA = re.compile(rf"\s*{_STARTS}")

# Where lists are separated by semicolons, a spreadsheet takes them for the separator of cells too. Quotes
# within a cell count for nothing then: one begins behind each semicolon, tab and end of line.
_FORMULA_WITHIN = re.compile(rf"([;\t\r\n])(?=[\s\"'\\]*{_STARTS})")

_SPECIAL = re.compile(r"[,\"\r\n]")

_HARMLESS = frozenset(f'{string.ascii_letters}{string.digits}{{["')
"""First characters with which no formula begins."""


def encode_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Encode rows in their order as RFC 4180 in UTF-8; text is guarded, None is an empty cell."""
    return encode_rows([header]) + encode_rows(rows)


def encode_rows(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Encode rows without a header, as `encode_csv` does: for a file that is written in pieces."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def guarded(text: str) -> str:
    """Return text that no spreadsheet reads as a formula, whatever it takes for the separator of cells.

    What might be one is preceded by an apostrophe.
    """
    if ";" in text or "\n" in text or "\r" in text or "\t" in text:
        text = _FORMULA_WITHIN.sub(r"\1'", text)
    if text[:1] in _HARMLESS:  # nearly all cells, and there are many
        return text
    return f"'{text}" if _FORMULA.match(text) else text


def encode_text(text: str) -> str:
    """Return a cell of text as it stands in a file of `encode_csv`: guarded, quoted where it must be."""
    text = guarded(text)
    if _SPECIAL.search(text) is None:
        return text
    return '"' + text.replace('"', '""') + '"'


def _cell(value: Cell) -> Cell:
    """Guard text; numbers and truth values are of our own making."""
    if isinstance(value, str):
        return guarded(value)
    return str(value).lower() if isinstance(value, bool) else value
