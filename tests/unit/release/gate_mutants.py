"""Plants mistakes in the rules of the release gate, one at a time, and asks the configurations to notice.

    python -m tests.unit.release.gate_mutants

Mistakes: a comparison turned, a bound moved, `and` for `or`, an operand or a filter or an element dropped, a
condition always true or never, a verdict turned into a pass, a switch's default or name changed.
"""

import ast
import copy
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from functions.release import gate_app_rules, gate_rules, samplers, switches
from tests.unit.release.gate_cases import ALL
from tests.unit.release.test_gate_rules import wrong

MODULES = (switches, samplers, gate_app_rules, gate_rules)
"""In the order of their imports."""

ELSEWHERE = frozenset({"RULES", "WITH_SUBJECT", "SAMPLERS"})
"""Names for other modules, which no verdict depends on; test_gate_rules and test_gate_config hold them."""

EQUIVALENT = {
    ("samplers", "1.0 moved"): "all that is asked of the share is that it is at least 1 at most",
    ("switches", "EVERYWHERE unset is None"): "there only what is off counts",
}
"""Mistakes that change no verdict, and why."""

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}

Changes = Iterator[tuple[str, str, Any]]
"""What is done, to which field of the node, and what it becomes."""


@dataclass(frozen=True)
class Mutant:
    """One planted mistake.

    Attributes:
        module: Where.
        line: Where in it.
        what: What was done.
        tree: The whole module with it.
    """

    module: ModuleType
    line: int
    what: str
    tree: ast.Module

    @property
    def excused(self) -> bool:
        return (self.module.__name__.rpartition(".")[2], self.what) in EQUIVALENT


def mutants() -> Iterator[Mutant]:
    """Yield every mutant of every module."""
    for module in MODULES:
        tree = ast.parse(_source(module))
        for index, (node, inside) in enumerate(_planted_in(tree)):
            for what, attribute, value in _changes(node):
                planted = copy.deepcopy(tree)
                target, _ = list(_planted_in(planted))[index]
                setattr(target, attribute, copy.deepcopy(value))
                named = f"{inside} {what}" if inside else what
                yield Mutant(module, node.lineno, named, ast.fix_missing_locations(planted))


def caught(mutant: Mutant) -> bool:
    """Return whether a configuration is judged otherwise than it must be."""
    try:
        judge = _verdicts(mutant)
        return any(wrong(case, judge) for case in ALL)
    except Exception:  # noqa: BLE001 - a mutant may fail in any way, and has then been noticed
        return True


def _source(module: ModuleType) -> str:
    return Path(str(module.__file__)).read_text("utf-8")


def _planted_in(tree: ast.Module) -> Iterator[tuple[Any, str]]:
    """Yield the nodes that say what is done: no annotations, no names for other modules."""
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else ()
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if not ELSEWHERE & set(names):
            inside = "EVERYWHERE" if "EVERYWHERE" in names else ""
            yield from ((node, inside) for node in _nodes(statement))


def _nodes(node: ast.AST) -> Iterator[Any]:
    if hasattr(node, "lineno"):
        yield node
    for name, value in ast.iter_fields(node):
        if name not in {"annotation", "returns"}:
            below = value if isinstance(value, list) else [value]
            for one in below:
                if isinstance(one, ast.AST):
                    yield from _nodes(one)


def _changes(node: Any) -> Changes:  # noqa: C901, PLR0912 - one arm for each kind of mistake
    match node:
        case ast.Compare(ops=[op]) if type(op) in _TURNED:
            yield f"{type(op).__name__} turned", "ops", [_TURNED[type(op)]()]
        case ast.BoolOp(op=op, values=values):
            yield "and for or, or or for and", "op", ast.Or() if isinstance(op, ast.And) else ast.And()
            for at in range(len(values)):
                yield f"operand {at} dropped", "values", [*values[:at], *values[at + 1 :]]
        case ast.If() | ast.IfExp():
            for value in (True, False):
                yield f"if {value}", "test", ast.Constant(value)
        case ast.ListComp(generators=[made]) | ast.SetComp(generators=[made]) if made.ifs:
            yield (
                "filter dropped",
                "generators",
                [ast.comprehension(made.target, made.iter, [], made.is_async)],
            )
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not dropped", "operand", ast.UnaryOp(ast.Not(), operand)
        case ast.Return(value=ast.Call(func=ast.Attribute(value=ast.Name(id="say"), attr=verb))):
            yield from _of_verdict(verb)
        case ast.Call(func=ast.Name(id="Switch"), args=[_, *rest]):
            yield "another name", "args", [ast.Constant("NOT_READ"), *rest]
        case ast.keyword(arg="unset", value=ast.Constant(value=before)):
            for after in (True, False, None):
                if after is not before:
                    yield f"unset is {after}", "value", ast.Constant(after)
        case ast.keyword(arg="state", value=value):
            yield "state turned", "value", ast.UnaryOp(ast.Not(), value)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            yield f"{value} moved", "value", value + 1
        case ast.Set(elts=[_, _, *_] as elements) | ast.Tuple(elts=[_, _, *_] as elements):
            if not isinstance(getattr(node, "ctx", None), ast.Store):
                for at in range(len(elements)):
                    yield f"element {at} dropped", "elts", [*elements[:at], *elements[at + 1 :]]


def _of_verdict(verb: str) -> Changes:
    for other, arguments in (("passed", ("",)), ("failed", ("", "")), ("open", ("", ""))):
        if other != verb:
            called = ast.Attribute(ast.Name("say", ast.Load()), other, ast.Load())
            yield (
                f"{verb} becomes {other}",
                "value",
                ast.Call(called, [ast.Constant(text) for text in arguments], []),
            )


def _verdicts(mutant: Mutant) -> Callable[..., Any]:
    """Run the mutated module, and after it those that import it, in rooms of their own."""
    kept = {module.__name__: module for module in MODULES}
    room: Any = gate_rules
    try:
        for module in MODULES[MODULES.index(mutant.module) :]:
            tree = mutant.tree if module is mutant.module else ast.parse(_source(module))
            room = ModuleType(module.__name__)
            sys.modules[module.__name__] = room
            exec(compile(tree, str(module.__file__), "exec"), room.__dict__)
    finally:
        sys.modules.update(kept)
    return partial(room.verdicts)


def main() -> int:
    """Tell which mistakes nobody noticed, and how many were noticed; return 1 where one was not."""
    planted = list(mutants())
    asked = [mutant for mutant in planted if not mutant.excused]
    missed = [mutant for mutant in asked if not caught(mutant)]
    for mutant in missed:
        sys.stdout.write(f"{mutant.module.__name__}, line {mutant.line}: {mutant.what}\n")
    excused = len(planted) - len(asked)
    sys.stdout.write(f"{len(asked) - len(missed)} of {len(asked)} noticed; {excused} change no verdict\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
