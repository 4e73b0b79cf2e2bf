"""A control and the check of its name never contradict each other: both judge the fixtures of that check."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from functions.configuration import SHIPPED, load_configuration
from functions.evidence.controls.judging import Controls
from functions.evidence.controls.verdicts import Control, Result
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.overlay.basis import Basis
from functions.overlay.history import Period
from functions.traces.slices import Slice
from tests.checks.bench import BEGINS, EngineSource, Workspace, build
from tests.checks.fixtures import FIXTURES, read_cases
from tests.unit.evidence.judged import EVERYTHING
from tests.unit.evidence.material import protection

CHECKS = {check.id: check for check in load_configuration(SHIPPED).checks}
SAME = {
    "unapproved_tool": Control.APPROVED_TOOLS,
    "skipped_lookup": Control.REQUIRED_LOOKUPS,
    "stale_tool_data": Control.DATA_FRESH,
    "undated_tool_data": Control.DATA_FRESH,
    "content_exposed": Control.NOTHING_EXPOSED,
    "broken_correlation": Control.CORRELATION,
    "slow_run": Control.LATENCY,
}
NAMED_BY_THE_CHECK = SAME.keys() - {"slow_run", "undated_tool_data"}
"""The checks that name every run that fails; slow_run is about percentiles, undated data is no failure."""

SEEN_LATER = {"a call received after settle comes too late to be seen"}
"""Cases in which the control, asked later, knows what the check could not."""


def results(workspace: Workspace, control: Control) -> Iterator[tuple[str, Result]]:
    """Yield trace and result of each run in the workspace."""
    kept, known = protection(), workspace.configuration.agents
    asked = Controls(
        EngineSource(workspace.telemetry),
        lambda _: (Period(None, None, "hash", Basis.OBSERVED, known),),
        known,
        partial(Sanitizer, kept.policy, kept.pseudonyms, kept.detectors),
        kept.pseudonyms,
    )
    began, ended = BEGINS - timedelta(days=3), BEGINS + timedelta(days=2)
    for run in asked.judge(Slice("runs", EVERYTHING, began, ended, began, ended), cutoff=ended):
        (verdict,) = (one for one in run.verdicts if one.control is control)
        yield run.trace_id, verdict.result


@pytest.mark.parametrize("check_id", SAME)
def test_what_the_check_names_does_not_pass_and_what_fails_is_named(check_id: str, tmp_path: Path) -> None:
    check, control = CHECKS[check_id], SAME[check_id]
    seen = set()
    for workspace in build(check, read_cases(FIXTURES / check_id), tmp_path):
        named = {
            trace
            for _, findings in workspace.findings(check)
            for finding in findings
            for trace in finding.trace_ids
        }
        by_trace: dict[str, set[Result]] = {}
        for trace, result in results(workspace, control):
            by_trace.setdefault(trace, set()).add(result)
        seen |= {result for found in by_trace.values() for result in found}
        passed = {trace for trace, found in by_trace.items() if found == {Result.PASS}}
        failed = {trace for trace, found in by_trace.items() if Result.FAIL in found}
        assert cases_of(workspace, named & passed) <= SEEN_LATER
        if check_id in NAMED_BY_THE_CHECK:
            assert cases_of(workspace, failed - named) == set()
    assert seen >= {Result.PASS, Result.NOT_EVALUABLE if check_id == "undated_tool_data" else Result.FAIL}


def cases_of(workspace: Workspace, traces: set[str]) -> set[str]:
    """Return the names of the cases to which the traces belong."""
    return {
        built.case.name
        for built in workspace.cases
        for copies in built.traces
        for trace in copies
        if trace.trace_id in traces
    }
