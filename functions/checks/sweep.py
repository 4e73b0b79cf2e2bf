"""Decides which windows are judged once more for rows that came late, and what these rows change. Pure.

A run is judged in the window in which its own span was received, by the rows received until `settle` after
it. A row of the run that comes later is missed. So each window is judged again when an hour has passed, and
what is found then is compared with what was found at first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding, JudgedWindow, Window
from functions.checks.measurement import MOST_TRACE_IDS
from functions.checks.unswept import LATE_HORIZON, Found, Unswept, digest, digest_of_key
from functions.checks.windows import Batch
from functions.traces.source import AskingCost

LONGEST_LOOKBACK = timedelta(hours=6)
"""A check that looks further back compares stretches of time (silence, a budget), not the rows of runs."""


def is_swept(check: CheckDefinition) -> bool:
    """Return whether late rows can change what a check finds in a window.

    They can where a window is judged by the runs in it alone: not against its past (spike, change, absence, a
    long `lookback`), not in a row with others (`for`), and not when it waits as long as a sweep anyway.
    """
    return (
        check.condition.kind in {"any", "above", "below"}
        and check.windows_in_a_row == 1
        and check.lookback <= LONGEST_LOOKBACK
        and check.settle < LATE_HORIZON
    )


def reading_after(check: CheckDefinition, batch: Batch, now: datetime) -> timedelta:
    """Return how long after the batch rows are read: old windows read at once what came late for them."""
    if not is_swept(check):
        return check.settle
    return max(check.settle, min(LATE_HORIZON, now - batch.windows[-1].end - check.settle))


@dataclass(frozen=True, slots=True)
class Refuted:
    """Traces that a finding named and late rows refute, as digests, with the digest of its key."""

    start: datetime
    key: str
    traces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep came to.

    Attributes:
        windows: What was swept.
        late: Findings that were not there before, marked late.
        refuted: What no longer holds.
        late_rows: Rows of runs that came too late for their window, by its start.
        asking: What the question took.
    """

    windows: tuple[Window, ...]
    late: tuple[Finding, ...]
    refuted: tuple[Refuted, ...]
    late_rows: Mapping[datetime, int]
    asking: AskingCost = field(default_factory=AskingCost)


def compare(
    unswept: Unswept, judged: Sequence[JudgedWindow]
) -> tuple[tuple[Finding, ...], tuple[Refuted, ...]]:
    """Return what is found now and was not at first, and the other way round.

    A finding that names as many traces as it can is compared as a whole: which traces it names is chance.
    """
    first = {(one.start, one.key): one for one in unswept.found}
    now = {
        (one.window.start, digest_of_key(finding.key)): finding for one in judged for finding in one.findings
    }
    asked = {one.window.start for one in judged}
    late = [found for place, finding in now.items() for found in _late(first.get(place), finding)]
    refuted = [
        gone for place, one in first.items() if one.start in asked for gone in _refuted(one, now.get(place))
    ]
    return tuple(late), tuple(refuted)


def _late(first: Found | None, finding: Finding) -> Iterator[Finding]:
    if first is None:
        yield replace(finding, late=True)
        return
    known = set(first.traces)
    new = tuple(trace for trace in finding.trace_ids if digest(trace) not in known)
    if new and len(first.traces) < MOST_TRACE_IDS > len(finding.trace_ids):
        more = max(finding.violations - first.violations, len(new))
        yield replace(finding, late=True, violations=more, trace_ids=new)


def _refuted(first: Found, finding: Finding | None) -> Iterator[Refuted]:
    if finding is None:
        yield Refuted(first.start, first.key, first.traces)
        return
    named = {digest(trace) for trace in finding.trace_ids}
    gone = tuple(trace for trace in first.traces if trace not in named)
    if gone and len(first.traces) < MOST_TRACE_IDS > len(finding.trace_ids):
        yield Refuted(first.start, first.key, gone)
