"""Writes KQL: literals, datatables, and the full text of a query over the two views.

Values reach a query only through the quoting functions here; nothing else may put text into KQL.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from string import Template

from functions.traces.agents import Attributes

Literal = str | int | float | bool | datetime | None

SHARED = ("orphan_spans", "recorded_attributes")
"""Relations and functions over the views, each in the file of its name."""

_COLUMN_TYPES = frozenset({"string", "long", "real", "bool", "datetime"})
_HERE = Path(__file__).parent


def text(value: str) -> str:
    r"""Quote a string so that KQL reads back exactly `value`, whatever it holds.

    Backslash, quote and all that is not printable become escapes, so that no character can end the literal or
    hide in it. (Escapes of KQL string literals: https://learn.microsoft.com/kusto/query/scalar-data-types/string.)
    """
    if value.isprintable() and '"' not in value and "\\" not in value:
        return f'"{value}"'  # nearly all texts, and escaping them one by one is most of composing a query
    return '"' + "".join(map(_escaped, value)) + '"'


_SHORT_ESCAPES = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


def _escaped(character: str) -> str:
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def instant(value: datetime) -> str:
    """Quote a UTC-aware datetime, to the microsecond."""
    if value.utcoffset() != timedelta(0):
        message = "a KQL instant must be UTC-aware"
        raise ValueError(message)
    return f"datetime({value.astimezone(UTC).isoformat(timespec='microseconds').replace('+00:00', 'Z')})"


def span(value: timedelta) -> str:
    """Quote a whole number of seconds as a timespan."""
    return f"{int(value.total_seconds())}s"


def literal(value: Literal, kind: str) -> str:
    """Quote one cell of a datatable of the column type `kind`."""
    if value is None:
        return '""' if kind == "string" else f"{kind}(null)"
    if kind == "string":
        return text(str(value))
    if kind == "datetime" and isinstance(value, datetime):
        return instant(value)
    if kind == "bool" and isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | datetime) or not math.isfinite(value):
        message = f"{type(value).__name__} can't be a KQL {kind}"
        raise ValueError(message)
    return f"long({int(value)})" if kind == "long" else f"real({float(value)!r})"


def datatable(name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Literal]]) -> str:
    """Return a `let` statement that binds `name` to a datatable, every cell quoted.

    Args:
        name: An identifier of ours, never a value from outside.
        columns: Column name to type (string, long, real, bool or datetime), in order.
        rows: The cells, in the order of `columns`.
    """
    if not (name.isidentifier() and all(c.isidentifier() and t in _COLUMN_TYPES for c, t in columns.items())):
        message = f"unusable datatable {name!r}"
        raise ValueError(message)
    declared = ", ".join(f"{column}: {kind}" for column, kind in columns.items())
    cells = ",\n  ".join(
        ", ".join(literal(cell, kind) for cell, kind in zip(row, columns.values(), strict=True))
        for row in rows
    )
    return f"let {name} = datatable({declared})[\n  {cells}\n];"


def compose(
    query: str,
    *,
    attributes: Attributes,
    tables: Sequence[str],
    received_from: datetime,
    received_to: datetime,
    every: timedelta,
    lookback: timedelta,
    settle: timedelta,
    judged_from: datetime | None = None,
    among: str = "",
) -> str:
    """Return the full text of `query` with the views, their bounds and its parameter tables in front.

    What several queries share beside the views is in `SHARED`; a query gets what it names.

    Args:
        query: KQL over `spans`, `runs` and the tables; rows carry `Window`, the start of their window.
        attributes: Which properties a deployment uses for what.
        tables: `let` statements made by `datatable`.
        received_from: First instant of ingestion time to judge, UTC.
        received_to: End of the ingestion time to judge (exclusive), UTC.
        every: Width of a window.
        lookback: How much earlier than `received_from` other rows of a run may have been received.
        settle: How much later than `received_to` other rows of a run may have been received.
        judged_from: Start of the first window to judge, UTC; what lies before is history. `received_from`
            unless given.
        among: The only traces that the views have: a name that `tables` binds, with a column OperationId, or
            ids as `text` quotes them, comma-separated; "": all.
    """
    return "\n".join(
        (
            f"let Every = {span(every)};",
            f"let JudgedFrom = {instant(judged_from or received_from)};",
            f"let ReceivedFrom = {instant(received_from - lookback)};",
            f"let ReceivedTo = {instant(received_to + settle)};",
            *tables,
            _views(attributes, among),
            *(_template(f"{name}.kql").template for name in SHARED if re.search(rf"\b{name}\b", query)),
            query.strip(),
        )
    )


def _views(attributes: Attributes, among: str) -> str:
    dimensions = list(attributes.dimensions.items())
    return (
        _template("spans.kql").substitute(
            among=f" and OperationId in ({among})" if among else "",
            data_as_of=first_property(attributes.data_as_of),
            document_count=first_property(attributes.document_count),
            document_ids=first_property(attributes.document_ids),
            environment=first_property(attributes.environment),
            intent=first_property(attributes.intent),
            prompt_version=first_property(attributes.prompt_version),
            tenant=first_property(attributes.tenant),
            named=_named(attributes.names) if attributes.names else "",
            one_name=_ONE_NAME if attributes.names else "",
            own_dimensions="".join(
                f", OwnDimension{n} = {first_property(names)}" for n, (_, names) in enumerate(dimensions)
            ),
            trace_dimensions="".join(
                f", TraceDimension{n} = max(OwnDimension{n})" for n in range(len(dimensions))
            ),
            dimensions=_bag([key for key, _ in dimensions]),
        )
        + _template("runs.kql").substitute()
    )


_ONE_NAME = """
  | lookup kind=leftouter named on Agent
  | extend Agent = iff(isnotempty(Named), Named, Agent)
  | project-away Named"""
_NAME_COLUMNS = {"Sent": "string", "Begins": "bool", "Rank": "long", "Named": "string"}
_WHOLE = 1_000
"""The rank of a whole name, above that of any beginning: its length, 200 characters at most."""


def _named(names: Mapping[str, str]) -> str:
    """Return the step that finds the agent of each name; a query whose deployment maps none goes without."""
    rows = [
        (sent.removesuffix("*"), True, len(sent), agent)
        if sent.endswith("*")
        else (sent, False, _WHOLE, agent)
        for sent, agent in names.items()
    ]
    return f"{datatable('agent_names', _NAME_COLUMNS, rows)}\n{_template('names.kql').substitute()}"


@cache
def _template(name: str) -> Template:
    return Template((_HERE / name).read_text(encoding="utf-8"))


def first_property(names: Sequence[str]) -> str:
    """Return an expression: the first of these properties that is not empty, as text."""
    expression = '""'
    for name in reversed(names):
        value = f"tostring(Properties[{text(name)}])"
        expression = value if expression == '""' else f"iff(isnotempty({value}), {value}, {expression})"
    return expression


def _bag(dimensions: Sequence[str]) -> str:
    if not dimensions:
        return "dynamic({})"
    pairs = (
        f"{text(key)}, iff(isnotempty(OwnDimension{n}), OwnDimension{n}, TraceDimension{n})"
        for n, key in enumerate(dimensions)
    )
    return f"bag_pack({', '.join(pairs)})"
