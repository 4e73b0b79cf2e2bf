"""Says what an unusable answer of Log Analytics means: an error of our tree, free of telemetry.

The text of the service's errors may quote the query and telemetry, so none of it is repeated: only the status
and the error codes, which are the service's own words, are passed on.
"""

import re
from collections.abc import Iterator
from typing import Any

from functions.errors import (
    PartialResult,
    QueryRejected,
    ResultTooLarge,
    SourceError,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
)

_NARROW = "Give the query a shorter time or fewer columns; until then its windows stay due."
_AGAIN = "Nothing to do at first: the windows stay due and are tried again at the next tick."
_ROLE = (
    "Give the app's identity the role Log Analytics Data Reader on the workspace that LOGS_WORKSPACE_ID or "
    "LOGS_RESOURCE_ID names, or Monitoring Reader where that is a component, and check that setting."
)

_TRUNCATED = re.compile(r"-2133196797|80DA0003|exceed(?:s|ed)? the set limit", re.IGNORECASE)
"""E_QUERY_RESULT_SET_TOO_LARGE (0x80DA0003), as the engine writes it into a partial error:
https://learn.microsoft.com/kusto/concepts/result-truncation"""


def failure(status: int | None, body: Any = None) -> SourceError:
    """Return the error for a call that failed.

    Args:
        status: The HTTP status of the last answer; None where there was none.
        body: The JSON of that answer, as far as there was any.
    """
    said = f"{status} {'/'.join(_codes(body))}".strip()
    match status:
        case None:
            return SourceUnavailable("Log Analytics could not be reached or broke off.", next_step=_AGAIN)
        case 401 | 403 | 404:
            return SourceRefused(f"Log Analytics refused the app's identity ({said}).", next_step=_ROLE)
        case 429:
            return SourceThrottled(f"Log Analytics had no room for the query ({said}).", next_step=_AGAIN)
        case 504:
            return SourceUnavailable(f"The query took longer than allowed ({said}).", next_step=_NARROW)
        case _ if 400 <= status < 500 and status != 408:
            return QueryRejected(f"Log Analytics rejected the query ({said}).", next_step="Correct its KQL.")
        case _:
            return SourceUnavailable(f"Log Analytics failed or answered nonsense ({said}).", next_step=_AGAIN)


def no_identity() -> SourceRefused:
    """Return the error for an app that got no token."""
    return SourceRefused(
        "The app's identity got no token for Log Analytics.", next_step=f"Check AZURE_CLIENT_ID. {_ROLE}"
    )


def incomplete(told: str) -> PartialResult | ResultTooLarge:
    """Return the error for an answer of 200 with an error inside, whose JSON text is `told`."""
    if _TRUNCATED.search(told):
        return too_large()
    return PartialResult("Log Analytics answered in part only; its rows are not used.", next_step=_NARROW)


def too_large() -> ResultTooLarge:
    """Return the error for an answer at the service's limit of rows or bytes."""
    return ResultTooLarge("The answer met a limit of Log Analytics: rows may be missing.", next_step=_NARROW)


def _codes(body: Any) -> Iterator[str]:
    """Yield the codes of an error and of those inside it, outermost first, where they look like codes."""
    error = body.get("error") if isinstance(body, dict) else None
    for _ in range(5):
        if not isinstance(error, dict):
            return
        code = error.get("code")
        if isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,40}", code):
            yield code
        error = error.get("innererror")
