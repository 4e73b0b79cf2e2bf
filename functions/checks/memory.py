"""What a check remembers of the windows it has judged, so that it needn't read them again. Pure.

A budget is held against all that was spent in its month, a silence against the last sign of life. Both are
small, and what they are made of is not: the check's document keeps the former, and a query reads only the
windows that are due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.checks.definition import CheckDefinition
from functions.checks.windows import Batch


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known at the end of the last window that was judged.

    Attributes:
        until: The end of that window, UTC.
        agents: Agent name to what is remembered of it, as JSON values: `budget.py` and `silence.py` say what.
            Hostile.
    """

    until: datetime
    agents: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, instants as ISO 8601 with "Z"."""
        return {"until": instant_text(self.until), "agents": dict(self.agents)}


def memory_from_json(body: Mapping[str, Any]) -> Memory:
    """Read back what `Memory.to_json` wrote."""
    return Memory(datetime.fromisoformat(body["until"]), dict(body["agents"]))


def fitting(memory: Memory | None, batch: Batch) -> Memory | None:
    """Return the memory if the batch follows it without gap or overlap, else None: then all is read again."""
    return memory if memory is not None and memory.until == batch.windows[0].start else None


def asked_from(check: CheckDefinition, batch: Batch, memory: Memory | None) -> datetime:
    """Return the first instant of ingestion time about which the check has to ask.

    Args:
        check: The check.
        batch: The windows to judge.
        memory: What is known of the time before them; None where nothing is.
    """
    first = batch.windows[0].start
    if memory is not None:
        return first
    begin = first - timedelta(hours=check.condition.options.get("history", 0))
    return max(begin, month_start(first)) if check.condition.kind == "budget" else begin


def month_start(instant: datetime) -> datetime:
    """Return the start of the month (UTC) that holds `instant`."""
    return datetime(instant.year, instant.month, 1, tzinfo=UTC)


def instant_text(instant: datetime) -> str:
    """Return a UTC instant as ISO 8601 with "Z"."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
