"""Answers what agents have cost: one question to the source for each report, and prices put to the answer."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from functions.access.scope import EVERYTHING, Scope
from functions.costs.allocation import amount, amounts
from functions.costs.budgets import budget_uses
from functions.costs.prices import Prices
from functions.costs.provisioned import capacities, token_costs
from functions.costs.question import Period, Question, breakdowns
from functions.costs.report import Report
from functions.costs.telemetry import TelemetryVolume, telemetry_volume
from functions.costs.usage import usage
from functions.costs.waste import Waste, waste
from functions.errors import Forbidden
from functions.traces.agents import Agents, overdue
from functions.traces.kql import Literal, compose, datatable, instant, text
from functions.traces.lateness import TIME_MARGIN
from functions.traces.source import TraceSource

ROOM = timedelta(hours=1)
"""How far from its calls the other spans of a trace may lie and still say whose they were."""

USUAL = timedelta(days=7)
"""How far before a period the calls lie that say what is usual for an agent; as in context_bloat."""

_NOBODY = '"\\uffff"'
"""A name that no agent and no tenant has: a list in KQL must not be empty, and "" is what names none."""

_HERE = Path(__file__).parent


class Costs:
    """Reports costs from one source, with who owns an agent and what models cost. Holds no state of its own.

    Args:
        source: Where traces come from.
        agents: Who owns which agent, and which properties carry the facts.
        prices: The price list.
        tenant_pseudonym: What stands for a tenant, the same as in exports.
        clock: The present instant, UTC: hours to come are not paid for yet.
    """

    def __init__(
        self,
        source: TraceSource,
        agents: Agents,
        prices: Prices,
        *,
        tenant_pseudonym: Callable[[str], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._source = source
        self._agents = agents
        self._prices = prices
        self._tenant_pseudonym = tenant_pseudonym
        self._clock = clock

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions of the business by which costs can be broken down."""
        return tuple(self._agents.attributes.dimensions)

    def report(self, question: Question, scope: Scope = EVERYTHING) -> Report:
        """Report the cost of the calls that a question is about.

        Args:
            question: What is asked.
            scope: What whoever asks may see. What many share, such as a provisioned deployment, is not broken
                down for those who see a part.

        Raises:
            SourceError: The telemetry could not be read, or not all of it.
        """
        period, now = question.period, self._clock()
        records = self._ask("calls.kql", period, period.start, column=question.column, within=_within(scope))
        usages = [usage(record, record["Key"]) for record in records]
        runs: Mapping[str, int] = {record["Key"]: record["Runs"] for record in records}
        everybodys = usages
        if self._prices.provisioned and not scope.unlimited:
            # What a token costs there depends on how many all callers used.
            asked = self._ask("calls.kql", period, period.start, column=question.column, within="")
            everybodys = [usage(record, record["Key"]) for record in asked]
        paid = (everybodys, self._prices, period.start, min(period.end, now))
        spread = token_costs(*paid)
        groups = amounts(usages, runs, self._prices, spread)
        return Report(
            question,
            breakdowns(self.dimensions),
            self._prices,
            amount(usages, records[0]["AllRuns"] if records else 0, self._prices, spread),
            tuple((self._shown(question.by, key), its) for key, its in groups.items()),
            capacities(*paid) if scope.unlimited else (),
            budget_uses(usages, self._agents, self._prices) if question.by == "agent" else None,
            tuple(
                review
                for review in overdue(self._agents, now.date())
                if scope.agents is None or review.name in scope.agents
            ),
        )

    def waste(self, period: Period, scope: Scope = EVERYTHING) -> Waste:
        """Report what the model calls of a period cost in vain. Raises as `report` does."""
        within = _within(scope)
        return waste(
            self._ask("waste.kql", period, period.start - USUAL, within=within), period, self._prices
        )

    def telemetry(self, period: Period, scope: Scope = EVERYTHING) -> TelemetryVolume:
        """Report how much telemetry was received within a period.

        Raises:
            Forbidden: The scope is limited to tenants, and this report does not tell them apart.
            SourceError: As `report`.
        """
        if scope.tenants is not None:
            raise Forbidden(
                "Your role is limited to tenants, and the report of telemetry does not tell them apart.",
                next_step="Ask for the report costs or waste.",
            )
        within = "" if scope.unlimited else f"{_within(scope).strip()}\n"
        return telemetry_volume(
            self._ask("telemetry.kql", period, period.start, TIME_MARGIN, within=within), period
        )

    def _ask(
        self, query: str, period: Period, since: datetime, room: timedelta = ROOM, **values: str
    ) -> Sequence[Mapping[str, Any]]:
        """Ask one of the queries of this folder.

        Args:
            query: Its file.
            period: The period that it is about.
            since: The first instant that it is about.
            room: How far beyond these its rows' TimeGenerated may lie.
            values: Of the query's further placeholders.
        """
        kql = compose(
            _template(query).substitute(
                start=instant(period.start), end=instant(period.end), since=instant(since), **values
            ),
            attributes=self._agents.attributes,
            tables=_tables(self._agents, self._prices),
            received_from=since,
            received_to=period.end,
            every=timedelta(days=1),
            lookback=ROOM,
            settle=TIME_MARGIN,
        )
        return self._source.query(kql, since=since - room, until=period.end + room).records()

    def _shown(self, by: str, key: str) -> str | None:
        if not key:
            return None
        return self._tenant_pseudonym(key) if by == "tenant" else key


def _within(scope: Scope) -> str:
    """Return the steps that keep spans within the scope; "" where it has no limit."""
    limits = (("Agent", scope.agents), ("Tenant", scope.tenants))
    return "".join(
        f"\n  | where {column} in ({', '.join(map(text, sorted(names))) or _NOBODY})"
        for column, names in limits
        if names is not None
    )


def _tables(agents: Agents, prices: Prices) -> tuple[str, str]:
    owners = [(agent.name, agent.owner, agent.group) for agent in agents.by_name.values()]
    billing: list[tuple[Literal, ...]] = [(name, "batch") for name in prices.batch_deployments]
    billing += [(name, "provisioned") for name in sorted({one.deployment for one in prices.provisioned})]
    return (
        datatable("owners", {"Agent": "string", "Owner": "string", "Group": "string"}, owners),
        datatable("deployments", {"Deployment": "string", "Billing": "string"}, billing),
    )


@cache
def _template(name: str) -> Template:
    return Template((_HERE / name).read_text(encoding="utf-8"))
