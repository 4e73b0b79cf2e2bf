"""Makes the fixed mutations of a KQL query: each is one small mistake that a check's fixtures must notice.

Each filter is dropped, each comparison negated, each number nudged and each kind of join changed. Comments
and strings are left alone. Nothing is parsed beyond words and brackets, so that a mutant is always the query
but for the one place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Rule = Literal["filter", "comparison", "number", "join"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A query with one mistake.

    Attributes:
        rule: What kind of mistake.
        change: What became of what, for example "3 -> 4".
        line: The line of the original in which it is, without indentation.
        query: The whole query with the mistake.
    """

    rule: Rule
    change: str
    line: str
    query: str


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


_TOKENS = re.compile(
    r"""
    (?P<comment>//[^\n]*)
  | (?P<string>@"(?:[^"]|"")*" | @'(?:[^']|'')*' | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*')
  | (?P<number>\b\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:ms|s|m|h|d)?\b)
  | (?P<word>!?[A-Za-z_]\w*)
  | (?P<comparison>==|!=|<=|>=|=~|!~|<|>)
  | (?P<other>[^\s])
    """,
    re.VERBOSE,
)

_OPPOSITES = {
    "==": "!=",
    "<": ">=",
    "<=": ">",
    "=~": "!~",
    "in": "!in",
    "has": "!has",
    "contains": "!contains",
    "startswith": "!startswith",
    "endswith": "!endswith",
    "isnull": "isnotnull",
    "isempty": "isnotempty",
}
_NEGATED = _OPPOSITES | {opposite: word for word, opposite in _OPPOSITES.items()}
_OTHER_KIND = {"inner": "leftouter", "leftouter": "inner", "leftanti": "leftsemi", "leftsemi": "leftanti"}


def mutants(query: str) -> tuple[Mutant, ...]:
    """Return all mutants of a query, in the order of their places."""
    tokens = [
        _Token(str(found.lastgroup), found.group(), found.start(), found.end())
        for found in _TOKENS.finditer(query)
        if found.lastgroup != "comment"
    ]
    changes = [change for n in range(len(tokens)) for change in _changes(tokens, n)]
    return tuple(_mutant(query, *change) for change in changes)


_Change = tuple[Rule, int, int, str]


def _changes(tokens: list[_Token], n: int) -> Iterator[_Change]:
    token = tokens[n]
    match token.kind, token.text:
        case _, "|" if n + 1 < len(tokens) and tokens[n + 1].text == "where":
            yield "filter", token.start, _end_of_operator(tokens, n + 1), ""
        case "number", number:
            yield "number", token.start, token.end, _nudged(number)
        case (("word" | "comparison"), text) if text in _NEGATED:
            yield "comparison", token.start, token.end, _NEGATED[text]
        case "word", "not" if tokens[n + 1].text == "(":
            yield "comparison", token.start, token.end, ""
        case "word", "matches":
            start, end = _start_of_operand(tokens, n - 1), _end_of_operand(tokens, n + 2)
            yield "comparison", start, end, "not({})"
        case "word", kind if kind in _OTHER_KIND and _is_kind_of_join(tokens, n):
            yield "join", token.start, token.end, _OTHER_KIND[kind]


def _is_kind_of_join(tokens: list[_Token], n: int) -> bool:
    return n > 2 and tokens[n - 2].text == "kind" and tokens[n - 3].text in {"join", "lookup"}


def _nudged(number: str) -> str:
    digits, unit = re.fullmatch(r"([0-9.]+(?:e[+-]?\d+)?)([a-z]*)", number).groups()  # type: ignore[union-attr]  # a number token
    if re.fullmatch(r"\d+", digits):
        return f"{int(digits) + 1}{unit}"
    nudged = f"{float(digits) * 1.1 or 0.1:.12g}"
    return f"{nudged if '.' in nudged else f'{nudged}.0'}{unit}"  # a real stays a real


def _end_of_operator(tokens: list[_Token], n: int) -> int:
    depth = 0
    for token, before in zip(tokens[n:], tokens[n - 1 :], strict=False):
        if depth == 0 and token.text in {"|", ";", ")"}:
            return before.end
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
    return tokens[-1].end


def _end_of_operand(tokens: list[_Token], n: int) -> int:
    if n + 1 < len(tokens) and tokens[n + 1].text == "(":
        depth = 0
        for token in tokens[n + 1 :]:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth == 0:
                return token.end
    return tokens[n].end


def _start_of_operand(tokens: list[_Token], n: int) -> int:
    depth = 0
    for at in range(n, -1, -1):
        depth += {")": 1, "(": -1}.get(tokens[at].text, 0)
        if depth == 0:
            called = at > 0 and tokens[at].text == "(" and tokens[at - 1].kind == "word"
            return tokens[at - 1 if called else at].start
    return tokens[0].start


def _mutant(query: str, rule: Rule, start: int, end: int, instead: str) -> Mutant:
    old = query[start:end]
    new = instead.format(old) if rule == "comparison" else instead
    first = query.rfind("\n", 0, start) + 1
    last = query.find("\n", start)
    return Mutant(
        rule=rule,
        change=f"{' '.join(old.split())} -> {' '.join(new.split()) or 'nothing'}",
        line=query[first : last if last >= 0 else len(query)].strip(),
        query=query[:start] + new + query[end:],
    )
