"""Loads what serves the functions with the first call that needs it.

The host wants the index of the app at every cold start. It is there in a fraction of the time that all of the
app takes to load, and a page of the portal needs next to nothing of it. A test holds what a start may load.
"""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import azure.functions as func

from functions.triggers.routes import ROUTES

if TYPE_CHECKING:
    from functions.triggers.http import Endpoint, Page
    from functions.wiring import Services


def services() -> "Services":
    """Return the services. Raises as `wiring.services` does."""
    from functions.wiring import services as provide  # noqa: PLC0415 - see above

    return provide()


def services_for_tick() -> "Services":
    """Return the services by what is in force now. Raises as `wiring.services_for_tick` does."""
    from functions.wiring import services_for_tick as provide  # noqa: PLC0415 - see above

    return provide()


def respond(name: str, request: func.HttpRequest) -> tuple[func.HttpResponse, str | None]:
    """Serve one request to the route of this name; return the response and the queue's message, if any."""
    from functions.triggers.http import serve  # noqa: PLC0415 - see above

    return serve(endpoint(name), request, services)


@cache
def endpoint(name: str) -> "Endpoint | Page":
    """Return the endpoint of the route of this name."""
    module = import_module(f"functions.triggers.{ROUTES[name].module}")
    found: Endpoint | Page = next(one for one in module.ENDPOINTS if one.name == name)
    return found
