"""The routes of those who need evidence: ask for an export, decide, follow, stop and take it."""

from typing import Any

from functions.access.ledger import fingerprint
from functions.access.roles import Role
from functions.access.scope import Scope
from functions.errors import NotReady
from functions.evidence.exports.export import Export, State, bundle_name
from functions.evidence.exports.reach import hold_alert_within_reach, hold_within_reach, within_reach
from functions.evidence.selection.selection import Asking
from functions.triggers.http import Answer, Endpoint, Request
from functions.triggers.jobs import message_for
from functions.triggers.ranges import requested_part
from functions.wiring import Services

EXPORTS = "/api/v1/exports"
COMPLETE = "Tracekeeper-Complete"
"""The header that says of a bundle whether it is complete: true or false."""


def request_export(services: Services, request: Request) -> Answer:
    """Take a request for an export; its message lets the job begin, where nobody has to approve it."""
    body = request.json()
    scope = request.scope
    if isinstance(body, dict) and body.get("profile") == "content":
        scope = scope.both(request.scope_as(Role.EVIDENCE_READ_CONTENT))
    hold_alert_within_reach(services.documents, body, scope)
    selection = services.exports.parse(body, scope=scope)
    export = services.exports.request(selection, requester=request.caller.object_id)
    return Answer(
        _shown(services, request, export),
        status=202,
        headers={"Location": f"{EXPORTS}/{export.id}"},
        on={
            "export_id": export.id,
            "ticket": selection.ticket,
            "reason_sha256": fingerprint(selection.reason),
        },
        message=message_for(export.id) if export.state is State.QUEUED else None,
    )


def list_exports(services: Services, request: Request) -> Answer:
    """List the exports that the caller may see, the latest first, and what they can ask by here."""
    person, scope = request.caller.object_id, request.scope
    seen = (export for export in services.exports.list() if within_reach(export, person, scope))
    return Answer(
        {
            "exports": [_shown(services, request, export) for export in seen],
            "asking": _asking(services, scope),
        }
    )


def show_export(services: Services, request: Request) -> Answer:
    """Show how far an export has come."""
    export = _export(services, request)
    return Answer(
        _shown(services, request, export)
        | {"progress": services.exports.progress(export), "public_key_url": services.worker.published or None}
    )


def approve_export(services: Services, request: Request) -> Answer:
    """Take the decision of a second person; the queue's message lets the job of what is approved begin."""
    export_id = _export(services, request).id
    export = services.exports.decide(export_id, request.json(), by=request.caller.object_id)
    approved = export.state is State.QUEUED
    on = {"approved": str(approved).lower(), "ticket": export.selection.ticket}
    message = message_for(export.id) if approved else None
    return Answer(_shown(services, request, export), on=on, message=message)


def cancel_export(services: Services, request: Request) -> Answer:
    """Stop an export that is not over."""
    export_id = _export(services, request).id
    cancelled = services.exports.cancel(export_id, by=request.caller.object_id)
    return Answer(_shown(services, request, cancelled))


def download_bundle(services: Services, request: Request) -> Answer:
    """Give the bundle, whole or the part that the Range header asks for; an incomplete one says so."""
    export = _export(services, request)
    if export.selection.profile == "content":
        scope = request.scope_as(Role.EVIDENCE_READ_CONTENT)
        hold_within_reach(export, request.caller.object_id, scope)
    bundle = export.bundle
    if export.state is not State.DONE or bundle is None:
        raise NotReady(f"The export is {export.state}.", next_step="Ask for its state again later.")
    part = requested_part(request.headers.get("Range"), bundle.size)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{_download_name(export)}"',
        "Content-Type": "application/zip",
        "ETag": f'"{bundle.sha256}"',
        COMPLETE: str(_is_complete(export)).lower(),
    }
    on = {"sha256": bundle.sha256, "ticket": export.selection.ticket}
    if part is None:
        return Answer(b"".join(services.exports.open_bundle(export.id)), headers=headers, on=on)
    content = services.exports.open_bundle(export.id, offset=part.offset, length=part.length)
    headers["Content-Range"] = on["range"] = part.content_range(bundle.size)
    return Answer(b"".join(content), status=206, headers=headers, on=on)


def _export(services: Services, request: Request) -> Export:
    """Return the export that the route names. Raises NotFound where the caller may not know of it."""
    export = services.exports.get(request.route["export_id"])
    return hold_within_reach(export, request.caller.object_id, request.scope)


def _shown(services: Services, request: Request, export: Export) -> dict[str, Any]:
    """Return an export as the caller sees it: whether it is theirs, when it is given up, its file's name."""
    body = export.body()
    if export.bundle is not None:
        body["bundle"]["name"] = _download_name(export)
    expires_at = export.requested_at + services.configuration.exports.expires_after
    return body | {
        "asked_by_you": export.requester == request.caller.object_id,
        "expires_at": None if export.finished else expires_at,
    }


def _asking(services: Services, scope: Scope) -> dict[str, Any]:
    """Return what a request may hold here. Whose role is limited by tenants alone is told no agents."""
    configuration, asking = services.configuration, services.exports.asking or Asking()
    agents = configuration.agents.by_name.keys() if scope.unlimited else scope.agents or ()
    return {
        "agents": sorted(agents),
        "dimensions": sorted(asking.dimensions),
        "cases": asking.case_domain is not None,
        "content_approval": configuration.exports.content.approval,
    }


def _download_name(export: Export) -> str:
    name = bundle_name(export.selection.profile, complete=_is_complete(export))
    return f"tracekeeper-{export.id}-{name}"


def _is_complete(export: Export) -> bool:
    return export.counts is None or export.counts.complete


ENDPOINTS = (
    Endpoint(
        name="request_export",
        action="exports.request",
        role=Role.EVIDENCE_READ,
        recorded=True,
        handle=request_export,
        rationed=True,
    ),
    Endpoint(
        name="approve_export",
        action="exports.approve",
        role=Role.EVIDENCE_APPROVE,
        recorded=True,
        handle=approve_export,
    ),
    Endpoint(
        name="list_exports",
        action="exports.list",
        role=Role.EVIDENCE_READ,
        recorded=True,
        handle=list_exports,
    ),
    Endpoint(
        name="show_export",
        action="exports.read",
        role=Role.EVIDENCE_READ,
        recorded=True,
        handle=show_export,
    ),
    Endpoint(
        name="cancel_export",
        action="exports.cancel",
        role=Role.EVIDENCE_READ,
        recorded=True,
        handle=cancel_export,
    ),
    Endpoint(
        name="download_bundle",
        action="exports.download",
        role=Role.EVIDENCE_READ,
        recorded=True,
        handle=download_bundle,
    ),
)
