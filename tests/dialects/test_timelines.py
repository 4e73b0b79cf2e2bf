"""The timelines of reports read every dialect's model and tool calls out of sanitized rows."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from itertools import groupby

import pytest

from functions.evidence.redaction.sanitizer import Sanitizer
from functions.evidence.report.timeline import Step, timeline
from functions.traces.rows import find_traces, read_slices
from tests.checks.bench import EngineSource
from tests.dialects.expected import EXPECTED
from tests.dialects.scenario import DATA_AGE, MODEL, RUNS, Run
from tests.dialects.test_dialects import (
    CONFIGURATION,
    each_run,
    label,
    lacks,
    model_calls,
    times,
    trace_of,
    workspace,
)
from tests.unit.evidence.material import protection

AGE = f"data {DATA_AGE // timedelta(hours=1)} h 0 min old"


@cache
def timelines(name: str) -> Mapping[str, tuple[Step, ...]]:
    """The steps of each run of a fixture, by trace."""
    kept = protection()
    sanitizer = Sanitizer(kept.policy, kept.pseudonyms, kept.detectors)
    source = EngineSource(workspace([name]))
    traces = [trace_of(name, run) for run in RUNS]
    scope = find_traces(source, traces, now=times([name])[1] + timedelta(hours=1))
    rows = [sanitizer.sanitize(row).row for part in read_slices(source, scope) for row in part.rows]
    by_trace = groupby(sorted(rows, key=lambda row: (row.trace_id, row.time)), key=lambda row: row.trace_id)
    attributes = CONFIGURATION.agents.attributes
    return {trace: timeline(trace, tuple(its), attributes).steps for trace, its in by_trace}


def steps(name: str, run: Run) -> tuple[Step, ...]:
    return timelines(name)[trace_of(name, run.name)]


@pytest.mark.parametrize(("name", "run"), each_run([*EXPECTED]), ids=label)
def test_each_model_call_is_one_step_with_its_tokens(name: str, run: Run) -> None:
    calls = [one for one in steps(name, run) if one.metered]
    usages = run.usages[: model_calls(EXPECTED[name], run)]
    assert [one.model for one in calls] == [MODEL] * len(usages)
    assert [(one.input_tokens, one.output_tokens) for one in calls] == [
        (each.input, each.output) for each in usages
    ]


@pytest.mark.parametrize(("name", "run"), each_run([*EXPECTED]), ids=label)
def test_each_tool_call_is_one_step_with_its_outcome(name: str, run: Run) -> None:
    called = [(one.name, one.failed) for one in steps(name, run) if one.kind == "execute_tool"]
    if name in lacks("tool") or not run.tool:
        assert called == []
    else:
        assert called == [(EXPECTED[name].tool, run.tool == "raises")]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_age_of_the_data_is_told_once(name: str) -> None:
    told = [note for one in steps(name, RUNS["answered"]) for note in one.notes]
    assert told.count(AGE) == 1
