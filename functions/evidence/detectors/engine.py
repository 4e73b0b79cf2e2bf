"""Finds what patterns can find: one compiled alternation as a gate, then each pattern with its own check.

Patterns are RE2's (linear time, whatever an attacker writes) over UTF-8 bytes. Two traps shape this module:
RE2's `Set` answers "no match" when it runs out of memory, so the gate is an alternation, which falls back
safely; and an alternation loses overlapping hits, so it only decides whether the patterns are tried at all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import re2

from functions.errors import RedactionFailure
from functions.evidence.detectors.encoded import readings

MOST_LAYERS = 3
"""Encodings within encodings that are looked through, such as base64 of JSON in JSON."""

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


@dataclass(frozen=True, slots=True)
class _Compiled:
    detector: Detector
    regexp: "re2._Regexp"
    group: int = field(default=0)

    def locate(self, text: bytes) -> Iterator[Hit]:
        position = 0
        while (match := self.regexp.search(text, position)) is not None:
            start, end = match.span(self.group)
            accepted = self.detector.accept(text, start, end)
            if accepted is not None:
                yield Hit(self.detector.type, start, accepted)
                position = max(accepted, match.start() + 1)
            elif self.detector.nested:
                position = match.start() + 1
            else:
                position = match.end()


class Detectors:
    """A set of detectors, ready to search. Immutable after construction.

    Raises:
        RedactionFailure: A detector does not find its own sample, so nothing it says can be trusted.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        options = re2.Options()
        options.max_mem = 64 << 20
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        self._compiled = [_compile(detector, options) for detector in detectors]
        alternatives = "|".join(f"(?:{detector.pattern})" for detector in detectors)
        self._gate = re2.compile(alternatives.encode("ascii"), options)
        self._prove_samples()

    def find(self, text: str) -> list[Hit]:
        """Return the hits in `text`, in order, overlapping ones united under the type of the longest.

        Encoded forms are read too. Of equally long hits the type that stands first in the set is given.
        """
        encoded = list(self._in_readings(text, MOST_LAYERS))
        return _unite([*self._as_it_stands(text), *encoded]) if encoded else self._as_it_stands(text)

    def _in_readings(self, text: str, layers: int) -> Iterator[Hit]:
        """Yield what is found in encoded forms, and in those within them."""
        for reading in readings(text) if layers else ():
            inner = [*self._as_it_stands(reading.text), *self._in_readings(reading.text, layers - 1)]
            for hit in inner:
                yield Hit(hit.type, *reading.stretch(hit.start, hit.end))

    def _as_it_stands(self, text: str) -> list[Hit]:
        data = text.encode("utf-8", "surrogatepass")
        hits = self.find_bytes(data)
        if not hits or text.isascii():
            return hits
        return [Hit(hit.type, _characters(data[: hit.start]), _characters(data[: hit.end])) for hit in hits]

    def find_bytes(self, data: bytes) -> list[Hit]:
        """Return the hits in UTF-8 bytes as they stand, with offsets in bytes."""
        if self._gate.search(data) is None:
            return []
        return _unite([hit for compiled in self._compiled for hit in compiled.locate(data)])

    def _prove_samples(self) -> None:
        for compiled in self._compiled:
            detector = compiled.detector
            sample = detector.sample.encode("utf-8")
            if self._gate.search(sample) is None or next(compiled.locate(sample), None) is None:
                raise RedactionFailure(
                    f"The detector {detector.type} does not find its own sample.",
                    next_step="Install google-re2 as pinned, and no other package with a module re2.",
                )


def _compile(detector: Detector, options: "re2.Options") -> _Compiled:
    regexp = re2.compile(detector.pattern.encode("ascii"), options)
    return _Compiled(detector, regexp, min(regexp.groups, 1))


def _characters(data: bytes) -> int:
    return len(data.decode("utf-8", "surrogatepass"))


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
