"""Reads the facts of some runs and judges each by the configuration that was valid when it happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.errors import ResultTooLarge
from functions.evidence.controls.controls import judge, not_evaluable, notes
from functions.evidence.controls.facts import RunFacts
from functions.evidence.controls.run_facts import LATEST, read_facts
from functions.evidence.controls.verdicts import RunVerdicts, Verdict
from functions.evidence.redaction.pseudonyms import Pseudonyms
from functions.evidence.redaction.sanitizer import Sanitizer
from functions.evidence.redaction.shown_names import ShownNames
from functions.overlay.history import Period
from functions.traces.agents import Agents
from functions.traces.kql import text
from functions.traces.membership import Membership
from functions.traces.slices import Slice
from functions.traces.source import TraceSource

_RUNS = "runs"
"""The pseudo-table of slices of runs."""


@dataclass(frozen=True, slots=True)
class Controls:
    """Judges runs.

    Attributes:
        source: Where their facts come from.
        periods: Gives which configuration was valid when; see `History.periods`.
        agents: How telemetry is read where no configuration at all is known: as configured now.
        sanitizer: Makes one by the metadata policy, whatever the profile: verdicts show no content.
        pseudonyms: For names that may not be shown.
    """

    source: TraceSource
    periods: Callable[[datetime], Sequence[Period]]
    agents: Agents
    sanitizer: Callable[[], Sanitizer]
    pseudonyms: Pseudonyms

    def judge(self, part: Slice, *, cutoff: datetime) -> list[RunVerdicts]:
        """Return what the controls say about the runs of `part`, in `RunVerdicts.order`.

        Args:
            part: Of the runs' own spans: the membership, when they began, when they were received. One that
                has too many facts is halved.
            cutoff: Rows received from then on are left out (UTC): the export's `requested_at`, so that a
                repeated job says the same.

        Raises:
            ResultTooLarge: A millisecond of it has too many facts.
            SourceError: The source did not answer completely.
            StorageError: It could not be read which configurations were in force.
        """
        return sorted(self._judged(part, cutoff), key=lambda run: run.order)

    def _judged(self, part: Slice, cutoff: datetime) -> list[RunVerdicts]:
        try:
            return self._judged_at_once(part, cutoff)
        except ResultTooLarge:
            halves = part.halves()
            if halves is None:
                raise
            return [run for half in halves for run in self._judged(half, cutoff)]

    def _judged_at_once(self, part: Slice, cutoff: datetime) -> list[RunVerdicts]:
        judged: list[RunVerdicts] = []
        # Each configuration also says how its time's telemetry is read.
        for agents, periods in self._read_alike(part, cutoff).items():
            within = [(period.begins, period.ends) for period in periods]
            shown = self._shown(agents)
            judged += [
                _judged(facts, _valid(periods, facts.time), shown, cutoff)
                for facts in read_facts(self.source, part, agents, within, cutoff=cutoff)
            ]
        return judged

    def judge_trace(
        self, trace_id: str, *, since: datetime, until: datetime, cutoff: datetime
    ) -> list[RunVerdicts]:
        """Return what the controls say about the runs of one trace.

        Args:
            trace_id: Its OperationId.
            since: First TimeGenerated of its rows, UTC.
            until: End of it (exclusive), UTC.
            cutoff: The present instant, UTC.

        Raises:
            As `judge` does.
        """
        membership = Membership("", f"where OperationId in ({text(trace_id)})")
        return self.judge(Slice(_RUNS, membership, since, until, since - LATEST, cutoff), cutoff=cutoff)

    def _read_alike(self, part: Slice, cutoff: datetime) -> dict[Agents, list[Period]]:
        """Return the periods within the part's time by the agents that they are read by."""
        alike: dict[Agents, list[Period]] = {}
        periods = self.periods(cutoff)
        otherwise = next((period.agents for period in periods if period.agents), self.agents)
        for period in periods:
            begun = period.begins is None or period.begins < part.until
            if begun and (period.ends is None or period.ends > part.since):
                alike.setdefault(period.agents or otherwise, []).append(period)
        return alike

    def _shown(self, agents: Agents) -> ShownNames:
        return ShownNames(
            self.sanitizer().sanitize, self.pseudonyms, next(iter(agents.attributes.document_ids), "")
        )


def _valid(periods: Sequence[Period], time: datetime) -> Period:
    return next(
        period
        for period in periods
        if (period.begins is None or period.begins <= time) and (period.ends is None or time < period.ends)
    )


def _judged(facts: RunFacts, period: Period, shown: ShownNames, cutoff: datetime) -> RunVerdicts:
    trace_id, run_id = shown.ids(facts.trace_id, facts.run_id)
    return RunVerdicts(
        trace_id=trace_id,
        run_id=run_id,
        time=facts.time,
        agent=shown.name("agent", facts.agent),
        release=shown.name("release", facts.release),
        configuration=period.configuration,
        basis=period.basis,
        verdicts=_verdicts(facts, period, shown, cutoff),
        notes=notes(facts),
    )


def _verdicts(facts: RunFacts, period: Period, shown: ShownNames, cutoff: datetime) -> tuple[Verdict, ...]:
    if not period.configuration:
        return not_evaluable(
            "no configuration is known of that time; agents.yaml may state since when it holds"
        )
    if period.agents is None:
        return not_evaluable("what is kept of that time's configuration is not what was in force")
    return judge(facts, period.agents.by_name.get(facts.agent), shown.name, cutoff=cutoff)
