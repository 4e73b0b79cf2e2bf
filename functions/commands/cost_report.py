"""Writes what agents cost for a person at a terminal."""

from collections.abc import Iterator

from functions.costs.allocation import Amount
from functions.costs.report import Report
from functions.costs.telemetry import TelemetryVolume
from functions.costs.waste import Waste
from functions.text_plot import safe

_MOST = 20
_KINDS = {
    "retries": "retries",
    "duplicate_retrievals": "searches made again",
    "context_bloat": "prompts that grew",
}


def cost_lines(report: Report) -> Iterator[str]:
    """Yield the groups, the total, how sure it is, and what budgets, capacity and reviews have become."""
    period, prices = report.question.period, report.prices
    yield f"{period.start:%Y-%m-%d %H:%M} to {period.end:%Y-%m-%d %H:%M} UTC, in {prices.currency}"
    yield ""
    yield f"  {'cost':>12}  {'provisioned':>12}  {'calls':>9}  {'runs':>9}  {report.question.by}"
    for group, its in report.groups[:_MOST]:
        yield _row(its, "(not said)" if group is None else safe(group))
    if len(report.groups) > _MOST:
        yield f"  and {len(report.groups) - _MOST} more, which --csv has"
    yield _row(report.total, "TOTAL")
    total = report.total
    yield ""
    yield (
        f"Of the calls {_share(total.without_usage)} lack usage and {_share(total.without_price)} a price: "
        f"the cost is too low by them. {_share(total.sampled)} were left out by sampling."
    )
    for one in report.provisioned:
        yield (
            f"{safe(one.deployment)}: {one.hours:g} hours paid, {one.cost:.2f}, of which "
            f"{one.unused_cost:.2f} on days without tokens; used {_share(one.share_used)}"
        )
    for use in report.budgets or ():
        yield f"Budget of {safe(use.agent)}, {use.period}: {use.spent:.2f} of {use.limit:g} ({use.used:.0%})"
    for review in report.overdue_reviews:
        yield (
            f"Review overdue: {safe(review.name)} ({safe(review.owner)}), since {review.review_by}, "
            f"{review.days} days"
        )


def waste_lines(waste: Waste) -> Iterator[str]:
    """Yield what was paid in vain: the sum of each kind and its five dearest."""
    body = waste.body()
    yield ""
    yield "Paid in vain (a call may be in several):"
    for kind, name in _KINDS.items():
        yield f"  {body[kind]['lost']:>12.4f}  {name}, {_times(body[kind]['times'])}"
        for one in body[kind]["top"]:
            where = "  ".join(safe(part) for part in (one["agent"] or "(not said)", one["tool"]) if part)
            traces = " ".join(safe(trace_id) for trace_id in one["trace_ids"][:1])
            yield f"  {one['lost']:>12.4f}    {where}  {_times(one['times'])}  {traces}"
    yield f"  {waste.blind_searches} searches could not be compared: their arguments are not known."


def telemetry_lines(volume: TelemetryVolume) -> Iterator[str]:
    """Yield the billed gigabytes of each agent."""
    yield ""
    yield "Telemetry, billed gigabytes:"
    for agent, its in volume.agents[:_MOST]:
        yield f"  {its.gigabytes:>12.6f}  {'(no agent)' if agent is None else safe(agent)}"


def _row(its: Amount, name: str) -> str:
    return f"  {its.cost:>12.4f}  {its.provisioned_cost:>12.4f}  {its.calls:>9}  {its.runs:>9}  {name}"


def _share(value: float | None) -> str:
    return "an unknown share" if value is None else f"{value:.1%}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
