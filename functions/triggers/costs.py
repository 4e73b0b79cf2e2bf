"""The route of those who answer for what agents cost."""

from functions.access.roles import Role
from functions.costs.question import invalid, parse_period, parse_question
from functions.costs.report import Report
from functions.costs.telemetry import TelemetryVolume
from functions.costs.waste import Waste
from functions.triggers.http import Answer, Endpoint, Request
from functions.wiring import Services


def report_costs(services: Services, request: Request) -> Answer:
    """Report what the model calls of a period have cost, or cost in vain, or what their telemetry weighs."""
    shape = request.query.get("format", "json")
    if shape not in {"json", "csv"}:
        raise invalid("format", "must be json or csv")
    kind = request.query.get("report", "costs")
    by = request.query.get("by")
    report: Report | Waste | TelemetryVolume
    if kind == "costs":
        question = parse_question(request.query, services.costs.dimensions)
        period, about = question.period, question.by
        report = services.costs.report(question, request.scope)
    elif kind not in {"waste", "telemetry"}:
        raise invalid("report", "must be costs, waste or telemetry")
    elif by is not None:
        raise invalid("by", "belongs to the report costs")
    else:
        period, about = parse_period(request.query), kind
        report = (
            services.costs.waste(period, request.scope)
            if kind == "waste"
            else services.costs.telemetry(period, request.scope)
        )
    on = {"start": period.start.isoformat(), "end": period.end.isoformat()}
    on |= {"by": about} if kind == "costs" else {"report": kind}
    if shape == "json":
        return Answer(report.body(), on=on)
    name = f"costs-{period.start:%Y-%m-%d}-{period.end:%Y-%m-%d}-{about.replace(':', '-')}.csv"
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Answer(report.csv(), headers=headers, on=on)


ENDPOINTS = (
    Endpoint(
        name="report_costs",
        action="costs.read",
        role=Role.COSTS_READ,
        recorded=True,
        handle=report_costs,
        query=frozenset({"start", "end", "by", "report", "format"}),
    ),
)
