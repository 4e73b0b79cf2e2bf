"""What a trace is made of: rows of the App* tables, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

TABLES = ("AppRequests", "AppDependencies", "AppTraces", "AppExceptions", "AppEvents")
"""The tables whose rows make up a trace (a trace is all rows with one OperationId)."""

CANARY_ROLE = "tracekeeper-canary"
"""AppRoleName of the marker runs of functions/canary: no agent's, so that no view or export has them."""

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One row of one of `TABLES`, as Azure Monitor holds it. Everything in it is hostile.

    Attributes:
        table: One of `TABLES`.
        trace_id: OperationId.
        span_id: Id of a request or dependency; "" for the other tables, whose rows hang on `parent_id`.
        parent_id: ParentId.
        time: TimeGenerated, UTC.
        received: ingestion_time(), UTC.
        columns: The row's other columns by table column name, without null and empty ones.
        properties: The Properties bag: attribute name to value, always text.
    """

    table: str
    trace_id: str
    span_id: str
    parent_id: str
    time: datetime
    received: datetime
    columns: Mapping[str, Scalar]
    properties: Mapping[str, str]
