"""Says what was paid in vain: for retries, for searches made twice, and for prompts that grew for nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from functions.costs.prices import Prices
from functions.costs.question import Period
from functions.costs.usage import Usage, cost, input_cost, rates, usage
from functions.spreadsheet import Cell, encode_csv

BLOATED = 1.1
"""Prompts are bloated from this many times their usual length on: smaller differences are the weather's."""

USUAL_CALLS = 10
"""With fewer calls in the days before nobody knows what is usual for an agent."""

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Loss:
    """What one agent lost, with one tool where a tool is the cause.

    Attributes:
        agent: Its name; "" where the calls don't say.
        tool: The tool that was called again; "" for prompts.
        times: Retries, or searches made again; of prompts the calls.
        calls: Model calls paid in vain, weighted by sampling; of prompts those that were longer.
        lost: In the price list's currency, of the calls with usage and price.
        without_cost: How many of the calls lack usage or price.
        trace_ids: At most five of the traces.
    """

    agent: str
    tool: str
    times: int
    calls: int
    lost: Decimal
    without_cost: int
    trace_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Waste:
    """What a period's model calls cost in vain; the same call may be in several of the three.

    Attributes:
        period: When the calls were made.
        prices: The price list in use.
        losses: By kind (retries, duplicate_retrievals, context_bloat), the dearest first.
        blind_searches: Searches that can't be compared with others of their run: their arguments are not
            known.
        agents_without_usual: Agents that called too little in the days before to say what is usual.
    """

    period: Period
    prices: Prices
    losses: Mapping[str, tuple[Loss, ...]]
    blind_searches: int
    agents_without_usual: int

    def body(self) -> dict[str, Any]:
        """Return it as a JSON value, of each kind the sum and the five dearest."""
        return {
            "start": self.period.start,
            "end": self.period.end,
            "currency": self.prices.currency,
            **{kind: _summed(losses) for kind, losses in self.losses.items()},
            "blind_searches": self.blind_searches,
            "agents_without_usual": self.agents_without_usual,
        }

    def csv(self) -> bytes:
        """Return every loss, a line each, as CSV that is safe to open in a spreadsheet."""
        header = ("kind", "agent", "tool", "times", "calls", "lost", "without_cost", "traces", "currency")
        rows: list[tuple[Cell, ...]] = [
            (
                kind,
                one.agent,
                one.tool,
                one.times,
                one.calls,
                float(one.lost),
                one.without_cost,
                " ".join(one.trace_ids),
                self.prices.currency,
            )
            for kind, losses in self.losses.items()
            for one in losses
        ]
        return encode_csv(header, rows)


def waste(records: Sequence[Mapping[str, Any]], period: Period, prices: Prices) -> Waste:
    """Work out the losses from the answer to waste.kql."""
    of_kind: defaultdict[str, defaultdict[tuple[str, str], list[Usage]]] = defaultdict(
        lambda: defaultdict(list)
    )
    times: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    traces: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for record in records:
        kind, agent, tool = record["Kind"], record["Agent"] or "", record["Tool"] or ""
        if record["Calls"]:
            of_kind[kind][agent, tool].append(usage(record, agent))
        else:
            times[kind, agent, tool] += record["Times"] or 0
            traces[kind, agent, tool] = tuple(orjson.loads(record["TraceIds"]))
    repeats = {
        kind: tuple(
            _repeated(of, times[of], of_kind[kind][of[1:]], prices, traces[of])
            for of in traces
            if of[0] == kind
        )
        for kind in ("retries", "duplicate_retrievals")
    }
    before, now = of_kind["before"], of_kind["prompts"]
    usual = {of for of, usages in before.items() if sum(one.calls for one in usages) >= USUAL_CALLS}
    bloat = tuple(
        loss
        for of, usages in now.items()
        if of in usual
        and (loss := _bloated(of[0], usages, before[of], prices, traces.get(("prompts", *of), ())))
    )
    return Waste(
        period,
        prices,
        {kind: _dearest(losses) for kind, losses in {**repeats, "context_bloat": bloat}.items()},
        blind_searches=times["blind", "", ""],
        agents_without_usual=len(now.keys() - usual),
    )


def _repeated(
    of: tuple[str, str, str], times: int, asking: Sequence[Usage], prices: Prices, trace_ids: tuple[str, ...]
) -> Loss:
    lost = sum((cost(one, at) for one in asking if (at := rates(prices, one)) is not None), Decimal(0))
    calls = sum(one.calls for one in asking)
    return Loss(of[1], of[2], times, calls, lost, _without_cost(asking, prices), trace_ids)


def _bloated(
    agent: str, usages: Sequence[Usage], before: Sequence[Usage], prices: Prices, trace_ids: tuple[str, ...]
) -> Loss | None:
    """Return what is paid for the part of the prompts above the usual; None where there is none.

    Longer answers excuse longer prompts in the same measure; shorter ones accuse nobody. The same rule is in
    the check context_bloat.
    """
    prompt, answer = _means(usages)
    usual_prompt, usual_answer = _means(before)
    excused = prompt * min(1.0, usual_answer / answer)
    if excused < BLOATED * usual_prompt:
        return None
    excess = Decimal((excused - usual_prompt) / prompt)
    paid = sum((input_cost(one, at) for one in usages if (at := rates(prices, one)) is not None), Decimal(0))
    calls = sum(one.calls for one in usages)
    return Loss(agent, "", calls, calls, paid * excess, _without_cost(usages, prices), trace_ids)


def _means(usages: Sequence[Usage]) -> tuple[float, float]:
    """Return input and output tokens a call."""
    calls = sum(one.calls for one in usages)
    return sum(one.input_tokens for one in usages) / calls, sum(one.output_tokens for one in usages) / calls


def _without_cost(usages: Iterable[Usage], prices: Prices) -> int:
    return sum(one.calls if rates(prices, one) is None else one.without_usage for one in usages)


def _dearest(losses: Iterable[Loss]) -> tuple[Loss, ...]:
    return tuple(sorted(losses, key=lambda loss: (-loss.lost, -loss.times, loss.agent, loss.tool)))


def _summed(losses: Sequence[Loss]) -> dict[str, Any]:
    return {
        "lost": float(sum((one.lost for one in losses), Decimal(0))),
        "times": sum(one.times for one in losses),
        "top": [
            {
                "agent": one.agent or None,
                "tool": one.tool or None,
                "times": one.times,
                "calls": one.calls,
                "lost": float(one.lost),
                "without_cost": one.without_cost,
                "trace_ids": list(one.trace_ids),
            }
            for one in losses[:_SHOWN]
        ],
    }
