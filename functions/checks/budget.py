"""Holds what agents spend against their budgets, by running totals. Pure.

The query answers what each agent spent in a window on the calls of a day: a row has the day in its key
column Period ("2026-11-24"), US dollars in Value and the calls in Violations. From these follow what was
spent in the day and month of each window, and what the whole period will cost at the pace so far.

Remembered of an agent: {"since": instant, "spent": {"2026-11": {...}, "2026-11-24": {...}}}, with "Value",
"Violations" and the sum of each numeric column under `shows`. Periods that are over are forgotten.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.checks.definition import CheckDefinition
from functions.checks.finding import Window
from functions.checks.measurement import MOST_TRACE_IDS, Measurement
from functions.checks.memory import Memory, asked_from, instant_text, month_start
from functions.checks.windows import Batch
from functions.traces.agents import Agent, Agents

Sums = dict[str, float]
"""What was spent in a period: "Value" in US dollars, "Violations" in calls, and the columns shown."""


def paces(
    check: CheckDefinition,
    measured: Sequence[Measurement],
    batch: Batch,
    agents: Agents,
    memory: Memory | None,
) -> tuple[list[Measurement], Memory]:
    """Return each agent's pace at the end of each window, and the totals from which the next windows go on.

    Only periods of which at least the condition's `share` of the budget is spent: before that a pace says
    little. An agent that got its budget later is counted from then on, and its pace is that since then.

    Args:
        check: Its key is Agent and Period.
        measured: What the query answered, back to `asked_from`.
        batch: The windows.
        agents: Whose budgets hold.
        memory: The totals at the start of the first window; None where `measured` has all there is.
    """
    first = batch.windows[0].start
    accounts = {
        agent.name: _Account.of(agent, memory, asked_from(check, batch, memory))
        for agent in agents.by_name.values()
        if _budgets(agent)
    }
    by_window: defaultdict[datetime, list[Measurement]] = defaultdict(list)
    for one in measured:
        if one.key[0] in accounts:
            by_window[one.window].append(one)
    if memory is None:
        for one in measured:
            if one.window < first and one.key[0] in accounts:
                accounts[one.key[0]].add(one, first)
    paced: list[Measurement] = []
    for window in batch.windows:
        for one in by_window[window.start]:
            accounts[one.key[0]].add(one, window.start)
        for account in accounts.values():
            paced += account.paces(window, by_window[window.start], check.condition.options["share"])
    until = batch.windows[-1].end
    return paced, Memory(until, {name: account.remembered(until) for name, account in accounts.items()})


def _budgets(agent: Agent) -> dict[str, float]:
    limits = {"day": agent.daily_usd, "month": agent.monthly_usd}
    return {period: limit for period, limit in limits.items() if limit is not None}


@dataclass(frozen=True, slots=True)
class _Account:
    """One agent's budgets, and what it has spent, by period, in what was received from `since` on."""

    agent: Agent
    since: datetime
    spent: dict[str, Sums]

    @classmethod
    def of(cls, agent: Agent, memory: Memory | None, begin: datetime) -> "_Account":
        known = memory.agents.get(agent.name) if memory else None
        if known is None:
            return cls(agent, begin, {})
        return cls(
            agent,
            datetime.fromisoformat(known["since"]),
            {period: dict(sums) for period, sums in known["spent"].items()},
        )

    def add(self, one: Measurement, now: datetime) -> None:
        """Count a row for its day and month, unless they were over at `now` or lie far ahead of it."""
        day = one.key[1]
        for period in (day, day[:7]):
            if not _over(period, now) and day <= _day(now + timedelta(days=1)):
                sums = self.spent.setdefault(period, {})
                for name, amount in _amounts(one).items():
                    sums[name] = sums.get(name, 0) + amount

    def paces(self, window: Window, rows: Sequence[Measurement], share: float) -> Iterator[Measurement]:
        """Yield the pace of each period of the window; the traces are those of its own calls."""
        for period, limit in _budgets(self.agent).items():
            name = _day(window.start) if period == "day" else _day(window.start)[:7]
            sums = self.spent.get(name)
            if not sums or not sums["Value"] or sums["Value"] < share * limit:
                continue
            start, length = _bounds(period, window.start)
            counted_from = max(start, self.since)
            pace = sums["Value"] * (length / (window.end - counted_from))
            traces = {
                trace
                for row in rows
                if row.key[0] == self.agent.name and row.key[1].startswith(name)
                for trace in row.trace_ids
            }
            shown = {
                column: amount for column, amount in sums.items() if column not in {"Value", "Violations"}
            }
            yield Measurement(
                window=window.start,
                key=(self.agent.name, period),
                value=pace,
                threshold=limit,
                violations=int(sums["Violations"]),
                trace_ids=tuple(sorted(traces)[:MOST_TRACE_IDS]),
                shows=shown
                | {
                    "SpentUsd": sums["Value"],
                    "ExceededAt": start + length * (limit / pace),
                    "Calls": int(sums["Violations"]),
                    "CountedFrom": counted_from,
                },
            )

    def remembered(self, until: datetime) -> Mapping[str, Any]:
        """Return what the next windows need, as JSON values."""
        going_on = {period: sums for period, sums in self.spent.items() if not _over(period, until)}
        return {"since": instant_text(self.since), "spent": going_on}


def _amounts(one: Measurement) -> Sums:
    shown = {name: cell for name, cell in one.shows.items() if isinstance(cell, int | float)}
    return {"Value": one.value, "Violations": one.violations, **shown}


def _over(period: str, now: datetime) -> bool:
    """Say whether a day ("2026-11-24") or month ("2026-11") was over at `now`."""
    return period < _day(now)[: len(period)]


def _day(instant: datetime) -> str:
    return instant.astimezone(UTC).date().isoformat()


def _bounds(period: str, instant: datetime) -> tuple[datetime, timedelta]:
    """Return the start and the length of the day or month that holds `instant`."""
    if period == "day":
        return datetime(instant.year, instant.month, instant.day, tzinfo=UTC), timedelta(days=1)
    start = month_start(instant)
    return start, month_start(start + timedelta(days=31)) - start
