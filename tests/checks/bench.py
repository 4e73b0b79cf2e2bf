"""Runs one shipped check over hand-made traces: the real query on the local engine, the real judgement."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from functions.checks.finding import Finding
from functions.checks.runner import Evaluated, Runner
from functions.configuration import SHIPPED, load_configuration
from functions.traces.source import Rows
from local.azure_monitor.ingestion import Telemetry
from tests.checks.telemetry import START, Trace

SITE = Path(__file__).parent / "site"
"""Agents and prices of these tests, so that what ships may change."""


@dataclass(frozen=True)
class EngineSource:
    """A TraceSource that asks the local engine without the network between them."""

    telemetry: Telemetry

    def query(self, kql: str, *, since: datetime, until: datetime) -> Rows:
        answer = self.telemetry.query(kql, (since, until))
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


def findings(
    check_id: str, traces: Iterable[Trace], *, late: Iterable[tuple[Trace, timedelta]] = ()
) -> list[Finding]:
    """Return what the check finds in the hour of `START`; a spike has the day before it as history.

    Args:
        check_id: A shipped check.
        traces: Ingested a second after their own time.
        late: Ingested that long after their own time.
    """
    telemetry = Telemetry()
    for trace in traces:
        telemetry.ingest(trace.envelopes, delay=timedelta(seconds=1))
    for trace, delay in late:
        telemetry.ingest(trace.envelopes, delay=delay)
    configuration = load_configuration(SHIPPED, SITE)
    check = next(check for check in configuration.checks if check.id == check_id)
    outcome = Runner(EngineSource(telemetry), configuration.agents, configuration.prices).judge_due(
        check, watermark=START.replace(minute=0), now=START + timedelta(hours=1)
    )
    assert isinstance(outcome, Evaluated), outcome
    return [finding for judged in outcome.judged for finding in judged.findings]
