"""The routes of the portal's pages: open to anyone, since they hold no data."""

from functions.errors import NotFound
from functions.portal.files import CONTENT_SECURITY_POLICY, PAGE, portal_files
from functions.triggers.http import Answer, Endpoint, Request, endpoints_blueprint
from functions.wiring import Services, services


def show_portal(services: Services, request: Request) -> Answer:  # noqa: ARG001 - a handler's shape
    """Give the page; what it shows, its script asks the API for."""
    return _file(PAGE)


def show_portal_file(services: Services, request: Request) -> Answer:  # noqa: ARG001 - a handler's shape
    """Give a script or a style of the page."""
    return _file(request.route["file"])


def _file(name: str) -> Answer:
    file = portal_files().get(name)
    if file is None:
        raise NotFound("The portal has no such file.", next_step="Open /portal.")
    headers = {"Content-Type": file.media_type, "Content-Security-Policy": CONTENT_SECURITY_POLICY}
    return Answer(file.content, headers=headers)


ENDPOINTS = (
    Endpoint(
        name="show_portal",
        method="GET",
        path="portal",
        action="portal",
        role=None,
        recorded=False,
        handle=show_portal,
        query=frozenset({"alert", "do"}),
    ),
    Endpoint(
        name="show_portal_file",
        method="GET",
        path="portal/{file}",
        action="portal.file",
        role=None,
        recorded=False,
        handle=show_portal_file,
    ),
)

blueprint = endpoints_blueprint(ENDPOINTS, services)
