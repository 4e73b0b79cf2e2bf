"""The detectors beside Presidio's pattern recognizers on a labelled set of texts: recall, false hits, speed.

    python -m bench.detectors [--smoke]

The texts (bench/material.py) are a list of objects with `full_text` and `spans` (entity_type, start_position,
end_position), as Presidio's own evaluation sets have them. Presidio runs in an environment of its own, which
`make bench` installs. Speed is measured on texts of 1 KB: such that all hold something, beside Presidio, and
everyday ones, of which one in fifty does, beside orjson's loads and dumps. Times are the processor's.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import orjson

from bench.figures import Figure, Of, Part, Peer, Progress, Scale, at_least, below, not_measured
from bench.material import LABELLED
from bench.measuring import best_of, main
from functions.evidence.detectors import Detectors, standard_detectors

PEER = Path(__file__).with_name("presidio_recognizers.py")
PEER_PYTHON = Path(".venv-presidio/bin/python")
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

FALSE_PHONES = "false hits of phone"
FULL = "texts of 1 KB that all hold something"
EVERYDAY = {"everyday texts of many languages": False, "everyday texts of ASCII alone": True}
"""ASCII has a figure of its own: it costs us what other texts cost, and JSON's reader half or less."""

NO_PEER = "Presidio is not installed (make bench does it)"
GOALS = {
    **{f"recall of {kind}": ("", at_least(recall, Of.VALUE)) for kind, recall in LIMITS.values()},
    FALSE_PHONES: ("", below(1.0)),
    FULL: ("MB/s", at_least(40.0)),
    **dict.fromkeys(EVERYDAY, ("MB/s", at_least(0.3))),
}
"""The unit and the goal of each figure."""

HOLDING = 0.02
"""The share of everyday texts that hold something: in prompts and answers, few do."""

TEXTS = 5_000
BYTES = 1024

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


def measure(progress: Progress, scale: Scale) -> list[Figure]:
    """Search the labelled texts with both; what lacks texts or Presidio is not measured."""
    if not LABELLED.is_file():
        return [_missing(what, "labelled texts are not there (BENCH_LABELLED)") for what in GOALS]
    labelled: list[dict[str, Any]] = json.loads(LABELLED.read_bytes())
    count = TEXTS
    if scale is Scale.SMOKE:
        labelled, count = labelled[:100], 100
    texts = [one["full_text"] for one in labelled]
    detectors = standard_detectors()
    progress(f"detectors: {len(texts):,} labelled texts")
    figures = _recalls(labelled, detectors)
    progress("detectors: texts of 1 KB that all hold something")
    figures.append(_beside_presidio(detectors, _pieces(texts)))
    for what, ascii_alone in EVERYDAY.items():
        progress(f"detectors: {what}")
        some = [text for text in texts if text.isascii()] if ascii_alone else texts
        figures.append(_beside_json(what, detectors, _everyday(detectors, some, count)))
    return figures


def _recalls(labelled: Sequence[dict[str, Any]], detectors: Detectors) -> list[Figure]:
    texts = [one["full_text"] for one in labelled]
    names = {kind: entity for entity, (kind, _) in LIMITS.items()}
    hits = [detectors.find(text) for text in texts]
    mine = _scores(labelled, [[(names.get(h.type, ""), h.start, h.end) for h in each] for each in hits])
    peer = _presidio(texts, repeats=1)
    theirs = peer and _scores(labelled, [[tuple(hit) for hit in each] for each in peer["hits"]])
    figures = []
    for entity, (kind, _) in LIMITS.items():
        own, other = mine[entity], theirs[entity] if theirs else None
        beside = Peer("Presidio", other.recall) if other else None
        note = f"{own.labelled} labelled; {own.false} false hits"
        if other:
            note += f", Presidio {other.false}"
        figures.append(_figure(f"recall of {kind}", own.recall, beside, note))
    if theirs is None:
        return [*figures, _missing(FALSE_PHONES, NO_PEER)]
    phones = Peer("Presidio", theirs["PHONE_NUMBER"].false)
    return [*figures, _figure(FALSE_PHONES, mine["PHONE_NUMBER"].false, phones)]


def _beside_presidio(detectors: Detectors, pieces: Sequence[str]) -> Figure:
    peer = _presidio(pieces, repeats=REPEATS)
    if peer is None:
        return _missing(FULL, NO_PEER)
    megabytes = sum(len(text.encode()) for text in pieces) / 1e6
    ours = best_of(REPEATS, lambda: _drain(map(detectors.find, pieces)), time.process_time)
    beside = Peer(f"Presidio's {peer['recognizers']} pattern recognizers", megabytes / peer["seconds"])
    return _figure(FULL, megabytes / ours, beside)


def _beside_json(what: str, detectors: Detectors, everyday: Sequence[str]) -> Figure:
    lines = [orjson.dumps(text) for text in everyday]
    megabytes = sum(map(len, lines)) / 1e6
    json_seconds = best_of(
        REPEATS, lambda: _drain(orjson.dumps(orjson.loads(line)) for line in lines), time.process_time
    )
    seconds = best_of(
        REPEATS, lambda: _drain(_masked(detectors, text) for text in everyday), time.process_time
    )
    note = f"masked; of 1 KB, {HOLDING:.0%} hold something"
    return _figure(what, megabytes / seconds, Peer("orjson loads and dumps", megabytes / json_seconds), note)


def _figure(what: str, value: float, peer: Peer | None, note: str = "") -> Figure:
    unit, goal = GOALS[what]
    return Figure(Part.DETECTORS, what, value, unit, peer, goal, note=note)


def _missing(what: str, why: str) -> Figure:
    unit, goal = GOALS[what]
    return not_measured(Part.DETECTORS, what, unit, why, goal)


def _everyday(detectors: Detectors, texts: Sequence[str], count: int) -> list[str]:
    """Return so many texts of 1 KB, most of them of sentences in which nothing is found, in any order."""
    quiet = [text for text in texts if not detectors.find(text)]
    order = random.Random(0)  # noqa: S311 - the same texts each time
    everyday = list(islice(cycle(_pieces(texts)), int(count * HOLDING)))
    while len(everyday) < count:
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


def _presidio(texts: Sequence[str], *, repeats: int) -> dict[str, Any] | None:
    if not PEER_PYTHON.exists():
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(texts, file)
        file.flush()
        command = [str(PEER_PYTHON), str(PEER), file.name, str(repeats)]
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
    sys.exit(main(measure))
