"""The relation `content_hashes`: for each span whose tool arguments lie in AppGenAIContent, their hash."""

import re
from datetime import datetime
from functools import cache
from pathlib import Path
from string import Template

from functions.traces.kql import Literal, datatable, instant
from functions.traces.source import Rows

MOST_HASHES = 2_000
"""What a query takes along at most: parsing a datatable of 5,000 rows takes seconds."""

_COLUMNS = {"TraceId": "string", "SpanId": "string", "Hash": "string"}
_HERE = Path(__file__).parent


def reads_content_hashes(query: str) -> bool:
    """Return whether a query names the relation."""
    return re.search(r"\bcontent_hashes\b", re.sub(r"//.*", "", query)) is not None


def content_hashes_view(query: str) -> tuple[str, ...]:
    """Return the relation for a query that names it, as a `let` statement over AppGenAIContent."""
    if not reads_content_hashes(query):
        return ()
    bounds = {"received_from": "ReceivedFrom", "received_to": "ReceivedTo"}
    return (f"let content_hashes = {_template().substitute(bounds).strip()};",)


def content_hashes_kql(received_from: datetime, received_to: datetime) -> str:
    """Return the query that asks for the relation alone; one row too many says that there are more."""
    bounds = {"received_from": instant(received_from), "received_to": instant(received_to)}
    return (
        f"{_template().substitute(bounds).strip()}\n"
        f"  | project {', '.join(_COLUMNS)}\n"
        f"  | take {MOST_HASHES + 1}"
    )


def content_hashes_table(answer: Rows) -> str:
    """Return the relation with the answer to that query in it. The ids in it are hostile."""
    rows: list[list[Literal]] = [[record[name] for name in _COLUMNS] for record in answer.records()]
    return datatable("content_hashes", _COLUMNS, rows)


@cache
def _template() -> Template:
    return Template((_HERE / "content_hashes.kql").read_text(encoding="utf-8"))
