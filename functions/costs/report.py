"""Answers what model calls have cost: asks once, puts prices to the answer, and shows it as JSON or CSV."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from functions.costs.allocation import Amount, amount, amounts, usage
from functions.costs.prices import Prices
from functions.costs.question import GROUPINGS, Question
from functions.spreadsheet import encode_csv
from functions.traces.agents import Agents
from functions.traces.kql import compose, datatable, instant
from functions.traces.lateness import TIME_MARGIN
from functions.traces.source import TraceSource

ROOM = timedelta(hours=1)
"""How far from its calls the other spans of a trace may lie and still say whose they were."""

_QUERY = Path(__file__).parent / "calls.kql"


@dataclass(frozen=True, slots=True)
class Report:
    """What model calls have cost.

    Attributes:
        question: What was asked.
        prices: The price list in use.
        total: All of the calls.
        groups: Each group of them, the costliest first; None stands for calls that don't say.
    """

    question: Question
    prices: Prices
    total: Amount
    groups: tuple[tuple[str | None, Amount], ...]

    def body(self) -> dict[str, Any]:
        """Return the report as a JSON value; money in the price list's currency."""
        return {
            "start": self.question.start,
            "end": self.question.end,
            "by": self.question.by,
            "currency": self.prices.currency,
            "prices_as_of": self.prices.as_of,
            "total": _figures(self.total),
            "groups": [{"group": group, **_figures(its)} for group, its in self.groups],
        }

    def csv(self) -> bytes:
        """Return the groups, a line each, as CSV that is safe to open in a spreadsheet."""
        header = (self.question.by, *_figures(self.total), "currency")
        return encode_csv(
            header, ((group, *_figures(its).values(), self.prices.currency) for group, its in self.groups)
        )


class Costs:
    """Reports costs from one source, with who owns an agent and what models cost. Holds no state of its own.

    Args:
        source: Where traces come from.
        agents: Who owns which agent, and which properties carry the facts.
        prices: The price list.
        tenant_pseudonym: What stands for a tenant, the same as in exports.
    """

    def __init__(
        self, source: TraceSource, agents: Agents, prices: Prices, *, tenant_pseudonym: Callable[[str], str]
    ) -> None:
        self._source = source
        self._agents = agents
        self._prices = prices
        self._tenant_pseudonym = tenant_pseudonym

    def report(self, question: Question) -> Report:
        """Report the cost of the calls that a question is about.

        Raises:
            SourceError: The telemetry could not be read, or not all of it.
        """
        kql = costs_query(question, self._agents)
        answer = self._source.query(kql, since=question.start - ROOM, until=question.end + ROOM)
        records: list[dict[str, Any]] = answer.records()
        usages = [usage(record) for record in records]
        runs: Mapping[str, int] = {record["Key"]: record["Runs"] for record in records}
        groups = amounts(usages, runs, self._prices)
        all_runs = records[0]["AllRuns"] if records else 0
        return Report(
            question,
            self._prices,
            amount(usages, all_runs, self._prices),
            tuple((self._shown(question.by, key), its) for key, its in groups.items()),
        )

    def _shown(self, by: str, key: str) -> str | None:
        if not key:
            return None
        return self._tenant_pseudonym(key) if by == "tenant" else key


def costs_query(question: Question, agents: Agents) -> str:
    """Return the KQL that answers a question: all of its calls by group, model and day."""
    owners = [(agent.name, agent.owner) for agent in agents.by_name.values()]
    return compose(
        _template().substitute(
            start=instant(question.start), end=instant(question.end), column=GROUPINGS[question.by]
        ),
        attributes=agents.attributes,
        tables=(datatable("owners", {"Agent": "string", "Owner": "string"}, owners),),
        received_from=question.start,
        received_to=question.end,
        every=timedelta(days=1),
        lookback=ROOM,
        settle=TIME_MARGIN,
    )


@cache
def _template() -> Template:
    return Template(_QUERY.read_text(encoding="utf-8"))


def _figures(its: Amount) -> dict[str, int | float | None]:
    return {
        "calls": its.calls,
        "runs": its.runs,
        "input_tokens": its.input_tokens,
        "cached_tokens": its.cached_tokens,
        "output_tokens": its.output_tokens,
        "cost": float(its.cost),
        "without_usage": its.without_usage,
        "without_price": its.without_price,
        "sampled": its.sampled,
    }
