"""Translates KQL to SQL with duckdb-kql, corrected where that library's answer would differ from Kusto's.

- `ingestion_time()` reads the hidden column that holds it, and is refused behind a union or a join, where
  Azure Monitor loses it.
- `make_set` and `make_list` stop at their size limit (1,048,576 elements by default).
- A column between brackets (`Bag[Key]`) is the name of a property, where the library takes it for a number.
- A string column of the empty side of an outer join, lookup or union is "": Kusto strings are never null.
- `isempty` and `isnotempty` of a column ask no more than they must: the library spells out its text in every
  type's way, and DuckDB takes twice as long to plan a check's query.
"""

import dataclasses
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from duckdb_kql import KqlSchemaError, KqlUnsupportedError, ir
from duckdb_kql.lower import lower
from duckdb_kql.schema import output_columns
from duckdb_kql.translate import quote_ident, to_sql
from duckdb_kql.translate.naming import expression_name

from local.azure_monitor.literals import decode_escapes
from local.azure_monitor.schema import tables
from local.azure_monitor.translations import Translations, stamp

INGESTION_TIME = "_IngestionTime"
"""The hidden column behind `ingestion_time()`. No query may name it."""

TIME_RECEIVED = "_TimeReceived"
"""The standard column with the earlier moment at which the service received a row."""

MAX_SET = 1_048_576
"""https://learn.microsoft.com/kusto/query/make-set-aggregation-function"""

_CAPPED = frozenset({"make_set", "make_list"})

_FOLDER = Path(__file__).parents[2] / ".local" / "translations"

Columns = dict[str, list[str]]


_INSTANT = re.compile(
    "(?m)"
    + "|".join(
        rf"(?<=^let {name} = datetime\()[^)]+" for name in ("JudgedFrom", "ReceivedFrom", "ReceivedTo")
    )
)


def translate(kql: str) -> str:
    """Return the SQL that answers a KQL query over the stand-in's tables.

    The same question is asked of one stretch of time after the other. Translating takes seconds, so it is
    done once, with marks for the instants between which rows are read and judged.

    Raises:
        duckdb_kql.KqlError: The query is wrong, or duckdb-kql does not know what it uses.
    """
    instants = _INSTANT.findall(kql)
    marks = [f"0001-01-01T00:00:00.{number:06d}Z" for number in range(1, len(instants) + 1)]
    waiting = iter(marks)
    sql = _translated(_INSTANT.sub(lambda _: next(waiting), kql))
    for mark, instant in zip(marks, instants, strict=True):
        sql = sql.replace(mark, instant)
    return sql


@lru_cache(maxsize=256)
def _translated(kql: str) -> str:
    return _kept().sql(kql, _translated_anew)


@cache
def _kept() -> Translations:
    here = Path(__file__).parent
    code = (here / name for name in ("rewriting.py", "literals.py", "tables.json"))
    return Translations(_FOLDER, stamp(code, ("duckdb-kql",)))


def _translated_anew(kql: str) -> str:
    columns = {table: [*known, TIME_RECEIVED, INGESTION_TIME] for table, known in tables().items()}
    return str(to_sql(_correct_query(lower(decode_escapes(kql)), columns), columns))


def _correct_query(query: ir.Query, columns: Columns) -> ir.Query:
    known = dict(columns)
    lets: list[tuple[str, ir.Query | ir.Expr]] = []
    for name, bound in query.lets:
        corrected = _correct(bound, known)
        lets.append((name, corrected))
        if isinstance(corrected, ir.Query):
            known[name] = output_columns(corrected, known)
    fixed = dataclasses.replace(query, lets=lets, source=_correct(query.source, known), operators=[])
    merged = False
    # Also where nothing follows: only the stand-in's own tables have columns.
    before = output_columns(fixed, columns)
    for operator in query.operators:
        if merged and _reads_ingestion_time(operator):
            raise KqlUnsupportedError("ingestion_time()", hint="it is lost behind a union or a join")
        corrected = _correct(operator, known)
        fixed.operators.append(corrected)
        after = output_columns(fixed, columns)
        blanks = _blank_strings(corrected, before, after, known)
        if blanks:
            fixed.operators.append(ir.Extend(blanks))
        merged = merged or isinstance(operator, ir.Union | ir.Join | ir.Lookup)
        before = after
    return fixed


def _correct(node: Any, columns: Columns) -> Any:
    match node:
        case ir.Query():
            return _correct_query(node, columns)
        case ir.FunctionCall("ingestion_time"):
            return ir.ColumnRef(INGESTION_TIME)
        case ir.ColumnRef(name) if name == INGESTION_TIME:
            raise KqlSchemaError(name, hint="no such column")
        case tuple() | list():
            return type(node)(_correct(part, columns) for part in node)
    if not (isinstance(node, ir.Node) and dataclasses.is_dataclass(node)):
        return node
    sql = _own_sql(node)
    if sql is not None:
        return ir.RenderedAggregate(sql)
    named = _named(node) if isinstance(node, ir.NamedExpr) else node
    parts = {one.name: _correct(getattr(named, one.name), columns) for one in dataclasses.fields(named)}
    corrected = dataclasses.replace(named, **parts)
    capped = isinstance(corrected, ir.FunctionCall) and corrected.name in _CAPPED
    return _capped(corrected) if capped else corrected


def _own_sql(node: ir.Node) -> str | None:
    """Return the SQL that stands for this expression in place of the library's."""
    match node:
        case ir.PathAccess(ir.ColumnRef(bag), (ir.PathStep(name=None, index=ir.ColumnRef(key)),)):
            # An empty key, which no property has, is no path.
            path = f"'$.' || to_json(nullif(CAST({quote_ident(key)} AS VARCHAR), ''))"
            return f"json_extract({quote_ident(bag)}, {path})"
        case ir.FunctionCall("isempty", (ir.ColumnRef(name),)) if name != INGESTION_TIME:
            return f"({_text(name)} = '')"
        case ir.FunctionCall("isnotempty", (ir.ColumnRef(name),)) if name != INGESTION_TIME:
            return f"({_text(name)} <> '')"
    return None


def _text(column: str) -> str:
    """Return what is empty where the column is: only a string, or one in a dynamic, is that and not null."""
    name = quote_ident(column)
    return (
        f"coalesce(CASE typeof({name}) WHEN 'JSON' THEN {name} ->> '$' ELSE CAST({name} AS VARCHAR) END, '')"
    )


def _named(expression: ir.NamedExpr) -> ir.NamedExpr:
    """Give an unnamed expression that is about to be rewritten the name Kusto would give it."""
    call = expression.expr
    if expression.name is not None:
        return expression
    if isinstance(call, ir.FunctionCall) and call.name in _CAPPED:
        return ir.NamedExpr(call, expression_name(call))
    if _reads_ingestion_time(expression):
        alone = isinstance(call, ir.FunctionCall) and call.name == "ingestion_time"
        return ir.NamedExpr(call, "$IngestionTime" if alone else "Column1")
    return expression


def _capped(call: ir.FunctionCall) -> ir.Expr:
    """Cut a make_set or make_list at its limit; duckdb-kql ignores the second argument."""
    limit = call.args[1] if len(call.args) > 1 else ir.Literal(MAX_SET, "long")
    last = ir.BinaryOp("-", limit, ir.Literal(1, "long"))
    kept = ir.FunctionCall(call.name, call.args[:1])
    return ir.FunctionCall("array_slice", (kept, ir.Literal(0, "long"), last))


def _blank_strings(
    operator: ir.Operator, before: list[str], after: list[str], columns: Columns
) -> tuple[ir.NamedExpr, ...]:
    """Return what makes null strings empty in the columns that the operator may have left without a value."""
    match operator:
        case ir.Join(kind="leftouter") | ir.Lookup(kind="leftouter"):
            hollow = [name for name in after if name not in before]
        case ir.Join(kind="rightouter" | "fullouter"):
            hollow = after
        case ir.Union(kind="outer"):
            legs = [before, *(output_columns(branch, columns) for branch in operator.branches)]
            hollow = [name for name in after if not all(name in leg for leg in legs)]
        case _:
            hollow = []
    return tuple(ir.NamedExpr(_blank_if_string(quote_ident(name)), name) for name in hollow)


def _blank_if_string(column: str) -> ir.Expr:
    # The tree has no types. DuckDB casts "" to the column's type, which succeeds for strings alone.
    return ir.RenderedAggregate(f"coalesce({column}, TRY(cast_to_type('', {column})))")


def _reads_ingestion_time(node: Any) -> bool:
    match node:
        case ir.FunctionCall("ingestion_time"):
            return True
        case ir.Query():
            return False
        case tuple() | list():
            return any(_reads_ingestion_time(part) for part in node)
    if isinstance(node, ir.Node) and dataclasses.is_dataclass(node):
        return any(_reads_ingestion_time(getattr(node, one.name)) for one in dataclasses.fields(node))
    return False
