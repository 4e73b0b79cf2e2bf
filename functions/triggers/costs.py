"""The route of those who answer for what agents cost."""

from functions.access.roles import Role
from functions.costs.question import invalid, parse_question
from functions.triggers.http import Answer, Endpoint, Request, endpoints_blueprint
from functions.wiring import Services, services


def report_costs(services: Services, request: Request) -> Answer:
    """Report what the model calls of a period have cost, as JSON or CSV."""
    shape = request.query.get("format", "json")
    if shape not in {"json", "csv"}:
        raise invalid("format", "must be json or csv")
    question = parse_question(request.query, services.costs.dimensions)
    report, period = services.costs.report(question), question.period
    on = {"start": period.start.isoformat(), "end": period.end.isoformat(), "by": question.by}
    if shape == "json":
        return Answer(report.body(), on=on)
    name = f"costs-{period.start:%Y-%m-%d}-{period.end:%Y-%m-%d}-{question.by.replace(':', '-')}.csv"
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Answer(report.csv(), headers=headers, on=on)


ENDPOINTS = (
    Endpoint(
        name="report_costs",
        method="GET",
        path="api/v1/costs",
        action="costs.read",
        role=Role.COSTS_READ,
        recorded=True,
        handle=report_costs,
        query=frozenset({"start", "end", "by", "format"}),
    ),
)

blueprint = endpoints_blueprint(ENDPOINTS, services)
