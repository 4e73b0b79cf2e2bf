"""The columns of the Azure Monitor tables that the stand-in holds.

Facts copied from Microsoft's table reference
(https://learn.microsoft.com/azure/azure-monitor/reference/tables-index), dated 2026-07-27.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

_FACTS = Path(__file__).with_name("tables.json")


@cache
def tables() -> Mapping[str, Mapping[str, str]]:
    """Return the documented columns: {table: {column: KQL type}}."""
    facts: dict[str, dict[str, str]] = json.loads(_FACTS.read_text(encoding="utf-8"))
    return MappingProxyType({table: MappingProxyType(columns) for table, columns in facts.items()})
