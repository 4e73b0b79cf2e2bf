"""The one timer of the watch: every minute, whatever is due by each check's own watermark."""

import azure.functions as func

from functions.triggers.background import in_background
from functions.wiring import services

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # the library types it in part


@blueprint.function_name("watch_tick")
@blueprint.timer_trigger(arg_name="timer", schedule="0 * * * * *", run_on_startup=False)
def watch_tick(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name; lateness changes nothing
    """Judge every window that is due and tell whom it concerns."""
    in_background("the watch", services, lambda services: services.watch.tick())
