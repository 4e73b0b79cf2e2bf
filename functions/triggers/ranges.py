"""Decides which bytes of a download an answer holds (RFC 9110, section 14, https://www.rfc-editor.org/rfc/rfc9110)."""

import re
from dataclasses import dataclass

from functions.errors import InvalidRequest

WHOLE_BYTES = 64 * 1024 * 1024
"""The largest download that is answered whole: the host holds an answer in memory."""

RANGE_BYTES = 8 * 1024 * 1024
"""The most that one ranged answer holds. A longer range is answered by its beginning, as the RFC allows; the
client reads Content-Range and goes on from there."""

_RANGE = re.compile(r"bytes=(?:(?P<first>[0-9]{1,18})-(?P<last>[0-9]{0,18})|-(?P<suffix>[0-9]{1,18}))")


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes [offset, offset + length) of a download."""

    offset: int
    length: int

    def content_range(self, size: int) -> str:
        """Return the Content-Range header of the part."""
        return f"bytes {self.offset}-{self.offset + self.length - 1}/{size}"


def requested_part(header: str | None, size: int) -> Part | None:
    """Return the part that the Range header asks for, or None for the whole.

    Args:
        header: The Range header.
        size: All bytes of the download.

    Raises:
        InvalidRequest: The range is not a single one within the download, or the download is too large for
            an answer without a range.
    """
    if header is None:
        if size > WHOLE_BYTES:
            raise _ask_again(size, f"The download has {size} bytes, too many for one answer.")
        return None
    found = _RANGE.fullmatch(header.strip().lower())
    if found is None:
        raise _ask_again(size, "The Range header does not hold a single range of bytes.")
    if found["suffix"]:
        first, last = max(0, size - int(found["suffix"])), size - 1
    else:
        first, last = int(found["first"]), min(int(found["last"] or size - 1), size - 1)
    if first > last:
        raise _ask_again(size, "The Range header asks for bytes that the download does not have.")
    return Part(first, min(last - first + 1, RANGE_BYTES))


def _ask_again(size: int, message: str) -> InvalidRequest:
    last = min(size, RANGE_BYTES) - 1
    return InvalidRequest(
        message,
        next_step=f"Ask for parts of at most {RANGE_BYTES} bytes, the first with 'Range: bytes=0-{last}'.",
    )
