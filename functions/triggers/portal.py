"""The routes of the portal's pages, which hold no data and are open, and of what they ask first: who asks."""

from typing import TYPE_CHECKING

from functions.access.entries import reach
from functions.errors import NotFound
from functions.portal.files import CONTENT_SECURITY_POLICY, PAGE, portal_files
from functions.triggers.http import Answer, Endpoint, Page, Request

if TYPE_CHECKING:
    from functions.wiring import Services  # the pages need none


def show_portal(request: Request) -> Answer:
    """Give the page; what it shows, its script asks the API for."""
    return _file(PAGE, request)


def show_portal_file(request: Request) -> Answer:
    """Give a script or a style of the page."""
    return _file(request.route["file"], request)


def show_me(services: "Services", request: Request) -> Answer:  # noqa: ARG001 - a handler's shape
    """Say who is signed in, the roles that let them in somewhere, and which of these are limited."""
    scopes = reach(request.caller, request.rules)
    return Answer(
        {
            "name": request.caller.name,
            "roles": sorted(scopes),
            "limited": {role.value: not scope.unlimited for role, scope in scopes.items()},
        }
    )


def _file(name: str, request: Request) -> Answer:
    file = portal_files().get(name)
    if file is None:
        raise NotFound("The portal has no such file.", next_step="Open /portal.")
    headers = {
        "Content-Type": file.media_type,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        # Kept, and asked about each time: after an upgrade no page runs the scripts of the version before.
        "Cache-Control": "no-cache",
        "ETag": file.tag,
    }
    if file.held_by(request.headers.get("If-None-Match", "")):
        return Answer(b"", status=304, headers=headers)
    return Answer(file.content, headers=headers)


QUERY = frozenset(
    {"view", "alert", "do", "trace", "export"}
    | {"state", "severity", "agent", "check", "owner", "start", "end", "by", "report"}
)
"""What an address of the portal may say: ids and filters, never a person, a conversation or a reason."""

ENDPOINTS: tuple[Endpoint | Page, ...] = (
    Page(
        name="show_portal",
        handle=show_portal,
        query=QUERY,
    ),
    Page(
        name="show_portal_file",
        handle=show_portal_file,
    ),
    Endpoint(
        name="show_me",
        action="me.read",
        role=None,
        signed_in=True,
        recorded=False,
        handle=show_me,
    ),
)
