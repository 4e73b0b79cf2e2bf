"""Reads what is recorded of runs: one KQL question over the views of runs and spans."""

from datetime import datetime
from typing import Protocol


class MembershipKql(Protocol):
    """Which traces are meant, as KQL; see functions/evidence/plan.py."""

    @property
    def lets(self) -> str:
        """`let` statements, each with its semicolon and line end, or ""."""
        ...

    @property
    def condition(self) -> str:
        """One `where …` step over a table that has OperationId."""
        ...


class RunsPart(Protocol):
    """Some runs: of these traces, with their own spans received in a stretch of time."""

    @property
    def membership(self) -> MembershipKql:
        """Which traces."""
        ...

    @property
    def since(self) -> datetime:
        """First TimeGenerated, UTC."""
        ...

    @property
    def until(self) -> datetime:
        """End of TimeGenerated (exclusive), UTC."""
        ...

    @property
    def received_from(self) -> datetime:
        """First ingestion time of the runs' own spans, UTC."""
        ...

    @property
    def received_until(self) -> datetime:
        """End of that (exclusive), UTC."""
        ...
