"""A check, its findings and its windows, as the tests of alerting need them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from functions.alerts.alert import Alert
from functions.alerts.circumstances import Circumstances
from functions.alerts.lifecycle import Advance, advance
from functions.alerts.rules import AlertRules, DestinationRule
from functions.checks.definition import CheckDefinition, Condition
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.traces.source import Cell

START = datetime(2026, 11, 24, 2, 55, tzinfo=UTC)
EVERY = timedelta(minutes=5)
TRACE_IDS = tuple(f"{n:032x}" for n in range(1, 13))
DISPATCHER = MappingProxyType({"Agent": "dispatcher", "Tool": "get_shipment_status"})

CHECK = CheckDefinition(
    id="stale_tool_data",
    title="A tool answered with stale data",
    severity="high",
    owner="platform",
    every=EVERY,
    settle=EVERY,
    lookback=timedelta(hours=1),
    key=("Agent", "Tool"),
    needs=("spans",),
    shows=("Runs", "Conversations", "Release", "PromptVersion"),
    unit="minutes",
    query="spans",
    condition=Condition("any", {}),
    false_positives="The tool's clock is wrong.",
    triage=(
        "Open a sample trace and compare the tool's data-as-of with the source's own last update.\n"
        "Source is behind: tell its owner."
    ),
)

RULES = AlertRules(
    repeat_after=timedelta(hours=4),
    resolve_after_quiet=3,
    report_failure_after=3,
    destinations=(DestinationRule("teams", "teams", "TEAMS_WEBHOOK_URL"),),
)


def window(n: int) -> Window:
    """Return the n-th window after START, from 0."""
    return Window(START + n * EVERY, START + (n + 1) * EVERY)


def finding(
    n: int,
    key: Mapping[str, str] = DISPATCHER,
    *,
    value: float = 95.0,
    trace_ids: Sequence[str] = TRACE_IDS[:1],
    shows: Mapping[str, Cell] = MappingProxyType({}),
) -> Finding:
    """Return a finding in the n-th window."""
    return Finding(CHECK.id, key, window(n), value, 30.0, len(trace_ids), tuple(trace_ids), shows)


def judged(n: int, *findings: Finding) -> JudgedWindow:
    """Return the n-th window as evaluated."""
    return JudgedWindow(window(n), findings)


def found(*numbers: int, of: int, key: Mapping[str, str] = DISPATCHER) -> list[JudgedWindow]:
    """Return the windows 0 to `of` - 1, with a finding in each of `numbers`."""
    return [judged(n, *([finding(n, key)] if n in numbers else [])) for n in range(of)]


def advanced(
    alerts: Mapping[str, Alert],
    windows: Sequence[JudgedWindow],
    *,
    now: datetime | None = None,
    rules: AlertRules = RULES,
    waiting: Sequence[tuple[str, str]] = (),
) -> Advance:
    """Advance CHECK's alerts; `now` is the end of the last window unless told."""
    at = now or max((one.window.end for one in windows), default=START)
    return advance(alerts, windows, check=CHECK, circumstances=Circumstances(rules, at, waiting))


def two_destinations() -> AlertRules:
    """Return RULES with a second destination, "pager"."""
    pager = DestinationRule("pager", "teams", "PAGER_WEBHOOK_URL")
    return replace(RULES, destinations=(*RULES.destinations, pager))
