"""Finds what patterns can find: an alternation as a gate, a set that says which, then each pattern by itself.

Patterns are RE2's (linear time, whatever an attacker writes) over UTF-8 bytes. Three traps shape this module:
RE2's `Set` answers "no match" when it runs out of memory, so it is asked only where the alternation, which
falls back safely, has matched, and if it then says none, all are tried; an alternation loses overlapping
hits, so it only decides whether patterns are tried; and groups that capture make RE2 leave its fast
automaton, so neither captures anything.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import re2

from functions.errors import RedactionFailure
from functions.evidence.detectors.encoded import ENCODINGS

MOST_LAYERS = 3
"""Encodings within encodings that are looked through, such as base64 of JSON in JSON."""

_AT_ONCE = 16 << 10
_UNANCHORED = re2._Anchor.UNANCHORED  # noqa: SLF001 - what the wrapper passes, too

Accept = Callable[[bytes, int, int], int | None]
"""Given the text and a candidate's start and end: the hit's end, or None where the candidate is refused."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One found stretch [start, end) of a text, in characters of a str or bytes of a bytes."""

    type: str
    start: int
    end: int


def accept_all(_text: bytes, _start: int, end: int) -> int | None:
    """Accept a candidate as it is: the pattern itself is proof enough."""
    return end


@dataclass(frozen=True, slots=True)
class Detector:
    """One kind of sensitive text.

    Attributes:
        type: What a hit is called in counts, for example "payment_card".
        pattern: RE2 pattern, ASCII, without long bounded repeats (they slow RE2 down thirtyfold).
            Group 1, where there is one, is the sensitive part; the rest is context.
        sample: A made-up text in which the detector must find something; checked at start.
        accept: Check digits, lengths and neighbours, which a pattern can't express.
        nested: A hit may begin inside a refused candidate (only for patterns of bounded length).
    """

    type: str
    pattern: str
    sample: str
    accept: Accept = accept_all
    nested: bool = False


class _Pattern:
    """A compiled pattern, asked below re2's own wrapper: that costs as much as the search of a short text."""

    __slots__ = ("_match", "group")

    def __init__(self, pattern: str, *, captures: bool) -> None:
        compiled = re2.compile(pattern.encode("ascii"), _options(captures=captures))
        self._match = compiled._regexp.Match  # noqa: SLF001 - see above; the samples prove that it answers
        self.group = min(compiled.groups, 1)

    def search(self, data: bytes, position: int = 0) -> Sequence[tuple[int, int]] | None:
        """Return where the leftmost match and each group of it stand, or None."""
        spans: Sequence[tuple[int, int]] = self._match(_UNANCHORED, data, position, len(data))
        return None if spans[0][0] < 0 else spans


@dataclass(frozen=True, slots=True)
class _Compiled:
    detector: Detector
    pattern: _Pattern

    def locate(self, text: bytes) -> Iterator[Hit]:
        position = 0
        while (spans := self.pattern.search(text, position)) is not None:
            first, last = spans[0]
            start, end = spans[self.pattern.group]
            accepted = self.detector.accept(text, start, end)
            if accepted is not None:
                yield Hit(self.detector.type, start, accepted)
                position = max(accepted, first + 1)
            elif self.detector.nested:
                position = first + 1
            else:
                position = last


class Detectors:
    """A set of detectors, ready to search. Immutable after construction.

    Raises:
        RedactionFailure: A detector does not find its own sample, so nothing it says can be trusted.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._compiled = [_compile(detector) for detector in detectors]
        patterns = [detector.pattern for detector in detectors]
        signs = [encoding.sign for encoding in ENCODINGS]
        self._gate = _alternation([*patterns, *signs])
        self._which = _set([*patterns, *signs])
        self._prove_samples()

    def find(self, text: str) -> list[Hit]:
        """Return the hits in `text`, in order, overlapping ones united under the type of the longest.

        Encoded forms are read too. Of equally long hits the type that stands first in the set is given.
        """
        data = text.encode("utf-8", "surrogatepass")
        if self._gate.search(data) is None:
            return []
        hits = _unite(list(self._hits(data, MOST_LAYERS)))
        if not hits or text.isascii():
            return hits
        places = _characters_before(data, {place for hit in hits for place in (hit.start, hit.end)})
        return [Hit(hit.type, places[hit.start], places[hit.end]) for hit in hits]

    def find_bytes(self, data: bytes) -> list[Hit]:
        """Return the hits in UTF-8 bytes as they stand, with offsets in bytes.

        Long data is searched some lines at a time: a pattern that is nearly in all of them is in few of each.
        """
        return _unite(
            [
                Hit(hit.type, hit.start + start, hit.end + start)
                for start, lines in _some_lines(data)
                if self._gate.search(lines) is not None
                for hit in self._hits(lines, 0)
            ]
        )

    def _hits(self, data: bytes, layers: int) -> Iterator[Hit]:
        """Yield what is found in bytes that the gate lets in, and in `layers` of encoded forms in them."""
        known = len(self._compiled)
        for number in to_try(known + len(ENCODINGS), self._which.Match(data)):
            if number < known:
                yield from self._compiled[number].locate(data)
            elif layers:
                for reading in ENCODINGS[number - known].read(data):
                    if self._gate.search(reading.data) is not None:
                        for hit in self._hits(reading.data, layers - 1):
                            yield Hit(hit.type, *reading.stretch(hit.start, hit.end))

    def _prove_samples(self) -> None:
        for compiled in self._compiled:
            detector = compiled.detector
            sample = detector.sample.encode("utf-8")
            if self._gate.search(sample) is None or next(compiled.locate(sample), None) is None:
                raise RedactionFailure(
                    f"The detector {detector.type} does not find its own sample.",
                    next_step="Install google-re2 as pinned, and no other package with a module re2.",
                )


def _some_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut data behind lines, if it is long: where each piece begins, and the piece."""
    start = 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + _AT_ONCE) + 1 or data.find(b"\n", start) + 1 or len(data)
        yield start, data[start:end]
        start = end


def to_try(patterns: int, said: Collection[int] | None) -> Iterable[int]:
    """Return the numbers of the patterns to try in a text in which one of them matches.

    Args:
        patterns: How many there are.
        said: Which of them the set says match; none, where it is blind: then all are tried.
    """
    return sorted(said) if said else range(patterns)


def _compile(detector: Detector) -> _Compiled:
    captures = re2.compile(detector.pattern.encode("ascii"), _options(captures=True)).groups > 0
    return _Compiled(detector, _Pattern(detector.pattern, captures=captures))


def _alternation(patterns: Sequence[str]) -> _Pattern:
    return _Pattern("|".join(f"(?:{pattern})" for pattern in patterns), captures=False)


def _set(patterns: Sequence[str]) -> "re2.Set":
    which = re2.Set.SearchSet(_options(captures=False))
    for pattern in patterns:
        which.Add(pattern.encode("ascii"))
    which.Compile()
    return which


def _options(*, captures: bool) -> "re2.Options":
    options = re2.Options()
    options.max_mem = 64 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.never_capture = not captures
    return options


def _characters_before(data: bytes, places: set[int]) -> dict[int, int]:
    """Return for each place in UTF-8 bytes how many characters lie before it."""
    counted: dict[int, int] = {}
    characters = last = 0
    for place in sorted(places):
        characters += len(data[last:place].decode("utf-8", "surrogatepass"))
        counted[place], last = characters, place
    return counted


def _unite(hits: list[Hit]) -> list[Hit]:
    united: list[Hit] = []
    longest = 0
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        length = hit.end - hit.start
        if united and hit.start < united[-1].end:
            last = united[-1]
            kind, longest = (hit.type, length) if length > longest else (last.type, longest)
            united[-1] = Hit(kind, last.start, max(last.end, hit.end))
        else:
            united.append(hit)
            longest = length
    return united
