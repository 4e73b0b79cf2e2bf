"""Reads from the statistics of an answer what the query took: seconds of the engine, and bytes read.

The service calls them "query execution time and resource usage" and promises no form
(https://learn.microsoft.com/azure/azure-monitor/logs/api/prefer-options). What is read here is what the
engine behind it reports of a query: bytes of column data, from its caches or past them, and of the newest
rows, which have no columns yet. Anything else is not reported.
"""

import math
from collections.abc import Mapping
from typing import Any

_SHARDS = ("resourceUsage", "cache", "shards")
_READ = (
    (*_SHARDS, "hot", "hitbytes"),
    (*_SHARDS, "hot", "missbytes"),
    (*_SHARDS, "cold", "hitbytes"),
    (*_SHARDS, "cold", "missbytes"),
    (*_SHARDS, "bypassbytes"),
    ("inputDatasetStatistics", "rowstores", "scannedValuesSize"),
)


def execution_seconds(statistics: Mapping[str, Any] | None) -> float | None:
    """Return how long the engine worked; None where the service does not say."""
    return _number(statistics, ("query", "executionTime"))


def bytes_read(statistics: Mapping[str, Any] | None) -> int | None:
    """Return how many bytes of stored data were read, as compressed; None where the service does not say.

    It is a measure of load. Basic tables are billed by another: all of their data in the time asked about.
    """
    numbers = [_number(statistics, ("query", *path)) for path in _READ]
    said = [number for number in numbers if number is not None]
    return round(sum(said)) if said else None


def _number(value: Any, path: tuple[str, ...]) -> float | None:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and value >= 0 else None
