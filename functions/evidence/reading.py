"""Gives one sanitized trace at once, to those whose scope holds all that it names."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from functions.access.scope import EVERYTHING, Scope
from functions.errors import NotFound
from functions.evidence.assembly import Protection, describe_rows, gather_rows, rescan_for
from functions.evidence.selection import parse_trace_id
from functions.traces.rows import find_traces, read_slices
from functions.traces.source import TraceSource


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads traces.

    Attributes:
        source: Where they come from.
        protection: Gives what stands between telemetry and a reader, as configured now.
        clock: The time, UTC.
    """

    source: TraceSource
    protection: Callable[[], Protection]
    clock: Callable[[], datetime]

    def read(self, trace_id: str, *, scope: Scope = EVERYTHING) -> dict[str, Any]:  # noqa: ARG002 - follows
        """Return one sanitized trace as a JSON object: counts, and its rows as a flat list.

        Args:
            trace_id: 32 hex digits.
            scope: What the reader may see.

        Raises:
            InvalidRequest: That is no trace id.
            NotFound: It has no rows within the retention.
            RedactionFailure: Something in the finished answer must not leave.
            SourceError: The source did not answer completely.
        """
        protection = self.protection()
        found = find_traces(self.source, [parse_trace_id(trace_id)], now=self.clock())
        if not found.trace_ids:
            raise NotFound(
                "There is no such trace.", next_step="It may be too new, or older than the retention."
            )
        gathered = gather_rows(found, read_slices(self.source, found), protection)
        answer = {"trace_id": found.trace_ids[0], **describe_rows(gathered)}
        rescan_for(gathered, protection)(orjson.dumps(answer))
        return answer
