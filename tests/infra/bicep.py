"""Reads Bicep with tree-sitter's grammar, as far as the tests ask about it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"

# What the grammar does not know, and what stands in its place when it reads a file.
_UNKNOWN = re.compile(rb"^extension \w+$", re.MULTILINE)


@dataclass(frozen=True)
class Declaration:
    """A resource or a module.

    Attributes:
        name: Its symbol.
        target: The type with its version, or the module's path.
        existing: Whether it is only referred to.
        conditional: The condition's text; "" where there is none.
        body: Its properties: name to the text of the value.
        looped: Whether it is made for each of a list.
    """

    name: str
    target: str
    existing: bool
    conditional: str
    body: Mapping[str, str]
    looped: bool


@dataclass(frozen=True)
class Template:
    """One file.

    Attributes:
        path: From the folder infra.
        broken: Where the grammar finds faults: (line, text).
        parameters: Name to whether a call has to give it.
        variables: Name to the text of the value.
        outputs: Names.
        resources: In order, those within others too.
        modules: In order.
        text: All of it.
    """

    path: str
    broken: tuple[tuple[int, str], ...]
    parameters: Mapping[str, bool]
    variables: Mapping[str, str]
    outputs: frozenset[str]
    resources: tuple[Declaration, ...]
    modules: tuple[Declaration, ...]
    text: str


def templates() -> dict[str, Template]:
    """Read every file below infra, by its path from there."""
    return {path.relative_to(INFRA).as_posix(): read(path) for path in sorted(INFRA.rglob("*.bicep"))}


def read(path: Path) -> Template:
    """Read one file."""
    source = path.read_bytes()
    root = Parser(Language(tree_sitter_bicep.language())).parse(_UNKNOWN.sub(_blank, source)).root_node
    nodes = list(_walk(root))
    return Template(
        path=path.relative_to(INFRA).as_posix() if path.is_relative_to(INFRA) else path.name,
        broken=tuple(
            (node.start_point[0] + 1, _text(node)) for node in nodes if node.is_error or node.is_missing
        ),
        parameters={
            _text(_child(node, "identifier")): not any(child.type == "=" for child in node.children)
            for node in nodes
            if node.type == "parameter_declaration"
        },
        variables={
            _text(_child(node, "identifier")): _text(node.children[-1])
            for node in nodes
            if node.type == "variable_declaration"
        },
        outputs=frozenset(
            _text(_child(node, "identifier")) for node in nodes if node.type == "output_declaration"
        ),
        resources=tuple(_declaration(node) for node in nodes if node.type == "resource_declaration"),
        modules=tuple(_declaration(node) for node in nodes if node.type == "module_declaration"),
        text=source.decode(),
    )


def members(text: str) -> dict[str, str]:
    """Return the members of an object as written: name to the text of the value."""
    root = Parser(Language(tree_sitter_bicep.language())).parse(f"var it = {text}\n".encode()).root_node
    return _members(next(node for node in _walk(root) if node.type == "object"))


def strings(text: str) -> list[str]:
    """Return all that stands in quotes."""
    return re.findall(r"'((?:[^'\\\n]|\\.)*)'", text)


def _declaration(node: Node) -> Declaration:
    words = [child.type for child in node.children]
    conditions = [child for child in _walk(node) if child.type == "if_statement"]
    bodies = [child for child in _walk(node) if child.type == "object"]
    return Declaration(
        name=_text(_child(node, "identifier")),
        target=_text(_child(node, "string")).strip("'"),
        existing="existing" in words,
        conditional=_text(conditions[0].children[1]) if conditions else "",
        body=_members(bodies[0]) if bodies else {},
        looped="for_statement" in words,
    )


def _members(node: Node) -> dict[str, str]:
    found = {}
    for child in node.children:
        if child.type == "object_property" and len(child.children) >= 3:
            found[_text(child.children[0]).strip("'")] = _text(child.children[-1])
    return found


def _child(node: Node, kind: str) -> Node:
    return next(child for child in node.children if child.type == kind)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _blank(match: re.Match[bytes]) -> bytes:
    return b"//" + b" " * (len(match[0]) - 2)
