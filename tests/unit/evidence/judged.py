"""Judges telemetry by controls in process: the real question, the local engine, the product's own policy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from functions.configuration import SHIPPED, load_configuration
from functions.evidence.controls.judging import Controls
from functions.evidence.controls.verdicts import Control, RunVerdicts, Verdict
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.overlay.basis import Basis
from functions.overlay.history import Period
from functions.traces.agents import Agent, Agents
from functions.traces.membership import Membership
from functions.traces.slices import Slice
from local.azure_monitor.ingestion import Telemetry
from tests.checks.bench import BEGINS, EngineSource
from tests.checks.conversion import traces_of
from tests.unit.evidence.material import protection

Envelopes = Sequence[Mapping[str, Any]]

EVERYTHING = Membership(
    "let Chosen = union (AppRequests | project OperationId), (AppDependencies | project OperationId)"
    " | distinct OperationId;\n",
    "where OperationId in (Chosen)",
)
PROMPT = timedelta(seconds=1)
LATER = timedelta(hours=1)
SHIPPED_AGENTS = load_configuration(SHIPPED).agents
VALID = "c0ffee"
"""The hash of the configuration that is valid."""


def agents(**by_name: Agent) -> Agents:
    """Return agents of the shipped attributes."""
    return Agents(
        SHIPPED_AGENTS.attributes, {name.replace("_", "-"): agent for name, agent in by_name.items()}
    )


def dispatcher(**changes: Any) -> Agents:
    """Return the dispatcher that ships, with other rules."""
    return agents(dispatcher=replace(SHIPPED_AGENTS.by_name["dispatcher"], **changes))


def controls(telemetry: Telemetry, known: Agents, periods: Sequence[Period] | None = None) -> Controls:
    """Return the controls over a workspace; without periods one configuration was always valid."""
    always = (Period(None, None, VALID, Basis.OBSERVED, known),)
    kept = protection()
    return Controls(
        EngineSource(telemetry),
        lambda _: always if periods is None else periods,
        known,
        partial(Sanitizer, kept.policy, kept.pseudonyms, kept.detectors),
        kept.pseudonyms,
    )


def workspace(envelopes: Envelopes, *, routing: Any = "table") -> Telemetry:
    """Return a workspace that has received the envelopes a second after their own time."""
    telemetry = Telemetry(content_routing=routing)
    assert telemetry.ingest(envelopes, delay=PROMPT) == len(envelopes)
    return telemetry


def played(*bodies: Mapping[str, Any], routing: Any = "table") -> Telemetry:
    """Return a workspace with traces as the fixtures of checks describe them, one after the other."""
    telemetry = Telemetry(content_routing=routing)
    for number, body in enumerate(bodies, start=1):
        for trace in traces_of(body, begins=BEGINS, first=number * 1000, own=str):
            for envelope, delay in zip(trace.envelopes, trace.delays, strict=True):
                assert telemetry.ingest([envelope], delay=delay) == 1
    return telemetry


def trace_id(number: int) -> str:
    """Return the id of a played trace, from 1."""
    return f"{number * 1000:032x}"


DAY = Slice("runs", EVERYTHING, *([BEGINS - timedelta(days=1), BEGINS + timedelta(days=1)] * 2))
"""A slice with all that is played."""


def whole(envelopes: Envelopes) -> Slice:
    """Return a slice with all their runs."""
    times = sorted(_time(envelope) for envelope in envelopes)
    return Slice("runs", EVERYTHING, times[0] - LATER, times[-1] + LATER, times[0] - LATER, times[-1] + LATER)


def judged(
    envelopes: Envelopes,
    known: Agents,
    *,
    routing: Any = "table",
    periods: Sequence[Period] | None = None,
    cutoff: datetime | None = None,
) -> list[RunVerdicts]:
    """Return what the controls say of all runs, asked an hour after the last unless told otherwise."""
    part = whole(envelopes)
    asked = controls(workspace(envelopes, routing=routing), known, periods)
    return asked.judge(part, cutoff=cutoff or part.received_until)


def of(runs: Iterable[RunVerdicts], control: Control) -> dict[str, Verdict]:
    """Return what one control says, by trace."""
    return {run.trace_id: verdict for run in runs for verdict in run.verdicts if verdict.control is control}


def _time(envelope: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(envelope["time"])).astimezone(UTC)
