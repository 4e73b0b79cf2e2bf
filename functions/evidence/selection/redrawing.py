"""Draws the sample of a bundle again, from the population in it, and compares. Pure.

It reads what may have been forged: a shape that is not there raises KeyError, TypeError or ValueError.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from functions.errors import ResultTooLarge
from functions.evidence.selection.sampling import POPULATION, Run, draw

_LINE = re.compile(rb"([0-9a-f]{32}) ([0-9a-f]{16}) ([1-9][0-9]*)\n")
_LONGEST_LINE = 64


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """A sample that was drawn again and is the same.

    Attributes:
        population: Runs it was drawn from.
        drawn: Runs that were drawn.
        absent: Traces of these that are not in the bundle.
        seed: What it was drawn by, 64 hex digits.
        ledger_head: Of which, and of the export's id, the seed must be made.
    """

    population: int
    drawn: int
    absent: int
    seed: str
    ledger_head: str


def redraw(account: Mapping[str, Any], population: IO[bytes], traces: Collection[str]) -> SampleFacts | str:
    """Draw again; return what is wrong, as a sentence, where it comes out otherwise.

    Args:
        account: What request.json says of the sample.
        population: The file with the population.
        traces: The trace ids in the bundle.
    """
    digest = hashlib.sha256()
    runs = list(_runs(population, digest))
    keys = [(run.trace_id, run.run_id) for run in runs]
    stated = account["population"]
    if (len(runs), digest.hexdigest()) != (stated["runs"], stated["sha256"]):
        return f"{POPULATION} is another population than request.json says."
    if keys != sorted(set(keys)):
        return f"{POPULATION} is not in order, or has a run twice."
    try:
        again = [
            (one.number, one.name, one.runs, [(drawn.trace_id, drawn.run_id) for drawn in one.drawn])
            for one in draw(account["seed"], runs, account["size"])
        ]
    except ResultTooLarge:
        return f"{POPULATION} has more strata than a sample can have."
    strata = [
        (number, str(number), one["runs"], [(drawn["trace_id"], drawn["run_id"]) for drawn in one["drawn"]])
        for number, one in enumerate(account["strata"], start=1)
    ]
    if again != strata:
        return "Drawn again from the population, the sample is another one."
    chosen = {trace_id for *_, drawn in strata for trace_id, _ in drawn}
    if foreign := set(traces) - chosen:
        return f"{len(foreign)} traces are in the bundle though none of their runs was drawn."
    drawn = sum(len(one) for *_, one in strata)
    absent = len(chosen - set(traces))
    return SampleFacts(len(runs), drawn, absent, account["seed"], account["ledger_head"])


def _runs(file: IO[bytes], digest: "hashlib._Hash") -> Iterator[Run]:
    while line := file.readline(_LONGEST_LINE):
        match = _LINE.fullmatch(line)
        if match is None:
            message = "no run"
            raise ValueError(message)
        digest.update(line)
        yield Run(match[1].decode(), match[2].decode(), match[3].decode())
