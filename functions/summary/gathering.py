"""Gathers a week's summary, each part from where it is already known.

Telemetry is asked four bounded questions at most, one after another.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from functions.alerts.announcements import NAME, announcements_from_json
from functions.alerts.outbox import Outbox
from functions.alerts.records import instant_text
from functions.alerts.state import PREFIX, CheckState, state_from_json
from functions.configuration import Configuration
from functions.costs.costs import Costs
from functions.errors import StorageError
from functions.evidence.holds.holds import DOCUMENT, read_holds
from functions.storage.documents import Documents
from functions.summary.body import Cost, Holds, Review, Reviews, Week
from functions.summary.found import alerts_of, undelivered
from functions.summary.parts import Parts
from functions.summary.runs import count_runs
from functions.summary.seen import coverage_of
from functions.summary.spent import cost_of, report_of, waste_of
from functions.traces.agents import Agents, overdue
from functions.traces.source import TraceSource
from functions.weeks import WeekBefore

MOST_REVIEWS = 5


class Gathering:
    """Makes the bodies of weekly summaries. Holds no state of its own.

    Args:
        documents: Where the checks' states and what is announced are.
        source: Where traces come from.
        costs: What model calls cost.
        configuration: All checks, and who owns which agent.
        clock: The present instant, UTC.
    """

    def __init__(
        self,
        documents: Documents,
        source: TraceSource,
        costs: Costs,
        configuration: Configuration,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._documents = documents
        self._source = source
        self._costs = costs
        self._checks = configuration.checks
        self._agents = configuration.agents
        self._clock = clock

    def gather(self, week: WeekBefore) -> Week:
        """Return the summary of a week as far as it can be known; `unknown` says what is missing and why."""
        parts, now = Parts(), self._clock()
        runs = parts.ask("runs", lambda: count_runs(self._source, self._agents.attributes, week))
        cost = self._cost(parts, week)
        waste = parts.ask("waste", lambda: waste_of(self._costs, week))
        states = parts.take("alerts, coverage", lambda: self._states(parts))
        return Week(
            start=instant_text(week.start),
            end=instant_text(week.end),
            zone=week.zone,
            missed_weeks=week.missed,
            runs=runs,
            alerts=None if states is None else parts.take("alerts", lambda: alerts_of(states.values(), week)),
            cost=cost,
            waste=waste,
            coverage=None
            if states is None
            else parts.take("coverage", lambda: coverage_of(self._checks, states, week, now)),
            reviews=parts.take("reviews", lambda: reviews_of(self._agents, now.date())),
            holds=parts.take("evidence holds", lambda: self._holds(week)),
            undelivered=None
            if states is None
            else parts.take("undelivered", lambda: undelivered(self._outboxes(states), week)),
            unknown=parts.unknown,
        )

    def _cost(self, parts: Parts, week: WeekBefore) -> Cost | None:
        report = parts.ask("cost", lambda: report_of(self._costs, week))
        if report is None:
            return None
        before = parts.ask("cost of the week before", lambda: report_of(self._costs, week.before()))
        return parts.take("cost", lambda: cost_of(report, before))

    def _states(self, parts: Parts) -> Mapping[str, CheckState]:
        """Return what is remembered of each check, by its id."""
        states, unreadable = {}, 0
        for name in self._documents.names(PREFIX):
            try:
                held = self._documents.read(name)
                if held is not None:
                    states[name.removeprefix(PREFIX)] = state_from_json(name, held.body)
            except StorageError:
                unreadable += 1
        if unreadable:
            parts.lacks("alerts, coverage", f"The records of {unreadable} checks could not be read.")
        return states

    def _holds(self, week: WeekBefore) -> Holds:
        held = self._documents.read(DOCUMENT)
        days = read_holds(held.body).days if held else {}
        counted = [count for day, count in days.items() if week.holds_day(date.fromisoformat(day))]
        return Holds(held=sum(one.held for one in counted), over_cap=sum(one.over_cap for one in counted))

    def _outboxes(self, states: Mapping[str, CheckState]) -> list[Outbox]:
        announced = self._documents.read(NAME)
        return [
            *(state.outbox for state in states.values()),
            *([announcements_from_json(announced.body)] if announced else []),
        ]


def reviews_of(agents: Agents, today: date) -> Reviews:
    """Return which entries of agents.yaml nobody looked at in time."""
    reviews = overdue(agents, today)
    return Reviews(
        overdue=len(reviews),
        top=[
            Review(agent=one.name, owner=one.owner, review_by=one.review_by.isoformat(), days=one.days)
            for one in reviews[:MOST_REVIEWS]
        ],
    )
