r"""Rewrites the escapes of KQL string literals that duckdb-kql reads as plain letters.

Kusto knows C's escapes (https://learn.microsoft.com/kusto/query/scalar-data-types/string#string-literals);
duckdb-kql knows `\n \t \r \\ \' \"` and would turn `"\u0041"` into `u0041`.
"""

import re

# A comment or a verbatim literal is matched so that nothing inside it is taken for a literal.
_TOKEN = re.compile(
    r"""//[^\n]* | @"(?:[^"]|"")*" | @'(?:[^']|'')*' | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{1,3})|([abfv])|(.))", re.DOTALL
)
_BASES = (16, 16, 16, 8)
_CONTROLS = {"a": "\a", "b": "\b", "f": "\f", "v": "\v"}
# What a literal can't hold as it is.
_KEPT_ESCAPED = {"\n": r"\n", "\r": r"\r", "\\": r"\\", '"': r"\"", "'": r"\'"}


def decode_escapes(kql: str) -> str:
    """Return the query with those escapes written as the characters they mean."""
    return _TOKEN.sub(_literal, kql)


def _literal(token: re.Match[str]) -> str:
    text = token.group()
    if text[0] not in "\"'" or "\\" not in text:
        return text
    decoded = _ESCAPE.sub(_character, text)
    # Two escapes may be the halves of one character.
    return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(escape: re.Match[str]) -> str:
    *numbers, control, other = escape.groups()
    if other is not None:
        return escape.group()
    if control is not None:
        return _CONTROLS[control]
    number, base = next((n, b) for n, b in zip(numbers, _BASES, strict=True) if n is not None)
    code = int(number, base)
    character = chr(code) if code <= 0x10FFFF else "\N{REPLACEMENT CHARACTER}"
    return _KEPT_ESCAPED.get(character, character)
