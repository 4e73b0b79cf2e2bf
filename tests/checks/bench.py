"""Runs checks over the cases of their fixtures: the real query on the local engine, the real judgement.

Cases share one run of the query where they can, since it costs most of the time: each uses agent names and
trace ids of its own, and what is found is told apart by them.
"""

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from functions.checks.definition import CheckDefinition
from functions.checks.finding import Finding
from functions.checks.runner import Evaluated, EvaluationFailed, Runner
from functions.checks.windows import window_start
from functions.configuration import SHIPPED, Configuration, load_configuration
from functions.errors import QueryRejected
from functions.traces.source import Rows, TraceSource
from local.azure_monitor.engine import QueryError
from local.azure_monitor.ingestion import Telemetry
from tests.checks.conversion import traces_of
from tests.checks.fixtures import Case
from tests.checks.telemetry import Trace

SITE = Path(__file__).parent / "site"
"""Agents and prices of the fixtures, so that what ships may change."""

BEGINS = datetime(2026, 11, 20, 10, tzinfo=UTC)
"""The beginning of the judged hour."""

_NUMBERS_A_CASE = 100_000
_OWN_NAME = re.compile(r"(.*) \[(\d+)\]", re.DOTALL)


@dataclass(frozen=True)
class EngineSource:
    """A TraceSource that asks the local engine without the network between them."""

    telemetry: Telemetry

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        try:
            answer = self.telemetry.query(kql, (since, until))
        except QueryError as error:
            raise QueryRejected(str(error), next_step="Correct the query.") from error
        assert answer.problem is None, answer.problem
        kinds = [kind for _, kind in answer.columns]
        return Rows(
            columns=tuple(name for name, _ in answer.columns),
            rows=tuple(
                tuple(
                    datetime.fromisoformat(str(cell)) if kind == "datetime" and cell else cell
                    for cell, kind in zip(row, kinds, strict=True)
                )
                for row in answer.rows
            ),
        )


@dataclass(frozen=True)
class Built:
    """A case in a workspace with others.

    Attributes:
        case: The case.
        number: Its number there.
        traces: For each trace of the file its copies.
        agents: Which agents its traces name.
    """

    case: Case
    number: int
    traces: list[tuple[Trace, ...]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    def own(self, agent: str) -> str:
        """Return the agent's name as this case alone uses it."""
        self.agents.add(agent)
        return f"{agent} [{self.number}]"

    def named(self, traces: Sequence[int | str]) -> set[str]:
        """Return the trace ids of traces that an expectation names."""
        names = {body.get("name"): n for n, body in enumerate(self.case.traces, start=1)}
        numbers = [names[trace] if isinstance(trace, str) else trace for trace in traces]
        return {trace.trace_id for number in numbers for trace in self.traces[number - 1]}


@dataclass(frozen=True)
class Workspace:
    """Cases that share one workspace and one configuration."""

    cases: tuple[Built, ...]
    telemetry: Telemetry
    configuration: Configuration

    def findings(
        self,
        check: CheckDefinition,
        source: TraceSource | None = None,
        content: TraceSource | None = None,
    ) -> list[tuple[Built, list[Finding]]]:
        """Return what the check finds in the judged hour, case by case, with agents named as the cases do.

        Args:
            check: The check.
            source: Whom to ask; the engine unless given.
            content: Whom to ask about AppGenAIContent where it is asked alone.

        Raises:
            TracekeeperError: The check could not be evaluated; QueryRejected: the engine refuses its query.
        """
        begins = window_start(BEGINS, check.every)
        runner = Runner(
            source or EngineSource(self.telemetry),
            self.configuration.agents,
            self.configuration.prices,
            content=content,
        )
        outcome = runner.judge_due(
            check, watermark=begins, now=begins + max(check.every, timedelta(hours=1)) + check.settle
        )
        if isinstance(outcome, EvaluationFailed):
            raise outcome.error
        assert isinstance(outcome, Evaluated), outcome
        found: dict[int, list[Finding]] = {built.number: [] for built in self.cases}
        for judged in outcome.judged:
            for finding in judged.findings:
                found[self._number_of(finding)].append(_as_written(finding))
        return [(built, found[built.number]) for built in self.cases]

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {
            trace.trace_id: built.number
            for built in self.cases
            for copies in built.traces
            for trace in copies
        }

    def _number_of(self, finding: Finding) -> int:
        named = _OWN_NAME.fullmatch(finding.key.get("Agent", ""))
        numbers = {self._numbers.get(trace_id) for trace_id in finding.trace_ids}
        if named:
            numbers.add(int(named[2]))
        if len(self.cases) == 1:
            return self.cases[0].number
        number = numbers.pop() if len(numbers) == 1 else None
        if number is None:
            raise AssertionError(
                f"{finding} belongs to no single case: give the cases that share it `alone: true`"
            )
        return number


def build(check: CheckDefinition, cases: Iterable[Case], folder: Path) -> list[Workspace]:
    """Fill as few workspaces as keep the cases apart.

    Args:
        check: Where its key has no agent, each case is alone.
        cases: Of that check.
        folder: For the site files of the workspaces.
    """
    groups: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        shared = json.dumps([case.content_moved, case.site.prices, case.site.attributes], sort_keys=True)
        groups[str(case) if case.alone or "Agent" not in check.key else shared].append(case)
    return [_workspace(group, Path(tempfile.mkdtemp(dir=folder))) for group in groups.values()]


def _workspace(cases: Sequence[Case], folder: Path) -> Workspace:
    telemetry = Telemetry(content_routing="table" if cases[0].content_moved else "inline")
    built = tuple(_built(case, number) for number, case in enumerate(cases, start=1))
    waiting: defaultdict[timedelta, list[Mapping[str, Any]]] = defaultdict(list)
    for one in built:
        for trace in (trace for copies in one.traces for trace in copies):
            for envelope, delay in zip(trace.envelopes, trace.delays, strict=True):
                waiting[delay].append(envelope)
    for delay, envelopes in waiting.items():
        accepted = telemetry.ingest(envelopes, delay=delay)
        assert accepted == len(envelopes), "the workspace refused an envelope"
    _write_site(built, folder)
    return Workspace(built, telemetry, load_configuration(SHIPPED, folder))


def _built(case: Case, number: int) -> Built:
    built = Built(case, number)
    first = number * _NUMBERS_A_CASE
    for body in case.traces:
        built.traces.append(tuple(traces_of(body, begins=BEGINS, first=first, own=built.own)))
        first += len(built.traces[-1])
    return built


def _write_site(cases: Sequence[Built], folder: Path) -> None:
    """Write the site's files, with each case's agents under the names that it alone uses."""
    body = yaml.safe_load((SITE / "agents.yaml").read_text("utf-8"))
    agents = {
        one.own(name): entry
        for one in cases
        for name, entry in {
            **{name: entry for name, entry in body["agents"].items() if name in one.agents},
            **one.case.site.agents,
        }.items()
    }
    site = cases[0].case.site
    attributes = {**body["attributes"], **site.attributes}
    _write(folder / "agents.yaml", {"attributes": attributes, "agents": agents})
    prices = yaml.safe_load((SITE / "prices.yaml").read_text("utf-8"))
    _write(folder / "prices.yaml", prices if site.prices is None else {**prices, "models": list(site.prices)})


def _write(path: Path, body: Any) -> None:
    path.write_text(json.dumps(body, indent=1, default=str), "utf-8")


def _as_written(finding: Finding) -> Finding:
    named = _OWN_NAME.fullmatch(finding.key.get("Agent", ""))
    return replace(finding, key={**finding.key, "Agent": named[1]}) if named else finding
