"""Decides what the HTTP answer of a destination means. Pure."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import orjson

from functions.alerts.answer import Accepted, Answer, Rejected

RETRYABLE_STATUSES = frozenset({408, 425, 429})
"""4xx that say "later", not "never" (RFC 9110 15.5.9, RFC 8470, RFC 6585); so does every 5xx."""

MAX_TEXT_BYTES = 1024
"""How much of a good answer's text is read: enough to see that it is none."""

_REPORTS_ERROR = re.compile(
    r"\b(error|exception|fail(ed|ure|s)?|denied|forbidden|unauthori[sz]ed|invalid|refused|rejected|expired|disabled"
    r"|throttl\w+|too many|too large|not found|not accepted|timed? ?out)\b",
    re.IGNORECASE,
)
_REPORTED_STATUS = re.compile(r"\b[45]\d\d\b")
_ERROR_BEGINS = re.compile(rb'^\W{0,8}"(error\w*|exception\w*)"\s*:', re.IGNORECASE)


def answer_of(status: int, retry_after: str | None, now: datetime, text: bytes = b"") -> Answer:
    """Return what an answer means.

    2xx is accepted, unless its text reports an error; 408, 425, 429 and 5xx may be sent again, all else not.

    Args:
        status: The HTTP status.
        retry_after: The Retry-After header, in seconds or as a date (RFC 9110 10.2.3); nonsense is ignored.
        now: What a date is counted from.
        text: The first MAX_TEXT_BYTES of its body. Hostile; nothing of it comes into the answer but a status.
    """
    if not 200 <= status < 300:
        return _rejected(status, retry_after, now, f"HTTP {status}")
    if not reports_error(text):
        return Accepted(status)
    reported = _REPORTED_STATUS.search(text.decode("utf-8", "replace"))
    if reported is None:
        reason = f"HTTP {status} with a text that reports an error"
        return Rejected(retryable=True, retry_after_seconds=_seconds(retry_after, now), reason=reason)
    return _rejected(
        int(reported[0]), retry_after, now, f"HTTP {status} with a text that reports {reported[0]}"
    )


def reports_error(text: bytes) -> bool:
    """Return whether the text of a 2xx says that the message was not taken after all.

    A page is an error too: what answers with one is a sign-in or a proxy. Of JSON only its own fields count:
    some receivers send the message back, whose words say nothing about its fate.
    """
    stripped = text.strip()
    if stripped[:1] in {b"{", b"["}:
        try:
            return _says_error(orjson.loads(stripped))
        except orjson.JSONDecodeError:  # longer than what was read, or broken
            return bool(_ERROR_BEGINS.search(stripped))
    return stripped.startswith(b"<") or bool(_REPORTS_ERROR.search(stripped.decode("utf-8", "replace")))


def _says_error(body: object) -> bool:
    if not isinstance(body, dict):
        return False
    given = {str(name).lower(): value for name, value in body.items()}
    if any(given.get(name) for name in ("error", "errors", "errorcode", "error_code", "exception")):
        return True
    if any(given.get(name) is False for name in ("ok", "success", "succeeded", "accepted")):
        return True
    stated = (
        given.get(name) for name in ("status", "statuscode", "status_code", "code", "result", "message")
    )
    return any(_is_bad(one) for one in stated)


def _is_bad(stated: object) -> bool:
    """Return whether a field that states the outcome states a bad one: a status from 400 or a word."""
    words = str(stated)
    return bool(_REPORTED_STATUS.fullmatch(words) or _REPORTS_ERROR.search(words))


def _rejected(status: int, retry_after: str | None, now: datetime, reason: str) -> Rejected:
    retryable = status in RETRYABLE_STATUSES or status >= 500
    return Rejected(retryable, _seconds(retry_after, now) if retryable else None, reason)


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
