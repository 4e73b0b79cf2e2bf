"""The functions around the queue of exports: what puts messages into it, and what takes them out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, List  # noqa: UP035 - the Functions runtime knows no other list

import azure.functions as func

from functions.evidence.exports.steps import Step
from functions.triggers.background import in_background
from functions.triggers.loading import respond, services
from functions.triggers.routes import ROUTES

if TYPE_CHECKING:
    from functions.wiring import Services

QUEUE = "exports"
CONNECTION = "AzureWebJobsStorage"
REQUEST, APPROVE = ROUTES["request_export"], ROUTES["approve_export"]
"""The routes whose answer may let a job begin."""

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # the library types it in part


def message_for(export_id: str) -> str:
    """Return the message of the queue that lets an export's job begin."""
    return Step(export_id).message()


@blueprint.function_name(REQUEST.name)
@blueprint.route(
    route=REQUEST.path,
    methods=[REQUEST.method],
    auth_level=func.AuthLevel.ANONYMOUS,
    trigger_arg_name="request",
)
@blueprint.queue_output(arg_name="job", queue_name=QUEUE, connection=CONNECTION)
def _request_export(request: func.HttpRequest, job: func.Out[str]) -> func.HttpResponse:
    response, message = respond(REQUEST.name, request)
    if message is not None:
        job.set(message)
    return response


@blueprint.function_name(APPROVE.name)
@blueprint.route(
    route=APPROVE.path,
    methods=[APPROVE.method],
    auth_level=func.AuthLevel.ANONYMOUS,
    trigger_arg_name="request",
)
@blueprint.queue_output(arg_name="job", queue_name=QUEUE, connection=CONNECTION)
def _approve_export(request: func.HttpRequest, job: func.Out[str]) -> func.HttpResponse:
    response, message = respond(APPROVE.name, request)
    if message is not None:
        job.set(message)
    return response


@blueprint.function_name("run_export")
@blueprint.queue_trigger(arg_name="job", queue_name=QUEUE, connection=CONNECTION)
@blueprint.queue_output(arg_name="jobs", queue_name=QUEUE, connection=CONNECTION)
def run_export(job: func.QueueMessage, jobs: func.Out[List[str]]) -> None:  # noqa: UP006 - the runtime's
    """Do one step of an export's job, and put those that follow into the queue.

    A failure that may pass raises, so that the host delivers the message again.
    """
    in_background("the export", services, lambda services: run_step(services, job.get_body(), jobs.set))


@blueprint.function_name("export_poisoned")
@blueprint.queue_trigger(arg_name="job", queue_name="exports-poison", connection=CONNECTION)
@blueprint.queue_output(arg_name="jobs", queue_name=QUEUE, connection=CONNECTION)
def export_poisoned(job: func.QueueMessage, jobs: func.Out[List[str]]) -> None:  # noqa: UP006 - as above
    """Close an export of which the host has given up a message.

    A step counts its starts: once these are used up, the next records the failure. If the message was given
    up before the step could even start, because storage was away, it gets the starts that it is still owed.
    """
    in_background(
        "closing an export", services, lambda services: run_step(services, job.get_body(), jobs.set)
    )


@blueprint.function_name("sweep_exports")
@blueprint.timer_trigger(arg_name="timer", schedule="15 */5 * * * *", run_on_startup=False)
@blueprint.queue_output(arg_name="jobs", queue_name=QUEUE, connection=CONNECTION)
def sweep_exports(
    timer: func.TimerRequest,  # noqa: ARG001 - the binding's name; lateness changes nothing
    jobs: func.Out[List[str]],  # noqa: UP006 - as above
) -> None:
    """Let exports that stalled go on, and end those that wait too long."""
    in_background("looking after exports", services, lambda services: sweep(services, jobs.set))


def run_step(services: "Services", message: bytes, send: Callable[[list[str]], None]) -> None:
    """Do one step; `send` puts messages into the queue once the function has returned."""
    if messages := services.worker.run(message):
        send(messages)


def sweep(services: "Services", send: Callable[[list[str]], None]) -> None:
    """Look after exports that are not over; `send` as above."""
    if messages := services.sweep.tick():
        send(list(messages))
