"""Says how long declared agents have sent nothing, by what was last heard of them. Pure.

The query answers when each agent was last heard in a window: Value is the minutes from its last row to the
window's end, TraceIds names that row's trace.

Remembered of an agent: {"since": instant, "heard": instant or null, "traces": [...], "shows": {...}}.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from functions.checks.definition import CheckDefinition
from functions.checks.finding import Window
from functions.checks.measurement import Measurement
from functions.checks.memory import Memory, asked_from, instant_text
from functions.checks.windows import Batch
from functions.traces.agents import Agents
from functions.traces.source import Cell

_MINUTE = timedelta(minutes=1)


def silences(
    check: CheckDefinition,
    measured: Iterable[Measurement],
    batch: Batch,
    agents: Agents,
    memory: Memory | None,
) -> tuple[list[Measurement], Memory]:
    """Return how long each declared agent was silent at the end of each window, and what was last heard.

    An agent that was never heard has been silent since we listen for it: since `asked_from`, or since it was
    declared.

    Args:
        check: Its key is Agent.
        measured: What the query answered, back to `asked_from`.
        batch: The windows.
        agents: Which of them are declared to send, and how often.
        memory: What was last heard before the first window; None where `measured` has all there is.
    """
    first, begin = batch.windows[0].start, asked_from(check, batch, memory)
    known = memory.agents if memory else {}
    heard = {
        agent.name: _read(known[agent.name]) if agent.name in known else _Heard(begin)
        for agent in agents.by_name.values()
        if agent.silent_after_minutes is not None
    }
    by_window: defaultdict[datetime, list[Measurement]] = defaultdict(list)
    for one in measured:
        if one.key[0] in heard:
            by_window[one.window].append(one)
    for start in sorted(start for start in by_window if begin <= start < first):
        for one in by_window[start]:
            heard[one.key[0]] = heard[one.key[0]].after(one, start + batch.width)
    silent = []
    for window in batch.windows:
        for one in by_window[window.start]:
            heard[one.key[0]] = heard[one.key[0]].after(one, window.end)
        silent += [
            last.silence(name, window, agents.by_name[name].silent_after_minutes, check.shows)
            for name, last in heard.items()
        ]
    until = batch.windows[-1].end
    return silent, Memory(until, {name: last.remembered() for name, last in heard.items()})


@dataclass(frozen=True, slots=True)
class _Heard:
    """When one agent was last heard; `at` is None where it never was since `since`."""

    since: datetime
    at: datetime | None = None
    traces: tuple[str, ...] = ()
    shows: Mapping[str, Cell] | None = None

    def after(self, one: Measurement, end: datetime) -> "_Heard":
        """Return what is known at the end of the window of a row."""
        return replace(self, at=end - one.value * _MINUTE, traces=one.trace_ids, shows=one.shows)

    def silence(self, agent: str, window: Window, limit: float | None, columns: Iterable[str]) -> Measurement:
        shown = {column: (self.shows or {}).get(column) for column in columns}
        return Measurement(
            window=window.start,
            key=(agent,),
            value=(window.end - (self.at or self.since)) / _MINUTE,
            threshold=limit,
            violations=1,
            trace_ids=self.traces,
            shows=shown | {"LastHeard": self.at},
        )

    def remembered(self) -> Mapping[str, Any]:
        # Texts and numbers as they are; the one instant that is shown is LastHeard, which `at` gives again.
        shows = {name: cell for name, cell in (self.shows or {}).items() if not isinstance(cell, datetime)}
        return {
            "since": instant_text(self.since),
            "heard": self.at and instant_text(self.at),
            "traces": list(self.traces),
            "shows": shows,
        }


def _read(body: Mapping[str, Any]) -> _Heard:
    return _Heard(
        since=datetime.fromisoformat(body["since"]),
        at=body["heard"] and datetime.fromisoformat(body["heard"]),
        traces=tuple(body["traces"]),
        shows=body["shows"],
    )
