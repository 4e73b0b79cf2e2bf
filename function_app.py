"""The Functions app: every function is in a blueprint of functions/triggers."""

import azure.functions as func

from functions.triggers import jobs, record, watch, web

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for blueprint in (watch.blueprint, web.blueprint, jobs.blueprint, record.blueprint):
    app.register_functions(blueprint)
