"""The timers of the watch: a tick every minute for whatever is due, and a marker run to be looked for."""

import azure.functions as func

from functions.triggers.background import in_background
from functions.wiring import Services, services, services_for_tick

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # the library types it in part


@blueprint.function_name("watch_tick")
@blueprint.timer_trigger(arg_name="timer", schedule="0 * * * * *", run_on_startup=False)
def watch_tick(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name; lateness changes nothing
    """Judge every window that is due and tell whom it concerns."""
    in_background("the watch", services_for_tick, _tick)


@blueprint.function_name("send_canary")
@blueprint.timer_trigger(arg_name="timer", schedule="30 */5 * * * *", run_on_startup=False)
def send_canary(timer: func.TimerRequest) -> None:  # noqa: ARG001 - as above
    """Send a marker run, where that is on."""
    in_background("the canary", services, _send)


def _tick(services: Services) -> None:
    alarm = services.alarm.tick()
    # Before the checks what can be seen, since that decides which of them may judge.
    sight = services.sight.tick()
    watch = services.watch.tick()
    services.silence_ends.tick()
    services.heart.beat((alarm, sight, watch))


def _send(services: Services) -> None:
    if services.canary is not None:
        services.canary.send()
