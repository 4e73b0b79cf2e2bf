"""What the stand-in tells of a query that asks for statistics: its own figures in the service's form.

The form is the engine's report of a query's resources, as far as anybody reads it here; the service adds more
and promises none of it: https://learn.microsoft.com/azure/azure-monitor/logs/api/prefer-options
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from local.azure_monitor.engine import Table
from local.azure_monitor.schema import tables

_ASKED = re.compile(r"\binclude-statistics=true\b")


@dataclass(frozen=True, slots=True)
class Stored:
    """How much lies in tables within a time: rows, and bytes as they are billed."""

    rows: int
    billed_bytes: int


def asked_for(prefer: str) -> bool:
    """Say whether a Prefer header asks for statistics."""
    return _ASKED.search(prefer) is not None


def tables_of(kql: str) -> tuple[str, ...]:
    """Return the tables whose names stand in a query."""
    return tuple(name for name in tables() if re.search(rf"\b{name}\b", kql))


def statistics(table: Table, seconds: float, scanned: Stored) -> Mapping[str, object]:
    """Return the answer's `statistics`.

    Args:
        table: The answer.
        seconds: How long the engine worked on it.
        scanned: What lies in the tables that the query names, within the time that it is about: DuckDB says
            less of what it really read.
    """
    return {
        "query": {
            "executionTime": round(seconds, 7),
            "inputDatasetStatistics": {
                "rowstores": {"scannedRows": scanned.rows, "scannedValuesSize": scanned.billed_bytes},
            },
            "datasetStatistics": [{"tableRowCount": len(table.rows)}],
        }
    }
