"""Says what a week's model calls cost and what of it was in vain, by the costs' own reports."""

from decimal import Decimal

from functions.costs.costs import Costs
from functions.costs.question import Period, Question
from functions.costs.report import Report
from functions.summary.body import AgentCost, Cost, Loss, Waste
from functions.weeks import WeekBefore

MOST_AGENTS = 5
MOST_LOSSES = 5


def report_of(costs: Costs, week: WeekBefore) -> Report:
    """Ask what the week's calls cost, by agent. Raises SourceError."""
    return costs.report(Question(_period(week), "agent"))


def cost_of(report: Report, before: Report | None) -> Cost:
    """Return what the calls cost, beside those of the week before; None where that is not known. Pure."""
    earlier = {agent: its.cost + its.provisioned_cost for agent, its in before.groups} if before else {}
    total = report.total
    without = [share for share in (total.without_usage, total.without_price) if share is not None]
    return Cost(
        currency=report.prices.currency,
        cost=float(_whole(report)),
        before=None if before is None else float(_whole(before)),
        calls=total.calls,
        # A call may lack both: the larger share is sure, their sum is not.
        without_cost=max(without, default=None),
        agents=[
            AgentCost(
                agent=agent,
                cost=float(its.cost + its.provisioned_cost),
                before=None if before is None else float(earlier.get(agent, Decimal(0))),
            )
            for agent, its in report.groups[:MOST_AGENTS]
        ],
    )


def waste_of(costs: Costs, week: WeekBefore) -> Waste:
    """Ask what of it was in vain. Raises SourceError."""
    found = costs.waste(_period(week))
    lost = {
        kind: float(sum((one.lost for one in losses), Decimal(0))) for kind, losses in found.losses.items()
    }
    dearest = sorted(
        ((kind, one) for kind, losses in found.losses.items() for one in losses if one.lost),
        key=lambda one: (-one[1].lost, one[0], one[1].agent, one[1].tool),
    )
    return Waste(
        currency=found.prices.currency,
        retries=lost["retries"],
        duplicate_retrievals=lost["duplicate_retrievals"],
        context_bloat=lost["context_bloat"],
        top=[
            Loss(
                kind=kind,
                agent=one.agent or None,
                tool=one.tool or None,
                times=one.times,
                lost=float(one.lost),
            )
            for kind, one in dearest[:MOST_LOSSES]
        ],
    )


def _whole(report: Report) -> Decimal:
    """Return the cost of all calls; of provisioned deployments all hours paid, used or not."""
    return report.total.cost + sum((one.cost for one in report.provisioned), Decimal(0))


def _period(week: WeekBefore) -> Period:
    return Period(week.start, week.end)
