"""Asks the source which of some traces still have a span, by few questions however many traces there are."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from itertools import batched

from functions.errors import ResultTooLarge
from functions.traces.kql import instant, text
from functions.traces.source import TraceSource

_TABLES = ("AppRequests", "AppDependencies")
"""Where spans are; a run's own span is one."""

_IDS_A_QUESTION = 500
_DAYS_REMEMBERED = 4
_ONE = timedelta(days=1)
_SLACK = timedelta(seconds=1)  # the service's own bounds need not be inclusive: the KQL's decide
_SHORTEST = timedelta(milliseconds=1)
_BRIEF = timedelta(milliseconds=1)  # sealed starts are cut to milliseconds


class Presence:
    """Answers for one export; the days just asked about are remembered."""

    def __init__(self, source: TraceSource) -> None:
        self._source = source
        self._days: dict[tuple[datetime, datetime], frozenset[bytes]] = {}

    def on_days(self, wanted: Mapping[str, datetime], since: datetime, until: datetime) -> set[str]:
        """Return which traces have a span of the day (UTC) on which they began, within [since, until).

        Args:
            wanted: Trace id (hex) to when it began, within [since, until), UTC.
            since: UTC.
            until: UTC, exclusive.

        Raises:
            SourceError: The source did not answer completely.
        """
        by_day: dict[datetime, list[str]] = {}
        for trace_id, started in wanted.items():
            by_day.setdefault(datetime.combine(started.astimezone(UTC), time(), UTC), []).append(trace_id)
        there: set[str] = set()
        for day, trace_ids in sorted(by_day.items()):
            seen = self._seen(max(day, since), min(day + _ONE, until))
            there.update(trace_id for trace_id in trace_ids if bytes.fromhex(trace_id) in seen)
        return there

    def of_ids(self, wanted: Mapping[str, datetime]) -> set[str]:
        """Return which traces have a span from when they began to a day later. Args, raises as `on_days`."""
        there: set[str] = set()
        for batch in batched(sorted(wanted), _IDS_A_QUESTION, strict=False):
            starts = [wanted[trace_id] for trace_id in batch]
            among = f"where OperationId in ({', '.join(map(text, batch))})"
            there.update(self._ask(min(starts), max(starts) + _ONE, among))
        return there

    def _seen(self, since: datetime, until: datetime) -> frozenset[bytes]:
        if (since, until) not in self._days:
            if len(self._days) >= _DAYS_REMEMBERED:
                del self._days[next(iter(self._days))]
            self._days[since, until] = frozenset(self._all(since, until))
        return self._days[since, until]

    def _all(self, since: datetime, until: datetime) -> set[bytes]:
        """Return all trace ids with a span in [since, until), as bytes; what is too large is halved."""
        try:
            return {
                bytes.fromhex(one)
                for one in self._ask(since, until, r'where OperationId matches regex @"^[0-9a-f]{32}$"')
            }
        except ResultTooLarge:
            if until - since <= _SHORTEST:
                raise
            middle = since + (until - since) / 2
            return self._all(since, middle) | self._all(middle, until)

    def _ask(self, since: datetime, until: datetime, condition: str) -> list[str]:
        between = f"where TimeGenerated >= {instant(since)} and TimeGenerated < {instant(until + _BRIEF)}"
        legs = ",\n".join(f"  ({table} | {between} | {condition} | project OperationId)" for table in _TABLES)
        kql = f"union\n{legs}\n| distinct OperationId"
        answer = self._source.query(kql, since=since - _SLACK, until=until + _BRIEF + _SLACK)
        return [str(cell) for (cell,) in answer.rows]
