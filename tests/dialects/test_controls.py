"""Controls judge every dialect by what its telemetry carries; what it does not carry is not evaluable."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache, partial

import pytest

from functions.evidence.controls.judging import Controls
from functions.evidence.controls.verdicts import Control, Result, RunVerdicts
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.overlay.basis import Basis
from functions.overlay.history import Period
from functions.traces.agents import Agent, Agents, Freshness, RequiredLookup
from functions.traces.slices import Slice
from tests.checks.bench import EngineSource
from tests.dialects.expected import EXPECTED
from tests.dialects.scenario import AGENT, RUNS, Run
from tests.dialects.test_dialects import CONFIGURATION, each_run, label, times, trace_of, workspace
from tests.unit.evidence.judged import EVERYTHING
from tests.unit.evidence.material import protection

DAY = timedelta(days=1)


@cache
def judged(name: str) -> Mapping[str, RunVerdicts]:
    """What controls say of the runs of a fixture, by trace."""
    tool = EXPECTED[name].tool
    owed = Agent(
        AGENT,
        owner="dispatch",
        required_lookups=(RequiredLookup(tool, ()),),
        freshness=(Freshness(tool, 60),),
        approved_tools=(tool,),
        run_p95_ms=3_600_000,
    )
    known, kept = Agents(CONFIGURATION.agents.attributes, {AGENT: owed}), protection()
    asked = Controls(
        EngineSource(workspace([name])),
        lambda _: (Period(None, None, "hash", Basis.OBSERVED, known),),
        known,
        partial(Sanitizer, kept.policy, kept.pseudonyms, kept.detectors),
        kept.pseudonyms,
    )
    first, last = times([name])
    part = Slice("runs", EVERYTHING, first - DAY, last + DAY, first - DAY, last + DAY)
    return {run.trace_id: run for run in asked.judge(part, cutoff=part.received_until)}


def found(name: str, run: Run) -> dict[Control, Result]:
    return {one.control: one.result for one in judged(name)[trace_of(name, run.name)].verdicts}


def expected_lookups(name: str, run: Run) -> Result:
    if run.tool == "raises" and not EXPECTED[name].goes_on:
        return Result.PASS  # it ended without an answer
    if "tool" in EXPECTED[name].absent:
        return Result.NOT_EVALUABLE
    return Result.PASS if run.tool == "answers" else Result.FAIL


def expected_data(name: str, run: Run) -> Result:
    if "tool" in EXPECTED[name].absent:
        return Result.NOT_EVALUABLE
    if run.tool != "answers":
        return Result.PASS  # no data was given
    return Result.NOT_EVALUABLE if "data as of" in EXPECTED[name].absent else Result.FAIL


@pytest.mark.parametrize(("name", "run"), each_run([*EXPECTED]), ids=label)
def test_each_control_says_what_was_planted_or_that_it_is_not_recorded(name: str, run: Run) -> None:
    results = found(name, run)
    if "agent" in EXPECTED[name].absent:
        assert set(results.values()) == {Result.NOT_EVALUABLE}
        return
    tools = Result.NOT_EVALUABLE if "tool" in EXPECTED[name].absent else Result.PASS
    assert (
        results[Control.APPROVED_TOOLS],
        results[Control.REQUIRED_LOOKUPS],
        results[Control.DATA_FRESH],
        results[Control.LATENCY],
        results[Control.CORRELATION],
    ) == (tools, expected_lookups(name, run), expected_data(name, run), Result.PASS, Result.PASS)


@pytest.mark.parametrize("name", EXPECTED)
def test_each_run_of_a_dialect_is_judged_once(name: str) -> None:
    assert judged(name).keys() == {trace_of(name, run) for run in RUNS}
