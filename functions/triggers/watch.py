"""The timers of the watch: ticks, marker runs to be looked for, and the summary of a week."""

from collections.abc import Callable
from typing import TYPE_CHECKING, List  # noqa: UP035 - the Functions runtime knows no other list

import azure.functions as func

from functions.triggers.background import in_background
from functions.triggers.jobs import CONNECTION, QUEUE, message_for
from functions.triggers.loading import services, services_for_tick

if TYPE_CHECKING:
    from functions.wiring import Services

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # the library types it in part


@blueprint.function_name("watch_tick")
@blueprint.timer_trigger(arg_name="timer", schedule="0 * * * * *", run_on_startup=False)
@blueprint.queue_output(arg_name="jobs", queue_name=QUEUE, connection=CONNECTION)
def watch_tick(
    timer: func.TimerRequest,  # noqa: ARG001 - the binding's name; lateness changes nothing
    jobs: func.Out[List[str]],  # noqa: UP006 - as above
) -> None:
    """Judge every window that is due, tell whom it concerns, and have evidence of what is severe kept."""
    in_background("the watch", services_for_tick, lambda services: tick(services, jobs.set))


@blueprint.function_name("send_canary")
@blueprint.timer_trigger(arg_name="timer", schedule="30 */5 * * * *", run_on_startup=False)
def send_canary(timer: func.TimerRequest) -> None:  # noqa: ARG001 - as above
    """Send a marker run, where that is on."""
    in_background("the canary", services, _send)


@blueprint.function_name("weekly_summary")
@blueprint.timer_trigger(arg_name="timer", schedule="45 */5 * * * *", run_on_startup=False)
def weekly_summary(timer: func.TimerRequest) -> None:  # noqa: ARG001 - as above
    """Make the summary of a week where one is due; apart from the ticks: its questions may take minutes."""
    in_background("the weekly summary", services, _summarize)


def tick(services: "Services", send: Callable[[list[str]], None]) -> None:
    """Do everything that a minute asks for.

    Args:
        services: What to do it with.
        send: Puts messages into the queue of exports once the function has returned.
    """
    alarm = services.alarm.tick()
    # Before the checks what can be seen, since that decides which of them may judge.
    sight = services.sight.tick()
    watch = services.watch.tick()
    services.silence_ends.tick()
    deliveries = services.deliveries.tick()
    if begun := (*services.holding.tick(), *services.scheduled.tick()):
        send([message_for(export_id) for export_id in begun])
    services.heart.beat((alarm, sight, watch, deliveries))


def _send(services: "Services") -> None:
    if services.canary is not None:
        services.canary.send()


def _summarize(services: "Services") -> None:
    services.summaries.tick()
