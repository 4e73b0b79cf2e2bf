"""Runs what no caller waits for; failures reach the host, and so its retries, without any foreign text."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from functions.errors import TracekeeperError
from functions.problems import describe

if TYPE_CHECKING:
    from functions.wiring import Services


def in_background(what: str, provide: "Callable[[], Services]", work: "Callable[[Services], object]") -> None:
    """Do the work with the services.

    The host logs the exception of a failed function with its text and causes, which may quote telemetry or an
    address that is a secret: what it gets to see is the type, the place and the texts of our own errors.

    Raises:
        TracekeeperError: The work failed.
    """
    try:
        work(provide())
    except Exception as error:  # noqa: BLE001 - raised again, without its text
        told = f"{what} failed: {describe(error)}"
    else:
        return
    raise TracekeeperError(told, next_step="The host tries again; see docs/runbook.md if it goes on.")
