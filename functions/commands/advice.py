"""Says what the person at a terminal can do where the telemetry can't be read."""

from collections.abc import Iterator
from contextlib import contextmanager

from functions.errors import PartialResult, ResultTooLarge, SourceRefused, SourceUnavailable

_SIGN_IN = (
    "Sign in with `az login` as someone with the role Log Analytics Data Reader on the workspace, "
    "and check LOGS_WORKSPACE_ID or LOGS_RESOURCE_ID."
)


@contextmanager
def advised() -> Iterator[None]:
    """Give a source's failure the next step of someone who asks about past days.

    Raises:
        SourceError: As the source raised it.
    """
    try:
        yield
    except (PartialResult, ResultTooLarge, SourceUnavailable) as error:
        raise type(error)(error.message, next_step="Try again, with fewer days if it stays so.") from error
    except SourceRefused as error:
        raise SourceRefused(error.message, next_step=_SIGN_IN) from error
