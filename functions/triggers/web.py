"""The functions that the host starts for a request of HTTP and that do no more than answer it."""

from collections.abc import Callable

import azure.functions as func

from functions.triggers.jobs import APPROVE, REQUEST
from functions.triggers.loading import respond
from functions.triggers.routes import ROUTES

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # the library types it in part


def _function(name: str) -> Callable[[func.HttpRequest], func.HttpResponse]:
    def function(request: func.HttpRequest) -> func.HttpResponse:
        return respond(name, request)[0]

    function.__name__ = name
    return function


for _route in ROUTES.values():
    if _route not in {REQUEST, APPROVE}:
        blueprint.function_name(_route.name)(
            blueprint.route(
                route=_route.path,
                methods=[_route.method],
                auth_level=func.AuthLevel.ANONYMOUS,
                trigger_arg_name="request",
            )(_function(_route.name))
        )
