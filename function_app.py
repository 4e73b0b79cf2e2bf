"""The Functions app: every function is in a blueprint of functions/triggers."""

import azure.functions as func

from functions.triggers import alerts, costs, evidence, operations, portal, record, traces, watch

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for blueprint in (
    watch.blueprint,
    evidence.blueprint,
    traces.blueprint,
    costs.blueprint,
    alerts.blueprint,
    operations.blueprint,
    record.blueprint,
    portal.blueprint,
):
    app.register_functions(blueprint)
