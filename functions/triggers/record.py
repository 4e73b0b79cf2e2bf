"""The timers of the record: the seal of each day, the ledger's head of each day, and the clock they go by."""

from typing import TYPE_CHECKING

import azure.functions as func

from functions.triggers.background import in_background
from functions.triggers.loading import services

if TYPE_CHECKING:
    from functions.wiring import Services

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]  # the library types it in part


@blueprint.function_name("seal_days")
@blueprint.timer_trigger(arg_name="timer", schedule="0 12 * * * *", run_on_startup=False)
def seal_days(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name; lateness changes nothing
    """Seal the days that are over and not sealed; each hour, so that what failed is tried again."""
    in_background("sealing", services, lambda services: services.record.sealing.tick())


@blueprint.function_name("note_head")
@blueprint.timer_trigger(arg_name="timer", schedule="30 7 * * * *", run_on_startup=False)
def note_head(timer: func.TimerRequest) -> None:  # noqa: ARG001 - as above
    """Note the ledger's head of the day, and sign it; each hour, likewise."""
    in_background("noting the ledger's head", services, lambda services: services.record.heads.tick())


@blueprint.function_name("check_clock")
@blueprint.timer_trigger(arg_name="timer", schedule="15 */5 * * * *", run_on_startup=False)
def check_clock(timer: func.TimerRequest) -> None:  # noqa: ARG001 - as above
    """Compare our clock with the storage service's, and tell of what keeps the record from being kept."""
    in_background("comparing clocks", services, _check_clock)


def _check_clock(services: "Services") -> None:
    services.record.clock_check.tick()
    services.record_alarm.tick()
