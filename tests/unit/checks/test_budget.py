"""What agents spend is summed up window by window, and held against the day's and the month's budget."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from functions.checks.definition import CheckDefinition
from functions.checks.evaluation import judge
from functions.checks.finding import Finding, Window
from functions.checks.memory import Memory, asked_from, fitting, memory_from_json
from functions.checks.windows import Batch
from functions.configuration import SHIPPED, load_configuration
from functions.traces.agents import Agent, Agents
from functions.traces.source import Cell
from tests.unit.checks.building import check, result

HOUR = timedelta(hours=1)
MIDNIGHT = datetime(2026, 11, 3, tzinfo=UTC)
SHIPPED_AGENTS = load_configuration(SHIPPED).agents


def agents(**budgets: float) -> Agents:
    spender = Agent("broker", "desk", **budgets)  # type: ignore[arg-type]  # daily_usd and monthly_usd
    return replace(SHIPPED_AGENTS, by_name={"broker": spender, "free": Agent("free", "desk")})


OWED = agents(daily_usd=24)


def budget(**options: Any) -> CheckDefinition:
    return check(
        {"budget": {"share": 0.5, "history": 744} | options},
        every="1h",
        key=["Agent", "Period"],
        shows=["SpentUsd", "CallsWithoutUsage"],
    )


def hours(*numbers: int) -> Batch:
    """Return the windows that begin so many hours after midnight of the third of November."""
    return Batch(HOUR, tuple(Window(MIDNIGHT + n * HOUR, MIDNIGHT + (n + 1) * HOUR) for n in numbers))


def spent(
    hour: int, usd: float, *, day: str = "2026-11-03", agent: str = "broker", **changes: Cell
) -> dict[str, Cell]:
    return {
        "Window": MIDNIGHT + hour * HOUR,
        "Agent": agent,
        "Period": day,
        "Value": usd,
        "Violations": 2,
        "TraceIds": f'["t{hour}"]',
        "CallsWithoutUsage": 1,
    } | changes


def found(
    rows: Iterable[Mapping[str, Cell]],
    batch: Batch,
    memory: Memory | None = None,
    owed: Agents = OWED,
) -> tuple[list[Finding], Memory]:
    columns = tuple(spent(0, 0))
    judgement = judge(budget(), result(*rows, columns=columns), batch, owed, memory)
    assert judgement.memory is not None
    return [finding for one in judgement.judged for finding in one.findings], judgement.memory


def test_a_day_s_pace_is_what_was_spent_over_the_time_gone_by() -> None:
    (finding,), _ = found([spent(0, 6.0), spent(5, 12.0)], hours(5), None)
    assert finding.key == {"Agent": "broker", "Period": "day"}
    assert (finding.value, finding.threshold, finding.violations) == (72.0, 24, 4)  # 18 in six hours
    assert finding.trace_ids == ("t5",)
    assert finding.shows == {
        "SpentUsd": 18.0,
        "Calls": 4,
        "CallsWithoutUsage": 2,
        "CountedFrom": MIDNIGHT,
        "ExceededAt": MIDNIGHT + 8 * HOUR,
    }


def test_a_pace_within_the_budget_is_none() -> None:
    assert found([spent(22, 23.0)], hours(22, 23))[0] == []


@pytest.mark.parametrize(("usd", "findings"), [(11.9, 0), (12.0, 1)])
def test_before_its_share_is_spent_a_pace_says_nothing(usd: float, findings: int) -> None:
    assert len(found([spent(0, usd)], hours(0))[0]) == findings


def test_a_month_is_as_long_as_it_is() -> None:
    (finding,), _ = found([spent(11, 60.0)], hours(11), owed=agents(monthly_usd=100))
    assert finding.key["Period"] == "month"
    assert finding.value == pytest.approx(60 * 30 / 2.5)  # November, two days and a half gone by


def test_a_window_without_calls_is_held_against_the_totals() -> None:
    findings, _ = found([spent(0, 12.0)], hours(*range(13)))
    assert [finding.window.start - MIDNIGHT for finding in findings] == [n * HOUR for n in range(11)]
    assert findings[1].trace_ids == ()


def test_totals_go_on_from_what_is_remembered() -> None:
    rows = [spent(0, 6.0), spent(1, 6.0), spent(2, 1.0), spent(3, 8.0)]
    at_once, remembered_at_once = found(rows, hours(0, 1, 2, 3))
    first, memory = found(rows[:2], hours(0, 1))
    again = memory_from_json(orjson.loads(orjson.dumps(memory.to_json())))
    # What lies before the windows is in the answer for the sake of its spans, and was counted before.
    second, remembered = found(rows[1:], hours(2, 3), again)
    assert first + second == at_once != []
    assert remembered == remembered_at_once


def test_a_call_counts_for_its_own_day() -> None:
    rows = [spent(0, 20.0, day="2026-11-02"), spent(0, 1.0)]
    findings, memory = found(rows, hours(0), owed=agents(daily_usd=20, monthly_usd=20))
    assert [(finding.key["Period"], finding.shows["SpentUsd"]) for finding in findings] == [("month", 21.0)]
    assert set(memory.agents["broker"]["spent"]) == {"2026-11", "2026-11-03"}


def test_what_is_over_is_forgotten() -> None:
    _, memory = found([spent(20, 5.0)], hours(*range(20, 24)))
    assert set(memory.agents["broker"]["spent"]) == {"2026-11"}
    batch = Batch(HOUR, (Window(datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),))
    known = Memory(batch.windows[0].start, memory.agents)
    assert found([], batch, known)[1].agents["broker"]["spent"] == {}


@pytest.mark.parametrize("day", ["2026-10-31", "2026-11-05", "2999-01-01"])
def test_days_outside_the_periods_fill_no_memory(day: str) -> None:
    _, memory = found([spent(0, 5.0, day=day)], hours(0))
    assert memory.agents["broker"]["spent"] == {}


def test_a_clock_that_is_ahead_counts_when_its_day_comes() -> None:
    _, memory = found([spent(23, 20.0, day="2026-11-04")], hours(23))
    (finding,), _ = found([], hours(24), memory)
    assert finding.shows["SpentUsd"] == 20


def test_a_new_budget_counts_from_now_on_and_is_judged_by_that_pace() -> None:
    _, memory = found([], hours(11), owed=agents())
    rows = [spent(11, 99.0), spent(12, 1.0)]
    (finding,), after = found(rows, hours(12), memory, owed=agents(daily_usd=2))
    assert (finding.value, finding.shows["CountedFrom"]) == (24.0, MIDNIGHT + 12 * HOUR)
    assert finding.shows["ExceededAt"] == MIDNIGHT + 2 * HOUR
    assert after.agents["broker"]["since"] == "2026-11-03T12:00:00Z"


def test_agents_without_a_budget_are_not_remembered() -> None:
    _, memory = found([spent(0, 5.0, agent="free"), spent(0, 5.0, agent="stranger")], hours(0))
    assert set(memory.agents) == {"broker"}


def test_the_first_evaluation_asks_for_the_month_so_far_and_the_next_ones_for_their_windows() -> None:
    batch = hours(30)
    assert asked_from(budget(), batch, None) == datetime(2026, 11, 1, tzinfo=UTC)
    assert asked_from(budget(history=5), batch, None) == MIDNIGHT + 25 * HOUR
    assert asked_from(budget(), batch, Memory(batch.windows[0].start, {})) == batch.windows[0].start


@pytest.mark.parametrize(("hour", "fits"), [(29, False), (30, True), (31, False)])
def test_a_memory_with_a_gap_or_an_overlap_is_not_used(hour: int, fits: bool) -> None:
    memory = Memory(MIDNIGHT + hour * HOUR, {})
    assert (fitting(memory, hours(30)) is memory) is fits


def test_two_days_in_one_window_share_its_traces_by_period() -> None:
    rows = [spent(0, 15.0, TraceIds='["a"]'), spent(0, 15.0, day="2026-11-02", TraceIds='["b"]')]
    findings, _ = found(rows, hours(0), owed=agents(daily_usd=20, monthly_usd=40))
    assert [finding.trace_ids for finding in findings] == [("a",), ("a", "b")]


def test_without_agents_nothing_is_passed() -> None:
    with pytest.raises(ValueError, match="declared"):
        judge(budget(), result(columns=tuple(spent(0, 0))), hours(0))
