"""Writes coverage.json: what each check has evaluated of the time of an export, and what it could not see.

Of a time that lies behind the watermarks of all checks and behind their sweeps for late rows it is always the
same, as long as the watch remembers it (`KEPT`).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from functions.checks.definition import CheckDefinition
from functions.storage.documents import Documents


def coverage_body(
    documents: Documents, checks: Iterable[CheckDefinition], since: datetime, until: datetime
) -> dict[str, Any]:
    """Return the JSON object of coverage.json.

    Args:
        documents: Where the watch keeps what it remembers.
        checks: Those in force.
        since: Ingestion time, UTC.
        until: Exclusive, UTC.
    """
    raise NotImplementedError


def coverage_file(
    documents: Documents, checks: Iterable[CheckDefinition], since: datetime, until: datetime
) -> bytes:
    """Return the bytes of coverage.json; see `coverage_body`."""
    raise NotImplementedError
