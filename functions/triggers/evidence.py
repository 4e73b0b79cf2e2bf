"""The routes and queues of those who need evidence: ask for an export, follow it, take it; read one trace."""

from dataclasses import replace

import azure.functions as func
import orjson

from functions.access.ledger import fingerprint
from functions.access.roles import Role
from functions.errors import InvalidRequest, NotReady
from functions.evidence.export import Export, State
from functions.evidence.reach import hold_alert_within_reach, hold_within_reach, within_reach
from functions.triggers.background import in_background
from functions.triggers.http import Answer, Endpoint, Request, endpoints_blueprint, serve
from functions.triggers.ranges import requested_part
from functions.wiring import Services, services

EXPORTS = "/api/v1/exports"
QUEUE = "exports"
CONNECTION = "AzureWebJobsStorage"


def request_export(services: Services, request: Request) -> Answer:
    """Take a request for an export; the queue's message lets the job begin."""
    body = request.json()
    hold_alert_within_reach(services.documents, body, request.scope)
    selection = replace(services.exports.parse(body), scope=request.scope)
    export = services.exports.request(selection, requester=request.caller.object_id)
    return Answer(
        export.body(),
        status=202,
        headers={"Location": f"{EXPORTS}/{export.id}"},
        on={
            "export_id": export.id,
            "ticket": selection.ticket,
            "reason_sha256": fingerprint(selection.reason),
        },
        message=message_for(export.id),
    )


def list_exports(services: Services, request: Request) -> Answer:
    """List the exports that the caller may see, the latest first."""
    person, scope = request.caller.object_id, request.scope
    seen = (export for export in services.exports.list() if within_reach(export, person, scope))
    return Answer({"exports": [export.body() for export in seen]})


def show_export(services: Services, request: Request) -> Answer:
    """Show how far an export has come."""
    return Answer(_export(services, request).body())


def download_bundle(services: Services, request: Request) -> Answer:
    """Give the bundle, whole or the part that the Range header asks for."""
    export = _export(services, request)
    bundle = export.bundle
    if export.state is not State.DONE or bundle is None:
        raise NotReady(f"The export is {export.state}.", next_step="Ask for its state again later.")
    part = requested_part(request.headers.get("Range"), bundle.size)
    name = f"tracekeeper-{export.id}-{export.selection.profile}.zip"
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Type": "application/zip",
        "ETag": f'"{bundle.sha256}"',
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


def message_for(export_id: str) -> str:
    """Return the message of the queue that lets an export's job begin."""
    return orjson.dumps({"export_id": export_id}).decode()


def export_id_of(message: bytes) -> str:
    """Return the id in a message of the queue.

    Raises:
        InvalidRequest: It is not a message of ours.
    """
    try:
        return str(orjson.loads(message)["export_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidRequest(
            "A message in the queue of exports names no export.",
            next_step="Find out who else can write to the queue.",
        ) from error


REQUEST = Endpoint(
    name="request_export",
    method="POST",
    path="api/v1/exports",
    action="exports.request",
    role=Role.EVIDENCE_READ,
    recorded=True,
    handle=request_export,
    rationed=True,
)
"""Apart from the others, because it puts a message into a queue."""

ENDPOINTS = (
    Endpoint(
        name="list_exports",
        method="GET",
        path="api/v1/exports",
        action="exports.list",
        role=Role.EVIDENCE_READ,
        recorded=True,
        handle=list_exports,
    ),
    Endpoint(
        name="show_export",
        method="GET",
        path="api/v1/exports/{export_id}",
        action="exports.read",
        role=Role.EVIDENCE_READ,
        recorded=True,
        handle=show_export,
    ),
    Endpoint(
        name="download_bundle",
        method="GET",
        path="api/v1/exports/{export_id}/bundle",
        action="exports.download",
        role=Role.EVIDENCE_READ,
        recorded=True,
        handle=download_bundle,
    ),
)

blueprint = endpoints_blueprint(ENDPOINTS, services)


@blueprint.function_name(REQUEST.name)
@blueprint.route(
    route=REQUEST.path,
    methods=[REQUEST.method],
    auth_level=func.AuthLevel.ANONYMOUS,
    trigger_arg_name="request",
)
@blueprint.queue_output(arg_name="job", queue_name=QUEUE, connection=CONNECTION)
def _request_export(request: func.HttpRequest, job: func.Out[str]) -> func.HttpResponse:
    response, message = serve(REQUEST, request, services)
    if message is not None:
        job.set(message)
    return response


@blueprint.function_name("run_export")
@blueprint.queue_trigger(arg_name="job", queue_name=QUEUE, connection=CONNECTION)
def run_export(job: func.QueueMessage) -> None:
    """Do an export's job; a failure that may pass raises, so that the host delivers the message again."""
    in_background("the export", services, lambda services: services.exports.run(export_id_of(job.get_body())))


@blueprint.function_name("export_poisoned")
@blueprint.queue_trigger(arg_name="job", queue_name="exports-poison", connection=CONNECTION)
def export_poisoned(job: func.QueueMessage) -> None:
    """Close an export whose message the host has given up.

    The job counts its starts: once these are used up, the next records the failure. If the message was given
    up before the job could even start, because storage was away, it gets the starts that it is still owed.
    """
    in_background(
        "closing an export", services, lambda services: services.exports.run(export_id_of(job.get_body()))
    )
