"""A check that remembers finds the same window by window as it does at once, and asks for far less."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from functions.checks.finding import Finding
from functions.checks.memory import Memory
from functions.checks.runner import Evaluated, Runner
from functions.configuration import SHIPPED, load_configuration
from functions.traces.source import Rows
from tests.checks.bench import BEGINS, SITE, EngineSource, build
from tests.checks.fixtures import FIXTURES, read_cases

CHECKS = {check.id: check for check in load_configuration(SHIPPED, SITE).checks}
HOURS = 3


class Listening:
    """A TraceSource that notes how far back it is asked."""

    def __init__(self, source: EngineSource) -> None:
        self.source = source
        self.stretches: list[timedelta] = []

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        self.stretches.append(until - since)
        return self.source.query(kql, since=since, until=until)


def _rounded(finding: Finding) -> Finding:
    """Return a finding whose numbers don't depend on the order in which they were added up."""
    shows = {
        name: round(cell, 9) if isinstance(cell, float) else cell for name, cell in finding.shows.items()
    }
    moments = {
        name: (cell + timedelta(milliseconds=500)).replace(microsecond=0)
        for name, cell in shows.items()
        if isinstance(cell, datetime)
    }
    return replace(finding, value=round(finding.value, 9), shows=shows | moments)


@pytest.mark.parametrize("check_id", ["token_budget", "telemetry_silence"])
def test_hour_by_hour_finds_what_all_at_once_finds(check_id: str, tmp_path: Path) -> None:
    check = CHECKS[check_id]
    (workspace, *_) = build(check, read_cases(FIXTURES / check_id), tmp_path)
    source = Listening(EngineSource(workspace.telemetry))
    runner = Runner(source, workspace.configuration.agents, workspace.configuration.prices)

    def judged(begin: datetime, hours: int, memory: Memory | None) -> tuple[list[Finding], Memory | None]:
        outcome = runner.judge_due(
            check, watermark=begin, now=begin + timedelta(hours=hours) + check.settle, memory=memory
        )
        assert isinstance(outcome, Evaluated), outcome
        return [_rounded(finding) for one in outcome.judged for finding in one.findings], outcome.memory

    at_once, remembered_at_once = judged(BEGINS, HOURS, None)
    findings: list[Finding] = []
    memory: Memory | None = None
    for hour in range(HOURS):
        more, memory = judged(BEGINS + timedelta(hours=hour), 1, memory)
        findings += more
    assert findings == at_once != []
    assert memory is not None
    assert remembered_at_once is not None
    assert (memory.until, set(memory.agents)) == (remembered_at_once.until, set(remembered_at_once.agents))
    _, first, *later = source.stretches
    assert all(first - stretch > timedelta(hours=20) for stretch in later)


def test_a_call_that_comes_again_in_the_next_hour_is_counted_once(tmp_path: Path) -> None:
    check = CHECKS["token_budget"]
    case = next(case for case in read_cases(FIXTURES / check.id) if "received twice" in case.name)
    (workspace,) = build(check, [case], tmp_path)
    again = [envelope for copies in workspace.cases[0].traces for one in copies for envelope in one.envelopes]
    workspace.telemetry.ingest(again, delay=timedelta(minutes=65))
    runner = Runner(
        EngineSource(workspace.telemetry), workspace.configuration.agents, workspace.configuration.prices
    )
    spent, memory = [], None
    for hour in (1, 2):
        now = BEGINS + timedelta(hours=hour) + check.settle
        outcome = runner.judge_due(check, watermark=now - check.settle - check.every, now=now, memory=memory)
        assert isinstance(outcome, Evaluated), outcome
        memory = outcome.memory
        spent += [finding.shows["SpentUsd"] for one in outcome.judged for finding in one.findings]
    assert spent == [pytest.approx(0.6)] * 2
