"""Cuts a stream of text into blocks for a search that must not miss what stands across two of them.

Where a block ends depends on the text alone, never on how it was written.
"""

from collections.abc import Callable

BLOCK_BYTES = 1 << 20
"""A block ends at the last end of a line within so many bytes."""

LONGEST_LINE_BYTES = 8 << 20
"""A line up to this long stays in one block; a longer one is cut, and the pieces overlap."""

OVERLAP_BYTES = 64 << 10
"""How much of a cut line the next piece begins with again: nothing that is searched for is longer."""

_SEPARATORS = (b",", b">", b" ")
_CONTINUATIONS = bytes(range(0x80, 0xC0))
"""Bytes that do not begin a character of UTF-8."""


class Blocks:
    """Cuts what is written into blocks.

    Args:
        search: Is given each block; the pieces of a cut line overlap.
        keep: Is given all bytes once, in order, after they were searched.
    """

    def __init__(self, search: Callable[[bytes], None], keep: Callable[[bytes], None]) -> None:
        self._search = search
        self._keep = keep
        self._waiting = bytearray()
        self._searched_to = 0
        self._again = b""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._waiting += data
        while end := self._end():
            self._give(end)

    def close(self) -> None:
        """Give what is left."""
        if self._waiting:
            self._give(len(self._waiting))

    def _end(self) -> int:
        """Return where the next block ends; 0 where more has to come first."""
        if len(self._waiting) < BLOCK_BYTES:
            return 0
        if whole := self._waiting.rfind(b"\n", 0, BLOCK_BYTES) + 1:
            return whole
        line = self._waiting.find(b"\n", max(self._searched_to, BLOCK_BYTES), LONGEST_LINE_BYTES) + 1
        self._searched_to = min(len(self._waiting), LONGEST_LINE_BYTES)
        if line or len(self._waiting) <= LONGEST_LINE_BYTES:
            return line
        return _cut(self._waiting)

    def _give(self, end: int) -> None:
        with memoryview(self._waiting) as waiting:
            block = bytes(waiting[:end])
        del self._waiting[:end]
        self._searched_to = 0
        self._search(self._again + block)
        self._again = b"" if block.endswith(b"\n") else _tail(block)
        self._keep(block)


def _cut(text: bytearray) -> int:
    """Return where to cut a line that is too long: at a separator near the end, else between characters."""
    latest = LONGEST_LINE_BYTES
    at = max(text.rfind(separator, latest - OVERLAP_BYTES, latest) for separator in _SEPARATORS) + 1
    if at:
        return at
    while text[latest] in _CONTINUATIONS:
        latest -= 1
    return latest


def _tail(block: bytes) -> bytes:
    """Return the end of a cut line, from a separator on: half a number would look like another one."""
    tail = block[-OVERLAP_BYTES:]
    starts = [at for separator in _SEPARATORS if (at := tail.find(separator)) >= 0]
    return tail[min(starts) :] if starts else tail.lstrip(_CONTINUATIONS)
