"""The detectors beside Presidio's pattern recognizers on a labelled set of texts: recall, false hits, speed.

    python -m bench.detectors FILE

FILE is JSON: a list of objects with `full_text` and `spans` (entity_type, start_position, end_position), as
Presidio's own evaluation sets have them. Presidio runs in an environment of its own (make bench-detectors
installs it). Exits 1 where a limit is missed.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import orjson

from functions.evidence.detectors import Detectors, standard_detectors

PEER = Path(__file__).with_name("presidio_recognizers.py")
REPEATS = 5

LIMITS = {
    "EMAIL_ADDRESS": ("email", 1.00),
    "US_SSN": ("us_ssn", 1.00),
    "IP_ADDRESS": ("ip_address", 1.00),
    "IBAN_CODE": ("iban", 0.98),
    "CREDIT_CARD": ("payment_card", 0.98),
    "PHONE_NUMBER": ("phone", 0.85),
}
"""The labels' types, with ours and the recall to reach."""

LEAST_RATIO = 40.0
"""How many times Presidio's speed ours has to be, on texts that all hold something."""

LEAST_OF_JSON = 0.3
"""Which share of the speed of reading and writing the same texts as JSON, on everyday ones."""

HOLDING = 0.02
"""The share of everyday texts that hold something: in prompts and answers, few do."""

TEXTS = 5_000
BYTES = 1024

_say = partial(print, flush=True)

Span = tuple[str, int, int]


@dataclass(frozen=True)
class Score:
    """Of one type: how many stretches are labelled, how many of them were hit, and how many hits hit none."""

    labelled: int
    found: int
    false: int

    @property
    def recall(self) -> float:
        """Share of the labelled stretches that were hit."""
        return self.found / self.labelled if self.labelled else 1.0


def main(file: str) -> int:
    """Print the table; return 0, or 1 where a limit is missed."""
    labelled: list[dict[str, Any]] = json.loads(Path(file).read_bytes())
    texts = [one["full_text"] for one in labelled]
    detectors = standard_detectors()
    hits = [detectors.find(text) for text in texts]
    peer = _presidio(texts, repeats=1)
    names = {kind: entity for entity, (kind, _) in LIMITS.items()}
    mine = _scores(labelled, [[(names.get(h.type, ""), h.start, h.end) for h in each] for each in hits])
    theirs = _scores(labelled, [[tuple(hit) for hit in each] for each in peer["hits"]])
    _say(
        f"{'type':12} {'labelled':>8} {'recall':>7} {'false':>5} {'Presidio':>10} {'false':>5} {'wanted':>7}"
    )
    missed = []
    for entity, (kind, wanted) in LIMITS.items():
        own, other = mine[entity], theirs[entity]
        _say(
            f"{kind:12} {own.labelled:8}  {own.recall:6.3f} {own.false:5}   "
            f"{other.recall:8.3f} {other.false:5}  {wanted:6.2f}"
        )
        if own.recall < wanted:
            missed.append(f"recall of {kind}")
    if mine["PHONE_NUMBER"].false >= theirs["PHONE_NUMBER"].false:
        missed.append("false hits of phone: fewer than Presidio's are wanted")
    pieces = _pieces(texts)
    megabytes = sum(len(text.encode()) for text in pieces) / 1e6
    ours = _best_of(lambda: [detectors.find(text) for text in pieces])
    seconds = _presidio(pieces, repeats=REPEATS)["seconds"]
    ratio = seconds / ours
    _say(
        f"\nTexts of 1 KB: {megabytes / ours:.2f} MB/s, Presidio's {peer['recognizers']} recognizers "
        f"{megabytes / seconds:.3f} MB/s: {ratio:.0f} times as fast; wanted: {LEAST_RATIO:.0f}"
    )
    if ratio < LEAST_RATIO:
        missed.append("speed beside Presidio's")
    for kind, some in (("of many languages", texts), ("of ASCII alone", [t for t in texts if t.isascii()])):
        if _share_of_json(detectors, kind, some) < LEAST_OF_JSON:
            missed.append(f"speed beside JSON's, texts {kind}")
    for what in missed:
        _say(f"MISSED: {what}")
    return 1 if missed else 0


def _share_of_json(detectors: Detectors, kind: str, texts: Sequence[str]) -> float:
    """Print how fast everyday texts are masked, and return it as a share of the speed of JSON.

    ASCII has a figure of its own: it costs us what other texts cost, and JSON's reader half or less.
    """
    everyday = _everyday(detectors, texts)
    lines = [orjson.dumps(text) for text in everyday]
    megabytes = sum(map(len, lines)) / 1e6
    json_seconds = _best_of(lambda: _drain(orjson.dumps(orjson.loads(line)) for line in lines))
    seconds = _best_of(lambda: _drain(_masked(detectors, text) for text in everyday))
    share = json_seconds / seconds
    _say(
        f"Everyday texts of 1 KB {kind}, {HOLDING:.0%} hold something: "
        f"masked at {megabytes / seconds:.0f} MB/s, read and written as JSON at "
        f"{megabytes / json_seconds:.0f}: a share of {share:.2f}; wanted: {LEAST_OF_JSON}"
    )
    return share


def _everyday(detectors: Detectors, texts: Sequence[str]) -> list[str]:
    """Return texts of 1 KB, most of them of sentences in which nothing is found, in an order of chance."""
    quiet = [text for text in texts if not detectors.find(text)]
    order = random.Random(0)  # noqa: S311 - the same texts each time
    everyday = list(islice(cycle(_pieces(texts)), int(TEXTS * HOLDING)))
    while len(everyday) < TEXTS:
        order.shuffle(quiet)
        everyday += _pieces(quiet)
    order.shuffle(everyday)
    return everyday


def _masked(detectors: Detectors, text: str) -> str:
    for hit in reversed(detectors.find(text)):
        text = f"{text[: hit.start]}[{hit.type}]{text[hit.end :]}"
    return text


def _drain(work: Iterable[object]) -> None:
    for _ in work:
        pass


def _pieces(texts: Sequence[str]) -> list[str]:
    whole = " ".join(texts)
    return [whole[start : start + BYTES] for start in range(0, len(whole) - BYTES, BYTES)]


def _best_of(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _presidio(texts: Sequence[str], *, repeats: int) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(texts, file)
        file.flush()
        command = [".venv-presidio/bin/python", str(PEER), file.name, str(repeats)]
        ran = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own script
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def _scores(labelled: Sequence[dict[str, Any]], hits: Sequence[Iterable[Span]]) -> dict[str, Score]:
    planted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for one, each in zip(labelled, hits, strict=True):
        spans = [(s["entity_type"], s["start_position"], s["end_position"]) for s in one["spans"]]
        for span in spans:
            planted[span[0]] += 1
            found[span[0]] += any(_meet(span, hit) for hit in each)
        for hit in each:
            false[hit[0]] += not any(_meet(span, hit) for span in spans)
    return {entity: Score(planted[entity], found[entity], false[entity]) for entity in LIMITS}


def _meet(one: Span, other: Span) -> bool:
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
