"""Turns an error into the problem document that the caller gets: https://www.rfc-editor.org/rfc/rfc9457.

What is told is what the error tree says of itself, which is free of secrets and of telemetry. Of any other
exception nothing is told, and only its type and place are logged.
"""

import logging
import re
import traceback
from dataclasses import dataclass
from typing import Any

from functions.errors import (
    ChainBroken,
    DocumentConflict,
    EvidenceError,
    RequestError,
    ResultTooLarge,
    SourceError,
    SourceThrottled,
    StorageError,
    TraceAbsent,
    TracekeeperError,
)

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger("tracekeeper.problems")

_STATUS: tuple[tuple[type[TracekeeperError], int, str], ...] = (
    (ResultTooLarge, 422, "Too much to answer at once"),
    (SourceThrottled, 503, "The telemetry store is busy"),
    (SourceError, 502, "The telemetry could not be read"),
    (DocumentConflict, 409, "Changed by someone else"),
    (ChainBroken, 503, "The ledger does not hold"),
    (StorageError, 503, "Storage is not available"),
    (EvidenceError, 500, "The evidence was withheld"),
)
"""The first class that fits decides; all others are our own fault and tell nothing."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a caller is told.

    Attributes:
        status: The HTTP status.
        title: The kind of problem, the same each time.
        body: The problem document.
    """

    status: int
    title: str
    body: dict[str, Any]


def problem(error: Exception, correlation_id: str) -> Problem:
    """Return the problem document for any exception; logs those that are not the caller's."""
    if isinstance(error, RequestError):
        return _problem(error, error.status, error.title, correlation_id, told=error)
    _log.error("a request failed: %s, correlation id %s", describe(error), correlation_id)
    for kind, status, title in _STATUS:
        if isinstance(error, kind):
            return _problem(error, status, title, correlation_id, told=error)
    return _problem(error, 500, "Something went wrong here", correlation_id, told=None)


def describe(error: Exception) -> str:
    """Return what a log may say of an error: its type, its place and, of our own errors, the text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    text = f": {error}" if isinstance(error, TracekeeperError) else ""
    return f"{type(error).__name__}{place}{text}"


def _problem(
    error: Exception, status: int, title: str, correlation_id: str, *, told: TracekeeperError | None
) -> Problem:
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower() if told else "internal-error"
    detail = told.message if told else "The request could not be served."
    next_step = told.next_step if told else "Tell whoever runs the service the instance of this problem."
    evidence = {"evidence": list(error.evidence)} if isinstance(error, TraceAbsent) else {}
    return Problem(
        status,
        title,
        evidence
        | {
            "type": f"urn:tracekeeper:problem:{kind}",
            "title": title,
            "status": status,
            "detail": detail,
            "next_step": next_step,
            "instance": f"urn:uuid:{correlation_id}",
        },
    )
