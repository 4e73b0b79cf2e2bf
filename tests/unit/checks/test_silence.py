"""How long a declared agent was silent follows from what was last heard of it, whoever heard it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import orjson

from functions.checks.evaluation import judge
from functions.checks.finding import Finding
from functions.checks.memory import Memory, asked_from, memory_from_json
from functions.checks.windows import Batch
from functions.configuration import SHIPPED, load_configuration
from functions.traces.agents import Agent
from functions.traces.source import Cell
from tests.unit.checks.building import FIVE, NOON, batch, check, result, row

CHECK = check({"silence": {"history": 2}}, shows=["LastHeard", "Release"])
AGENTS = replace(
    load_configuration(SHIPPED).agents,
    by_name={
        "dispatcher": Agent("dispatcher", "desk", silent_after_minutes=10),
        "sleeper": Agent("sleeper", "desk"),
    },
)


def heard(number: int, ago: float = 5.0, *, agent: str = "dispatcher", trace: str = "t1") -> dict[str, Cell]:
    """Return a row: in this window an agent was last heard so many minutes before its end."""
    return row(number, ago, agent=agent, TraceIds=f'["{trace}"]', Release="2.0")


def found(
    rows: Iterable[Mapping[str, Cell]], windows: Batch, memory: Memory | None = None
) -> tuple[list[Finding], Memory]:
    judgement = judge(CHECK, result(*rows, columns=tuple(heard(0))), windows, AGENTS, memory)
    assert judgement.memory is not None
    return [finding for one in judgement.judged for finding in one.findings], judgement.memory


def test_an_agent_is_silent_in_each_window_that_ends_too_long_after_its_last_row() -> None:
    findings, _ = found([heard(0, 2.0), heard(4, 1.0)], batch(*range(6)))
    assert [(finding.window.start, finding.value, finding.threshold) for finding in findings] == [
        (NOON + 2 * FIVE, 12.0, 10),
        (NOON + 3 * FIVE, 17.0, 10),
    ]
    assert findings[0].trace_ids == ("t1",)
    assert findings[0].shows == {"LastHeard": NOON + timedelta(minutes=3), "Release": "2.0"}


def test_exactly_the_agreed_time_is_no_silence() -> None:
    assert found([heard(0, 0.0)], batch(0, 1, 2))[0] == []


def test_an_agent_that_was_never_heard_is_silent_since_we_listen() -> None:
    (finding,), memory = found([], batch(0))
    assert (finding.value, finding.trace_ids) == (125.0, ())
    assert finding.shows == {"LastHeard": None, "Release": None}
    assert memory.agents["dispatcher"]["since"] == "2026-11-03T10:00:00Z"


def test_an_agent_that_is_newly_declared_is_listened_for_from_now_on() -> None:
    findings, _ = found([], batch(0, 1, 2), Memory(NOON, {}))
    assert [finding.value for finding in findings] == [15.0]


def test_silence_goes_on_from_what_is_remembered() -> None:
    rows = [heard(0, 4.0), heard(1, 3.0, trace="t2")]
    at_once, remembered_at_once = found(rows, batch(*range(6)))
    first, memory = found(rows, batch(0, 1, 2, 3))
    again = memory_from_json(orjson.loads(orjson.dumps(memory.to_json())))
    second, remembered = found([], batch(4, 5), again)
    assert first + second == at_once
    assert [finding.value for finding in at_once] == [13.0, 18.0, 23.0]
    assert remembered == remembered_at_once


def test_what_was_heard_before_the_windows_is_known_already() -> None:
    findings, _ = found([heard(-1, 0.0)], batch(0), Memory(NOON, found([], batch(-1))[1].agents))
    assert [finding.value for finding in findings] == [125.0 + 5.0]


def test_only_declared_agents_are_remembered() -> None:
    _, memory = found([heard(0), heard(0, agent="sleeper"), heard(0, agent="stranger")], batch(0))
    assert set(memory.agents) == {"dispatcher"}


def test_the_first_evaluation_listens_to_its_history_and_the_next_ones_to_their_windows() -> None:
    assert asked_from(CHECK, batch(0), None) == NOON - timedelta(hours=2)
    assert asked_from(CHECK, batch(0), Memory(NOON, {})) == NOON
