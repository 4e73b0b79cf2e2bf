"""What the service refuses where AppGenAIContent is on the Basic plan.

`query` does not read such a table at all; `search` does, within one workspace and a time given in the URL:
https://learn.microsoft.com/azure/azure-monitor/logs/basic-logs-query. Whether a join is refused there has
changed with that page; the stand-in keeps to the strict rule.
"""

import re

from local.azure_monitor.faults import PROTECTED_TABLE
from local.azure_monitor.statistics import tables_of

_COMBINES = re.compile(r"\b(join|lookup|union|find|search|externaldata)\b")


def refused(kql: str, *, by_search: bool) -> dict[str, object] | None:
    """Return the inner error of the 400 that a query gets; None where it is answered."""
    bare = re.sub(r"//.*", "", kql)
    named = tables_of(bare)
    if PROTECTED_TABLE not in named:
        return None
    if not by_search:
        return _inner("Query of a table of the Basic plan is not supported by query; use search.")
    if len(named) > 1 or _COMBINES.search(bare):
        return _inner("A table of the Basic plan is asked alone.")
    return None


def _inner(message: str) -> dict[str, object]:
    return {"code": "UnsupportedApiQueryValidationError", "message": message}
